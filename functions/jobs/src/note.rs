//! Jobs that are not of the sync: a line in the log at their end, and an event if they fail. The sync's own runs
//! are in the catalogue's table besides.

use screensort_auth::event::Event;
use screensort_http::trail_of;
use screensort_runtime::{JobError, Stack};
use serde_json::Value;
use std::future::Future;

use crate::Error;

/// Runs `work`; what it answers is in the log, and so is why it failed.
pub(crate) async fn noted(
    stack: &Stack,
    job: &'static str,
    work: impl Future<Output = Result<Value, Error>>,
) -> Result<Value, JobError> {
    let result = work.await;
    match &result {
        Ok(summary) => tracing::info!(name: "job.ended", job, %summary, "{job} ended"),
        Err(error) => {
            {
                let cause: &dyn std::error::Error = error;
                tracing::error!(name: "job.failed", job, error = cause, "{job} failed");
            }
            failed(stack, job, error).await;
        }
    }
    Ok(result?)
}

/// Puts a run that failed into the trail, and a key that TMDb refused besides.
pub(crate) async fn failed(stack: &Stack, job: &str, error: &Error) {
    let now = stack.clock().now();
    let refused = matches!(error, Error::KeyRefused { .. }).then_some(Event::TmdbKeyRejected);
    for event in [Some(Event::JobFailed), refused].into_iter().flatten() {
        // What failed may be what the record would need: the line is there in any case.
        if let Ok(trail) = trail_of(event, job, job, job, now) {
            stack.witness(&trail).await;
        }
    }
}
