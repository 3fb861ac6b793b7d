use screensort_model::Thumb;
use serde_json::{Value, json};

use crate::product::Product;
use crate::world::{SCIENCE_FICTION, films, of_genre, sum};

#[tokio::test(flavor = "multi_thread")]
async fn the_reasons_of_why_add_up_to_the_score() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    let adds_up = async |film: u64| {
        let why = product.get(&ann, &format!("/recommendation/{film}/why")).await.expect(200, "").body;
        let score = why["score"].as_f64().unwrap();
        assert!((sum(&why) - score).abs() < 0.005, "{} is not {score}: {why}", sum(&why));
        why
    };
    assert_eq!(adds_up(603).await["general"], true);
    for film in [348, 78, 218] {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    product.thumb(&ann, 12, Some(Thumb::Down)).await;
    for film in films(&product.page(&ann, "?limit=8").await) {
        adds_up(film).await;
    }
    let why = adds_up(679).await;
    let types: Vec<&str> =
        why["reasons"].as_array().unwrap().iter().map(|r| r["type"].as_str().unwrap()).collect();
    for kind in ["because_you_liked", "genre", "keyword", "person", "popular"] {
        assert!(types.contains(&kind), "{kind} in {types:?}");
    }
    product.get(&ann, "/recommendation/1/why").await.expect(404, "not_found");
    product.get(&ann, "/recommendation/x/why").await.expect(400, "bad_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn less_of_a_reason_changes_the_next_answer_and_neither_takes_it_back() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    for film in [348, 78, 218] {
        product.thumb(&ann, film, Some(Thumb::Up)).await;
    }
    let before = product.page(&ann, "").await;
    let path = "/recommendation/679/why";
    let wish = |reason: Value, action: &str| {
        product.with(&ann.token, "POST", path, json!({"reason": reason, "action": action}))
    };
    let genre = json!({"type": "genre", "id": SCIENCE_FICTION, "name": "Science Fiction", "weight": 0.4});
    let kept = wish(genre.clone(), "less").await.expect(200, "");
    assert_eq!(kept.body, json!({"movie_id": 679, "reason": "genre:878", "action": "less"}));
    assert_eq!(product.store_requests("recommendation_why"), 3);
    let after = product.page(&ann, "").await;
    let (was, is) = (of_genre(&before, SCIENCE_FICTION), of_genre(&after, SCIENCE_FICTION));
    assert!(is < was, "{was} before, {is} after");
    let why = product.get(&ann, path).await.expect(200, "").body;
    assert!((sum(&why) - why["score"].as_f64().unwrap()).abs() < 0.005, "{why}");
    wish(genre.clone(), "more").await.expect(200, "");
    assert!(of_genre(&product.page(&ann, "").await, SCIENCE_FICTION) >= was);
    wish(genre, "neither").await.expect(200, "");
    assert_eq!(product.page(&ann, "").await, before);
    wish(json!({"type": "because_you_liked", "movie_id": 348}), "less").await.expect(200, "");
    assert_ne!(product.page(&ann, "").await, before);
    wish(json!({"type": "popular"}), "less").await.expect(200, "");
    let why = product.get(&ann, path).await.expect(200, "").body;
    assert!((sum(&why) - why["score"].as_f64().unwrap()).abs() < 0.005, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_about_nothing_or_in_somebody_elses_name_is_refused() {
    let product = Product::with_films().await;
    let ann = product.somebody("ann").await;
    let ask = |body: Value| product.with(&ann.token, "POST", "/recommendation/348/why", body);
    let bad = [
        json!({"reason": {"type": "genre", "id": 10749}, "action": "less"}),
        json!({"reason": {"type": "genre"}, "action": "less"}),
        json!({"reason": {"type": "keyword", "id": 4_294_967_295_u32}, "action": "more"}),
        json!({"reason": {"type": "because_you_liked", "movie_id": 1}, "action": "more"}),
        json!({"reason": {"type": "popular"}, "action": "loads"}),
        json!({"reason": {"type": "popular"}, "action": "more", "user_id": ann.id}),
        json!({"reason": {"type": "popular", "person": 1}, "action": "more"}),
        json!({"reason": {"type": "because_you_disliked", "movie_id": 348}, "action": "more"}),
        json!({"action": "more"}),
    ];
    for body in bad {
        let got = ask(body.clone()).await;
        assert!(got.status == 422 || got.status == 400, "{body}: {}", got.text);
    }
    let popular = json!({"reason": {"type": "popular"}, "action": "more"});
    product.with(&ann.token, "POST", "/recommendation/1/why", popular).await.expect(404, "not_found");
}
