//! `GET /trending`.

use screensort_model::Window;
use screensort_tests::{Product, shared};

use crate::ids;

#[tokio::test]
async fn without_a_list_of_tmdbs_the_popular_films_trend() {
    let product = shared().await;
    let popular = ids(&product.get("/movies?limit=100").await.items());
    for path in ["/trending", "/trending?window=day", "/trending?window=week"] {
        assert_eq!(ids(&product.pages(path, 100).await), popular, "{path}");
        assert_eq!(ids(&product.pages(path, 9).await), popular, "{path}");
    }
}

#[tokio::test]
async fn day_and_week_are_lists_of_their_own_in_tmdbs_order() {
    let product = Product::small().await;
    let some = |places: &[usize]| places.iter().map(|at| product.films[*at].id).collect::<Vec<_>>();
    let (day, week) = (some(&[5, 50, 1]), some(&[9, 5, 30, 31]));
    for (window, films) in [(Window::Day, &day), (Window::Week, &week)] {
        let at = product.clock.now();
        product.stack().catalogue().keep_trending(window, films, at).await.unwrap();
    }
    product.publish().await;
    let numbers =
        |films: &[screensort_model::MovieId]| films.iter().map(|id| u64::from(id.get())).collect::<Vec<_>>();
    assert_eq!(ids(&product.pages("/trending", 2).await), numbers(&day));
    assert_eq!(ids(&product.pages("/trending?window=week", 1).await), numbers(&week));
    let sorted = ids(&product.pages("/movies?sort=trending", 7).await);
    assert_eq!(sorted[..4], numbers(&week));
    let popular = ids(&product.pages("/movies", 100).await);
    let rest: Vec<u64> = popular.into_iter().filter(|id| !numbers(&week).contains(id)).collect();
    assert_eq!(sorted[4..], rest, "after the week's list comes what is popular");
}
