//! The whole product in one process, on this machine.
//!
//! The handlers, the AWS SDK calls and the events are those of the Lambda functions; only addresses differ.
//! What stands in for API Gateway is here, what stands in for AWS's services is in `screensort-cloud`. None of
//! this is part of any Lambda build.

mod argon2;
mod attack;
mod bench;
mod coldstart;
pub mod command;
pub mod demo;
mod deployed;
pub mod directory_file;
pub mod events;
pub mod gateway;
mod here;
pub mod import;
mod import_accounts;
pub mod letters;
pub mod product;
pub mod recent;
mod recommend;
pub mod rings;
pub mod server;
pub mod stand;
pub mod streams;
mod sync;
mod tls;
