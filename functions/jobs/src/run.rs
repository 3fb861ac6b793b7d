//! What runs have in common: a log entry at both ends, counts, progress, and when to stop.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use screensort_runtime::Stack;
use screensort_store::{Run, RunState};
use screensort_tmdb::{Client, Config, Token};
use serde_json::{Value, json};

use crate::Error;

/// What a run did, by name.
pub type Counts = BTreeMap<String, u64>;

/// How a run ended, short of failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether there is work left: the time or the budget was used up.
    pub paused: bool,
    /// What it did.
    pub counts: Counts,
}

impl Outcome {
    pub(crate) fn done(counts: Counts) -> Self {
        Self { paused: false, counts }
    }
}

/// Who watches a run, and how long it may take.
#[derive(Clone)]
pub struct Watch {
    progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    until: Option<Timestamp>,
}

impl Watch {
    /// Nobody watches; the run stops in time for a Lambda function of 15 minutes.
    pub fn scheduled(now: Timestamp) -> Self {
        let until = now.checked_add(SignedDuration::from_mins(13)).ok();
        Self { progress: Arc::new(|_, _| {}), until }
    }

    /// `progress` is told how much is done of how much; the run takes as long as it takes.
    pub fn by(progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { progress: Arc::new(progress), until: None }
    }

    pub(crate) fn tell(&self, done: u64, of: u64) {
        (self.progress)(done, of);
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now >= until)
    }
}

/// Adds to a count.
pub(crate) fn count(counts: &mut Counts, name: &str, by: usize) {
    *counts.entry(name.to_owned()).or_default() += by as u64;
}

/// Runs `work` with a log entry at its start and its end.
pub(crate) async fn logged(
    stack: &Stack,
    job: &'static str,
    work: impl Future<Output = Result<Outcome, Error>>,
) -> Result<Outcome, Error> {
    let progress = stack.progress();
    let mut run = Run {
        job: job.to_owned(),
        started_at: stack.clock().now(),
        ended_at: None,
        state: RunState::Running,
        counts: Counts::new(),
        failure: None,
    };
    progress.log(&run).await?;
    let result = work.await;
    run.ended_at = Some(stack.clock().now());
    match &result {
        Ok(outcome) => {
            run.state = if outcome.paused { RunState::Paused } else { RunState::Done };
            run.counts.clone_from(&outcome.counts);
            tracing::info!(name: "job.ended", job, paused = outcome.paused, counts = ?outcome.counts, "{job} ended");
        }
        Err(error) => {
            run.state = RunState::Failed;
            run.failure = Some(error.to_string());
            let error: &dyn std::error::Error = error;
            tracing::error!(name: "job.failed", job, error, "{job} failed");
        }
    }
    progress.log(&run).await?;
    result
}

/// What a scheduled run answers.
pub(crate) fn summary(result: Result<Outcome, Error>) -> Result<Value, screensort_runtime::JobError> {
    let outcome = result?;
    Ok(json!({"paused": outcome.paused, "counts": outcome.counts}))
}

/// A TMDb client with the key from Secrets Manager and at most `budget` requests.
pub(crate) async fn tmdb(stack: &Stack, budget: u32) -> Result<Client, Error> {
    let settings = stack.settings();
    let text = stack.secret_if_any(&settings.tmdb_secret).await?.ok_or(Error::KeyMissing)?;
    let token = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|value| value.get("token")?.as_str().map(str::to_owned))
        .unwrap_or(text);
    if token.trim().is_empty() || token.trim() == "unset" {
        return Err(Error::KeyMissing);
    }
    let mut config = Config::new(Token::new(&token));
    config.user_agent = concat!("ScreenSort/", env!("CARGO_PKG_VERSION")).to_owned();
    if let Some(url) = &settings.tmdb_url {
        config.base_url.clone_from(url);
    }
    if let Some(url) = &settings.tmdb_exports_url {
        config.exports_base_url.clone_from(url);
    }
    Ok(Client::new(config)?.with_budget(budget))
}
