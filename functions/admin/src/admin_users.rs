//! `GET /admin/users`: accounts, with roles and state.

use screensort_auth::may;
use screensort_http::{Endpoint, Member, Page, PageAsk, Problem, Reply};
use screensort_routes::ADMIN_USERS;
use screensort_runtime::Stack;

use crate::user::AdminUser;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_users").route(ADMIN_USERS, users)
}

async fn users(
    Member { who, .. }: Member<may::UsersRead>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<AdminUser>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<String> = page.start(cursors, who.id())?;
    let mut found = stack.accounts().list(after.as_deref(), page.limit + 1).await?;
    let more = found.len() > page.limit;
    found.truncate(page.limit);
    let next = found.last().filter(|_| more).map(|account| account.id.clone());
    page.reply(cursors, who.id(), found.into_iter().map(AdminUser::of).collect(), next.as_ref())
}
