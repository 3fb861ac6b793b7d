//! The tables, by access pattern.
//!
//! One type per aggregate; its methods are what the product does with it, never the database's verbs. This
//! is the only crate that speaks DynamoDB: every value travels as an expression attribute value, every
//! expression is a constant, there is no PartiQL. It must never know of HTTP, permissions or presentation.

mod catalogue;
mod error;
mod meter;
mod progress;
mod table;

pub use catalogue::{Catalogue, Counters, Everything, Film, Tombstone, Why};
pub use error::Error;
pub use meter::{Meter, Spent};
pub use progress::{Progress, Run, RunState};
pub use table::{Tables, create_tables};
