//! The jobs, with the real client, against a stand-in for TMDb and embedded AWS services, under a clock that the
//! tests turn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod gone;
mod published;
mod resumed;
mod retained;
mod synced;
mod world;
