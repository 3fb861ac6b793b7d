//! The operator directory, service clients and their keys, favourites and query history: one module per endpoint,
//! each read as *who, what, act, answer*.
//!
//! The directory is for people who are signed in and for service clients; nobody else sees any of it.

mod asked;
mod form;
mod hypercat;
mod shown;

pub mod api_key;
pub mod api_keys;
pub mod favourite;
pub mod favourites;
pub mod modes;
pub mod operator;
pub mod operators;
pub mod queries;
pub mod token;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        api_key::endpoint(),
        api_keys::endpoint(),
        favourite::endpoint(),
        favourites::endpoint(),
        modes::endpoint(),
        operator::endpoint(),
        operators::endpoint(),
        queries::endpoint(),
        token::endpoint(),
    ]
}
