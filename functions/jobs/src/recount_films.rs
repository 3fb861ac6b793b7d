//! `recount_films`: counts every film again from people's items, and repairs what differs.

use std::future::Future;
use std::pin::Pin;

use screensort_runtime::{JobError, Stack};
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{Counts, Error, Outcome};

/// Parallel reads of the library.
const SEGMENTS: u32 = 4;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { summary(run(&stack).await) })
}

/// Counts again.
///
/// # Errors
/// If the store fails; running it again goes on.
pub async fn run(stack: &Stack) -> Result<Outcome, Error> {
    logged(stack, "recount_films", async {
        let library = stack.library();
        let found = stack.catalogue().recount(|| async move { library.everyone(SEGMENTS).await }).await?;
        let mut counts = Counts::new();
        count(&mut counts, "missed", found.missed);
        count(&mut counts, "orphans", found.orphans);
        count(&mut counts, "repaired", found.repaired);
        Ok(Outcome::done(counts))
    })
    .await
}
