//! Recommendations over HTTP: that they react at once, say why, and keep to themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/product.rs"]
#[allow(dead_code, reason = "each folder of tests uses its part")]
mod product;
mod world;

mod damaged;
mod reacts;
mod seen;
mod trained;
mod why;
