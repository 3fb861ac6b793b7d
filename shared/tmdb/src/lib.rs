//! A typed, polite and bounded client of [TMDb](https://developer.themoviedb.org/reference/)'s version 3 API and of
//! its daily id exports.
//!
//! It knows TMDb's routes, shapes, limits and bad days. It must never know how the product stores a film, who asks,
//! or where the key comes from: the caller hands over a [`Config`].
//!
//! - **Polite**: a token bucket, a cap on requests in flight, one pause for everybody when TMDb says 429, back-off
//!   with jitter, a circuit breaker and a budget per run ([`Client::with_budget`]).
//! - **Bounded**: every answer has a cap in bytes, before and after decompression; every text, list and number in it
//!   has one too.
//! - **Suspicious**: content type, encoding, completeness and the id of every answer are checked. What is left is
//!   cleaned: control characters and bidirectional overrides go, image paths, ids and links must look like TMDb's.
//! - **Silent about the key**: it travels in the `Authorization` header only; no URL, log line, error or `Debug`
//!   output holds it.
//!
//! TMDb's terms ask for attribution: "This product uses the TMDB API but is not endorsed or certified by TMDB."
//!
//! ```no_run
//! # async fn example() -> Result<(), screensort_tmdb::Error> {
//! use screensort_tmdb::{Client, Config, Fetched, Token};
//!
//! let client = Client::new(Config::new(Token::new("an API read access token")))?;
//! match client.movie(550).await? {
//!     Fetched::Found(film) => assert_eq!(film.id, 550),
//!     Fetched::Gone => {} // Removed or merged: keep a tombstone.
//! }
//! # Ok(()) }
//! ```

mod backoff;
mod breaker;
mod budget;
mod changes;
mod client;
mod config;
mod decode;
mod error;
mod exchange;
mod export;
mod film;
mod lists;
mod names;
mod pace;
mod routes;
mod text;

pub use changes::{ChangePages, ChangedMovie, MAX_CHANGE_DAYS};
pub use client::Client;
pub use config::{Config, Limits, Pacing, Persistence, Token, Told};
pub use error::{Error, Rule};
pub use export::{ExportLine, ExportSummary};
pub use film::{
    AlternativeTitle, CastMember, Certification, ExternalIds, Genre, Keyword, MovieDetails, Offer, Offers,
    Person, ReleaseKind, Status, Trailer, Translation, parse_movie,
};
pub use lists::{CertificationRating, Images, MovieSummary, Page, WatchProvider, WatchRegion};
pub use names::{ImagePath, ImdbId, Language, Region};
pub use routes::{Fetched, MAX_PAGE, MovieList, TrendWindow};
