//! What runs have in common: a log entry at both ends, counts, progress, and when to stop.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use screensort_auth::event::Event;
use screensort_catalog::Catalog;
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::Stack;
use screensort_store::{Run, RunState};
use screensort_tmdb::{Client, Config, Token};
use serde_json::{Value, json};

use crate::Error;
use crate::note::failed;

tokio::task_local! {
    /// The clients that a run has asked TMDb with, and the budget of each.
    static ASKED: RefCell<Vec<(Client, u32)>>;
}

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

    pub(crate) fn paused(counts: Counts) -> Self {
        Self { paused: true, counts }
    }
}

/// Who watches a run, and how long it may take.
#[derive(Clone)]
pub struct Watch {
    progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    until: Option<Timestamp>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Nobody watches; the run stops in time for a Lambda function of 15 minutes.
    pub fn scheduled(now: Timestamp) -> Self {
        let until = now.checked_add(SignedDuration::from_mins(13)).ok();
        Self { progress: Arc::new(|_, _| {}), until, stop: Arc::default() }
    }

    /// `progress` is told how much is done of how much; the run takes as long as it takes.
    pub fn by(progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { progress: Arc::new(progress), until: None, stop: Arc::default() }
    }

    /// As well as before, the run pauses once `stop` is true.
    #[must_use]
    pub fn until(self, stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), ..self }
    }

    pub(crate) fn tell(&self, done: u64, of: u64) {
        (self.progress)(done, of);
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.stop.load(Ordering::Relaxed) || self.until.is_some_and(|until| now >= until)
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
    let (result, asked) = match progress.log(&run).await {
        Ok(()) => {
            ASKED
                .scope(RefCell::default(), async {
                    let result = work.await;
                    (result, ASKED.with(|asked| spent(&asked.borrow())))
                })
                .await
        }
        // Without a store there is nothing to work on.
        Err(error) => (Err(error.into()), 0),
    };
    if asked > 0 {
        note_asked(stack, job, asked).await;
    }
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
    if let Err(error) = &result {
        failed(stack, job, error).await;
    }
    // What the run did stands, whether its log can be written or not.
    if let Err(error) = progress.log(&run).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(name: "job.unlogged", job, error, "the end of {job} could not be noted");
    }
    result
}

/// Requests that left.
fn spent(asked: &[(Client, u32)]) -> u32 {
    asked.iter().map(|(client, budget)| budget.saturating_sub(client.budget_left().unwrap_or(0))).sum()
}

/// Records how often a run asked TMDb: one record a run.
pub(crate) async fn note_asked(stack: &Stack, job: &str, requests: u32) {
    let now = stack.clock().now();
    let Ok(trail) = trail_of(Event::TmdbRequested, job, &format!("{job}/{requests}"), job, now) else {
        return;
    };
    // What the run did stands without it.
    if let Err(error) = stack.audit().keep(&trail).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(name: "audit.unwritten", error, "how often TMDb was asked could not be recorded");
    }
    log(&trail);
}

/// What a scheduled run answers.
pub(crate) fn summary(result: Result<Outcome, Error>) -> Result<Value, screensort_runtime::JobError> {
    let outcome = result?;
    Ok(json!({"paused": outcome.paused, "counts": outcome.counts}))
}

/// The catalogue that is served; `None` before the first publication. One that cannot be read is an error: taken
/// for an empty one, it would make films that are there look new, and changes to them look like nobody's.
pub(crate) async fn published(stack: &Stack) -> Result<Option<Arc<Catalog>>, Error> {
    match stack.catalog().await {
        Ok(catalog) => Ok(Some(catalog)),
        Err(problem) => match stack.artifacts().current().await {
            Ok(None) => Ok(None),
            _ => Err(Error::Unreadable(problem.causes().unwrap_or_default())),
        },
    }
}

/// Asks TMDb whether it takes `token`, without keeping it.
///
/// # Errors
/// [`Error::KeyMissing`] and [`Error::KeyRefused`] if not; others if TMDb cannot be asked.
pub async fn check_token(stack: &Stack, token: &str) -> Result<(), Error> {
    Ok(client(stack, token, 4)?.check_key().await?)
}

/// A TMDb client with the key from Secrets Manager and at most `budget` requests.
pub(crate) async fn tmdb(stack: &Stack, budget: u32) -> Result<Client, Error> {
    let secret = stack.secret_if_any(&stack.settings().tmdb_secret).await;
    let secret = secret.map_err(|problem| Error::Secret(problem.causes().unwrap_or_default()))?;
    let client = client(stack, &secret.ok_or(Error::KeyMissing)?, budget)?;
    // Outside of a run nobody counts.
    let _ = ASKED.try_with(|asked| asked.borrow_mut().push((client.clone(), budget)));
    Ok(client)
}

/// A client with the key in `text`, which may be the key itself or JSON around it.
fn client(stack: &Stack, text: &str, budget: u32) -> Result<Client, Error> {
    let settings = stack.settings();
    let token = serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| value.get("token")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| text.to_owned());
    if token.trim().is_empty() || token.trim() == "unset" {
        return Err(Error::KeyMissing);
    }
    let mut config = Config::new(Token::new(&token));
    config.user_agent = concat!("ScreenSort/", env!("CARGO_PKG_VERSION")).to_owned();
    config.pacing.per_second = settings.tmdb_requests_per_second;
    config.told = Some(|told| {
        screensort_runtime::called("tmdb", told.route, told.status, told.failure, told.took);
    });
    if let Some(url) = &settings.tmdb_url {
        config.base_url.clone_from(url);
    }
    if let Some(url) = &settings.tmdb_exports_url {
        config.exports_base_url.clone_from(url);
    } else if let Some(url) = &settings.tmdb_url {
        // Who puts another server in TMDb's place means all of it.
        let root = url.trim_end_matches('/').trim_end_matches("/3");
        config.exports_base_url = format!("{root}/p/exports");
    }
    Ok(Client::new(config)?.with_budget(budget))
}
