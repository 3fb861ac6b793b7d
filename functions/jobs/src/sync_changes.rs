//! `sync_changes`: queues the films of the catalogue that TMDb has changed since the last run.

use std::future::Future;
use std::pin::Pin;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use screensort_catalog::Lookup;
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_tmdb::MAX_CHANGE_DAYS;
use serde_json::Value;

use crate::run::{count, logged, summary, tmdb};
use crate::{Counts, Error, Outcome, Watch};

/// Pages in one run: a recorded day had 72.
const BUDGET: u32 = 1_500;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Reads the changes day by day, from the last day read (it may not have been over) to today.
///
/// # Errors
/// If TMDb or the store fails; days that were read stay read.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_changes", async {
        let client = tmdb(stack, BUDGET).await?;
        let progress = stack.progress();
        let catalog = stack.catalog().await.ok();
        let mut counts = Counts::new();
        let today = stack.clock().now().to_zoned(TimeZone::UTC).date();
        // TMDb answers for 14 days. What is older is caught by the films' age: retention reads them again.
        let oldest = today.saturating_sub(MAX_CHANGE_DAYS.days());
        let cursor: Option<Date> = progress.cursor("sync_changes").await?;
        let mut day = cursor.unwrap_or(today.saturating_sub(1.day())).clamp(oldest, today);
        let all = day.until(today).map_or(1, |span| span.get_days().unsigned_abs() + 1);
        let mut done = 0;
        loop {
            let mut pages = client.all_changes(day, day);
            while let Some(page) = pages.next().await? {
                let known = |id: &MovieId| {
                    catalog.as_ref().is_some_and(|catalog| !matches!(catalog.lookup(*id), Lookup::Unknown))
                };
                let films: Vec<MovieId> =
                    page.iter().filter_map(|film| MovieId::new(film.id)).filter(known).collect();
                count(&mut counts, "changed", page.len());
                count(&mut counts, "queued", films.len());
                progress.enqueue(&films).await?;
            }
            progress.set_cursor("sync_changes", &day).await?;
            done += 1;
            watch.tell(done, u64::from(all));
            if day >= today {
                return Ok(Outcome::done(counts));
            }
            if watch.is_over(stack.clock().now()) {
                return Ok(Outcome { paused: true, counts });
            }
            day = day.saturating_add(1.day());
        }
    })
    .await
}
