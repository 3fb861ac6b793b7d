use reqwest::header::HeaderMap;
use screensort::stand::Choices;
use screensort_testkit::tmdb_standin::Standin;
use serde_json::{Value, json};

use crate::product::{Got, Product};

/// A product beside a stand-in for TMDb, and an administrator's token.
async fn with_tmdb() -> (Product, Standin, String) {
    let tmdb = Standin::start().await;
    let product = Product::with_tmdb(&tmdb, Choices::default()).await;
    let admin = product.admin_token().await;
    (product, tmdb, admin)
}

async fn publish(product: &Product) {
    product.ask("POST", "/_local/jobs/publish_catalog", &[], Value::Null).await;
}

/// What anybody sees of a film; the catalogue's answers may be kept, so they are not asked for by the client that
/// wants nothing kept.
async fn film(product: &Product, id: u64) -> (u16, Value) {
    let url = format!("{}/movies/{id}", product.url());
    let got = reqwest::get(url).await.unwrap();
    (got.status().as_u16(), serde_json::from_str(&got.text().await.unwrap()).unwrap())
}

async fn found(product: &Product, q: &str) -> Vec<u64> {
    let url = format!("{}/search?q={q}&type=movie", product.url());
    let body: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    body["items"].as_array().unwrap().iter().map(|item| item["movie"]["id"].as_u64().unwrap()).collect()
}

fn tag(headers: &HeaderMap) -> String {
    headers["etag"].to_str().unwrap().to_owned()
}

async fn patch(product: &Product, admin: &str, id: u64, tag: Option<&str>, body: Value) -> Got {
    let bearer = format!("Bearer {admin}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(tag.map(|tag| ("if-match", tag)));
    product.ask("PATCH", &format!("/admin/movies/{id}"), &headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_of_tmdb_is_added_now_and_listed_after_publishing() {
    let (product, tmdb, admin) = with_tmdb().await;
    let add = |id: u64| product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": id}));
    let made = add(550).await.expect(201, "");
    assert_eq!((&made.body["id"], &made.body["source"]), (&json!(550), &json!("tmdb")));
    assert_eq!(made.headers["location"], "/v1/movies/550");
    assert_eq!(film(&product, 550).await.1["title"], made.body["title"]);
    publish(&product).await;
    assert_eq!(found(&product, "fight+club").await, [550]);
    // Once is enough; what TMDb does not have is a fault of the field; without TMDb nothing is made up.
    let asked = tmdb.requests().len();
    add(550).await.expect(409, "conflict");
    assert_eq!(tmdb.requests().len(), asked);
    let unknown = add(1_999_999_999).await.expect(422, "invalid_body");
    assert_eq!(unknown.body["errors"][0]["pointer"], "/tmdb_id");
    add(2_000_000_000).await.expect(422, "invalid_body");
    let both = json!({"tmdb_id": 603, "title": "Both"});
    product.with(&admin, "POST", "/admin/add_movie", both).await.expect(422, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_by_hand_gets_an_id_of_our_own_and_every_fault_is_named() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let add = |body: Value| product.with(&admin, "POST", "/admin/add_movie", body);
    let whole = json!({"title": "Ferry", "release_date": "2024-02-29", "genres": [18], "runtime": 90,
        "overview": "One\nTwo", "original_language": "da"});
    // Drawn by forty at once, no id is drawn twice.
    let many = futures::future::join_all((0..40).map(|_| add(whole.clone()))).await;
    let mut ids: Vec<u64> =
        many.into_iter().map(|got| got.expect(201, "").body["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids[0]), (40, 2_000_000_000));
    let (status, seen) = film(&product, ids[0]).await;
    assert_eq!((status, &seen["title"], &seen["runtime"]), (200, &json!("Ferry"), &json!(90)));
    let bad = json!({"title": " ", "genres": [18, 1, 18], "runtime": 0, "release_date": "1492-10-12",
        "tagline": "a\u{202e}b"});
    let faults = add(bad).await.expect(422, "invalid_body");
    let mut pointers: Vec<&str> =
        faults.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/genres/1", "/genres/2", "/release_date", "/runtime", "/tagline", "/title"]);
    add(json!({})).await.expect(422, "invalid_body");
    add(json!({"title": "x", "user_id": 1})).await.expect(422, "invalid_body");
    // Without a key TMDb cannot be asked.
    add(json!({"tmdb_id": 550})).await.expect(503, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_survive_the_sync_and_are_given_back_with_null() {
    let (product, _tmdb, admin) = with_tmdb().await;
    let add = json!({"tmdb_id": 550});
    let made = product.with(&admin, "POST", "/admin/add_movie", add).await.expect(201, "");
    let (original, first) = (made.str("title"), tag(&made.headers));
    let body = json!({"title": "Soap", "tagline": "Clean."});
    let edited = patch(&product, &admin, 550, Some(&first), body).await.expect(200, "");
    assert_eq!(edited.body["overridden"], json!(["title", "tagline"]));
    assert_eq!(film(&product, 550).await.1["title"], "Soap");
    // The sync reads the film again: it is newer, and the edit stands.
    let before = film(&product, 550).await.1["synced_at"].clone();
    product.wait(60);
    screensort_jobs::sync_movies::read(
        &product.stand.stack,
        &[screensort_model::MovieId::new(550).unwrap()],
        &screensort_jobs::Watch::by(|_, _| {}),
    )
    .await
    .unwrap();
    let after = film(&product, 550).await.1;
    assert_eq!(after["title"], "Soap");
    assert_ne!(after["synced_at"], before);
    publish(&product).await;
    assert_eq!(found(&product, "soap").await, [550]);
    // Who saw an older version changes nothing.
    let stale = patch(&product, &admin, 550, Some(&first), json!({"title": "x"})).await;
    stale.expect(412, "precondition_failed");
    patch(&product, &admin, 550, Some("v1"), json!({"title": "x"})).await.expect(400, "bad_parameter");
    let second = tag(&edited.headers);
    let back = patch(&product, &admin, 550, Some(&second), json!({"title": null})).await.expect(200, "");
    assert_eq!((back.str("title"), &back.body["overridden"]), (original, &json!(["tagline"])));
    patch(&product, &admin, 550, None, json!({"title": null, "extra": 1})).await.expect(422, "invalid_body");
    patch(&product, &admin, 551, None, json!({"title": "x"})).await.expect(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_editors_at_once_with_one_version_one_gets_through() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    let made = product.with(&admin, "POST", "/admin/add_movie", json!({"title": "Ferry"})).await;
    let (id, tag) = (made.body["id"].as_u64().unwrap(), tag(&made.headers));
    let edits = (0..20).map(|n| patch(&product, &admin, id, Some(&tag), json!({"runtime": 60 + n})));
    let statuses: Vec<u16> = futures::future::join_all(edits).await.iter().map(|got| got.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_film_is_gone_and_can_be_put_back() {
    let (product, _tmdb, admin) = with_tmdb().await;
    for id in [550, 603] {
        product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": id})).await.expect(201, "");
    }
    publish(&product).await;
    let delete = || product.with(&admin, "DELETE", "/admin/movies/550", Value::Null);
    delete().await.expect(204, "");
    delete().await.expect(204, "");
    assert_eq!(film(&product, 550).await.0, 410);
    publish(&product).await;
    assert!(!found(&product, "fight+club").await.contains(&550));
    product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": 550})).await.expect(409, "conflict");
    let back = patch(&product, &admin, 550, None, json!({"deleted": false})).await.expect(200, "");
    assert_eq!(back.body["deleted"], false);
    assert_eq!(film(&product, 550).await.0, 200);
    publish(&product).await;
    assert!(found(&product, "fight+club").await.contains(&550));
    // Each step left its record, with who and what.
    let day = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let records = screensort_http::Authority::audit(&product.stand.stack).day(day, None, 100).await.unwrap();
    let of = |action: &str| records.iter().filter(|r| r.action == action && r.target == "550").count();
    assert_eq!([of("movie.added"), of("movie.removed"), of("movie.changed")], [1, 1, 1]);
    assert!(
        records.iter().filter(|r| r.target == "550").all(|r| r.actor.len() == 26 && !r.request_id.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_asked_for_run_and_shown() {
    let (product, _tmdb, admin) = with_tmdb().await;
    let bare = product.with(&admin, "GET", "/admin/sync", Value::Null).await.expect(200, "");
    assert_eq!((&bare.body["wanted"], &bare.body["queue"]), (&json!([]), &json!(0)));
    product.with(&admin, "POST", "/admin/add_movie", json!({"title": "Ferry"})).await.expect(201, "");
    let asked = product.with(&admin, "POST", "/admin/sync", json!({"what": "publish"})).await.expect(202, "");
    assert_eq!(asked.body, json!({"what": "publish", "already_wanted": false}));
    product.ask("POST", "/_local/jobs/sync_wanted", &[], Value::Null).await;
    for _ in 0..100 {
        let shown = product.with(&admin, "GET", "/admin/sync?limit=5", Value::Null).await.expect(200, "");
        let runs = shown.body["runs"].as_array().unwrap();
        let done = runs.iter().any(|run| run["job"] == "publish_catalog" && run["state"] == "done");
        if done && shown.body["wanted"] == json!([]) {
            assert_eq!(found(&product, "ferry").await, [2_000_000_000]);
            product
                .with(&admin, "POST", "/admin/sync", json!({"what": "all"}))
                .await
                .expect(422, "invalid_body");
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the sync was never done");
}

#[tokio::test(flavor = "multi_thread")]
async fn films_are_changed_by_who_may_and_proved_it_lately() {
    let product = Product::start().await;
    let (user, _) = product.signed_in("ann").await;
    let add = json!({"title": "Ferry"});
    product.post("/admin/add_movie", add.clone()).await.expect(401, "unauthorized");
    product.with(&user, "POST", "/admin/add_movie", add.clone()).await.expect(403, "forbidden");
    product.with(&user, "PATCH", "/admin/movies/550", json!({"title": "x"})).await.expect(403, "forbidden");
    product.with(&user, "GET", "/admin/sync", Value::Null).await.expect(403, "forbidden");
    let admin = product.admin_token().await;
    // A token lives five minutes; the proof counts ten.
    product.wait(290);
    product.with(&admin, "POST", "/admin/add_movie", add).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_only_if_it_is_still_what_the_administrator_saw() {
    let product = Product::start().await;
    product.person("ann").await;
    let admin = product.admin_token().await;
    let list = product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    let items = list.body["items"].as_array().unwrap();
    let ann = items.iter().find(|item| item["username"] == "ann").unwrap();
    let (path, seen) =
        (format!("/admin/users/{}", ann["id"].as_str().unwrap()), ann["etag"].as_str().unwrap());
    let bearer = format!("Bearer {admin}");
    let change = |tag: String, body: Value| {
        let (product, path, bearer) = (&product, &path, bearer.as_str());
        async move { product.ask("PATCH", path, &[("authorization", bearer), ("if-match", &tag)], body).await }
    };
    let made = change(seen.to_owned(), json!({"disabled": true})).await.expect(200, "");
    assert_eq!(made.headers["etag"], made.body["etag"].as_str().unwrap());
    change(seen.to_owned(), json!({"disabled": false})).await.expect(412, "precondition_failed");
    change(tag(&made.headers), json!({"disabled": false})).await.expect(200, "");
}
