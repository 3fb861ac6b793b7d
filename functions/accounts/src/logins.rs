//! `GET /logins`: one's own logins, newest first.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Authority, Endpoint, Owner, Page, PageAsk, Problem, Reply};
use screensort_routes::LOGINS;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("logins").route(LOGINS, logins)
}

/// A login that succeeded. They are kept for 90 days.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PastLogin")]
struct Entry {
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Timestamp,
    /// Browser and system, in words.
    browser: String,
    /// The network that it came from.
    network: String,
    /// Whether a second factor was shown.
    second_factor: bool,
    session_id: String,
}

async fn logins(
    who: Owner<may::AccountReadOwn>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    let cursors = stack.cursors().await?;
    let after: Option<String> = page.start(&cursors, who.id())?;
    let mut found = stack.sessions().logins(who.id(), after.as_deref(), page.limit + 1).await?;
    let next = page.cut(&mut found, |(id, _)| id.clone());
    let entries = found.into_iter().map(|(_, login)| Entry {
        at: login.at,
        browser: login.device,
        network: login.prefix,
        second_factor: login.second_factor,
        session_id: login.session,
    });
    page.reply(&cursors, who.id(), entries.collect(), next.as_ref())
}
