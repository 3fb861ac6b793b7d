//! `GET` and `POST /admin/sync`: the sync's last runs and what waits; ask for a run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Endpoint, Input, Member, Opening, Problem, Recent, Reply, Whence, Whole};
use screensort_routes::{ADMIN_SYNC, ADMIN_SYNC_START};
use screensort_runtime::Stack;
use screensort_store::{By, Run, RunState};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_sync").route(ADMIN_SYNC, show).creating_later(ADMIN_SYNC_START, start)
}

/// How the catalogue is kept in step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sync")]
struct Answer {
    /// Films that wait to be read.
    queue: u64,
    /// What was asked for and has not ended.
    wanted: Vec<Asked>,
    /// The last runs of all jobs, newest first.
    runs: Vec<SyncRun>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SyncAsked")]
struct Asked {
    /// `full`, `changes` or `publish`.
    what: String,
    #[schemars(extend("format" = "date-time"))]
    asked_at: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SyncRun {
    job: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    started_at: Timestamp,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    ended_at: Option<Timestamp>,
    /// `running` (or killed), `done`, `paused` (the next run goes on) or `failed`.
    state: &'static str,
    /// What it did, by name.
    counts: BTreeMap<String, u64>,
    /// Why it failed.
    failure: Option<String>,
}

impl SyncRun {
    fn of(run: Run) -> Self {
        let state = match run.state {
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Paused => "paused",
            RunState::Failed => "failed",
        };
        let Run { job, started_at, ended_at, counts, failure, .. } = run;
        Self { job, started_at, ended_at, state, counts, failure }
    }
}

struct Ask {
    runs: usize,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let runs = o.query::<Whole<1, 100>>("limit", "Runs; 20 unless given.");
        Some(Self { runs: runs.map_or(20, |Whole(n)| n as usize) })
    }
}

async fn show(_: Member<may::SyncRead>, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let (progress, edits) = (stack.progress(), stack.edits());
    let now = stack.clock().now();
    let (queue, wanted, runs) =
        futures::try_join!(progress.waiting(), edits.wanted(), progress.runs(ask.runs, now))?;
    Ok(Reply::ok(Answer {
        queue,
        wanted: wanted.into_iter().map(|one| Asked { what: one.what, asked_at: one.at }).collect(),
        runs: runs.into_iter().map(SyncRun::of).collect(),
    }))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SyncWhat")]
enum What {
    /// Everything that TMDb lists.
    Full,
    /// What TMDb has changed since the last time.
    #[default]
    Changes,
    /// What is kept is published; TMDb is not asked.
    Publish,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Changes => "changes",
            Self::Publish => "publish",
        }
    }
}

/// What to do; `changes` unless given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "SyncStart")]
struct Body {
    what: What,
}

struct Start {
    what: What,
    whence: Whence,
}

impl Input for Start {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        let Body { what } = o.optional_body()?;
        Some(Self { what, whence })
    }
}

/// A run that begins within a minute.
#[derive(Debug, Serialize, JsonSchema)]
struct SyncAccepted {
    what: What,
    /// Whether it was asked for before and has not begun.
    already_wanted: bool,
}

async fn start(
    Recent { who, .. }: Recent<may::SyncRun>,
    ask: Start,
    stack: Stack,
) -> Result<Reply<SyncAccepted>, Problem> {
    let (what, now) = (ask.what.name(), stack.clock().now());
    let trail = ask.whence.trail(Event::SyncStarted, Some(who.id()), Some(what), now)?;
    let by = By { account: who.id(), request: &ask.whence.request_id };
    let is_new = stack.edits().want(what, by, now, &trail).await?;
    if is_new {
        screensort_http::log(&trail);
    }
    Ok(Reply::ok(SyncAccepted { what: ask.what, already_wanted: !is_new }))
}
