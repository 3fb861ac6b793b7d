//! The tables' streams, as AWS feeds them to functions: in order, a batch at a time, through the function's own entry;
//! again if it fails, then in halves, and what fails alone becomes a dead letter so that the rest can go on.

use std::time::Duration;

use screensort_cloud::{Changes, Cloud};
use screensort_runtime::{Job, JobError, Stack};
use screensort_store::Tables;
use serde_json::{Value, json};

use crate::gateway::ran;
use crate::letters;

/// The functions that streams call, and whose, as `infra/functions.toml` has them.
const FUNCTIONS: [(&str, Table); 3] = [
    ("count_films", |tables| &tables.library),
    ("capture_changes", |tables| &tables.library),
    ("ship_audit", |tables| &tables.audit),
];
/// The one that people wait for.
pub(crate) const PROMPT: &str = "count_films";
/// One of the tables.
type Table = fn(&Tables) -> &String;
/// The most changes in one call.
const BATCH: usize = 100;
/// How often the same batch is tried.
const TRIES: u32 = 3;
/// The pause after the first failure; each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// What one round brought.
#[derive(Debug, Default)]
pub struct Fed {
    /// What the function answered, call by call.
    pub answers: Vec<Value>,
    /// Changes that it took.
    pub taken: usize,
    /// Changes that became dead letters.
    pub dead: usize,
}

/// A function that follows a table.
#[derive(Debug)]
pub struct Follower {
    name: &'static str,
    job: Job,
    changes: Changes,
    pause: Duration,
}

impl Follower {
    /// `job`, known as `name`, follows `changes` from their beginning: the table remembers a day of them, and every
    /// function here takes a change twice like once.
    pub fn new(name: &'static str, job: Job, changes: Changes) -> Self {
        Self { name, job, changes, pause: PAUSE }
    }

    /// Without pauses between tries.
    #[must_use]
    pub fn impatient(self) -> Self {
        Self { pause: Duration::ZERO, ..self }
    }

    /// The job's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Delivers what is new.
    ///
    /// # Errors
    /// If the stream cannot be read or a dead letter cannot be kept: nothing is lost, it comes again.
    pub async fn feed(&mut self, stack: &Stack) -> Result<Fed, JobError> {
        let mut fed = Fed::default();
        loop {
            let changes = self.changes.next_batch()?;
            if changes.is_empty() {
                return Ok(fed);
            }
            for batch in changes.chunks(BATCH) {
                if let Err(error) = self.deliver(stack, batch, &mut fed).await {
                    self.changes.again();
                    return Err(error);
                }
            }
        }
    }

    async fn deliver(&self, stack: &Stack, batch: &[Value], fed: &mut Fed) -> Result<(), JobError> {
        // What comes first lies on top.
        let mut waiting = vec![batch.to_vec()];
        while let Some(mut batch) = waiting.pop() {
            let Err(why) = self.insist(stack, &batch).await.map(|answer| fed.answers.push(answer)) else {
                fed.taken += batch.len();
                continue;
            };
            if batch.len() > 1 {
                let rest = batch.split_off(batch.len() / 2);
                waiting.push(rest);
                waiting.push(batch);
                continue;
            }
            letters::keep(stack, self.name, &batch, &why).await?;
            tracing::error!(name: "stream.dead_letter", job = self.name, why, "{} gave up a change", self.name);
            fed.dead += 1;
        }
        Ok(())
    }

    /// Calls the function until it takes the batch; the last reason if it does not.
    async fn insist(&self, stack: &Stack, batch: &[Value]) -> Result<Value, String> {
        let mut why = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(self.pause * 2_u32.pow(attempt - 1)).await;
            }
            // In a task of its own: a function that panics is one that failed.
            let call = (self.job)(json!({"Records": batch}), stack.clone());
            let (stack, name) = (stack.clone(), self.name);
            let called = tokio::spawn(async move { ran(&stack, name, call).await }).await;
            match called {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => why = "the function panicked".to_owned(),
            }
        }
        Err(why)
    }
}

/// Everything that follows a table of `cloud`.
pub fn followers(cloud: &Cloud, tables: &Tables) -> Vec<Follower> {
    let follower = |(name, table): &(&'static str, Table)| {
        let job = screensort_jobs::by_name(name)?;
        Some(Follower::new(name, job, cloud.changes(table(tables))))
    };
    FUNCTIONS.iter().filter_map(follower).collect()
}
