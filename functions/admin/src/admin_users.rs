//! `GET /admin/users`: accounts, with roles and state. That somebody looked is recorded, page by page.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Endpoint, Input, Member, Opening, Page, PageAsk, Problem, Reply, Whence};
use screensort_routes::ADMIN_USERS;
use screensort_runtime::Stack;

use crate::user::AdminUser;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_users").route(ADMIN_USERS, users)
}

struct Ask {
    page: PageAsk,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let page = PageAsk::open(o);
        let whence = Whence::open(o)?;
        Some(Self { page: page?, whence })
    }
}

async fn users(
    Member { who, .. }: Member<may::UsersRead>,
    Ask { page, whence }: Ask,
    stack: Stack,
) -> Result<Reply<Page<AdminUser>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<String> = page.start(&cursors, who.id())?;
    let mut found = stack.accounts().list(after.as_deref(), page.limit + 1).await?;
    let next = page.cut(&mut found, |account| account.id.clone());
    stack.witness(&whence.trail(Event::PersonReadByAdmin, Some(who.id()), None, stack.clock().now())?).await;
    page.reply(&cursors, who.id(), found.into_iter().map(AdminUser::of).collect(), next.as_ref())
}
