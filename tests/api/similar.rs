//! `GET /movies/{id}/similar`: films like a film.

use screensort_tests::shared;
use serde_json::Value;

use crate::{assert_no_doubles, ids};

fn films(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["movie"]["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_list_falls_by_score_and_never_holds_the_film_itself() {
    let product = shared().await;
    for film in product.films.iter().step_by(101) {
        let items = product.pages(&format!("/movies/{}/similar", film.id), 100).await;
        let found = films(&items);
        assert!(!found.is_empty() && found.len() <= 200, "{}: {}", film.title, found.len());
        assert!(!found.contains(&u64::from(film.id.get())), "{} is like itself", film.title);
        assert_no_doubles(&film.title, &found);
        let scores: Vec<f64> = items.iter().map(|item| item["score"].as_f64().unwrap()).collect();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
        assert!(scores.windows(2).all(|two| two[0] >= two[1]), "{scores:?}");
    }
}

#[tokio::test]
async fn what_is_said_to_be_shared_is_shared() {
    let product = shared().await;
    for own in [11, 13, 129, 496_243] {
        let film = product.film(own);
        for item in product.get(&format!("/movies/{own}/similar?limit=50")).await.items() {
            let other = product.film(item["movie"]["id"].as_u64().unwrap());
            let shared = &item["shared"];
            let both = |one: Vec<u64>, two: Vec<u64>| {
                let mut both: Vec<u64> = one.into_iter().filter(|id| two.contains(id)).collect();
                both.sort_unstable();
                both.dedup();
                both
            };
            let said = |name: &str| {
                let mut said = ids(shared[name].as_array().unwrap());
                said.sort_unstable();
                said
            };
            let genres = |m: &screensort_model::Movie| m.genres.iter().map(|g| u64::from(g.get())).collect();
            let keywords =
                |m: &screensort_model::Movie| m.keywords.iter().map(|k| u64::from(k.id.get())).collect();
            let people = |m: &screensort_model::Movie| {
                let named = m.directors.iter().chain(&m.writers).map(|p| p.id);
                named.chain(m.cast.iter().map(|c| c.id)).map(|id| u64::from(id.get())).collect()
            };
            assert_eq!(said("genres"), both(genres(film), genres(other)));
            assert_eq!(said("keywords"), both(keywords(film), keywords(other)));
            assert_eq!(said("people"), both(people(film), people(other)));
        }
    }
}

#[tokio::test]
async fn a_sequel_is_like_the_film_it_follows() {
    let product = shared().await;
    for (film, sequel) in [(11, 1891), (238, 240), (862, 863), (120, 121)] {
        let nearest = films(&product.get(&format!("/movies/{film}/similar?limit=5")).await.items());
        assert!(nearest.contains(&sequel), "{film}: {nearest:?}");
    }
}

#[tokio::test]
async fn pages_of_any_size_make_the_same_list() {
    let product = shared().await;
    let whole = films(&product.pages("/movies/550/similar", 100).await);
    for limit in [1, 7, 20, 99] {
        assert_eq!(films(&product.pages("/movies/550/similar", limit).await), whole, "{limit}");
    }
}
