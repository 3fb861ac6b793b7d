//! `GET /admin/recommendations/{user_id}`: what somebody is recommended, for an administrator. It leaves a trace.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Authority, Code, Endpoint, Input, Member, Opening, Problem, Reply, Text, Whence, log};
use screensort_routes::ADMIN_RECOMMENDATIONS;
use screensort_runtime::Stack;

use crate::desk::Desk;
use crate::recommendation::{self, Answer, page, seed};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_recommendations").route(ADMIN_RECOMMENDATIONS, recommendations)
}

struct Ask {
    account: String,
    page: recommendation::Ask,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let account = o.path::<Text<40>>("user_id", "The account.");
        let page = recommendation::Ask::open(o);
        let whence = Whence::open(o)?;
        Some(Self { account: account?.0, page: page?, whence })
    }
}

async fn recommendations(
    Member { who, .. }: Member<may::RecommendationsReadAll>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let unknown = || Problem::new(Code::NotFound).with_detail("There is no account with this id.");
    let person = stack.accounts().person(&ask.account).await?.ok_or_else(unknown)?;
    let id = &person.account.id;
    // Kept before anything is read: nobody looks without a trace.
    let now = stack.clock().now();
    let trail = ask.whence.trail(Event::RecommendationReadByAdmin, Some(who.id()), Some(id), now)?;
    stack.audit().keep(&trail).await?;
    log(&trail);
    let desk = Desk::of(&stack, id).await?;
    page(&desk, &ask.page, seed(id, &stack)).map(Reply::ok)
}
