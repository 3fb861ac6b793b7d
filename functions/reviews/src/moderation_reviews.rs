//! `GET /moderation/reviews`: reviews that wait for an editor: new people's, and reported ones.

use screensort_auth::may;
use screensort_http::{Endpoint, Member, Page, PageAsk, Problem, Reply};
use screensort_routes::MODERATION_REVIEWS;
use screensort_runtime::Stack;

use crate::shown::Moderated;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("moderation_reviews").route(MODERATION_REVIEWS, waiting)
}

async fn waiting(
    Member { who, .. }: Member<may::ReviewsModerate>,
    ask: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Moderated>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.start(&cursors, who.id())?;
    let mut found = stack.library().reviews_waiting(after.as_deref(), ask.limit + 1).await?;
    let next = ask.cut(&mut found, |(place, _)| place.clone());
    let waiting = found.into_iter().map(|(_, review)| Moderated::of(review)).collect();
    ask.reply(&cursors, who.id(), waiting, next.as_ref())
}
