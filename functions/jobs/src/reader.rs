//! Reading films from TMDb one by one: what an answer, a denial, nonsense and silence do to the catalogue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use screensort_model::MovieId;
use screensort_model::id::FIRST_LOCAL_ID;
use screensort_runtime::Stack;
use screensort_store::{Film, Tombstone, Why};
use screensort_tmdb::{Client, Fetched, MovieDetails};

use crate::run::{count, published};
use crate::{Counts, Error, Outcome, film};

/// Films asked for at once; the client itself keeps to TMDb's pace.
const AT_ONCE: usize = 8;
/// TMDb must deny a film on so many different days before it is believed.
const DENIALS: usize = 3;
/// When so many films cannot be read now, and no more than that can, the trouble is not the films'.
const MOST_PUT_OFF: usize = 50;
/// So many answers of one batch that make no sense, and more than make sense, are not TMDb's.
const LEAST_NONSENSE: usize = 8;

pub(crate) struct Reader<'s> {
    stack: &'s Stack,
    client: Client,
    counts: Counts,
    /// How many films may still leave the catalogue in this run.
    removals_left: usize,
    /// Films that stay on the queue for another run.
    put_off: BTreeSet<MovieId>,
    /// Films taken off the queue.
    settled: usize,
    /// Why a film was put off last.
    trouble: Option<screensort_tmdb::Error>,
}

/// What became of one question.
enum Read {
    Found(MovieId, Box<MovieDetails>),
    Gone(MovieId),
    /// The answer makes no sense.
    Unusable(MovieId, screensort_tmdb::Error),
    /// No answer for this film now, after several tries.
    Unanswered(MovieId, screensort_tmdb::Error),
    /// The run cannot go on; the film stays on the queue.
    Stopped(screensort_tmdb::Error),
}

/// What becomes of a film's place on the queue.
enum Settled {
    Done,
    PutOff,
}

impl<'s> Reader<'s> {
    pub(crate) async fn new(stack: &'s Stack, client: Client) -> Result<Self, Error> {
        // Half a percent of the catalogue at most, and one at least, so that a small one can forget too.
        let films = published(stack).await?.map_or(0, |catalog| catalog.len());
        Ok(Self {
            stack,
            client,
            counts: Counts::new(),
            removals_left: (films / 200).max(1),
            put_off: BTreeSet::new(),
            settled: 0,
            trouble: None,
        })
    }

    /// How many films stay on the queue for another run.
    pub(crate) fn put_off(&self) -> usize {
        self.put_off.len()
    }

    /// Whether a film is one of those.
    pub(crate) fn has_put_off(&self, id: &MovieId) -> bool {
        self.put_off.contains(id)
    }

    /// There is more to read, but not in this run.
    pub(crate) fn paused(self) -> Outcome {
        Outcome::paused(self.counts)
    }

    /// The queue is empty but for what was put off.
    pub(crate) fn ended(self) -> Result<Outcome, Error> {
        match self.trouble {
            // Nothing at all could be read: whoever asked wants to know why.
            Some(trouble) if self.settled == 0 => Err(trouble.into()),
            _ if self.put_off.is_empty() => Ok(Outcome::done(self.counts)),
            _ => Ok(Outcome::paused(self.counts)),
        }
    }

    /// Reads a batch; `false` if the budget is spent. `seen` is told the number of answers as they come.
    pub(crate) async fn read(
        &mut self,
        batch: &[MovieId],
        seen: &(dyn Fn(u64) + Sync),
    ) -> Result<bool, Error> {
        // What was added by hand has no counterpart at TMDb.
        let (local, batch): (Vec<_>, Vec<_>) = batch.iter().partition(|id| id.get() >= FIRST_LOCAL_ID);
        let mut finished: Vec<MovieId> = local;
        if !finished.is_empty() {
            count(&mut self.counts, "of_our_own", finished.len());
        }
        let (mut nonsense, mut stopped) = (Vec::new(), None);
        let asked = batch.len();
        for answer in self.ask_all(batch, seen).await {
            match answer {
                Read::Stopped(error) => stopped = stopped.or(Some(error)),
                Read::Unusable(id, error) => nonsense.push((id, error)),
                Read::Unanswered(id, error) => self.leave(id, Some(error)),
                Read::Found(id, details) => match self.found(id, *details).await? {
                    Settled::Done => finished.push(id),
                    Settled::PutOff => self.leave(id, None),
                },
                Read::Gone(id) => {
                    self.deny(id).await?;
                    finished.push(id);
                }
            }
        }
        // Garbage for nearly everything comes from something that stands in TMDb's place: emptying the queue on
        // its word would lose what is on it.
        if nonsense.len() >= LEAST_NONSENSE && nonsense.len() * 2 > asked {
            stopped = stopped.or(nonsense.pop().map(|(_, error)| error));
            nonsense.clear();
        }
        for (id, error) in nonsense {
            // One film that TMDb garbles must not hold the others up: it comes back with its next change.
            let error: &dyn std::error::Error = &error;
            tracing::warn!(name: "film.unusable", movie = id.get(), error, "film {id} is left as it is");
            count(&mut self.counts, "unusable", 1);
            finished.push(id);
        }
        self.stack.progress().done(&finished).await?;
        self.settled += finished.len();
        self.go_on(stopped)
    }

    /// Whether the run goes on after a batch.
    fn go_on(&mut self, stopped: Option<screensort_tmdb::Error>) -> Result<bool, Error> {
        use screensort_tmdb::Error as E;
        match stopped {
            None if self.put_off.len() > MOST_PUT_OFF && self.put_off.len() > self.settled => {
                self.trouble.take().map_or(Ok(true), |trouble| Err(trouble.into()))
            }
            None => Ok(true),
            Some(E::BudgetExhausted { .. }) => Ok(false),
            // The breaker opened: what it opened for says more.
            Some(open @ E::BreakerOpen { .. }) => Err(self.trouble.take().unwrap_or(open).into()),
            Some(error) => Err(error.into()),
        }
    }

    /// Asks for all of `films`. Once the run cannot go on, what is on its way is still waited for: it was paid for.
    async fn ask_all(&self, films: Vec<MovieId>, seen: &(dyn Fn(u64) + Sync)) -> Vec<Read> {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, stopped) = (self.client.clone(), Arc::clone(&stop));
        let open = films.into_iter().take_while(move |_| !stopped.load(Ordering::Relaxed));
        let questions = open.map(move |id| ask(client.clone(), id));
        let mut answers = futures::stream::iter(questions).buffer_unordered(AT_ONCE);
        let mut all = Vec::new();
        while let Some(answer) = answers.next().await {
            if matches!(answer, Read::Stopped(_)) {
                stop.store(true, Ordering::Relaxed);
            }
            all.push(answer);
            seen(all.len() as u64);
        }
        all
    }

    fn leave(&mut self, id: MovieId, trouble: Option<screensort_tmdb::Error>) {
        if let Some(error) = trouble {
            let cause: &dyn std::error::Error = &error;
            tracing::warn!(name: "film.put_off", movie = id.get(), error = cause, "film {id} is left to another run");
            self.trouble = Some(error);
        }
        self.put_off.insert(id);
        count(&mut self.counts, "put_off", 1);
    }

    async fn found(&mut self, id: MovieId, details: MovieDetails) -> Result<Settled, Error> {
        let catalogue = self.stack.catalogue();
        let before = self.stored(id).await?;
        let was_there = before.movie.is_some();
        let Some(movie) = film::movie(id, details, before.movie, self.stack.clock().now()) else {
            // An answer that calls half the catalogue pornography is no more believed than one that denies it.
            if was_there && !self.may_remove() {
                return Ok(Settled::PutOff);
            }
            catalogue.forget(id).await?;
            count(&mut self.counts, "left_out", 1);
            return Ok(Settled::Done);
        };
        if before.tombstone.is_some() {
            catalogue.revive(id).await?;
        }
        catalogue.keep(&movie, Why::Tmdb).await?;
        count(&mut self.counts, "kept", 1);
        Ok(Settled::Done)
    }

    /// What the table has of a film. What it cannot read is about to be written anew.
    async fn stored(&self, id: MovieId) -> Result<Film, Error> {
        match self.stack.catalogue().synced(id).await {
            Err(error @ screensort_store::Error::Corrupt { .. }) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(name: "store.unreadable", movie = id.get(), error, "film {id} cannot be read");
                Ok(Film::default())
            }
            film => Ok(film?),
        }
    }

    fn may_remove(&mut self) -> bool {
        let may = self.removals_left > 0;
        self.removals_left = self.removals_left.saturating_sub(1);
        may
    }

    /// TMDb says that there is no such film: doubted at first, believed on the third day.
    async fn deny(&mut self, id: MovieId) -> Result<(), Error> {
        let film = self.stored(id).await?;
        let tombstone = match (film.tombstone, film.movie) {
            // Nobody ever heard of it, or it is buried already.
            (None | Some(Tombstone::Withdrawn | Tombstone::Merged { .. }), None) => {
                count(&mut self.counts, "unknown_to_tmdb", 1);
                return Ok(());
            }
            // Buried, and loaded again from a file since.
            (Some(buried @ (Tombstone::Withdrawn | Tombstone::Merged { .. })), Some(_)) => buried,
            (doubted, movie) => {
                let mut days = match doubted {
                    Some(Tombstone::Doubted { days }) => days,
                    _ => BTreeSet::new(),
                };
                days.insert(today(self.stack.clock().now()));
                let imdb = movie.and_then(|movie| movie.imdb_id);
                match days.len() < DENIALS {
                    true => Tombstone::Doubted { days },
                    false => match self.heir(id, imdb).await? {
                        Some(into) => Tombstone::Merged { into },
                        None => Tombstone::Withdrawn,
                    },
                }
            }
        };
        if !matches!(tombstone, Tombstone::Doubted { .. }) && !self.may_remove() {
            // It stays doubted, and is asked for again tomorrow.
            count(&mut self.counts, "removals_put_off", 1);
            return Ok(());
        }
        count(&mut self.counts, word(&tombstone), 1);
        Ok(self.stack.catalogue().bury(id, &tombstone).await?)
    }

    /// The film that lives on under another id: the one that the IMDb id leads to, if it is there.
    async fn heir(&self, id: MovieId, imdb: Option<String>) -> Result<Option<MovieId>, Error> {
        let Some(imdb) = imdb else { return Ok(None) };
        let Some(heir) = self.stack.catalogue().by_imdb(&imdb).await?.filter(|heir| *heir != id) else {
            return Ok(None);
        };
        Ok(self.stored(heir).await?.movie.map(|_| heir))
    }
}

async fn ask(client: Client, id: MovieId) -> Read {
    use screensort_tmdb::Error as E;
    match client.movie(id.get()).await {
        Ok(Fetched::Found(details)) => Read::Found(id, Box::new(details)),
        Ok(Fetched::Gone) => Read::Gone(id),
        Err(error @ (E::BadAnswer { .. } | E::TooLarge { .. } | E::Refused { .. } | E::BadQuestion(_))) => {
            Read::Unusable(id, error)
        }
        Err(
            error @ (E::Unavailable { .. } | E::TimedOut { .. } | E::Truncated { .. } | E::Transport { .. }),
        ) => Read::Unanswered(id, error),
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
