//! `GET`, `PUT` and `DELETE /queries`: what one asked the directory. It is kept for those who said so.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Endpoint, Input, Member, Opening, Owner, Page, PageAsk, Problem, Reply, Whence};
use screensort_routes::{QUERIES, QUERIES_CLEAR, QUERIES_KEEP};
use screensort_runtime::Stack;
use screensort_store::{Hand, Query};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("queries").route(QUERIES, queries).route(QUERIES_KEEP, keep).route(QUERIES_CLEAR, clear)
}

/// Something that was asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryQuery")]
struct Shown {
    id: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    asked_at: Timestamp,
    /// The path, such as `/operators`.
    path: String,
    /// The filters that were given.
    parameters: BTreeMap<String, String>,
    /// How many operators were found.
    found: u64,
}

impl Shown {
    fn of((id, query): (String, Query)) -> Self {
        let Query { asked_at, path, parameters, found } = query;
        Self { id, asked_at, path, parameters, found }
    }
}

async fn queries(
    who: Owner<may::QueriesReadOwn>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Shown>>, Problem> {
    let cursors = stack.cursors().await?;
    let before: Option<String> = page.start(&cursors, who.id())?;
    let now = stack.clock().now();
    let mut found = stack.queries().page(who.id(), before.as_deref(), page.limit + 1, now).await?;
    let next = page.cut(&mut found, |(id, _)| id.clone());
    page.reply(&cursors, who.id(), found.into_iter().map(Shown::of).collect(), next.as_ref())
}

/// Whether queries are kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QueriesKept")]
struct Kept {
    /// Whether what one asks the directory is kept, for half a year.
    kept: bool,
}

struct Ask {
    body: Kept,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { body: o.body()?, whence })
    }
}

async fn keep(
    Member { who, .. }: Member<may::PreferencesWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Kept>, Problem> {
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    stack.queries().set_kept(who.id(), ask.body.kept, &hand).await?;
    Ok(Reply::ok(ask.body))
}

async fn clear(
    Member { who, .. }: Member<may::QueriesDeleteOwn>,
    whence: Whence,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let hand = Hand { by: who.id(), rid: &whence.request_id };
    stack.queries().clear(who.id(), stack.clock().now(), &hand).await?;
    Ok(Reply::done())
}
