//! Accounts, sessions and authorisation over HTTP: what works, and what attackers try.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod product;

mod keys;
mod matrix;
mod mfa;
mod outside;
mod password;
mod proofs;
mod register;
mod rights;
mod session;
mod sign_in;
mod sms;
mod strangers;
