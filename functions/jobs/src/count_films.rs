//! `count_films`: follows the changes of people's libraries and keeps each film's counters. It alone writes them.
//!
//! Changes may come late, twice or out of order: the store ignores what is older than what was counted.

use std::future::Future;
use std::pin::Pin;

use screensort_runtime::{JobError, Stack};
use screensort_store::Opinion;
use serde_json::{Value, json};

/// As Lambda calls it with a batch of the library table's stream. A failure gives the batch back: counting again
/// what was counted changes nothing.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let records = event.get("Records").and_then(Value::as_array);
        let opinions: Vec<Opinion> = records.into_iter().flatten().filter_map(Opinion::of_change).collect();
        let counted = stack.catalogue().count_opinions(opinions).await?;
        Ok(json!({"counted": counted}))
    })
}
