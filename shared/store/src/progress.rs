//! How far the sync jobs are: cursors, the queue of films to read, and the log of runs.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use screensort_model::MovieId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalogue::{deflated, document, key, number, text};
use crate::table::{SK, TTL};
use crate::{Catalogue, Error};

/// The queue is spread over this many partitions, so that none of them is hot.
const SHARDS: u32 = 16;

/// How long the log of a run is kept.
const LOG_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The job.
    pub job: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended, or that it has not.
    pub state: RunState,
    /// What it did: counts by name, such as `kept` or `unchanged`.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// Why it failed, in a sentence without secrets.
    pub failure: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Still going, or killed.
    Running,
    /// All done.
    Done,
    /// Stopped early with work left, as planned: budget or time was used up. The next run goes on.
    Paused,
    /// Failed; the next run goes on where it stopped.
    Failed,
}

/// The sync's memory, in the catalogue table.
#[derive(Debug, Clone)]
pub struct Progress(Catalogue);

impl Progress {
    /// In the table of `catalogue`.
    pub fn new(catalogue: Catalogue) -> Self {
        Self(catalogue)
    }

    /// Where `job` stopped last time.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn cursor<T: DeserializeOwned>(&self, job: &str) -> Result<Option<T>, Error> {
        let item = self.0.get("SYNC", &format!("CURSOR#{job}")).await?;
        item.map(|item| document(&item, "sync cursor")).transpose()
    }

    /// Notes where `job` stands. Written after the work that it stands for, so that a kill repeats work
    /// rather than losing it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_cursor<T: Serialize>(&self, job: &str, cursor: &T) -> Result<(), Error> {
        let mut item = key("SYNC", &format!("CURSOR#{job}"));
        item.insert("doc".into(), AttributeValue::B(deflated(cursor)?.into()));
        self.0.put(item).await
    }

    /// Puts films on the queue. A film that is on it already stays once.
    ///
    /// # Errors
    /// If the store fails; what was queued until then stays.
    pub async fn enqueue(&self, films: &[MovieId]) -> Result<(), Error> {
        for chunk in films.chunks(25) {
            let mut unique: Vec<MovieId> = chunk.to_vec();
            // One batch may not name an item twice.
            unique.sort_unstable();
            unique.dedup();
            self.0.put_all(unique.into_iter().map(queue_key).collect()).await?;
        }
        Ok(())
    }

    /// Up to `most` films of the queue, which stay on it until [`Progress::done`].
    ///
    /// # Errors
    /// If the store fails.
    pub async fn queued(&self, most: usize) -> Result<Vec<MovieId>, Error> {
        let mut films = Vec::new();
        for shard in 0..SHARDS {
            if films.len() >= most {
                break;
            }
            let items = self.0.query(&format!("QUEUE#{shard}"), most - films.len()).await?;
            films.extend(items.iter().filter_map(|item| {
                MovieId::try_from(text(item, SK)?.trim_start_matches('0').parse::<u32>().ok()?).ok()
            }));
        }
        Ok(films)
    }

    /// How many films are on the queue.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let mut waiting = 0;
        for shard in 0..SHARDS {
            waiting += self.0.count(&format!("QUEUE#{shard}")).await?;
        }
        Ok(waiting)
    }

    /// Takes films off the queue.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn done(&self, films: &[MovieId]) -> Result<(), Error> {
        for chunk in films.chunks(25) {
            self.0.delete_all(chunk.iter().map(|id| queue_key(*id)).collect()).await?;
        }
        Ok(())
    }

    /// Writes a run's log; called at its start and at its end.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn log(&self, run: &Run) -> Result<(), Error> {
        let mut item = key("RUNS", &format!("{}#{}", run.started_at, run.job));
        item.insert("doc".into(), AttributeValue::B(deflated(run)?.into()));
        let expires = run.started_at.saturating_add(LOG_KEPT).map_or(i64::MAX, Timestamp::as_second);
        item.insert(TTL.into(), AttributeValue::N(expires.to_string()));
        self.0.put(item).await
    }

    /// The last `most` runs, newest first; those that have expired by `now` are left out.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn runs(&self, most: usize, now: Timestamp) -> Result<Vec<Run>, Error> {
        let items = self.0.query_in("RUNS", most, false).await?;
        let live = items.iter().filter(|item| number::<i64>(item, TTL).is_none_or(|at| at > now.as_second()));
        live.map(|item| document(item, "run")).collect()
    }
}

fn queue_key(id: MovieId) -> crate::catalogue::Item {
    key(&format!("QUEUE#{}", id.get() % SHARDS), &format!("{:010}", id.get()))
}
