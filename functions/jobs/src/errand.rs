//! How workers come by exports and imports. The library table's stream brings each new one at once; a schedule looks
//! for those that got stuck, in an index that holds nothing else.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use screensort_accounts::deletion_worker;
use screensort_http::Problem;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Change, Errand, ErrandKind, ErrandState, errand_of_change};
use serde_json::{Value, json};

/// An errand that nobody has noted anything of for so long is stuck: a worker says more often how far it is.
const STUCK: SignedDuration = SignedDuration::from_mins(5);
/// One that could not be done for so long never will be.
const HOPELESS: SignedDuration = SignedDuration::from_hours(24);
/// Errands that one run of the schedule takes on.
const MOST: usize = 25;

/// An errand that failed; it stays where the schedule finds it.
#[derive(Debug, thiserror::Error)]
#[error("{failed} errands could not be done yet: {first}")]
struct Undone {
    failed: u32,
    first: String,
}

/// Does the errands of `kind` that `event` brings, or those that are stuck if it is no change of the table. One that
/// fails does not hold up the others.
pub(crate) async fn run<W, F>(
    stack: &Stack,
    kind: ErrandKind,
    event: &Value,
    work: W,
) -> Result<Value, JobError>
where
    W: Fn(String, Errand) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let now = stack.clock().now();
    let (mut done, mut failed, mut first) = (0, 0, String::new());
    for (account, errand) in waiting(stack, kind, event, now).await? {
        if errand.asked_at.saturating_add(HOPELESS).is_ok_and(|end| end < now) {
            give_up(stack, kind, &account, errand, now).await?;
            continue;
        }
        let id = errand.id.clone();
        match work(account, errand).await {
            Ok(()) => done += 1,
            Err(problem) => {
                failed += 1;
                first = problem.causes().unwrap_or_else(|| problem.code().word().to_owned());
                tracing::error!(name: "errand.failed", id, cause = first, "an errand failed");
            }
        }
    }
    if failed > 0 { Err(Undone { failed, first }.into()) } else { Ok(json!({"done": done})) }
}

async fn waiting(
    stack: &Stack,
    kind: ErrandKind,
    event: &Value,
    now: Timestamp,
) -> Result<Vec<(String, Errand)>, JobError> {
    let library = stack.library();
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        let before = now.saturating_sub(STUCK).unwrap_or(Timestamp::MIN);
        return Ok(library.errands_stuck(kind, before, MOST).await?);
    };
    let mut waiting = Vec::new();
    for (account, id) in records.iter().filter_map(|record| errand_of_change(record, kind)) {
        let errand = library.errand(&account, kind, &id).await?;
        let open = errand.filter(|errand| errand.progress == ErrandState::Running);
        waiting.extend(open.map(|errand| (account, errand)));
    }
    Ok(waiting)
}

async fn give_up(
    stack: &Stack,
    kind: ErrandKind,
    account: &str,
    errand: Errand,
    now: Timestamp,
) -> Result<(), JobError> {
    let failure = "It could not be done for a day; ask again.".to_owned();
    let errand = Errand { progress: ErrandState::Failed, failure: Some(failure), ..errand };
    let change = Change { account, request: &errand.request, at: now };
    stack.library().note_errand(&change, kind, &errand).await?;
    tracing::error!(name: "errand.given_up", id = errand.id, "an errand was given up");
    Ok(())
}

/// Notes how far an errand is. False if it has ended: another worker did it, or its owner was forgotten while this one
/// worked for them. Then whatever it wrote meanwhile goes: nobody comes to take it away.
pub(crate) async fn note(
    stack: &Stack,
    change: &Change<'_>,
    kind: ErrandKind,
    errand: &Errand,
) -> Result<bool, Problem> {
    let is_noted = stack.library().note_errand(change, kind, errand).await?;
    if !is_noted && stack.accounts().person(change.account).await?.is_none() {
        forget(stack, change).await?;
    }
    Ok(is_noted)
}

/// Takes away what was written for somebody whose account is gone: by a worker that was at it, or by the request that
/// asked and was under way when they were forgotten. No review of theirs that is left was written before that.
pub(crate) async fn forget(stack: &Stack, change: &Change<'_>) -> Result<(), Problem> {
    tracing::info!(name: "errand.forgotten", request_id = change.request, "an errand's owner is forgotten");
    deletion_worker::clear(stack, change, false).await
}
