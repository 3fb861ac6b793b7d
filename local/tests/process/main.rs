//! The built binary as a user has it: started, stopped, killed, and started again.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commands;
mod killed;
mod operators;
mod product;
mod served;
mod tls;
