//! `GET /movies/{id}`, and what becomes of films that TMDb merged or withdrew.

use jiff::civil::date;
use screensort_model::MovieId;
use screensort_store::Tombstone;
use screensort_tests::{Product, shared};
use serde_json::json;

use crate::ids;

/// The routes that a film's id leads to, each as text in front of and behind the id.
const ROUTES: [(&str, &str); 3] =
    [("/movies/", ""), ("/movies/", "/similar"), ("/movies/", "/operators?region=US")];

fn movie_id(id: u32) -> MovieId {
    MovieId::new(id).unwrap()
}

async fn bury(product: &Product, id: u32, tombstone: Tombstone) {
    product.stack().catalogue().bury(movie_id(id), &tombstone).await.unwrap();
}

#[tokio::test]
async fn a_film_is_shown_whole() {
    let product = shared().await;
    for film in product.films.iter().step_by(7) {
        let body = product.get(&format!("/movies/{}", film.id)).await.ok();
        assert_eq!(body["id"], film.id.get());
        assert_eq!(body["title"], film.title.as_str());
        assert_eq!(body["original_title"], film.original_title.as_str());
        assert_eq!(body["imdb_id"].as_str(), film.imdb_id.as_deref());
        assert_eq!(body["runtime"].as_u64(), film.runtime.map(u64::from));
        assert_eq!(body["synced_at"], film.synced_at.to_string().as_str());
        assert_eq!(body["certifications"], json!(film.certifications));
        assert_eq!(body["keywords"], json!(film.keywords));
        assert_eq!(body["directors"], json!(film.directors));
        assert_eq!(body["cast"], json!(film.cast));
        let genres: Vec<u64> = film.genres.iter().map(|g| u64::from(g.get())).collect();
        assert_eq!(ids(body["genres"].as_array().unwrap()), genres);
        assert_eq!(body["community"]["rating_count"], 0);
        assert_eq!(body["community"]["rating_average"], json!(null));
        assert!(body["attribution"].as_str().unwrap().contains("TMDB"));
    }
}

#[tokio::test]
async fn a_film_costs_one_store_request_and_every_list_none() {
    let product = Product::small().await;
    let person = product.films[0].directors[0].id;
    let id = product.films[0].id;
    for (path, requests) in [
        (format!("/movies/{id}"), 1),
        ("/movies/2147483647".into(), 1),
        ("/movies?genre=18&sort=rating&q=star".into(), 0),
        (format!("/movies/{id}/similar"), 0),
        (format!("/movies/{id}/operators?region=US"), 0),
        ("/trending?window=week".into(), 0),
        ("/search?q=star".into(), 0),
        ("/search/suggest?q=sta".into(), 0),
        ("/genres".into(), 0),
        (format!("/people/{person}"), 0),
        ("/health".into(), 0),
        ("/about".into(), 0),
        ("/openapi.json".into(), 0),
        ("/docs".into(), 0),
        ("/docs/start.js".into(), 0),
        ("/problems/gone".into(), 0),
        ("/.well-known/security.txt".into(), 0),
    ] {
        let answer = product.get(&path).await;
        let record = product.record(&answer).expect("each call that reaches a function leaves a record");
        assert_eq!(record.store_requests, requests, "{path}");
        // A film of the sample takes half a unit: the read is eventually consistent.
        assert!(record.store_units <= f64::from(requests), "{path}: {} units", record.store_units);
    }
}

#[tokio::test]
async fn a_merged_film_leads_to_the_one_it_became() {
    let product = Product::small().await;
    bury(&product, 13, Tombstone::Merged { into: movie_id(11) }).await;
    product.publish().await;
    for (before, after) in ROUTES {
        let answer = product.get(&format!("{before}13{after}")).await;
        answer.refused(301, "moved");
        // Resolved by the standard's own rules, against the address that was asked for.
        let base: http::Uri = answer.target.parse().unwrap();
        let location = resolved(base.path(), answer.header("location").unwrap());
        let path = after.split('?').next().unwrap();
        assert_eq!(location, format!("/v1{before}11{path}"));
        let query = after.find('?').map_or("", |at| &after[at..]);
        let found = product.get(&format!("{}{query}", location.strip_prefix("/v1").unwrap())).await;
        assert_eq!(found.status, 200, "{}", found.shown());
    }
    assert!(!ids(&product.pages("/movies", 100).await).contains(&13));
}

/// `reference` without a scheme, resolved against the path `base` (RFC 3986, 5.2.3 and 5.2.4).
fn resolved(base: &str, reference: &str) -> String {
    let mut segments: Vec<&str> = base.split('/').collect();
    segments.pop();
    for segment in reference.split('?').next().unwrap().split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." => {}
            other => segments.push(other),
        }
    }
    segments.join("/")
}

#[tokio::test]
async fn a_withdrawn_film_is_gone_and_a_doubted_one_is_not() {
    let product = Product::small().await;
    bury(&product, 13, Tombstone::Withdrawn).await;
    bury(&product, 12, Tombstone::Doubted { days: [date(2026, 11, 20)].into() }).await;
    product.publish().await;
    for (before, after) in ROUTES {
        product.get(&format!("{before}13{after}")).await.refused(410, "gone");
        assert_eq!(product.get(&format!("{before}12{after}")).await.status, 200);
    }
    let listed = ids(&product.pages("/movies", 100).await);
    assert!(listed.contains(&12) && !listed.contains(&13));
    let found = product.get("/search?q=forrest+gump&type=movie").await.items();
    assert!(found.iter().all(|item| item["movie"]["id"] != 13));
}

#[tokio::test]
async fn a_film_that_never_was_is_unknown() {
    let product = shared().await;
    for id in ["1", "2147483647", "2000000000", "14999999"] {
        for (before, after) in ROUTES {
            product.get(&format!("{before}{id}{after}")).await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn an_id_is_a_plain_number_in_range() {
    let product = shared().await;
    for id in [
        "0",
        "-1",
        "+13",
        "013",
        "13.0",
        "1e3",
        "0x0d",
        "2147483648",
        "4294967309",
        "99999999999999999999",
        "13%20",
        "%2013",
        "%D9%A1%D9%A3",
        "%EF%BC%91%EF%BC%93",
        "abc",
        "null",
        "13%00",
        "13%0a",
        "13%0d%0aSet-Cookie:x",
        "%31%33",
        "13;DROP%20TABLE",
        "13%27--",
        "%7B%22$ne%22:1%7D",
        "%3Cscript%3E",
        "%E2%80%AE13",
        "%ff",
        "%",
    ] {
        for (before, after) in ROUTES {
            product.get(&format!("{before}{id}{after}")).await.refuses("id");
        }
    }
    product.get(&format!("/movies/{}", "1".repeat(10_000))).await.refuses("id");
}
