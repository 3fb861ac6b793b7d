//! `sync`: the scheduled jobs, run one after the other with a progress bar each and a table at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use screensort_jobs::{
    Counts, Error, Outcome, Watch, publish_catalog, retention, sync_changes, sync_exports, sync_lists,
    sync_movies,
};
use screensort_model::MovieId;
use screensort_runtime::Stack;

/// What to bring in step.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Everything that TMDb lists.
    Full,
    /// What TMDb has changed since the last time.
    Changes,
    /// Just these films.
    Films(Vec<MovieId>),
}

/// One job's line in the table.
pub(crate) struct Line {
    pub(crate) job: &'static str,
    pub(crate) outcome: Outcome,
}

/// What was done, and what ended it before its time.
pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
    pub(crate) failed: Option<Error>,
}

/// Runs the jobs until `stop` is true, and publishes what they kept. The next run goes on where this one stops.
pub(crate) async fn run(stack: &Stack, what: What, stop: &Arc<AtomicBool>) -> Report {
    let mut lines = Vec::new();
    let read = read(stack, what, stop, &mut lines).await;
    let mut failed = read.err();
    // What was read before TMDb failed is worth showing.
    if matches!(failed, None | Some(Error::Tmdb(_))) {
        match publish_catalog::run(stack, false).await {
            Ok(outcome) => lines.push(Line { job: "publish_catalog", outcome }),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Report { lines, failed }
}

async fn read(stack: &Stack, what: What, stop: &Arc<AtomicBool>, lines: &mut Vec<Line>) -> Result<(), Error> {
    let mut note = |job, outcome| lines.push(Line { job, outcome });
    let stopped = || stop.load(Ordering::Relaxed);
    if matches!(what, What::Full | What::Changes) {
        let (bar, watch) = watched("lists", stop);
        note("sync_lists", sync_lists::run(stack, &watch).await?);
        bar.finish_and_clear();
        let (bar, watch) = watched("films too old to keep", stop);
        note("retention", retention::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    if matches!(what, What::Full) && !stopped() {
        let (bar, watch) = watched("films of the export", stop);
        note("sync_exports", sync_exports::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    if matches!(what, What::Changes) && !stopped() {
        let (bar, watch) = watched("days of changes", stop);
        note("sync_changes", sync_changes::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    if stopped() {
        return Ok(());
    }
    let (bar, watch) = watched("films", stop);
    let movies = match &what {
        What::Films(films) => sync_movies::read(stack, films, &watch).await,
        // By hand a run takes as long as it takes.
        What::Full | What::Changes => sync_movies::run(stack, u32::MAX, &watch).await,
    };
    bar.finish_and_clear();
    note("sync_movies", movies?);
    Ok(())
}

fn watched(what: &'static str, stop: &Arc<AtomicBool>) -> (ProgressBar, Watch) {
    let bar = crate::command::bar(0, what);
    let shown = bar.clone();
    let watch = Watch::by(move |done, of| {
        shown.set_length(of);
        shown.set_position(done);
    });
    (bar, watch.until(stop))
}

/// The table.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { job, outcome } in lines {
        let state = if outcome.paused { "paused" } else { "done" };
        text.push_str(&format!("{job:<16} {state:<7} {}\n", counts(&outcome.counts)));
    }
    text.trim_end().to_owned()
}

fn counts(counts: &Counts) -> String {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    let words: Vec<String> =
        some.map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    if words.is_empty() { "nothing to do".to_owned() } else { words.join(", ") }
}
