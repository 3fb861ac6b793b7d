//! The tables, by access pattern.
//!
//! One type per aggregate; its methods are what the product does with it, never the database's verbs. This
//! is the only crate that speaks DynamoDB: every value travels as an expression attribute value, every
//! expression is a constant, there is no PartiQL. It must never know of HTTP, permissions or presentation.

mod accounts;
mod api_keys;
mod attempts;
mod audit;
mod blocklist;
mod catalogue;
pub mod chain;
mod counting;
mod deletion;
mod edits;
mod errands;
mod error;
mod favourites;
mod filler;
mod hand;
mod history;
mod idempotency;
mod laid;
mod leftovers;
mod library;
mod links;
mod meter;
mod one_time;
mod operators;
mod outbox;
mod profile;
mod progress;
mod queries;
mod quotas;
mod reviews;
mod sessions;
mod table;
mod tuning;
mod vault;
mod voters;

pub use accounts::{Account, Accounts, Credentials, NewAccount, Person, Registered};
pub use api_keys::{ApiKey, ApiKeys};
pub use attempts::{Attempts, Bucket, Count, Survey};
pub use audit::{Audit, Record, SHARDS, Trail};
pub use blocklist::{Blocked, Blocklist, Seen};
pub use catalogue::{Catalogue, Counters, Everything, Film, Tombstone, Why};
pub use counting::{Opinion, Recounted};
pub use deletion::Deletion;
pub use edits::{By, Edit, Edits, Wanted};
pub use errands::{Errand, ErrandKind, ErrandState, errand_of_change};
pub use error::Error;
pub use favourites::{Favourite, Favourites};
pub use filler::Filler;
pub use hand::Hand;
pub use history::Watch;
pub use idempotency::{Begun, Call, Idempotency, Kept};
pub use laid::{AT_ONCE, Checkpoint, Laid, Place};
pub use leftovers::{Kind as LeftoverKind, Leftover, Leftovers, Next};
pub use library::{Change, FilmState, Library, Listing};
pub use links::{Confirming, Invitation, Link, LinkChange, Links, Side, Stage};
pub use meter::{Meter, Spent};
pub use one_time::{OneTime, Ticket, Token, Tried};
pub use operators::{Directory, Operators};
pub use outbox::{Letter, Outbox, To};
pub use profile::Profile;
pub use progress::{Progress, Run, RunState};
pub use queries::{Queries, Query};
pub use quotas::{Quotas, Used, Window};
pub use reviews::{Found, Report, Reported, Review, ReviewState};
pub use sessions::{KnownPlace, Login, Opened, Opening, Proof, Session, Sessions};
pub use table::{Tables, create_tables};
pub use tuning::{Tuning, Wish};
pub use voters::Voters;
