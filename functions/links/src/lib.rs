//! Links between two accounts of one person: one module per endpoint, each read as *who, what, act, answer*.
//!
//! Nothing here says whether an address has an account; whoever has it finds out by mail.

use screensort_http::Endpoint;
use screensort_runtime::Stack;

pub mod link;
pub mod link_confirm;
pub mod link_history;
pub mod link_ratings;
pub mod link_watchlist;
mod linked;
pub mod links;
mod shown;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        link::endpoint(),
        link_confirm::endpoint(),
        link_history::endpoint(),
        link_ratings::endpoint(),
        link_watchlist::endpoint(),
        links::endpoint(),
    ]
}
