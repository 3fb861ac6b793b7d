//! `sync_wanted`: runs the syncs that administrators have asked for.

use std::future::Future;
use std::pin::Pin;

use screensort_runtime::{JobError, Stack};
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{
    Counts, Error, Outcome, Watch, publish_catalog, sync_changes, sync_exports, sync_lists, sync_movies,
};

/// What can be asked for: everything that TMDb lists, what TMDb has changed, or just publishing what is kept.
pub const WHAT: [&str; 3] = ["full", "changes", "publish"];

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, &watch).await)
    })
}

/// Does what was asked for, one after the other. What fails is not tried again: the jobs that it is made of run by
/// their own schedules.
///
/// # Errors
/// The last failure, once everything was tried.
pub async fn run(stack: &Stack, watch: &Watch) -> Result<Outcome, Error> {
    let wanted = stack.edits().wanted().await?;
    if wanted.is_empty() {
        // Most minutes nobody asks for anything: that is no run to speak of.
        return Ok(Outcome::done(Counts::new()));
    }
    logged(stack, "sync_wanted", async {
        let mut counts = Counts::new();
        let (mut failed, mut paused) = (None, false);
        for one in wanted {
            match Box::pin(perform(stack, &one.what, watch)).await {
                Ok(outcome) => paused |= outcome.paused,
                Err(error) => failed = Some(error),
            }
            stack.edits().fulfilled(&one).await?;
            count(&mut counts, &one.what, 1);
        }
        match failed {
            Some(error) => Err(error),
            None if paused => Ok(Outcome::paused(counts)),
            None => Ok(Outcome::done(counts)),
        }
    })
    .await
}

async fn perform(stack: &Stack, what: &str, watch: &Watch) -> Result<Outcome, Error> {
    let read = match what {
        "full" => {
            Box::pin(sync_lists::run(stack, watch)).await?;
            Box::pin(sync_exports::run(stack, watch)).await?;
            Some(Box::pin(sync_movies::run(stack, sync_movies::BUDGET, watch)).await?)
        }
        "changes" => {
            Box::pin(sync_changes::run(stack, watch)).await?;
            Some(Box::pin(sync_movies::run(stack, sync_movies::BUDGET, watch)).await?)
        }
        _ => None,
    };
    let published = Box::pin(publish_catalog::run(stack, false)).await?;
    Ok(read.unwrap_or(published))
}
