//! Counting what a request costs: store requests and capacity units.

use std::cell::Cell;
use std::future::Future;

use aws_sdk_dynamodb::types::ConsumedCapacity;

tokio::task_local! {
    static SPENT: Cell<Spent>;
}

/// What was spent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Requests to the store.
    pub requests: u32,
    /// Capacity units that the store says they consumed.
    pub units: f64,
    /// Requests that had to wait for one another: the longest chain of them.
    pub steps: u32,
}

/// A request to the store that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    step: u32,
}

/// The meter of the task at work.
#[derive(Debug)]
pub struct Meter;

impl Meter {
    /// Runs `work` and says what it spent. Work that it spawns onto other tasks is not counted.
    pub async fn watch<T>(work: impl Future<Output = T>) -> (T, Spent) {
        SPENT
            .scope(Cell::default(), async {
                let result = work.await;
                (result, SPENT.with(Cell::get))
            })
            .await
    }

    /// Notes that a request begins. It belongs to the step after all requests that have ended.
    pub(crate) fn start() -> Started {
        Started { step: SPENT.try_with(|spent| spent.get().steps + 1).unwrap_or(1) }
    }

    /// Notes one request that waited for all before it; [`Started::note`] knows better.
    pub(crate) fn note<'c>(
        operation: &'static str,
        table: &str,
        consumed: impl IntoIterator<Item = &'c ConsumedCapacity>,
    ) {
        Self::start().note(operation, table, consumed);
    }
}

impl Started {
    /// Notes the request's end, in the meter and in the log, with what the store says of one table or of several.
    pub(crate) fn note<'c>(
        self,
        operation: &'static str,
        table: &str,
        consumed: impl IntoIterator<Item = &'c ConsumedCapacity>,
    ) {
        let units: f64 = consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
        tracing::debug!(name: "store.request", operation, table, units, "store request {operation} on {table}");
        // Outside a watched request (a job at start-up) there is nobody to tell.
        let _ = SPENT.try_with(|spent| {
            let mut now = spent.get();
            now.requests += 1;
            now.units += units;
            now.steps = now.steps.max(self.step);
            spent.set(now);
        });
    }
}
