//! What every request passes, over HTTP and at the gate: quotas, keys, conditions, origins, blocked addresses; and
//! what administrators do with films and the sync.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/product.rs"]
#[allow(dead_code, reason = "shared with the tests of accounts")]
mod product;

mod blocked;
mod films;
mod once;
mod origins;
mod quotas;
mod walls;
