//! What people do every day, over HTTP: thumbs, ratings, history, watchlist, reviews, and what is counted of them;
//! who they are and what they want to see.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/product.rs"]
#[allow(dead_code, reason = "shared with the tests of accounts")]
mod product;

mod capacity;
mod carried;
mod counted;
mod deleted;
mod films;
mod health;
mod history;
mod imported;
mod isolation;
mod person;
mod recorded;
mod reviews;
mod rights;
mod stores;
mod world;
