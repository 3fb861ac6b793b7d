//! What administrators do: one module per endpoint, each read as *who, what, act, answer*.
//!
//! An administrator sees names, roles and states; never an address, a password or a second factor.

pub mod admin_access_review;
pub mod admin_audit;
pub mod admin_operator;
pub mod admin_user_change;
pub mod admin_users;
mod user;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        admin_access_review::endpoint(),
        admin_audit::endpoint(),
        admin_operator::endpoint(),
        admin_user_change::endpoint(),
        admin_users::endpoint(),
    ]
}
