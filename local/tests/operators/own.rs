use serde_json::{Value, json};

use crate::{id, with_operators};

#[tokio::test(flavor = "multi_thread")]
async fn favourites_are_ones_own() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let (netflix, avanti) = (id("tmdb", "8"), id("open-transport", "001"));
    for operator in [&netflix, &avanti, &netflix] {
        product.with(&ann, "PUT", &format!("/favourites/{operator}"), Value::Null).await.expect(204, "");
        product.wait(1);
    }
    let got = product.get(&ann, "/favourites").await.expect(200, "");
    let items = got.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let of = |id: &str| items.iter().find(|item| item["operator_id"] == id).unwrap();
    assert_eq!(of(&netflix)["operator"]["name"], "Netflix");
    assert_eq!(of(&netflix)["added_at"], "2026-11-22T12:00:00Z", "adding it again changes nothing");
    assert_eq!(product.get(&bob, "/favourites").await.body["items"], json!([]));
    let path = format!("/favourites/{netflix}");
    product.with(&bob, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    let got = product.get(&ann, "/favourites?limit=1").await;
    assert_eq!(got.body["items"][0]["operator_id"], avanti);
    assert!(got.body["next_cursor"].is_null());
    product.with(&ann, "PUT", &path, Value::Null).await.expect(204, "");
    assert_eq!(product.get(&ann, "/favourites").await.body["items"].as_array().unwrap().len(), 2);
    let unknown = format!("/favourites/{}", id("tmdb", "9999"));
    product.with(&ann, "PUT", &unknown, Value::Null).await.expect(404, "not_found");
    product.with(&ann, "PUT", "/favourites/8", Value::Null).await.expect(400, "bad_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_come_in_pages_past_those_that_were_taken_away() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let all = product.get(&ann, "/operators").await;
    let ids: Vec<&str> =
        all.body["items"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap()).collect();
    for id in &ids {
        product.with(&ann, "PUT", &format!("/favourites/{id}"), Value::Null).await.expect(204, "");
    }
    for id in &ids[1..4] {
        product.with(&ann, "DELETE", &format!("/favourites/{id}"), Value::Null).await.expect(204, "");
    }
    let (mut seen, mut path) = (Vec::new(), "/favourites?limit=1".to_owned());
    loop {
        let got = product.get(&ann, &path).await.expect(200, "");
        seen.extend(
            got.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["operator_id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = got.body["next_cursor"].as_str() else { break };
        path = format!("/favourites?limit=1&cursor={cursor}");
    }
    seen.sort();
    let mut expected = vec![ids[0].to_owned(), ids[4].to_owned()];
    expected.sort();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_kept_for_who_said_so_and_for_nobody_else() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    product.get(&ann, "/operators?mode=train").await.expect(200, "");
    assert_eq!(product.get(&ann, "/queries").await.expect(200, "").body["items"], json!([]));
    product.with(&ann, "PUT", "/queries", json!({"kept": true})).await.expect(200, "");
    product.get(&ann, "/operators?mode=train&limit=1").await.expect(200, "");
    product.wait(1);
    product.get(&ann, &format!("/operators/{}", id("tmdb", "8"))).await.expect(200, "");
    product.get(&ann, "/operators?mode=nonsense").await.expect(400, "bad_parameter");
    product.get(&bob, "/operators?mode=bus").await.expect(200, "");
    let got = product.get(&ann, "/queries").await.expect(200, "");
    let items = got.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", got.text);
    assert_eq!(items[0]["path"], format!("/operators/{}", id("tmdb", "8")), "newest first");
    assert_eq!((&items[1]["parameters"], &items[1]["found"]), (&json!({"mode": "train"}), &json!(2)));
    let first = product.get(&ann, "/queries?limit=1").await;
    let cursor = first.str("next_cursor");
    let second = product.get(&ann, &format!("/queries?limit=1&cursor={cursor}")).await;
    assert_eq!((&second.body["items"][0], second.body["next_cursor"].is_null()), (&items[1], true));
    assert_eq!(product.get(&bob, "/queries").await.body["items"], json!([]));
    product.with(&bob, "DELETE", "/queries", Value::Null).await.expect(204, "");
    assert_eq!(product.get(&ann, "/queries").await.body["items"].as_array().unwrap().len(), 2);
    product.with(&ann, "DELETE", "/queries", Value::Null).await.expect(204, "");
    assert_eq!(product.get(&ann, "/queries").await.body["items"], json!([]));
    let client = product.stand.stack.dynamodb();
    let items = client.scan().table_name("screensort-library").send().await.unwrap();
    assert!(!format!("{:?}", items.items()).contains("train"), "nothing of it is left");
    product.with(&ann, "PUT", "/queries", json!({"kept": false})).await.expect(200, "");
    product.get(&ann, "/operators?mode=train").await.expect(200, "");
    assert_eq!(product.get(&ann, "/queries").await.body["items"], json!([]));
    product.with(&ann, "PUT", "/queries", json!({"kept": 1})).await.expect(422, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_were_deleted_are_not_gone_through_by_who_reads_or_deletes_what_came_since() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let set =
        async |kept: bool| product.with(&ann, "PUT", "/queries", json!({"kept": kept})).await.expect(200, "");
    let ask = async || {
        product.get(&ann, "/operators?mode=train").await.expect(200, "");
        product.wait(2);
    };
    // How many are shown, and in how many requests and steps.
    let read = async |path: &str| {
        let got = product.get(&ann, path).await.expect(200, "");
        (got.body["items"].as_array().unwrap().len(), product.store_cost("queries"))
    };
    let clear = async || {
        product.with(&ann, "DELETE", "/queries", Value::Null).await.expect(204, "");
        product.store_requests("queries")
    };
    set(true).await;
    for _ in 0..20 {
        ask().await;
    }
    let (shown, cost) = read("/queries?limit=1").await;
    assert_eq!(shown, 1);
    product.wait(60);
    clear().await;
    assert_eq!(read("/queries?limit=1").await, (0, cost), "as many steps as before");
    let nothing = clear().await;
    ask().await;
    ask().await;
    assert_eq!(read("/queries?limit=1").await, (1, cost));
    assert_eq!(read("/queries").await.0, 2);
    // Saying again that they are kept brings nothing back.
    set(true).await;
    assert_eq!(read("/queries").await.0, 2);
    assert_eq!(clear().await, nothing + 2, "one for each that was there");
    assert_eq!(read("/queries").await.0, 0);
    ask().await;
    assert_eq!(read("/queries").await.0, 1, "they are kept on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_query_is_forgotten_after_half_a_year() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    product.with(&ann, "PUT", "/queries", json!({"kept": true})).await.expect(200, "");
    product.get(&ann, "/operators").await.expect(200, "");
    product.wait(180 * 24 * 3600);
    let ann = product.login("ann@example.org").await.str("access_token");
    assert_eq!(product.get(&ann, "/queries").await.expect(200, "").body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_signing_out_no_address_that_was_visited_shows_anything() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let cookie_login = json!({"email": "ann@example.org", "password": crate::PASSWORD, "session": "cookie"});
    let signed_in = product.post("/login", cookie_login).await.expect(200, "");
    let cookie = format!("__Host-session={}", signed_in.cookie("__Host-session").unwrap());
    product.with(&ann, "PUT", "/queries", json!({"kept": true})).await.expect(200, "");
    let netflix = id("tmdb", "8");
    product.with(&ann, "PUT", &format!("/favourites/{netflix}"), Value::Null).await.expect(204, "");
    let paths = [
        "/operators",
        "/operators?mode=train",
        &format!("/operators/{netflix}"),
        "/modes",
        "/queries",
        "/favourites",
        "/links",
        "/api_keys",
        "/sessions",
    ];
    let bearer = format!("Bearer {ann}");
    let mut tags = Vec::new();
    for path in paths {
        for (name, value) in [("authorization", &bearer), ("cookie", &cookie)] {
            let got = product.ask("GET", path, &[(name, value)], Value::Null).await.expect(200, "");
            assert_eq!(got.headers["cache-control"], "private, no-store", "{path}");
            assert_eq!(got.headers["vary"], "Authorization, Cookie, Origin", "{path}");
            tags.extend(got.headers.get("etag").map(|tag| tag.to_str().unwrap().to_owned()));
        }
    }
    product.with(&ann, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    let tag = tags.first().map_or("\"v0\"", String::as_str);
    for path in paths {
        for (name, value) in [("authorization", &bearer), ("cookie", &cookie)] {
            for cache in [
                ("if-none-match", "*"),
                ("if-none-match", tag),
                ("if-modified-since", "Sun, 22 Nov 2026 12:00:00 GMT"),
                ("cache-control", "only-if-cached"),
                ("cache-control", "max-stale=3600"),
                ("pragma", "no-cache"),
                ("range", "bytes=0-10"),
            ] {
                let got = product.ask("GET", path, &[(name, value), cache], Value::Null).await;
                let got = got.expect(401, "unauthorized");
                assert!(!got.text.contains("Netflix") && !got.text.contains("train"), "{path}");
            }
        }
    }
}
