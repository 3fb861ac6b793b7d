//! `sync`: the scheduled jobs, run one after the other with a progress bar each and a table at the end.

use indicatif::ProgressBar;
use screensort_jobs::{
    Counts, Error, Outcome, Watch, publish_catalog, sync_changes, sync_exports, sync_lists, sync_movies,
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
    job: &'static str,
    outcome: Outcome,
}

/// Runs the jobs. What was kept before a failure stays, and the next run goes on.
///
/// # Errors
/// If the key is missing or refused, TMDb stays unreachable, or the store fails.
pub(crate) async fn run(stack: &Stack, what: What) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    let mut note = |job, outcome| lines.push(Line { job, outcome });
    if matches!(what, What::Full | What::Changes) {
        let (bar, watch) = watched("lists");
        note("sync_lists", sync_lists::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    if matches!(what, What::Full) {
        let (bar, watch) = watched("export");
        note("sync_exports", sync_exports::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    if matches!(what, What::Changes) {
        let (bar, watch) = watched("days of changes");
        note("sync_changes", sync_changes::run(stack, &watch).await?);
        bar.finish_and_clear();
    }
    let (bar, watch) = watched("films");
    let movies = match &what {
        What::Films(films) => sync_movies::read(stack, films, &watch).await?,
        // By hand a run takes as long as it takes.
        What::Full | What::Changes => sync_movies::run(stack, u32::MAX, &watch).await?,
    };
    bar.finish_and_clear();
    note("sync_movies", movies);
    note("publish_catalog", publish_catalog::run(stack, false).await?);
    Ok(lines)
}

fn watched(what: &'static str) -> (ProgressBar, Watch) {
    let bar = crate::command::bar(0, what);
    let shown = bar.clone();
    let watch = Watch::by(move |done, of| {
        shown.set_length(of);
        shown.set_position(done);
    });
    (bar, watch)
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
    counts
        .iter()
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect::<Vec<_>>()
        .join(", ")
}
