//! `sync_changes`: queues the films of the catalogue that TMDb has changed since the last run.

use std::future::Future;
use std::pin::Pin;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use screensort_catalog::{Catalog, Lookup};
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_tmdb::{Client, MAX_CHANGE_DAYS};
use serde_json::Value;

use crate::run::{count, logged, published, summary, tmdb};
use crate::{Counts, Error, Outcome, Watch};

/// Pages in one run: a recorded day had 72.
const BUDGET: u32 = 1_500;
/// How long a day is read again after it is over: for changes that TMDb lists late, and for films that were not
/// yet published when they changed.
const SETTLING: SignedDuration = SignedDuration::from_hours(12);

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Reads the changes day by day, from the first day that may still have had more to today.
///
/// # Errors
/// If TMDb or the store fails; days that were read stay read.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_changes", async {
        let client = tmdb(stack, BUDGET).await?;
        let progress = stack.progress();
        let mut counts = Counts::new();
        let Some(catalog) = published(stack).await? else {
            // Nobody can say which changes matter. They must not count as read.
            count(&mut counts, "left_until_a_catalogue_is_published", 1);
            return Ok(Outcome::done(counts));
        };
        let now = stack.clock().now();
        let day_of = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).date();
        let (today, settled) = (day_of(now), day_of(now.saturating_sub(SETTLING).unwrap_or(now)));
        // TMDb answers for 14 days. What is older is caught by the films' age: retention reads them again.
        let oldest = today.saturating_sub(MAX_CHANGE_DAYS.days());
        let cursor: Option<Date> = progress.cursor("sync_changes").await?;
        let mut day = cursor.unwrap_or(today.saturating_sub(1.day())).clamp(oldest, today);
        let all = day.until(today).map_or(1, |span| span.get_days().unsigned_abs() + 1);
        let mut done = 0;
        loop {
            match queue_day(stack, &client, &catalog, day, &mut counts).await {
                Err(error) if error.is_budget() => return Ok(Outcome::paused(counts)),
                read => read?,
            }
            progress.set_cursor("sync_changes", &day.min(settled)).await?;
            done += 1;
            watch.tell(done, u64::from(all));
            if day >= today {
                return Ok(Outcome::done(counts));
            }
            if watch.is_over(stack.clock().now()) {
                return Ok(Outcome::paused(counts));
            }
            day = day.saturating_add(1.day());
        }
    })
    .await
}

/// Queues the films of the catalogue that changed on `day`.
async fn queue_day(
    stack: &Stack,
    client: &Client,
    catalog: &Catalog,
    day: Date,
    counts: &mut Counts,
) -> Result<(), Error> {
    let known = |id: &MovieId| !matches!(catalog.lookup(*id), Lookup::Unknown);
    let mut pages = client.all_changes(day, day);
    while let Some(page) = pages.next().await? {
        let films: Vec<MovieId> =
            page.iter().filter_map(|film| MovieId::new(film.id)).filter(known).collect();
        count(counts, "changed", page.len());
        count(counts, "queued", films.len());
        stack.progress().enqueue(&films).await?;
    }
    Ok(())
}
