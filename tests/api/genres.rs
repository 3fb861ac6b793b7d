//! `GET /genres`: what filters take.

use std::collections::BTreeSet;

use screensort_tests::shared;

use crate::{ids, texts};

#[tokio::test]
async fn every_genre_language_and_region_of_the_catalogue_is_listed() {
    let product = shared().await;
    let body = product.get("/genres").await.ok();
    let genres: BTreeSet<u64> = ids(body["genres"].as_array().unwrap()).into_iter().collect();
    let used = product.films.iter().flat_map(|m| &m.genres).map(|g| u64::from(g.get())).collect();
    assert!(genres.is_superset(&used));
    let languages: BTreeSet<String> = texts(&body["languages"]).into_iter().collect();
    let made = product.films.iter().map(|m| m.original_language.to_string()).collect();
    assert_eq!(languages, made);
    assert_eq!(body["languages"][0], "en");
    let regions: BTreeSet<String> = texts(&body["regions"]).into_iter().collect();
    let named = product.films.iter().flat_map(|m| m.certifications.keys().chain(m.offers.keys()));
    assert_eq!(regions, named.map(ToString::to_string).collect());
}

#[tokio::test]
async fn whatever_is_listed_is_a_filter_that_works() {
    let product = shared().await;
    let body = product.get("/genres").await.ok();
    for genre in ids(body["genres"].as_array().unwrap()) {
        assert_eq!(product.get(&format!("/movies?genre={genre}&limit=1")).await.status, 200);
    }
    for language in texts(&body["languages"]) {
        assert_eq!(product.get(&format!("/movies?language={language}&limit=1")).await.items().len(), 1);
    }
    for (region, ratings) in body["certifications"].as_object().unwrap() {
        let mut before = 0;
        for rating in texts(ratings) {
            let rating = screensort_tests::encoded(&rating);
            let path = format!("/movies?certification_lte={rating}&region={region}");
            let count = product.pages(&path, 100).await.len();
            assert!(count >= before, "{region} {rating}: a stricter rating lets more through");
            before = count;
        }
    }
}
