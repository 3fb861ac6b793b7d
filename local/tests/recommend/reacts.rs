use std::collections::BTreeSet;

use screensort_model::Thumb;
use serde_json::{Value, json};

use crate::product::Product;
use crate::world::{SCIENCE_FICTION, films, genres, of_genre};

/// Alien, Blade Runner, The Terminator.
pub(crate) const KIND: [u64; 3] = [348, 78, 218];

#[tokio::test(flavor = "multi_thread")]
async fn three_thumbs_turn_the_page_and_the_reasons_name_those_films() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    let before = product.page(&ann, "").await;
    assert_eq!(before["general"], true);
    assert_eq!(before["items"].as_array().unwrap().len(), 20);
    assert!(genres(&before).len() >= 10, "a spread of genres: {:?}", genres(&before));
    for item in before["items"].as_array().unwrap() {
        assert_eq!(item["reasons"][0]["type"], "popular", "{item}");
    }
    for film in KIND {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    let after = product.page(&ann, "").await;
    assert_eq!(after["general"], false);
    let (was, is) = (of_genre(&before, SCIENCE_FICTION), of_genre(&after, SCIENCE_FICTION));
    assert!(is >= 12 && was <= 8, "{was} films of science fiction before, {is} after");
    let mut named = BTreeSet::new();
    for item in after["items"].as_array().unwrap() {
        for reason in item["reasons"].as_array().unwrap() {
            if reason["type"] == "because_you_liked" {
                assert!(KIND.contains(&reason["movie_id"].as_u64().unwrap()), "{reason}");
                named.insert(reason["title"].as_str().unwrap().to_owned());
            }
        }
    }
    assert!(named.len() == 3 && named.contains("Alien"), "{named:?}");
    assert!(KIND.iter().all(|film| !films(&after).contains(film)));
    assert!(after["model_version"].is_string() && after["catalog_version"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_down_removes_the_film_shifts_the_rest_and_taking_it_back_restores_it() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    for film in KIND {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    let before = product.page(&ann, "").await;
    let first = films(&before)[0];
    product.thumb(&ann, first, Some(Thumb::Down)).await;
    let after = product.page(&ann, "").await;
    assert!(!films(&after).contains(&first));
    let score = |page: &Value, film: u64| {
        let items = page["items"].as_array().unwrap();
        items.iter().find(|item| item["movie"]["id"] == film).map(|item| item["score"].as_f64().unwrap())
    };
    let both: Vec<u64> = films(&before).into_iter().filter(|film| films(&after).contains(film)).collect();
    assert!(both.iter().any(|film| score(&before, *film) != score(&after, *film)), "scores shift");
    product.thumb(&ann, first, None).await;
    assert_eq!(films(&product.page(&ann, "").await), films(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_rated_and_hidden_films_never_appear_and_a_bad_rating_counts_as_a_thumb_down() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    for film in KIND {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    let before = films(&product.page(&ann, "?limit=10").await);
    product.hide(&ann, before[0]).await;
    product.rate(&ann, before[1], 11).await;
    product.rate(&ann, before[2], 2).await;
    let page = product.page(&ann, "?limit=100").await;
    for film in &before[..3] {
        assert!(!films(&page).contains(film));
    }
    assert_eq!(films(&page).len(), 100);
    let why = product.get(&ann, &format!("/recommendation/{}/why", before[3])).await.expect(200, "");
    let types: BTreeSet<&str> =
        why.body["reasons"].as_array().unwrap().iter().map(|r| r["type"].as_str().unwrap()).collect();
    assert!(types.contains("because_you_disliked"), "{types:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_thumbs_do_not_matter_and_a_guest_is_sent_away() {
    let product = Product::with_films().await;
    let (ann, bob) = (product.somebody("ann").await, product.somebody("bob").await);
    product.thumb(&ann, 348, Some(Thumb::Up)).await;
    let before = product.page(&ann, "").await;
    for film in [862, 12, 13] {
        product.thumb(&bob, film, Some(Thumb::Up)).await;
    }
    assert_eq!(product.page(&ann, "").await, before);
    for (method, path) in [
        ("GET", "/recommendation"),
        ("GET", "/recommendation/603/why"),
        ("POST", "/recommendation/603/why"),
        ("GET", "/admin/recommendations/1"),
    ] {
        product.ask(method, path, &[], Value::Null).await.expect(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_hold_and_what_is_no_filter_is_refused() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    product.thumb(&ann, 348, Some(Thumb::Up)).await;
    let horror = product.page(&ann, "?genre=27&limit=10").await;
    assert_eq!((of_genre(&horror, 27), films(&horror).len()), (10, 10));
    let short = product.page(&ann, "?max_runtime=90&limit=50").await;
    for item in short["items"].as_array().unwrap() {
        assert!(item["movie"]["runtime"].as_u64().unwrap() <= 90);
    }
    let explained = product.page(&ann, "?explain=true&limit=3").await;
    assert!(explained["items"][0]["reasons"].as_array().unwrap().len() > 3);
    for bad in
        ["?limit=0", "?limit=101", "?genre=x", "?genre=999999", "?max_runtime=-1", "?explain=2", "?user_id=1"]
    {
        product.get(&ann, &format!("/recommendation{bad}")).await.expect(400, "bad_parameter");
    }
    let body = json!({"user_id": "x"});
    product.with(&ann.token, "GET", "/recommendation", body).await.expect(400, "body_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_costs_the_session_and_what_the_person_said() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    product.page(&ann, "").await;
    assert_eq!(product.store_requests("recommendation"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_hold_and_available_mine_is_what_ones_operators_show() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    for film in KIND {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    product.get(&ann, "/recommendation?available=mine").await.expect(400, "bad_parameter");
    product.get(&ann, "/recommendation?available=all").await.expect(400, "bad_parameter");
    let preferences = json!({
        "avoid_genres": [27], "min_rating": 7.0, "max_runtime": 125, "languages": ["en"],
        "max_certification": {"region": "US", "value": "PG-13"},
    });
    product.prefer(&ann, &serde_json::from_value(preferences).unwrap()).await;
    let page = product.page(&ann, "?limit=50").await;
    assert!(!films(&page).is_empty() && of_genre(&page, 27) == 0);
    for item in page["items"].as_array().unwrap() {
        let movie = &item["movie"];
        assert!(movie["vote_average"].as_f64().unwrap() >= 7.0 && movie["runtime"].as_u64().unwrap() <= 125);
        assert_eq!(movie["original_language"], "en");
        assert!(["G", "PG", "PG-13"].contains(&movie["certification"].as_str().unwrap()), "{movie}");
    }
    let at_home = json!({"region": "US", "modes": ["stream", "free"]});
    product.prefer(&ann, &serde_json::from_value(at_home).unwrap()).await;
    let mine = product.page(&ann, "?limit=10&available=mine").await;
    assert!(!films(&mine).is_empty());
    for film in films(&mine) {
        let offers = product.ask_open(&format!("/movies/{film}/operators?region=US")).await;
        let shown = |mode: &str| offers["modes"][mode].as_array().is_some_and(|all| !all.is_empty());
        assert!(shown("stream") || shown("free"), "{offers}");
    }
    let more = json!({"genres": [{"id": 10749, "weight": 1.0}], "include_seen": true});
    product.prefer(&ann, &serde_json::from_value(more).unwrap()).await;
    let romantic = product.page(&ann, "").await;
    product.prefer(&ann, &Default::default()).await;
    assert!(of_genre(&romantic, 10749) > of_genre(&product.page(&ann, "").await, 10749));
}
