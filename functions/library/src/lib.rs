//! What people do with films: one module per endpoint, each read as *who, what, act, answer*.
//!
//! Everything here is one's own: whose library it is comes from the session, never from a parameter or a body.

mod entry;
mod film;
mod mine;

pub mod hidden;
pub mod history;
pub mod history_entry;
pub mod import;
pub mod imports;
pub mod movie_hidden;
pub mod movie_rating;
pub mod ratings;
pub mod thumbs;
pub mod thumbs_action;
pub mod watchlist;
pub mod watchlist_entry;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        hidden::endpoint(),
        history::endpoint(),
        history_entry::endpoint(),
        import::endpoint(),
        imports::endpoint(),
        movie_hidden::endpoint(),
        movie_rating::endpoint(),
        ratings::endpoint(),
        thumbs::endpoint(),
        thumbs_action::endpoint(),
        watchlist::endpoint(),
        watchlist_entry::endpoint(),
    ]
}
