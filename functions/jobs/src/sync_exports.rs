//! `sync_exports`: finds films that the catalogue lacks in TMDb's daily export, and queues them.

use std::future::Future;
use std::pin::Pin;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use screensort_catalog::{Catalog, Lookup};
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use serde_json::Value;

use crate::run::{count, logged, published, summary, tmdb};
use crate::{Counts, Error, Outcome, Watch};

/// Films that fewer people look at than this are left to a later day.
const LEAST_POPULARITY: f64 = 1.0;
/// The largest catalogue that the product is made for.
const MOST_FILMS: usize = 200_000;
/// An export that lacks more than one film in so many of the catalogue's is short, whatever it says.
const SHORT: usize = 10;
/// So many films may be missing in any case.
const LEAST_SHORT: usize = 20;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Reads the newest export, unless it has been read, and queues what is unknown, known from a file only, or missing
/// from it.
///
/// # Errors
/// If no export of the last days can be read, or the store fails. Nothing is removed whatever happens.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_exports", async {
        let client = tmdb(stack, 10).await?;
        let progress = stack.progress();
        let mut counts = Counts::new();
        // Today's export is there from 08:00 UTC on.
        let now =
            stack.clock().now().saturating_sub(SignedDuration::from_hours(8)).unwrap_or(stack.clock().now());
        let today = now.to_zoned(TimeZone::UTC).date();
        let read: Option<Date> = progress.cursor("sync_exports").await?;
        if read == Some(today) {
            count(&mut counts, "already_read", 1);
            return Ok(Outcome::done(counts));
        }
        let (day, lines) = newest(&client, today).await?;
        count(&mut counts, "listed", lines.len());
        let samples = stack.catalogue().samples().await?;
        let queue = wanted(published(stack).await?.as_deref(), &samples, lines, &mut counts);
        for (at, chunk) in queue.chunks(250).enumerate() {
            progress.enqueue(chunk).await?;
            watch.tell((at * 250 + chunk.len()) as u64, queue.len() as u64);
        }
        count(&mut counts, "queued", queue.len());
        progress.set_cursor("sync_exports", &day).await?;
        Ok(Outcome::done(counts))
    })
    .await
}

/// The newest export of the last three days: film and popularity.
async fn newest(client: &screensort_tmdb::Client, today: Date) -> Result<(Date, Vec<(u32, f64)>), Error> {
    let mut day = today;
    loop {
        let mut lines = Vec::new();
        let read = client
            .export(day, |line| {
                if line.adult != Some(true) && !line.video {
                    lines.push((line.id, line.popularity));
                }
            })
            .await;
        match read {
            Ok(_) => return Ok((day, lines)),
            Err(error @ screensort_tmdb::Error::ExportMissing { .. }) => {
                let before = day.saturating_sub(1.day());
                if today.since(before).map_or(true, |span| span.get_days() > 2) {
                    return Err(error.into());
                }
                day = before;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What to read: films that are popular enough and not known, those that are known from a file only, and those
/// that the export lacks.
fn wanted(
    catalog: Option<&Catalog>,
    samples: &[MovieId],
    mut lines: Vec<(u32, f64)>,
    counts: &mut Counts,
) -> Vec<MovieId> {
    lines.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let known = catalog.map_or(0, Catalog::len);
    let mut queue: Vec<MovieId> = lines
        .iter()
        .filter(|(_, popularity)| *popularity >= LEAST_POPULARITY)
        .filter_map(|(id, _)| MovieId::new(*id))
        .filter(|id| catalog.is_none_or(|catalog| matches!(catalog.lookup(*id), Lookup::Unknown)))
        .take(MOST_FILMS.saturating_sub(known))
        .collect();
    let mut listed: Vec<u32> = lines.iter().map(|(id, _)| *id).collect();
    listed.sort_unstable();
    queue.extend(samples.iter().filter(|id| listed.binary_search(&id.get()).is_ok()));
    if let Some(catalog) = catalog {
        let missing = catalog.ids().filter(|id| listed.binary_search(&id.get()).is_err());
        // Absence from a list proves nothing: TMDb is asked about each.
        let missing: Vec<MovieId> =
            missing.filter(|id| id.get() < screensort_model::id::FIRST_LOCAL_ID).collect();
        count(counts, "missing_from_export", missing.len());
        if missing.len() > LEAST_SHORT && missing.len() > known / SHORT {
            tracing::warn!(name: "export.short", missing = missing.len(), known,
                "the export lacks {} of {known} films: it is not asked why", missing.len());
        } else {
            queue.extend(missing);
        }
    }
    queue
}
