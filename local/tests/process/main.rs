//! The built binary as a user has it: started, stopped, killed, and started again.

#![cfg(unix)]

mod commands;
mod killed;
mod product;
mod served;
mod tls;
