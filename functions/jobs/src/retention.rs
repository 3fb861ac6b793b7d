//! `retention`: TMDb lets nobody keep its content for more than six months. What gets old is read again; what
//! could not be read again in time is forgotten. Films in doubt are queued with them.

use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_store::Why;
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{Counts, Error, Outcome, Watch, sync_exports};

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
        let mut queue: Vec<MovieId> = sync_exports::doubted(&everything.tombstones);
        count(&mut counts, "doubted", queue.len());
        let from_tmdb: Vec<_> = everything.films.iter().filter(|(_, from)| *from == Why::Tmdb).collect();
        for (at, (movie, _)) in from_tmdb.iter().enumerate() {
            let age = now.duration_since(movie.synced_at);
            if age >= TOO_OLD {
                catalogue.forget(movie.id).await?;
                count(&mut counts, "forgotten", 1);
            }
            if age >= OLD {
                queue.push(movie.id);
                count(&mut counts, "old", 1);
            }
            watch.tell(at as u64 + 1, from_tmdb.len() as u64);
        }
        stack.progress().enqueue(&queue).await?;
        count(&mut counts, "queued", queue.len());
        Ok(Outcome::done(counts))
    })
    .await
}
