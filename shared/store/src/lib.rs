//! The tables, by access pattern.
//!
//! One type per aggregate; its methods are what the product does with it, never the database's verbs. This
//! is the only crate that speaks DynamoDB: every value travels as an expression attribute value, every
//! expression is a constant, there is no PartiQL. It must never know of HTTP, permissions or presentation.

mod accounts;
mod attempts;
mod catalogue;
mod counting;
mod deletion;
mod errands;
mod error;
mod history;
mod library;
mod meter;
mod one_time;
mod outbox;
mod profile;
mod progress;
mod reviews;
mod sessions;
mod table;
mod vault;

pub use accounts::{Account, Accounts, Credentials, NewAccount, Person, Registered};
pub use attempts::{Attempts, Bucket, Count, Tallies};
pub use catalogue::{Catalogue, Counters, Everything, Film, Tombstone, Why};
pub use counting::{Opinion, Recounted};
pub use deletion::Deletion;
pub use errands::{Errand, ErrandKind, ErrandState};
pub use error::Error;
pub use history::Watch;
pub use library::{Change, FilmState, Library, Listing};
pub use meter::{Meter, Spent};
pub use one_time::{OneTime, Ticket, Token, Tried};
pub use outbox::{Letter, Outbox, To};
pub use profile::Profile;
pub use progress::{Progress, Run, RunState};
pub use reviews::{Review, ReviewState};
pub use sessions::{Login, Opened, Opening, Proof, Session, Sessions};
pub use table::{Tables, create_tables};
