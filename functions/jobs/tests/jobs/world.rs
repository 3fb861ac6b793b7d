//! What the tests have in common: a stand, a stand-in, a clock.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use screensort::stand::{Choices, Stand};
use screensort_catalog::{Catalog, Match};
use screensort_jobs::{Error, Outcome, Watch, publish_catalog, sync_exports, sync_lists, sync_movies};
use screensort_model::{Clock, Found, Movie, MovieId};
use screensort_runtime::Stack;
use screensort_testkit::tmdb_standin::Standin;

/// More than any test asks for.
pub(crate) const PLENTY: u32 = 10_000;

pub(crate) struct World {
    pub(crate) stand: Stand,
    pub(crate) tmdb: Standin,
    pub(crate) clock: Clock,
}

impl World {
    /// Noon of 22 November 2026, an empty catalogue, and TMDb with these films alone.
    pub(crate) async fn with(films: &[u32]) -> Self {
        let world = Self::whole().await;
        for id in world.tmdb.movie_ids() {
            if !films.contains(&id) {
                world.tmdb.remove_movie(id);
            }
        }
        world
    }

    /// The same with all films of the stand-in.
    pub(crate) async fn whole() -> Self {
        let world = Self::without_key().await;
        world.stand.set_tmdb_token(world.tmdb.token()).await.unwrap();
        world
    }

    pub(crate) async fn without_key() -> Self {
        let tmdb = Standin::start().await;
        let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
        let choices = Choices {
            tmdb_url: Some(tmdb.url()),
            tmdb_exports_url: Some(tmdb.exports_url()),
            tmdb_requests_per_second: Some(1_000),
            ..Choices::default()
        };
        let stand = Stand::set_up(choices, clock.clone()).await.unwrap();
        Self { stand, tmdb, clock }
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.stand.stack
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
    }

    /// Lists, export, films, publication.
    pub(crate) async fn full(&self) -> Arc<Catalog> {
        sync_lists::run(self.stack(), &unwatched()).await.unwrap();
        sync_exports::run(self.stack(), &unwatched()).await.unwrap();
        let movies = self.movies().await.unwrap();
        assert!(!movies.paused, "{movies:?}");
        self.publish().await
    }

    /// What is on the queue.
    pub(crate) async fn movies(&self) -> Result<Outcome, Error> {
        sync_movies::run(self.stack(), PLENTY, &unwatched()).await
    }

    /// Just these films.
    pub(crate) async fn read(&self, ids: &[u32]) -> Result<Outcome, Error> {
        sync_movies::read(self.stack(), &films(ids), &unwatched()).await
    }

    pub(crate) async fn publish(&self) -> Arc<Catalog> {
        publish_catalog::run(self.stack(), false).await.unwrap();
        self.stack().catalog().await.unwrap()
    }

    /// The ids on the queue, in order.
    pub(crate) async fn queued(&self) -> Vec<u32> {
        let mut queued: Vec<u32> = self
            .stack()
            .progress()
            .queued(PLENTY as usize)
            .await
            .unwrap()
            .iter()
            .map(|id| id.get())
            .collect();
        queued.sort_unstable();
        queued
    }

    /// The films in the table, by id.
    pub(crate) async fn table(&self) -> BTreeMap<u32, Movie> {
        let everything = self.stack().catalogue().everything(1).await.unwrap();
        everything.films.into_iter().map(|(movie, _)| (movie.id.get(), movie)).collect()
    }

    /// How often TMDb was asked for each film.
    pub(crate) fn asked(&self) -> BTreeMap<u32, usize> {
        let mut asked = BTreeMap::new();
        for request in self.tmdb.requests() {
            if let Some(id) = request.path.strip_prefix("/3/movie/").and_then(|id| id.parse().ok()) {
                *asked.entry(id).or_default() += 1;
            }
        }
        asked
    }
}

pub(crate) fn unwatched() -> Watch {
    Watch::by(|_, _| {})
}

pub(crate) fn film(id: u32) -> MovieId {
    MovieId::new(id).unwrap()
}

pub(crate) fn films(ids: &[u32]) -> Vec<MovieId> {
    ids.iter().map(|id| film(*id)).collect()
}

pub(crate) fn counted(outcome: &Outcome, name: &str) -> u64 {
    outcome.counts.get(name).copied().unwrap_or(0)
}

/// The film that a search finds first.
pub(crate) fn first(catalog: &Catalog, query: &str) -> Option<u32> {
    match catalog.search(query, Some(Found::Movie), 1).first() {
        Some((Match::Film(film), _)) => Some(film.id().get()),
        _ => None,
    }
}

/// Made-up films with the ids from `first` on, as a file would have them.
pub(crate) fn made_up(first: u32, how_many: u32, now: Timestamp) -> Vec<Movie> {
    let line = |id| format!("{{\"id\": {id}, \"title\": \"Film {id}\", \"popularity\": 1}}\n");
    let lines: String = (first..first + how_many).map(line).collect();
    screensort::import::read(lines.as_bytes(), now).unwrap()
}

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Listens until the guard is dropped.
    pub(crate) fn listen(&self) -> impl Drop + use<> {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
