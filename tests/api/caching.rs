//! What may be kept by whom, and `If-None-Match`.

use std::time::Duration;

use http::Method;
use screensort_routes::{Access, Caching, TABLE};
use screensort_runtime::Stack;
use screensort_tests::{Ask, Product, shared};

/// A call of each route that is answered with 200.
fn calls() -> Vec<(&'static screensort_routes::Route, String)> {
    let path = |route: &screensort_routes::Route| match route.binary {
        "movie_operators" => "/movies/13/operators?region=US".into(),
        "search" => "/search?q=star".into(),
        "suggest" => "/search/suggest?q=star".into(),
        "person" => String::new(),
        "problem" => "/problems/gone".into(),
        _ => route.path.replace("{id}", "13").replace("{asset}", "start.js"),
    };
    let anyones = TABLE.iter().filter(|r| r.method == Method::GET && r.access == Access::Anyone);
    anyones.map(|route| (*route, path(route))).filter(|(_, path)| !path.is_empty()).collect()
}

#[tokio::test]
async fn catalogue_and_documents_may_be_kept_and_the_rest_may_not() {
    let product = shared().await;
    for (route, path) in calls() {
        let answer = product.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        let (caching, tagged) = match route.caching {
            Caching::Catalogue => ("public, max-age=60", true),
            Caching::Document => ("public, max-age=3600", true),
            Caching::NoStore => ("no-store", false),
        };
        assert_eq!(answer.header("cache-control"), Some(caching), "{path}");
        let tag = answer.header("etag");
        assert_eq!(tag.is_some(), tagged, "{path}");
        assert!(
            tag.is_none_or(|tag| tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20),
            "{tag:?}"
        );
    }
}

#[tokio::test]
async fn what_the_caller_holds_is_not_sent_again() {
    let product = shared().await;
    for (_, path) in calls().into_iter().filter(|(route, _)| route.caching != Caching::NoStore) {
        let first = product.get(&path).await;
        let tag = first.header("etag").unwrap().to_owned();
        for theirs in
            [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), format!("{tag},\"y\""), "*".into()]
        {
            let second = product.ask(Ask::get(&path).with("if-none-match", &theirs)).await;
            assert_eq!((second.status, second.body.len()), (304, 0), "{path}: {theirs}");
            assert_eq!(second.header("etag"), Some(tag.as_str()), "{path}");
            assert_eq!(second.header("cache-control"), first.header("cache-control"), "{path}");
            assert!(second.header("content-type").is_none(), "{path}");
        }
        for theirs in ["\"x\"", "", tag.trim_matches('"'), "\"\"", ","] {
            let second = product.ask(Ask::get(&path).with("if-none-match", theirs)).await;
            assert_eq!((second.status, &second.body), (200, &first.body), "{path}: {theirs}");
        }
    }
}

#[tokio::test]
async fn another_answer_has_another_tag_and_the_same_answer_the_same() {
    let product = shared().await;
    let tag = async |path: &str| product.get(path).await.header("etag").unwrap().to_owned();
    assert_eq!(tag("/movies?genre=18").await, tag("/movies?genre=18").await);
    assert_ne!(tag("/movies?genre=18").await, tag("/movies?genre=35").await);
    assert_ne!(tag("/movies/13").await, tag("/movies/11").await);
}

#[tokio::test]
async fn an_answer_to_somebody_is_nobodys_to_keep() {
    let product = shared().await;
    // The token that a page begins with is for anybody, and never kept.
    for (route, path) in calls().into_iter().filter(|(route, _)| route.binary != "csrf") {
        let tag = product.get(&path).await.header("etag").unwrap_or("*").to_owned();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("cookie", "__Host-session=x"),
            ("x-api-key", "x"),
            ("authorization", ""),
        ] {
            let ask = Ask::get(&path).with(name, value).with("if-none-match", &tag);
            let answer = product.ask(ask).await;
            // Where it matters who asks, who shows what is no good is told so.
            let looks = ["session", "movies", "movie"].contains(&route.binary) && name != "x-api-key";
            assert_eq!(answer.status, if looks { 401 } else { 200 }, "{path}: {name}");
            assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{path}: {name}");
            assert!(answer.header("etag").is_none(), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn refusals_are_never_kept_and_have_no_tag() {
    let product = shared().await;
    for path in ["/movies?x=1", "/movies/1", "/movies/0", "/nope", "/movies?cursor=x", "/problems/nope"] {
        for ask in [Ask::get(path), Ask::get(path).with("if-none-match", "*")] {
            let answer = product.ask(ask).await;
            assert!(answer.status >= 400, "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert!(answer.header("etag").is_none(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_newer_catalogue_is_looked_for_every_five_minutes_and_changes_the_tag() {
    let product = Product::small().await;
    let tag = async || product.get("/movies").await.header("etag").unwrap().to_owned();
    let first = tag().await;
    // Another process publishes: this one is not told.
    let id = product.films[0].id;
    let elsewhere = Stack::new(product.stack().settings().clone(), product.clock.clone());
    elsewhere.catalogue().bury(id, &screensort_store::Tombstone::Withdrawn).await.unwrap();
    screensort_jobs::publish_catalog::run(&elsewhere, true).await.unwrap();
    product.clock.advance(Duration::from_secs(299));
    assert_eq!(tag().await, first);
    product.clock.advance(Duration::from_secs(1));
    assert_ne!(tag().await, first);
    product.get(&format!("/movies/{id}/similar")).await.refused(410, "gone");
}
