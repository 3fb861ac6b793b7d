//! `GET /sessions`: one's own sessions.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_auth::session::{State, state};
use screensort_http::member::life;
use screensort_http::{Authority, Endpoint, Member, Owner, Problem, Reply};
use screensort_routes::SESSIONS;
use screensort_runtime::Stack;
use screensort_store::Session;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("sessions").looking(SESSIONS, there, sessions)
}

/// At most ten.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
struct Answer {
    items: Vec<Entry>,
    /// Always null: there is one page.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct Entry {
    id: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
    /// To the minute.
    #[schemars(with = "String", extend("format" = "date-time"))]
    last_seen_at: Timestamp,
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
    /// Browser and system, in words.
    browser: String,
    /// The network that it began from.
    network: String,
    /// Whether it is the one that asks.
    current: bool,
}

async fn there(who: Owner<may::SessionsReadOwn>, (): (), stack: Stack) -> Result<Vec<Session>, Problem> {
    Ok(stack.sessions().of(who.id()).await?)
}

async fn sessions(
    Member { who, .. }: Member<may::SessionsReadOwn>,
    mut all: Vec<Session>,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let now = stack.clock().now();
    all.retain(|one| {
        one.generation == who.account.generation && matches!(state(&life(one), now), State::Live { .. })
    });
    all.sort_by_key(|one| std::cmp::Reverse(one.last_seen));
    let entry = |one: Session| Entry {
        current: one.name == who.session.name,
        id: one.name,
        created_at: one.created_at,
        last_seen_at: one.last_seen,
        expires_at: one.expires_at,
        browser: one.device,
        network: one.prefix,
    };
    Ok(Reply::ok(Answer { items: all.into_iter().map(entry).collect(), next_cursor: None }))
}
