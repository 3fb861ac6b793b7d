//! ScreenSort's nouns and the rules that hold for them everywhere.
//!
//! This crate knows what a film, an operator, a region or an instant is and which values are allowed.
//! It must never know how they travel or rest: no HTTP, no AWS, no files, no environment.
//! Every newtype's constructor is its only validation; code that holds one never checks again.

pub mod attribution;
pub mod clock;
pub mod code;
pub mod directory;
pub mod id;
pub mod list;
pub mod movie;
mod network;
pub mod operator;
pub mod opinion;
pub mod person;
pub mod preferences;
pub mod reference;
pub mod text;

pub use clock::Clock;
pub use code::{Language, Region};
pub use directory::{Listing, MODES, ModeEntry, ModeId};
pub use id::{GenreId, KeywordId, MovieId, OperatorId, PersonId};
pub use list::{Found, Sort, Window};
pub use movie::{Cast, Keyword, Movie, PersonName, Trailer};
pub use network::Network;
pub use operator::{Kind, Mode, Operator};
pub use opinion::{Rating, Thumb};
pub use preferences::{Certification, GenreWeight, Preferences};

/// Why a value was refused. The text is safe to show: it never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);
