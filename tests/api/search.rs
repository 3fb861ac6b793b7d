//! `GET /search`: films, people and operators by name.

use std::collections::BTreeMap;

use screensort_tests::{Product, encoded, shared};
use serde_json::Value;

use crate::assert_no_doubles;

async fn found(product: &Product, text: &str, more: &str) -> Vec<Value> {
    product.get(&format!("/search?q={}{more}", encoded(text))).await.items()
}

/// The ids of the first three films that `text` finds.
async fn first_films(product: &Product, text: &str) -> Vec<u64> {
    let items = found(product, text, "&type=movie&limit=3").await;
    items.iter().map(|item| item["movie"]["id"].as_u64().unwrap()).collect()
}

async fn assert_first(product: &Product, text: &str, film: u64) {
    let films = first_films(product, text).await;
    assert_eq!(films.first(), Some(&film), "{text}: {films:?}");
}

async fn assert_among_first(product: &Product, text: &str, film: u64) {
    let films = first_films(product, text).await;
    assert!(films.contains(&film), "{text}: {films:?}");
}

#[tokio::test]
async fn the_film_whose_title_it_is_comes_first() {
    let product = shared().await;
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    for film in &product.films {
        *titles.entry(film.title.to_lowercase()).or_default() += 1;
    }
    let mut known: Vec<_> = product.films.iter().filter(|m| titles[&m.title.to_lowercase()] == 1).collect();
    known.sort_by_key(|m| std::cmp::Reverse(m.vote_count));
    for film in known.iter().take(150) {
        let items = found(product, &film.title, "&limit=2").await;
        assert_eq!(items[0]["movie"]["id"], film.id.get(), "{}: {items:?}", film.title);
        assert!(items[0]["score"].as_f64().unwrap() >= 0.9, "{}", film.title);
    }
}

#[tokio::test]
async fn typing_errors_are_forgiven() {
    let product = shared().await;
    for (text, film) in [
        ("fihgt club", 550),
        ("figt club", 550),
        ("Inceptoin", 27_205),
        ("forest gumb", 13),
        ("the godfahter", 238),
        ("spirted awy", 129),
        ("strawars", 11),
    ] {
        assert_among_first(product, text, film).await;
    }
}

#[tokio::test]
async fn the_last_word_may_be_unfinished_and_words_may_be_swapped() {
    let product = shared().await;
    for (text, film) in [
        ("fight cl", 550),
        ("incept", 27_205),
        ("forrest gu", 13),
        ("club fight", 550),
        ("wars star", 11),
        ("lord of the rings fellow", 120),
    ] {
        assert_among_first(product, text, film).await;
    }
}

#[tokio::test]
async fn marks_and_case_do_not_matter() {
    let product = shared().await;
    for (text, film) in [
        ("amelie", 194),
        ("AMÉLIE", 194),
        ("Ame\u{301}lie", 194),
        ("leon the professional", 101),
        ("y tu mama tambien", 1_391),
        ("wall-e", 10_681),
        ("nausicaa of the valley of the wind", 81),
    ] {
        assert_first(product, text, film).await;
    }
}

#[tokio::test]
async fn a_film_is_found_by_its_original_title_in_its_own_script() {
    let product = shared().await;
    for (text, film) in [
        ("千と千尋の神隠し", 129),
        ("기생충", 496_243),
        ("Сталкер", 1_398),
        ("сталкер", 1_398),
        ("Le fabuleux destin d'Amélie Poulain", 194),
        ("le fabuleux destin", 194),
        ("七人の侍", 346),
    ] {
        assert_first(product, text, film).await;
    }
}

#[tokio::test]
async fn people_are_found_by_name() {
    let product = shared().await;
    for (text, name) in [
        ("George Lucas", "George Lucas"),
        ("georg lucas", "George Lucas"),
        ("harrison fo", "Harrison Ford"),
        ("Miyazaki", "Hayao Miyazaki"),
    ] {
        let items = found(product, text, "&type=person&limit=3").await;
        assert!(items.iter().any(|item| item["person"]["name"] == name), "{text}: {items:?}");
        let person = items[0]["person"]["id"].as_u64().unwrap();
        assert_eq!(product.get(&format!("/people/{person}")).await.status, 200);
    }
}

#[tokio::test]
async fn operators_are_found_by_name() {
    let product = shared().await;
    for (text, name) in
        [("lantern street", "Lantern Street"), ("harbor rental", "Harbour"), ("old tram", "Old Tram")]
    {
        let items = found(product, text, "&type=operator&limit=1").await;
        assert!(items[0]["operator"]["name"].as_str().unwrap().starts_with(name), "{text}: {items:?}");
        let operator = items[0]["operator"]["id"].as_str().unwrap();
        assert_eq!(product.get(&format!("/movies?operator={operator}")).await.status, 200);
    }
}

#[tokio::test]
async fn a_type_shows_only_its_own_and_each_match_shows_one_thing() {
    let product = shared().await;
    for text in ["star", "lantern", "ford", "the"] {
        for kind in ["movie", "person", "operator"] {
            let items = found(product, text, &format!("&type={kind}&limit=100")).await;
            assert!(items.iter().all(|item| item["type"] == kind), "{text} {kind}");
        }
        for item in found(product, text, "&limit=100").await {
            let there = ["movie", "person", "operator"].map(|kind| !item[kind].is_null());
            assert_eq!(there.iter().filter(|is| **is).count(), 1, "{item}");
            assert!(!item[item["type"].as_str().unwrap()].is_null(), "{item}");
        }
    }
}

fn keys(items: &[Value]) -> Vec<String> {
    let key = |item: &Value| {
        let kind = item["type"].as_str().unwrap();
        format!("{kind} {}", item[kind]["id"])
    };
    items.iter().map(key).collect()
}

#[tokio::test]
async fn pages_of_any_size_make_the_same_list_and_scores_fall() {
    let product = shared().await;
    for path in
        ["/search?q=the", "/search?q=star+wars", "/search?q=man&type=movie", "/search?q=james&type=person"]
    {
        let whole = product.pages(path, 100).await;
        assert!(!whole.is_empty() && whole.len() <= 200, "{path}: {}", whole.len());
        let scores: Vec<f64> = whole.iter().map(|item| item["score"].as_f64().unwrap()).collect();
        assert!(scores.windows(2).all(|two| two[0] >= two[1]), "{path}: {scores:?}");
        let whole = keys(&whole);
        let mut sorted = whole.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), whole.len(), "{path}: something is there twice");
        for limit in [1, 7, 20, 33] {
            assert_eq!(keys(&product.pages(path, limit).await), whole, "{path} by {limit}");
        }
    }
}

#[tokio::test]
async fn nonsense_finds_nothing_or_something_but_never_fails() {
    let product = shared().await;
    for text in [
        "qqqqzzzzxxxx",
        "!!!",
        "...",
        "🎬",
        "ﷺ",
        "a",
        "0",
        "'",
        "\"",
        "\\",
        "*",
        "%",
        "_",
        "-",
        "OR",
        "AND NOT",
    ] {
        found(product, text, "").await;
        found(product, text, "&type=person").await;
    }
    let long: Vec<u64> = first_films(product, &"fight club ".repeat(18)).await;
    assert_no_doubles("a long text", &long);
}
