//! Recommendations: training, storing and serving the model.
//!
//! This crate knows ratings, films and linear algebra. It must never know AWS, HTTP, a clock, a store or a file
//! system: bytes come and go through [`std::io::Read`] and [`std::io::Write`], times are numbers in the input.
//!
//! # The way through
//!
//! ```text
//! Signal ... -> Table -> train ------------------------------------> artifact -> Model -> recommend, why, similar
//!               (limits)  split: train, validation, test people        (bytes)
//!                         EDLAE, iALS: ridges chosen on validation
//!                         blend: chosen on validation
//!                         judged on test, then trained on everybody
//! ```
//!
//! - `opinion`, `signal`, `csv`: what people said, cleaned and capped.
//! - `edlae`, `ials`, `film`, `prior`: the four sources of a score: films liked together, vectors, content, popularity.
//! - `split`, `metrics`, `tune`, `train`, `evaluate`: choosing and judging.
//! - `artifact`, `packed`: the one file, read where it lies.
//! - `fold`, `score`, `recommend`, `model`, `profile`: serving.
//!
//! Every score is a sum of shares, one per thumb and one of the prior, and [`Model::why`] gives them all. The method,
//! its sources and measurements are in `docs/recommendations.md`.
//!
//! # Example
//!
//! ```
//! use screensort_recommend::{Film, Limits, Model, PageOptions, Profile, Signal, Table, TrainOptions, train};
//!
//! let signals = (0..40u32).map(|k| Signal { person: u64::from(k / 4), film: k % 7, value: 1.0, at: 0 });
//! let table = Table::gather(signals, |film| film < 7, Limits::default())?;
//! let catalogue = (0..7).map(|movie_id| Film { movie_id, genres: vec![movie_id % 2], ..Film::default() }).collect();
//! let trained = train(&table, catalogue, &TrainOptions::default(), &mut |step| eprintln!("{step}"))?;
//!
//! let model = Model::read(trained.bytes.as_slice())?;
//! let page = model.recommend(&Profile::of_likes([3]), |movie_id| movie_id != 5, &PageOptions::default());
//! assert!(page.iter().all(|scored| scored.movie_id != 3 && scored.movie_id != 5));
//! # Ok::<(), screensort_recommend::Error>(())
//! ```

mod artifact;
pub mod commands;
mod csv;
mod edlae;
mod error;
mod evaluate;
mod film;
mod fit;
mod fold;
mod ials;
mod lanes;
mod metrics;
mod model;
mod opinion;
mod packed;
mod prior;
mod profile;
mod recommend;
mod score;
mod signal;
mod sparse;
mod split;
mod train;
mod tune;

pub use artifact::{Card, FORMAT, Settings, Weights};
pub use csv::{DISLIKE_TO, LIKE_FROM, read_ratings};
pub use error::Error;
pub use evaluate::{Report, evaluate};
pub use film::{Film, Votes};
pub use metrics::{Mean, Quality};
pub use model::{Model, Ranked};
pub use opinion::Deed;
pub use prior::PriorSettings;
pub use profile::{MOST_THUMBS, Profile, Thumb};
pub use recommend::{PageOptions, Reason, Scored};
pub use signal::{Intake, Limits, Signal, Table};
pub use train::{Step, TrainOptions, Trained, may_replace, train};
