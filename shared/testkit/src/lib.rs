//! What tests and trials by hand need and the product must never link: stand-ins for the outside world.
//!
//! It knows the shapes other services answer in. It must never depend on the crate that talks to such a service, so
//! that a stand-in cannot share a client's mistakes.

pub mod tmdb_standin;
