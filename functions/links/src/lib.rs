//! Links between accounts.

use screensort_http::Endpoint;
use screensort_runtime::Stack;

pub mod link;
pub mod link_confirm;
pub mod links;
mod shown;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![link::endpoint(), link_confirm::endpoint(), links::endpoint()]
}
