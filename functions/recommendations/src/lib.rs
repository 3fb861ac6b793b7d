//! Recommendations and their reasons: one module per endpoint, each read as *who, what, act, answer*.
//!
//! Nothing about a person is precomputed: what they did is read with the request and folded into the model, so that
//! a thumb given a moment ago already counts.

pub mod admin_recommendations;
mod desk;
mod general;
mod limits;
mod reason;
pub mod recommendation;
pub mod recommendation_why;

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![recommendation::endpoint(), recommendation_why::endpoint(), admin_recommendations::endpoint()]
}
