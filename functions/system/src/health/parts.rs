//! What the product depends on, looked at all at once and in bounded time.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use screensort_http::{Code, Problem};
use screensort_runtime::{Artifacts, Stack};
use screensort_store::ErrandKind;
use serde::Serialize;

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// A catalogue is published after each synchronisation, every day at least.
const CATALOGUE: SignedDuration = SignedDuration::from_hours(36);
/// A model is trained every night.
const MODEL: SignedDuration = SignedDuration::from_hours(48);
/// The mailer looks every minute.
const LETTERS: SignedDuration = SignedDuration::from_mins(15);
/// Exports and imports are looked for every minute.
const ERRANDS: SignedDuration = SignedDuration::from_mins(30);
/// People are forgotten every five minutes.
const DELETIONS: SignedDuration = SignedDuration::from_hours(1);
/// What a stream's function gave up on has to be given to it again: none is in time.
const DEAD: SignedDuration = SignedDuration::MIN;
/// Where Lambda and the local server put that aside; a file's name begins with when.
const DEAD_LETTERS: &str = "aws/lambda/";
/// Errands that are looked at.
const LOOKED_AT: usize = 100;

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "HealthState")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Older than it should get.
    Late,
    /// Not there yet.
    Missing,
    /// It does not answer, or not in time.
    Unreachable,
}

/// Something that the product depends on.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HealthPart")]
pub(super) struct Part {
    /// `store`, `secrets`; `catalogue`, `model`: what is published; `outbox`, `deletions`, `exports`, `imports`: what
    /// waits for a job; `dead_letters`: changes that a stream's function gave up on.
    part: &'static str,
    pub(super) state: State,
    /// How old what is published is, or what waits longest; null if nothing is or does.
    age_seconds: Option<i64>,
    /// How long it took to answer, in milliseconds.
    milliseconds: i64,
}

/// What was found.
enum Found {
    /// It answers, and nothing waits.
    Quiet,
    /// Published or waiting since then.
    Since(Timestamp),
    /// Nothing where something should be.
    Nothing,
}

impl Found {
    fn waiting(since: Option<Timestamp>) -> Self {
        since.map_or(Self::Quiet, Self::Since)
    }
}

/// All parts, none of which waits for another.
pub(super) async fn all(stack: &Stack) -> Vec<Part> {
    let never = SignedDuration::MAX;
    let (store, secrets, catalogue, model, outbox, deletions, exports, imports, dead_letters) = futures::join!(
        look(stack, "store", never, store(stack)),
        look(stack, "secrets", never, secrets(stack)),
        look(stack, "catalogue", CATALOGUE, published(stack.artifacts())),
        look(stack, "model", MODEL, published(stack.models())),
        look(stack, "outbox", LETTERS, outbox(stack)),
        look(stack, "deletions", DELETIONS, deletions(stack)),
        look(stack, "exports", ERRANDS, errands(stack, ErrandKind::Export)),
        look(stack, "imports", ERRANDS, errands(stack, ErrandKind::Import)),
        look(stack, "dead_letters", DEAD, dead_letters(stack)),
    );
    vec![store, secrets, catalogue, model, outbox, deletions, exports, imports, dead_letters]
}

async fn look(
    stack: &Stack,
    part: &'static str,
    late: SignedDuration,
    looking: impl Future<Output = Result<Found, Problem>>,
) -> Part {
    let began = stack.clock().now();
    let found = tokio::time::timeout(PATIENCE, looking).await;
    let now = stack.clock().now();
    let (state, age) = match found {
        Ok(Ok(Found::Quiet)) => (State::Ok, None),
        Ok(Ok(Found::Nothing)) => (State::Missing, None),
        Ok(Ok(Found::Since(at))) => {
            let age = now.duration_since(at);
            (if age > late { State::Late } else { State::Ok }, Some(age.as_secs().max(0)))
        }
        Ok(Err(problem)) => {
            let cause = problem.causes();
            tracing::warn!(name: "health.unreachable", part, cause, "a part of the product cannot be reached");
            (State::Unreachable, None)
        }
        Err(_) => {
            tracing::warn!(name: "health.slow", part, "a part of the product did not answer in time");
            (State::Unreachable, None)
        }
    };
    let took = now.duration_since(began).as_millis();
    Part { part, state, age_seconds: age, milliseconds: i64::try_from(took).unwrap_or(i64::MAX) }
}

/// The tables of films, of credentials and of libraries.
async fn store(stack: &Stack) -> Result<Found, Problem> {
    let (films, letters, library, now) =
        (stack.progress(), stack.outbox(), stack.library(), stack.clock().now());
    let errands = library.errands_open(ErrandKind::Export, 1);
    futures::try_join!(films.runs(1, now), letters.oldest(), errands)?;
    Ok(Found::Quiet)
}

/// The public keys of tokens, as one secret of all: whoever reads one reaches the others.
async fn secrets(stack: &Stack) -> Result<Found, Problem> {
    let held = stack.secret_if_any(&stack.settings().jwks_secret).await?;
    Ok(if held.is_some() { Found::Quiet } else { Found::Nothing })
}

async fn published(artifacts: Artifacts) -> Result<Found, Problem> {
    let current = artifacts.current().await.map_err(|e| Problem::new(Code::Unavailable).caused_by(e))?;
    Ok(current.map_or(Found::Nothing, |current| Found::Since(current.made_at)))
}

async fn outbox(stack: &Stack) -> Result<Found, Problem> {
    Ok(Found::waiting(stack.outbox().oldest().await?))
}

async fn deletions(stack: &Stack) -> Result<Found, Problem> {
    let waiting = stack.accounts().deletions().await?;
    Ok(Found::waiting(waiting.iter().map(|deletion| deletion.asked_at).min()))
}

async fn errands(stack: &Stack, kind: ErrandKind) -> Result<Found, Problem> {
    let open = stack.library().errands_open(kind, LOOKED_AT).await?;
    Ok(Found::waiting(open.iter().map(|errand| errand.asked_at).min()))
}

async fn dead_letters(stack: &Stack) -> Result<Found, Problem> {
    let names = stack.letters().list(DEAD_LETTERS).await;
    let names = names.map_err(|e| Problem::new(Code::Unavailable).caused_by(e))?;
    // One whose name says nothing is as old as this question: it is there.
    let now = stack.clock().now();
    Ok(Found::waiting(names.iter().map(|name| put_aside_at(name).unwrap_or(now)).min()))
}

/// When a letter was put aside, by its name.
fn put_aside_at(name: &str) -> Option<Timestamp> {
    let time = name.rsplit('/').next()?.get(..19)?;
    let time = DateTime::strptime("%Y-%m-%dT%H.%M.%S", time).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letters_name_says_when_it_was_put_aside_and_any_other_nothing() {
        let name = "aws/lambda/0d3b/shardId-1/2026/11/22/2026-11-22T11.59.58-4f1e";
        assert_eq!(put_aside_at(name).map(|at| at.to_string()).as_deref(), Some("2026-11-22T11:59:58Z"));
        for name in ["", "aws/lambda/", "aws/lambda/2026-11-22T11:59:58-x", "aws/lambda/ééééééééééééééééééé"]
        {
            assert_eq!(put_aside_at(name), None, "{name}");
        }
    }
}
