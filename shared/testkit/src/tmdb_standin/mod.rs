//! A TMDb on loopback: its shapes, its errors, its bad days.
//!
//! It serves a few recorded films and about fifty made from a table of facts (`fixtures/tmdb/README.md` says where
//! they come from), checks the key as TMDb does, records every request, and misbehaves on demand ([`Script`]).
//!
//! ```no_run
//! # async fn example() {
//! use screensort_testkit::tmdb_standin::{Fault, Script, Standin};
//!
//! let tmdb = Standin::start().await;
//! tmdb.script(Script::on("/3/movie/550").fault(Fault::Status(502)).times(2));
//! // Point a client at tmdb.url() with the key tmdb.token() ...
//! assert_eq!(tmdb.requests().len(), 3);
//! # }
//! ```

mod answer;
mod fault;
mod films;
mod serve;
mod world;

use std::{io, net::SocketAddr, sync::Arc};

use jiff::civil::Date;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::Instant};

pub use fault::{Fault, Script};

use world::World;

/// The key a [`Standin`] accepts unless told otherwise.
pub const TOKEN: &str = "standin-token";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `GET`, as a client of TMDb's should.
    pub method: String,
    /// The path with its version, `/3/movie/550`.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: String,
    /// Header names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// When, on tokio's clock.
    pub at: Instant,
}

impl Recorded {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// A stand-in that runs until it is dropped, on the runtime that started it.
#[derive(Debug)]
pub struct Standin {
    world: Arc<World>,
    address: SocketAddr,
    arrivals: watch::Receiver<usize>,
    server: JoinHandle<()>,
}

impl Standin {
    /// Starts one on a free port of loopback that accepts [`TOKEN`].
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Self {
        Self::start_with_token(TOKEN).await
    }

    /// Starts one that accepts another key.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start_with_token(token: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let world = Arc::new(World::new(token));
        let arrivals = world.arrivals();
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&world)));
        Self { world, address, arrivals, server }
    }

    /// What goes in the place of `https://api.themoviedb.org/3`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/3", self.address)
    }

    /// What goes in the place of `https://files.tmdb.org/p/exports`.
    #[must_use]
    pub fn exports_url(&self) -> String {
        format!("http://{}/p/exports", self.address)
    }

    /// The key it accepts.
    #[must_use]
    pub fn token(&self) -> &str {
        self.world.token()
    }

    /// All requests so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.requests()
    }

    /// Waits until so many requests have arrived in all.
    pub async fn arrived(&self, requests: usize) {
        let mut arrivals = self.arrivals.clone();
        // The sender lives in `self.world`: it cannot be gone.
        let _ = arrivals.wait_for(|seen| *seen >= requests).await;
    }

    /// Adds a misbehaviour. Scripts are tried in the order in which they were added.
    pub fn script(&self, script: Script) {
        self.world.script(script);
    }

    /// Forgets all misbehaviour that has not happened yet.
    pub fn behave(&self) {
        self.world.behave();
    }

    /// Adds or replaces a film: details in TMDb's shape with all parts. Returns whether it has an `id`.
    pub fn set_movie(&self, details: Value) -> bool {
        self.world.set_movie(details)
    }

    /// The details of a film, with all parts.
    #[must_use]
    pub fn movie(&self, id: u32) -> Option<Value> {
        self.world.movie(id)
    }

    /// The ids of all films.
    #[must_use]
    pub fn movie_ids(&self) -> Vec<u32> {
        self.world.movie_ids()
    }

    /// Removes a film: its id answers 404 and exports do not have it. Returns whether it was there.
    pub fn remove_movie(&self, id: u32) -> bool {
        self.world.remove_movie(id).is_some()
    }

    /// Merges a film into another as TMDb does: the old id answers 404, without a redirect, and the other one is left,
    /// with the old one's IMDb id. An unknown `new` becomes the old film under its new id.
    pub fn merge(&self, old: u32, new: u32) {
        self.world.merge(old, new);
    }

    /// Says which films changed on a day.
    pub fn set_changes(&self, day: Date, ids: impl IntoIterator<Item = u32>) {
        self.world.set_changes(day, ids.into_iter().collect());
    }

    /// Replaces a day's export by these bytes, which should be gzip.
    pub fn set_export(&self, day: Date, gzip: Vec<u8>) {
        self.world.set_export(day, Some(gzip));
    }

    /// Makes a day's export one that is not there.
    pub fn withhold_export(&self, day: Date) {
        self.world.set_export(day, None);
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves a stand-in until the task is dropped, for trials by hand. Every day a handful of films change.
///
/// # Errors
/// When the address cannot be bound.
pub async fn run(address: SocketAddr, token: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    serve::serve(listener, Arc::new(World::new(token).with_daily_changes())).await;
    Ok(())
}
