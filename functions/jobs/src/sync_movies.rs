//! `sync_movies`: reads the films on the queue, one by one, and keeps what TMDb says of them.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use futures::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use screensort_model::MovieId;
use screensort_runtime::{JobError, Stack};
use screensort_store::{Film, Tombstone, Why};
use screensort_tmdb::{Client, Fetched, MovieDetails};
use serde_json::Value;

use crate::run::{count, logged, summary, tmdb};
use crate::{Counts, Error, Outcome, Watch, film};

/// Requests to TMDb in one run: at 20 a second, what 13 minutes can take.
pub const BUDGET: u32 = 15_000;
/// Films asked for at once; the client itself keeps to TMDb's pace.
const AT_ONCE: usize = 8;
/// Films taken from the queue at a time.
const BATCH: usize = 64;
/// TMDb must deny a film on so many different days before it is believed.
const DENIALS: usize = 3;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let watch = Watch::scheduled(stack.clock().now());
        summary(run(&stack, BUDGET, &watch).await)
    })
}

/// Empties the queue, as far as time and budget go.
///
/// # Errors
/// If the key is refused, TMDb stays unreachable or the store fails. What was read is kept, the rest stays on
/// the queue.
pub async fn run(stack: &Stack, budget: u32, watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_movies", async {
        let client = tmdb(stack, budget).await?;
        let mut reader = Reader::new(stack, client).await?;
        let mut read = 0;
        loop {
            let batch = stack.progress().queued(BATCH).await?;
            if batch.is_empty() {
                return Ok(Outcome::done(reader.counts));
            }
            if watch.is_over(stack.clock().now()) || !reader.read(&batch).await? {
                return Ok(Outcome { paused: true, counts: reader.counts });
            }
            read += batch.len() as u64;
            // The queue's length is not known without counting it: a batch ahead is what is certain.
            watch.tell(read, read + BATCH as u64);
        }
    })
    .await
}

/// Reads just `films`, whether they are on the queue or not.
///
/// # Errors
/// As [`run`].
pub async fn read(stack: &Stack, films: &[MovieId], watch: &Watch) -> Result<Outcome, Error> {
    logged(stack, "sync_movies", async {
        stack.progress().enqueue(films).await?;
        let client = tmdb(stack, BUDGET).await?;
        let mut reader = Reader::new(stack, client).await?;
        let mut read = 0;
        for batch in films.chunks(BATCH) {
            if !reader.read(batch).await? {
                return Ok(Outcome { paused: true, counts: reader.counts });
            }
            read += batch.len() as u64;
            watch.tell(read, films.len() as u64);
        }
        Ok(Outcome::done(reader.counts))
    })
    .await
}

struct Reader<'s> {
    stack: &'s Stack,
    client: Client,
    counts: Counts,
    /// How many films may still be buried in this run.
    burials_left: usize,
}

/// What became of one film.
enum Read {
    Found(MovieId, Box<MovieDetails>),
    Gone(MovieId),
    Unusable(MovieId),
    /// The run cannot go on; the film stays on the queue.
    Stopped(screensort_tmdb::Error),
}

impl<'s> Reader<'s> {
    async fn new(stack: &'s Stack, client: Client) -> Result<Self, Error> {
        // Half a percent of the catalogue at most, and one at least, so that a small one can forget too.
        let films = stack.catalog().await.map_or(0, |catalog| catalog.len());
        Ok(Self { stack, client, counts: Counts::new(), burials_left: (films / 200).max(1) })
    }

    /// Reads a batch; `false` if the budget is spent.
    async fn read(&mut self, batch: &[MovieId]) -> Result<bool, Error> {
        let client = self.client.clone();
        let asked = batch.to_vec().into_iter().map(move |id| ask(client.clone(), id));
        let mut answers = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let (mut finished, mut stopped) = (Vec::new(), None);
        let mut settled = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Read::Stopped(error) => {
                    stopped = Some(error);
                    break;
                }
                other => settled.push(other),
            }
        }
        drop(answers);
        for answer in settled {
            finished.push(self.settle(answer).await?);
        }
        self.stack.progress().done(&finished).await?;
        match stopped {
            None => Ok(true),
            Some(screensort_tmdb::Error::BudgetExhausted { .. }) => Ok(false),
            Some(error) => Err(error.into()),
        }
    }

    async fn settle(&mut self, answer: Read) -> Result<MovieId, Error> {
        let catalogue = self.stack.catalogue();
        match answer {
            Read::Found(id, details) => {
                let before = catalogue.film(id).await?;
                if before.tombstone.is_some() {
                    catalogue.revive(id).await?;
                }
                match film::movie(id, *details, before.movie, self.stack.clock().now()) {
                    Some(movie) => {
                        catalogue.keep(&movie, Why::Tmdb).await?;
                        count(&mut self.counts, "kept", 1);
                    }
                    None => {
                        catalogue.forget(id).await?;
                        count(&mut self.counts, "left_out", 1);
                    }
                }
                Ok(id)
            }
            Read::Gone(id) => {
                self.deny(id, catalogue.film(id).await?).await?;
                Ok(id)
            }
            // A film that TMDb garbles must not hold the others up: it comes back with its next change.
            Read::Unusable(id) => {
                count(&mut self.counts, "unusable", 1);
                Ok(id)
            }
            Read::Stopped(error) => Err(error.into()),
        }
    }

    /// TMDb says that there is no such film: doubted at first, believed on the third day.
    async fn deny(&mut self, id: MovieId, film: Film) -> Result<(), Error> {
        let catalogue = self.stack.catalogue();
        let mut days: BTreeSet<_> = match film.tombstone {
            Some(Tombstone::Doubted { days }) => days,
            Some(_) => return Ok(()),
            None => BTreeSet::new(),
        };
        days.insert(today(self.stack.clock().now()));
        let heir = match film.movie.as_ref().and_then(|movie| movie.imdb_id.as_deref()) {
            Some(imdb) => catalogue.by_imdb(imdb).await?.filter(|heir| *heir != id),
            None => None,
        };
        let tombstone = match heir {
            _ if days.len() < DENIALS => Tombstone::Doubted { days },
            Some(into) => Tombstone::Merged { into },
            None => Tombstone::Withdrawn,
        };
        if !matches!(tombstone, Tombstone::Doubted { .. }) {
            if self.burials_left == 0 {
                count(&mut self.counts, "burials_put_off", 1);
                return Ok(());
            }
            self.burials_left -= 1;
        }
        count(&mut self.counts, word(&tombstone), 1);
        Ok(catalogue.bury(id, &tombstone).await?)
    }
}

async fn ask(client: Client, id: MovieId) -> Read {
    use screensort_tmdb::Error as E;
    match client.movie(id.get()).await {
        Ok(Fetched::Found(details)) => Read::Found(id, Box::new(details)),
        Ok(Fetched::Gone) => Read::Gone(id),
        Err(E::BadAnswer { .. } | E::TooLarge { .. } | E::Refused { .. } | E::BadQuestion(_)) => {
            Read::Unusable(id)
        }
        Err(error) => Read::Stopped(error),
    }
}

fn word(tombstone: &Tombstone) -> &'static str {
    match tombstone {
        Tombstone::Doubted { .. } => "doubted",
        Tombstone::Withdrawn => "withdrawn",
        Tombstone::Merged { .. } => "merged",
    }
}

fn today(now: Timestamp) -> jiff::civil::Date {
    now.to_zoned(TimeZone::UTC).date()
}
