//! `PATCH`, `DELETE /history/{hid}`: correct one time that a film was watched, or take it back.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Member, Opening, Owner, Problem, Reply, Text, Whence, given};
use screensort_model::{Mode, OperatorId};
use screensort_routes::{HISTORY_CHANGE, HISTORY_REMOVE};
use screensort_runtime::Stack;
use screensort_store::Watch;
use serde::Deserialize;

use crate::film::change;
use crate::history::{Entry, checked};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("history_entry").looking(HISTORY_CHANGE, there::<Body>, correct).looking(
        HISTORY_REMOVE,
        there::<()>,
        remove,
    )
}

/// What to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WatchedChange")]
struct Body {
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    watched_at: Option<Timestamp>,
    rewatch: Option<bool>,
    /// Null takes it back.
    #[serde(default, deserialize_with = "given")]
    operator: Option<Option<OperatorId>>,
    /// Null takes it back.
    #[serde(default, deserialize_with = "given")]
    mode: Option<Option<Mode>>,
}

impl Input for Body {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        o.body()
    }
}

/// An entry, and what to do with it.
struct Ask<T> {
    id: String,
    whence: Whence,
    what: T,
}

impl<T: Input> Input for Ask<T> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("hid", "The entry.");
        let whence = Whence::open(o)?;
        let what = T::open(o);
        Some(Self { id: id?.0, whence, what: what? })
    }
}

/// The entry that is asked about, if it is there.
async fn there<T>(
    who: Owner<may::HistoryWriteOwn>,
    ask: Ask<T>,
    stack: Stack,
) -> Result<(Ask<T>, Option<Watch>), Problem> {
    let before = stack.library().watched(who.id(), &ask.id).await?;
    Ok((ask, before))
}

async fn correct(
    Member { who, .. }: Member<may::HistoryWriteOwn>,
    (ask, before): (Ask<Body>, Option<Watch>),
    stack: Stack,
) -> Result<Reply<Entry>, Problem> {
    let change = change(&who, &ask.whence, &stack);
    let (before, body) = (before.ok_or_else(unknown)?, ask.what);
    let after = Watch {
        watched_at: checked(body.watched_at.unwrap_or(before.watched_at), change.at)?,
        rewatch: body.rewatch.unwrap_or(before.rewatch),
        operator: body.operator.unwrap_or(before.operator),
        mode: body.mode.unwrap_or(before.mode),
        ..before.clone()
    };
    if !stack.library().rewrite_watch(&change, &before, Some(&after)).await? {
        return Err(unknown());
    }
    Ok(Reply::ok(Entry::of(after, &*stack.catalog().await?)))
}

async fn remove(
    Member { who, .. }: Member<may::HistoryWriteOwn>,
    (ask, before): (Ask<()>, Option<Watch>),
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let change = change(&who, &ask.whence, &stack);
    if !stack.library().rewrite_watch(&change, &before.ok_or_else(unknown)?, None).await? {
        return Err(unknown());
    }
    Ok(Reply::done())
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no such entry in your history.")
}
