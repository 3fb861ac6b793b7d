//! How workers come by exports and imports: a schedule starts a run each minute. A run finds what is due in an index that
//! holds nothing else, takes one errand at a time by a condition, and goes on until nothing is due or its time is up.
//! Runs may overlap: each errand is done by one.

use std::collections::HashMap;
use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use screensort_accounts::deletion_worker;
use screensort_http::Problem;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Change, Errand, ErrandKind, HeldErrand, OpenErrand};
use serde_json::{Value, json};

/// How long a run takes on more. What it is at by then it ends: it has the rest of a function's quarter of an hour. With
/// a start each minute, no more runs overlap than `infra/functions.toml` lets the workers.
const TAKING: SignedDuration = SignedDuration::from_mins(3);
/// Open errands that a run looks at before it takes one.
const LOOKED_AT: usize = 50;
/// An errand that was tried so often, over some four hours, is given up.
const TRIES: u32 = 10;
/// What its owner is told then.
const FAILURE: &str = "It could not be done; ask again.";

/// Errands that failed; they are due again later.
#[derive(Debug, thiserror::Error)]
#[error("{failed} errands could not be done: {first}")]
struct Undone {
    failed: u32,
    first: String,
}

/// What a run did.
#[derive(Default)]
struct Done {
    done: u32,
    failed: u32,
    first: String,
}

impl Done {
    fn fail(&mut self, id: &str, cause: String) {
        tracing::error!(name: "errand.failed", id, cause, "an errand failed");
        self.failed += 1;
        self.first = cause;
    }
}

/// Does the errands of `kind` that are due. One that fails does not hold up the others. The answer has how long the
/// oldest has been open, done or not yet due again, for the alarm.
pub(crate) async fn run<W, F>(stack: &Stack, kind: ErrandKind, work: W) -> Result<Value, JobError>
where
    W: Fn(HeldErrand, Errand) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let (run, began) = (stack.new_id().map_err(cause)?, stack.clock().now());
    let library = stack.library();
    let until = began.saturating_add(TAKING).unwrap_or(Timestamp::MAX);
    let (mut all, mut oldest) = (Done::default(), None);
    loop {
        let now = stack.clock().now();
        let open = library.errands_open(kind, LOOKED_AT).await?;
        let age = open.iter().map(|errand| now.duration_since(errand.asked_at).as_secs().max(0)).max();
        let oldest = *oldest.get_or_insert(age.unwrap_or(0));
        let taken = match now < until {
            true => take(stack, kind, in_turn(open, now), &run, now).await?,
            false => None,
        };
        let Some((held, errand)) = taken else {
            let Done { done, failed, first } = all;
            return match failed {
                0 => Ok(json!({"done": done, "oldest_seconds": oldest})),
                _ => Err(Undone { failed, first }.into()),
            };
        };
        perform(stack, held, errand, &work, &mut all).await?;
    }
}

fn cause(problem: Problem) -> String {
    problem.causes().unwrap_or_else(|| problem.code().word().to_owned())
}

/// What is due, everybody's first errand before anybody's second.
fn in_turn(open: Vec<OpenErrand>, now: Timestamp) -> Vec<OpenErrand> {
    let mut of_owner: HashMap<String, u32> = HashMap::new();
    let due = open.into_iter().filter(|errand| errand.due_at <= now).map(|errand| {
        let nth = of_owner.entry(errand.account.clone()).or_default();
        *nth += 1;
        (*nth, errand)
    });
    let mut due: Vec<(u32, OpenErrand)> = due.collect();
    due.sort_by_key(|(nth, _)| *nth);
    due.into_iter().map(|(_, errand)| errand).collect()
}

/// The first of `due` that no other run has taken meanwhile.
async fn take(
    stack: &Stack,
    kind: ErrandKind,
    due: Vec<OpenErrand>,
    run: &str,
    now: Timestamp,
) -> Result<Option<(HeldErrand, Result<Errand, screensort_store::Error>)>, JobError> {
    for errand in due {
        if let Some(taken) = stack.library().take_errand(kind, &errand, run, now).await? {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}

async fn perform<W, F>(
    stack: &Stack,
    held: HeldErrand,
    errand: Result<Errand, screensort_store::Error>,
    work: &W,
    all: &mut Done,
) -> Result<(), JobError>
where
    W: Fn(HeldErrand, Errand) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    // Runs that were killed at it, again and again, wrote no cause.
    let failed = match errand {
        _ if held.tries > TRIES => Err("no run ended it".to_owned()),
        Ok(errand) => work(held.clone(), errand).await.map_err(cause),
        Err(unreadable) => Err(unreadable.to_string()),
    };
    let Err(cause) = failed else {
        all.done += 1;
        return Ok(());
    };
    all.fail(&held.id, cause);
    if held.tries < TRIES {
        stack.library().put_back_errand(&held, stack.clock().now()).await?;
    } else {
        stack.library().give_up_errand(&held, FAILURE).await?;
        tracing::error!(name: "errand.given_up", id = held.id, tries = held.tries, "an errand was given up");
    }
    Ok(())
}

/// Notes how far an errand is. False if this run has it no more: another one took it because this one said nothing for
/// too long, or its owner was forgotten while it worked for them. Then whatever it wrote meanwhile goes: nobody comes to
/// take it away.
pub(crate) async fn note(
    stack: &Stack,
    change: &Change<'_>,
    held: &HeldErrand,
    errand: &Errand,
) -> Result<bool, Problem> {
    let change = Change { at: stack.clock().now(), ..*change };
    let is_noted = stack.library().note_errand(&change, held, errand).await?;
    if !is_noted && stack.accounts().person(change.account).await?.is_none() {
        forget(stack, &change).await?;
    }
    Ok(is_noted)
}

/// Takes away what was written for somebody whose account is gone: by a worker that was at it, or by the request that
/// asked and was under way when they were forgotten. No review of theirs that is left was written before that.
pub(crate) async fn forget(stack: &Stack, change: &Change<'_>) -> Result<(), Problem> {
    tracing::info!(name: "errand.forgotten", request_id = change.request, "an errand's owner is forgotten");
    deletion_worker::clear(stack, change, false).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(account: &str, id: &str, due: i64) -> OpenErrand {
        let due_at = Timestamp::from_second(due).unwrap();
        OpenErrand { account: account.to_owned(), id: id.to_owned(), asked_at: due_at, due_at }
    }

    #[test]
    fn everybodys_first_errand_comes_before_anybodys_second() {
        let waiting = [
            ("ann", "1", 1),
            ("ann", "2", 2),
            ("ann", "3", 3),
            ("bob", "4", 4),
            ("bob", "5", 5),
            ("cid", "6", 9),
        ];
        let waiting = waiting.map(|(account, id, due)| open(account, id, due)).to_vec();
        let turns = in_turn(waiting, Timestamp::from_second(5).unwrap());
        let turns: Vec<&str> = turns.iter().map(|errand| errand.id.as_str()).collect();
        assert_eq!(turns, ["1", "4", "2", "5", "3"], "and what is not due yet not at all");
    }
}
