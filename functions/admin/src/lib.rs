//! What administrators do: one module per endpoint, each read as *who, what, act, answer*.
//!
//! An administrator sees names, roles and states; never an address, a password or a second factor.

pub mod add_movie;
pub mod admin_access_review;
pub mod admin_audit;
pub mod admin_block;
pub mod admin_blocklist;
pub mod admin_movie;
pub mod admin_operator;
pub mod admin_sync;
pub mod admin_user_change;
pub mod admin_users;
mod blocked;
mod film;
mod user;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        add_movie::endpoint(),
        admin_access_review::endpoint(),
        admin_audit::endpoint(),
        admin_operator::endpoint(),
        admin_block::endpoint(),
        admin_blocklist::endpoint(),
        admin_movie::endpoint(),
        admin_sync::endpoint(),
        admin_user_change::endpoint(),
        admin_users::endpoint(),
    ]
}
