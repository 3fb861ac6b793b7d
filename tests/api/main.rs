//! The product over HTTP, a module per noun. Every answer here has passed `screensort_tests::contract` too.

// A test that cannot go on says so by panicking.
#![allow(clippy::unwrap_used)]

mod caching;
mod contract;
mod cursors;
mod gateway;
mod genres;
mod hostile;
mod movie;
mod movie_operators;
mod movies;
mod people;
mod search;
mod similar;
mod suggest;
mod system;
mod trending;

use serde_json::Value;

/// The `id` of each of these films, operators or people.
fn ids(items: &[Value]) -> Vec<u64> {
    items.iter().map(id).collect()
}

/// The `id` of this one.
fn id(item: &Value) -> u64 {
    item["id"].as_u64().unwrap_or_else(|| panic!("no id: {item}"))
}

/// `texts` as owned values, for comparing with JSON.
fn texts(items: &Value) -> Vec<String> {
    items.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Panics if something is there twice.
fn assert_no_doubles(what: &str, ids: &[u64]) {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        assert!(seen.insert(id), "{what}: {id} is there twice");
    }
}
