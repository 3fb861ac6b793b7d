//! `recount_films`: counts every film again from people's items, and repairs what differs.

use std::future::Future;
use std::pin::Pin;

use screensort_runtime::{JobError, Stack};
use serde_json::Value;

use crate::run::{count, logged, summary};
use crate::{Counts, Error, Outcome};

/// People's items that are held in memory at once, some 150 bytes each.
const AT_ONCE: usize = 1_000_000;

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
        let found = stack.catalogue().recount(&stack.library(), AT_ONCE).await?;
        let mut counts = Counts::new();
        count(&mut counts, "missed", found.missed);
        count(&mut counts, "orphans", found.orphans);
        count(&mut counts, "repaired", found.repaired);
        Ok(Outcome::done(counts))
    })
    .await
}
