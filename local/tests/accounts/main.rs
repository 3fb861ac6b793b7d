//! Accounts, sessions and authorisation over HTTP: what works, and what attackers try.

mod product;
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]


mod mfa;
mod password;
mod register;
mod session;
mod sign_in;
