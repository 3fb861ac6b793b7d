//! The catalogue in memory.
//!
//! A job builds one read-only file from all films, operators and lists; a function loads it at its cold start
//! and answers lists, search, similar films and people from it without asking the store. Films stand in
//! columns, in the order of their popularity, and are meant by their place in it, their *ordinal*.
//!
//! This crate knows films and orders. It must never know where the file rests or who asks.

mod browse;
mod build;
pub mod card;
mod catalog;
mod columns;
mod file;
mod search;
mod similar;

pub use browse::{Browse, Position, Slice};
pub use build::{Contents, build};
pub use catalog::{Catalog, Credits, FilmRef, Lookup};
pub use file::Error;
pub use search::Match;
pub use similar::Similar;
