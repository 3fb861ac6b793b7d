//! Health, documents, attribution: what a caller may want to know of the product itself.

pub mod about;
pub mod docs;
pub mod health;
pub mod openapi;
pub mod problem;
pub mod security_txt;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// This release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        about::endpoint(),
        docs::endpoint(),
        health::endpoint(),
        openapi::endpoint(),
        problem::endpoint(),
        security_txt::endpoint(),
    ]
}
