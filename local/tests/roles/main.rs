//! Every job at work, each as the function that it is, on a product with people in it. Together with all other tests it
//! makes the record of calls that roles are compared with (docs/privilege.md).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../accounts/product.rs"]
#[allow(dead_code, reason = "shared with the tests of accounts")]
mod product;

use product::{PASSWORD, Product};
use screensort::stand::Choices;
use screensort_auth::event::Event;
use screensort_jobs::rotate_keys::Ring;
use screensort_jobs::{NAMES, by_name};
use screensort_runtime::within;
use screensort_testkit::tmdb_standin::Standin;
use serde_json::{Value, json};

/// A path with something in the place of its parameters.
fn filled(path: &str, film: u64) -> String {
    let part = |part: &str| match part {
        "{id}" | "{movie_id}" => film.to_string(),
        part if part.starts_with('{') => "1".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What a route needs to be asked in its query.
fn query(path: &str) -> &'static str {
    match path {
        "/search" | "/search/suggest" => "?q=the",
        "/movies/{id}/operators" => "?region=US",
        _ => "",
    }
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

async fn start(tmdb: &Standin) -> Product {
    Product::with_tmdb(tmdb, Choices::default()).await
}

/// Runs a job as Lambda does.
async fn job(product: &Product, name: &str, event: Value) -> Value {
    let name = NAMES.into_iter().find(|known| *known == name).unwrap();
    let stack = product.stand.stack.clone();
    let work = tokio::spawn(within(name, by_name(name).unwrap()(event, stack)));
    work.await.unwrap().unwrap_or_else(|error| panic!("{name}: {error}"))
}

async fn call(product: &Product, token: &str, method: &str, path: &str, body: Value) -> Value {
    let got = product.with(token, method, path, body).await;
    assert!(got.status < 300, "{method} {path}: {}", got.text);
    got.body
}

/// Some films that are served.
async fn films(product: &Product) -> Vec<u64> {
    let page = product.ask_open("/movies?limit=12").await;
    page["items"].as_array().unwrap().iter().map(|film| film["id"].as_u64().unwrap()).collect()
}

/// What somebody does who uses everything.
async fn busy(product: &Product, token: &str, films: &[u64]) {
    for (at, film) in films.iter().enumerate() {
        let action = if at % 4 == 3 { "thumbs_down" } else { "thumbs_up" };
        call(product, token, "POST", "/thumbs_action", json!({"movie_id": film, "action": action})).await;
        call(product, token, "PUT", &format!("/movies/{film}/rating"), json!({"value": 4.5})).await;
        call(product, token, "POST", "/history", json!({"movie_id": film})).await;
    }
    let path = format!("/movies/{}/review", films[0]);
    let review =
        json!({"text": "Long enough to be a review, and sound.", "spoiler": false, "language": "en"});
    call(product, token, "PUT", &path, review).await;
    call(product, token, "PUT", &format!("/watchlist/{}", films[1]), Value::Null).await;
    call(product, token, "PATCH", "/profile", json!({"bio": "Planted bio"})).await;
}

/// A link through which one account reads another one.
async fn link(product: &Product, ann: &str, bob: &str) {
    call(product, ann, "POST", "/links", json!({"email": "bob@example.org", "scopes": ["history"]})).await;
    let token = product.mailed("bob@example.org", "yours too").await;
    call(product, bob, "POST", "/links/confirm", json!({"token": token})).await;
}

async fn sync(product: &Product, jobs: &[&str]) {
    for name in jobs {
        job(product, name, json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_the_catalogue_do_their_work() {
    let tmdb = Standin::start().await;
    let product = start(&tmdb).await;
    sync(&product, &["sync_lists", "sync_exports", "sync_movies", "publish_catalog"]).await;
    let before = films(&product).await;
    assert!(before.len() > 5);
    // A film that TMDb says is gone on three days, one that is another one now, and an order by hand.
    let [gone, old, new] = [before[0], before[1], before[2]].map(|id| u32::try_from(id).unwrap());
    tmdb.remove_movie(gone);
    tmdb.merge(old, new);
    for _ in 0..4 {
        product.wait(DAY);
        let today = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        tmdb.set_changes(today, [gone, old, new]);
        sync(&product, &["sync_changes", "sync_exports", "sync_movies", "sync_lists", "publish_catalog"])
            .await;
    }
    for what in ["full", "changes", "publish"] {
        let admin = product.admin_token().await;
        call(&product, &admin, "POST", "/admin/sync", json!({"what": what})).await;
        job(&product, "sync_wanted", json!({})).await;
        product.wait(MINUTE);
    }
    product.wait(181 * DAY);
    sync(&product, &["retention", "sync_movies", "publish_catalog"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_people_do_their_work() {
    let tmdb = Standin::start().await;
    let product = start(&tmdb).await;
    sync(&product, &["sync_lists", "sync_exports", "sync_movies", "publish_catalog"]).await;
    let films = films(&product).await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    for token in [&ann, &bob] {
        busy(&product, token, &films[..6]).await;
    }
    link(&product, &ann, &bob).await;
    let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
    call(&product, &bob, "POST", "/api_keys", wanted).await;
    product.gateway.count_films().await.unwrap();
    sync(&product, &["recount_films", "train_recommender", "train_recommender"]).await;
    job(&product, "train_recommender", json!({"rollback": true})).await;
    for name in ["ship_audit", "capture_changes"] {
        let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let event = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        job(&product, name, event).await;
    }
    let letterboxd = "Date,Name,Year,Letterboxd URI,Rating\n2024-05-01,The Matrix,1999,x,4.5\n";
    let imdb = "Const,Your Rating,Date Rated,Title,Year\ntt0133093,9,2024-05-01,The Matrix,1999\n";
    for (token, source, content) in [(&ann, "imdb", imdb), (&bob, "letterboxd", letterboxd)] {
        let export = call(&product, token, "POST", "/profile/export", json!({"format": "json"})).await;
        let import = json!({"source": source, "content": content});
        let import = call(&product, token, "POST", "/imports", import).await;
        product.gateway.follow_changes().await.unwrap();
        // A run that finds nothing, too.
        sync(&product, &["export_worker", "import_worker"]).await;
        for (path, begun) in [("/profile/export", export), ("/imports", import)] {
            let path = format!("{path}/{}", begun["id"].as_str().unwrap());
            assert_eq!(call(&product, token, "GET", &path, Value::Null).await["status"], "done", "{path}");
        }
    }
    call(&product, &bob, "DELETE", "/profile", json!({"password": PASSWORD})).await;
    sync(&product, &["deletion_worker", "mailer"]).await;
    // Nothing of the one who is gone is left, nor of what he let others read.
    let links = product.with(&ann, "GET", "/links", Value::Null).await.expect(200, "");
    assert_eq!(links.body["items"][0]["status"], "ended", "{}", links.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_that_watch_over_the_product_do_their_work() {
    let tmdb = Standin::start().await;
    let product = start(&tmdb).await;
    product.signed_in("ann").await;
    let admin = product.admin_token().await;
    for n in 0..25 {
        let body = json!({"email": format!("p{n}@example.org"), "password": "Violet-kettle8 hums"});
        product.post_from("198.51.100.66", "/login", body).await;
    }
    let soon = json!({"reason": "For a minute", "expires_at": "2026-11-22T12:01:00Z"});
    call(&product, &admin, "PUT", "/admin/blocklist/203.0.113.9", soon).await;
    let fed = job(&product, "feed_blocklist", json!({})).await;
    assert_eq!(fed["counts"]["mirrored"], 2, "{fed}");
    product.wait(2 * MINUTE);
    assert_eq!(job(&product, "feed_blocklist", json!({})).await["counts"]["let_in_again"], 1);
    let found = job(&product, "detect", json!({})).await;
    assert!(found.to_string().contains("threat"), "{found}");
    sync(&product, &["ship_audit", "access_review"]).await;
    for _ in 0..4 {
        product.wait(11 * MINUTE);
        job(&product, "rotate_signing_key", json!({"now": true})).await;
        for ring in Ring::ALL {
            job(&product, "rotate_keys", json!({"now": ring.name()})).await;
        }
    }
    let squat = json!({"username": "never", "email": "never@example.org", "password": PASSWORD});
    product.post("/register", squat).await.expect(202, "");
    product.wait(90 * DAY);
    assert_eq!(job(&product, "sessions_cleanup", json!({})).await["unverified"], 1);
    assert_eq!(job(&product, "rewrite_index", json!({})).await["rewritten"], 2);
    assert_eq!(job(&product, "rewrite_index", json!({})).await["rewritten"], 0);
    let turned = job(&product, "rotate_keys", json!({})).await;
    assert!(turned.to_string().contains(Event::RingKeyRetired.name()), "{turned}");
    sync(&product, &["ship_audit", "security_audit"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_and_people_read_whatever_there_is_to_read() {
    let tmdb = Standin::start().await;
    let product = start(&tmdb).await;
    sync(&product, &["sync_lists", "sync_exports", "sync_movies", "publish_catalog", "train_recommender"])
        .await;
    let films = films(&product).await;
    let (ann, _) = product.signed_in("ann").await;
    busy(&product, &ann, &films[..3]).await;
    let bearer = format!("Bearer {ann}");
    for route in screensort_routes::TABLE.iter().filter(|route| route.method == http::Method::GET) {
        let path = format!("{}{}", filled(route.path, films[0]), query(route.path));
        let url = format!("{}{path}", product.url());
        for credential in [None, Some(&bearer)] {
            let mut asked = reqwest::Client::new().get(&url);
            if let Some(bearer) = credential {
                asked = asked.header("authorization", bearer);
            }
            let status = asked.send().await.unwrap().status().as_u16();
            assert!(status < 500, "{path}: {status}");
        }
    }
}
