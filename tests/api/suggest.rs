//! `GET /search/suggest`: completions.

use screensort_tests::{encoded, shared};

#[tokio::test]
async fn what_is_being_typed_is_completed() {
    let product = shared().await;
    for (text, title, year) in [
        ("incep", "Inception", Some(2010)),
        ("fight c", "Fight Club", Some(1999)),
        ("forr", "Forrest Gump", Some(1994)),
        ("george luc", "George Lucas", None),
        ("lantern s", "Lantern Street Player (invented)", None),
        ("千と", "Spirited Away", Some(2001)),
    ] {
        let items = product.get(&format!("/search/suggest?q={}", encoded(text))).await.items();
        let item = items.iter().find(|item| item["title"] == title);
        let item = item.unwrap_or_else(|| panic!("{text}: {items:?}"));
        assert_eq!(item["year"].as_i64(), year, "{text}");
    }
}

#[tokio::test]
async fn there_are_at_most_eight_and_each_leads_somewhere() {
    let product = shared().await;
    for text in ["s", "the", "star", "man", "old"] {
        let items = product.get(&format!("/search/suggest?q={text}")).await.items();
        assert!((1..=8).contains(&items.len()), "{text}: {}", items.len());
        for item in &items {
            let id = item["id"].to_string();
            let id = id.trim_matches('"');
            let path = match item["type"].as_str().unwrap() {
                "movie" => format!("/movies/{id}"),
                "person" => format!("/people/{id}"),
                _ => format!("/movies?operator={id}"),
            };
            assert_eq!(product.get(&path).await.status, 200, "{item}");
        }
    }
}

#[tokio::test]
async fn it_has_no_pages() {
    let product = shared().await;
    product.get("/search/suggest?q=star&limit=3").await.refuses("limit");
    product.get("/search/suggest?q=star&cursor=x").await.refuses("cursor");
}
