//! `GET /movies/{id}/operators`: who shows a film.

use screensort_model::{Mode, Movie, Region};
use screensort_tests::{Product, shared};

async fn assert_offers(product: &Product, film: &Movie, region: Region) {
    let body = product.get(&format!("/movies/{}/operators?region={region}", film.id)).await.ok();
    assert_eq!(body["region"], region.as_str());
    assert!(body["attribution"].as_str().unwrap().contains("JustWatch"));
    let modes = body["modes"].as_object().unwrap();
    assert_eq!(modes.len(), Mode::ALL.len(), "every mode is there, also the empty ones");
    for mode in Mode::ALL {
        let shown: Vec<&str> =
            modes[mode.name()].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap()).collect();
        let known = film.offers.get(&region).and_then(|modes| modes.get(&mode)).cloned().unwrap_or_default();
        let mut known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let mut shown: Vec<String> = shown.into_iter().map(str::to_owned).collect();
        known.sort();
        shown.sort();
        assert_eq!(shown, known, "{} in {region}, {}", film.title, mode.name());
    }
}

#[tokio::test]
async fn offers_are_those_of_the_region() {
    let product = shared().await;
    for film in product.films.iter().step_by(23) {
        for region in ["US", "GB", "DE", "ZZ"] {
            assert_offers(product, film, region.parse().unwrap()).await;
        }
    }
}

#[tokio::test]
async fn an_operator_is_shown_by_name_and_without_its_contacts() {
    let product = shared().await;
    let body = product.get("/movies/12/operators?region=US").await.ok();
    let lantern = &body["modes"]["stream"][0];
    assert_eq!(lantern["name"], "Lantern Street Player (invented)");
    assert_eq!(lantern.as_object().unwrap().len(), 3, "id, name and logo only: {lantern}");
}

#[tokio::test]
async fn the_region_is_needed_and_is_two_capital_letters() {
    let product = shared().await;
    for query in
        ["", "?region=", "?region=us", "?region=USA", "?region=U", "?region=%C3%9CS", "?region=US&region=US"]
    {
        product.get(&format!("/movies/12/operators{query}")).await.refuses("region");
    }
}
