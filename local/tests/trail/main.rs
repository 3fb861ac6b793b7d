//! The trail over HTTP: what is recorded, who may read it, the jobs around it, and what happens to who tampers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "the product's helpers are shared with other tests")]

#[path = "../accounts/product.rs"]
mod product;

mod catalogue;
mod dormant;
mod exported;
mod jobs;
mod logged;
mod noticed;
mod recorded;
mod rings;
mod rules;
mod shipped;
mod streams;
mod watched;

#[test]
fn the_page_of_events_is_made_from_the_list() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events.md")).unwrap();
    let same = page == screensort::events::page();
    assert!(same, "docs/events.md is old: cargo run -- events > docs/events.md");
}
