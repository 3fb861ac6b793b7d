//! `sync_movies`: reads the films on the queue, one by one, and keeps what TMDb says of them.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use serde_json::Value;

use crate::reader::Reader;
use crate::run::{logged, summary, tmdb};
use crate::{Error, Outcome, Watch};

/// Requests to TMDb in one run: at 20 a second, what 13 minutes can take.
pub const BUDGET: u32 = 15_000;
/// Films taken from the queue at a time.
const BATCH: usize = 64;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, BUDGET, &watch).await)
    })
}

/// Empties the queue, as far as time and budget go.
///
/// A film that TMDb fails to answer for stays on the queue and does not hold up the others.
///
/// # Errors
/// If the key is refused, TMDb stays unreachable or the store fails. What was read is kept, the rest stays on
/// the queue.
pub async fn run(stack: &Stack, budget: u32, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_movies", async {
        let client = tmdb(stack, budget).await?;
        let progress = stack.progress();
        let waiting = progress.waiting().await?;
        let mut reader = Reader::new(stack, client).await?;
        let mut read = 0;
        watch.tell(0, waiting);
        loop {
            let mut batch = progress.queued(BATCH + reader.put_off()).await?;
            batch.retain(|id| !reader.has_put_off(id));
            if batch.is_empty() {
                return reader.ended();
            }
            let seen = |films| watch.tell(read + films, waiting.max(read + films));
            if watch.is_over(stack.clock().now()) || !reader.read(&batch, &seen).await? {
                return Ok(reader.paused());
            }
            read += batch.len() as u64;
        }
    })
    .await
}

/// Reads just `films`, whether they are on the queue or not.
///
/// # Errors
/// As [`run`].
pub async fn read(stack: &Stack, films: &[MovieId], watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_movies", async {
        let client = tmdb(stack, BUDGET).await?;
        let films: Vec<MovieId> = films.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        stack.progress().enqueue(&films).await?;
        let mut reader = Reader::new(stack, client).await?;
        let mut read = 0;
        for batch in films.chunks(BATCH) {
            let seen = |some| watch.tell(read + some, films.len() as u64);
            if watch.is_over(stack.clock().now()) || !reader.read(batch, &seen).await? {
                return Ok(reader.paused());
            }
            read += batch.len() as u64;
        }
        reader.ended()
    })
    .await
}
