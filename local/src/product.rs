//! Everything that the product serves.

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// All endpoints of all areas.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    let mut all = screensort_movies::endpoints();
    all.extend(screensort_accounts::endpoints());
    all.extend(screensort_admin::endpoints());
    all.extend(screensort_operators::endpoints());
    all.extend(screensort_links::endpoints());
    all.extend(screensort_recommendations::endpoints());
    all.extend(screensort_library::endpoints());
    all.extend(screensort_profile::endpoints());
    all.extend(screensort_reviews::endpoints());
    all.extend(screensort_system::endpoints());
    all
}

/// The OpenAPI document over them, as it is committed.
///
/// # Panics
/// Never: a JSON value is always serialisable.
pub fn openapi() -> String {
    let mut document = screensort_http::openapi::document(&endpoints(), screensort_system::VERSION);
    // Whether serde_json keeps the order of insertion depends on what else is compiled in.
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).expect("a JSON value is serialisable");
    text.push('\n');
    text
}
