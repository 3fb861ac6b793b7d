//! `retention`: TMDb lets nobody keep its content for more than six months. What gets old is read again; what
//! could not be read again in time is forgotten. Films in doubt are queued with them.

use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_model::MovieId;
use screensort_model::id::FIRST_LOCAL_ID;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Tombstone, Why};
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{Counts, Error, Outcome, Watch, publish_catalog};

/// From this age on a film is read again.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 150);
/// At this age it is forgotten.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(24 * 180);

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Queues what is old or in doubt and forgets what is too old. Only what came from TMDb ages.
///
/// # Errors
/// If the store fails; running it again goes on.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "retention", async {
        let catalogue = stack.catalogue();
        let now = stack.clock().now();
        let everything = catalogue.everything(4).await?;
        let mut counts = Counts::new();
        // Films in doubt are asked for again each day, until they are believed gone or found.
        let doubted = everything.tombstones.iter().filter(|(_, t)| matches!(t, Tombstone::Doubted { .. }));
        let mut queue: Vec<MovieId> = doubted.map(|(id, _)| *id).collect();
        count(&mut counts, "doubted", queue.len());
        count(&mut counts, "unreadable", everything.unreadable.len());
        queue.extend(everything.unreadable);
        let from_tmdb = everything.films.iter().filter(|(_, from)| *from == Why::Tmdb);
        let old = |from: SignedDuration| {
            let aged =
                from_tmdb.clone().filter(move |(movie, _)| now.duration_since(movie.synced_at) >= from);
            aged.map(|(movie, _)| movie.id).collect::<Vec<MovieId>>()
        };
        let (old, too_old) = (old(OLD), old(TOO_OLD));
        count(&mut counts, "old", old.len());
        queue.extend(old);
        queue.retain(|id| id.get() < FIRST_LOCAL_ID);
        // First the queue: a film that is forgotten and not on it would be lost.
        for chunk in queue.chunks(250) {
            stack.progress().enqueue(chunk).await?;
        }
        count(&mut counts, "queued", queue.len());
        let mut forgotten = 0;
        for chunk in too_old.chunks(100) {
            if watch.is_over(stack.clock().now()) {
                return Ok(Outcome::paused(counts));
            }
            publish_catalog::explain(stack, chunk.len()).await?;
            for id in chunk {
                catalogue.forget(*id).await?;
            }
            forgotten += chunk.len() as u64;
            count(&mut counts, "forgotten", chunk.len());
            watch.tell(forgotten, too_old.len() as u64);
        }
        Ok(Outcome::done(counts))
    })
    .await
}
