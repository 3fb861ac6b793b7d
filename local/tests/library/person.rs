use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_sealed_composed_and_changed_for_the_version_that_was_read() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let empty = world.get(&ann, "/profile").await.expect(200, "");
    assert_eq!((&empty.body["username"], &empty.body["bio"]), (&json!("ann"), &Value::Null));
    assert_eq!(empty.headers["etag"], "\"v0\"");
    let patch = |body: Value| world.product.with(&ann, "PATCH", "/profile", body);
    let told = json!({"display_name": " Ame\u{301}lie ", "bio": "Planted-bio\r\nline", "region": "GB", "birth_year": 1990});
    let changed = patch(told).await.expect(200, "");
    assert_eq!(changed.body["display_name"], "Am\u{e9}lie");
    assert_eq!(changed.body["bio"], "Planted-bio\nline");
    assert_eq!(changed.headers["etag"], "\"v1\"");
    let dump = world.dump().await;
    assert!(dump.contains("birth_year") && dump.contains("region"), "the dump is of the right table");
    for said in ["\"GB\"", "\"1990\"", "Planted-bio", "lie\""] {
        assert!(!dump.contains(said), "{said} rests in clear");
    }
    let kept = patch(json!({"birth_year": null})).await.expect(200, "");
    assert_eq!((&kept.body["birth_year"], &kept.body["region"]), (&Value::Null, &json!("GB")));
    for bad in [
        json!({"bio": "x".repeat(501)}),
        json!({"bio": "a\u{202E}b"}),
        json!({"display_name": "a\nb"}),
        json!({"display_name": ""}),
        json!({"birth_year": 1850}),
        json!({"region": "gb"}),
        json!({"username": "bob"}),
        json!({"id": "x"}),
    ] {
        patch(bad).await.expect(422, "invalid_body");
    }
    let bearer = format!("Bearer {ann}");
    let with = |tag: &'static str| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        let headers: Vec<(String, String)> =
            headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let product = &world.product;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            product.ask("PATCH", "/profile", &headers, json!({"region": "DE"})).await
        }
    };
    with("\"v1\"").await.expect(412, "precondition_failed");
    with("\"v2\"").await.expect(200, "");
    // The profile and the key of its texts, in one request, beside session and quota; then one write.
    assert_eq!(world.product.store_cost("profile"), (4, 2));
    assert_eq!(world.get(&bob, "/profile").await.body["region"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_checked_kept_and_decide_what_is_mine() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let put = |body: Value| world.product.with(&ann, "PUT", "/preferences", body);
    let first = world.get(&ann, "/preferences").await.expect(200, "");
    assert_eq!((&first.body["genres"], &first.body["include_seen"]), (&json!([]), &json!(false)));
    let wanted = json!({"genres": [{"id": 18, "weight": 1.0}], "avoid_genres": [27], "min_rating": 6.5,
        "max_certification": {"region": "US", "value": "PG-13"}, "languages": ["en"], "max_runtime": 180,
        "region": "US", "operators": [], "modes": ["stream"], "include_seen": true});
    put(wanted.clone()).await.expect(200, "");
    assert_eq!(world.product.store_cost("preferences"), (3, 2), "session beside the quota, then one write");
    let read = world.get(&ann, "/preferences").await;
    assert_eq!((&read.body["modes"], &read.body["max_runtime"]), (&wanted["modes"], &wanted["max_runtime"]));
    assert_eq!(world.product.store_requests("preferences"), 2);
    assert_eq!(world.get(&bob, "/preferences").await.body["modes"], json!([]));
    for bad in [
        json!({"genres": [{"id": 1, "weight": 1.0}]}),
        json!({"genres": [{"id": 18, "weight": 2.0}]}),
        json!({"genres": [{"id": 18, "weight": 1.0}], "avoid_genres": [18]}),
        json!({"max_certification": {"region": "US", "value": "18"}}),
        json!({"min_rating": 11}),
        json!({"user_id": "x"}),
    ] {
        put(bad).await.expect(422, "invalid_body");
    }
    for film in &world.films {
        world.product.with(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await.expect(204, "");
    }
    let mine = world.listed(&ann, "/watchlist?available=mine").await;
    assert!(!mine.is_empty() && mine.len() < world.films.len(), "{}", mine.len());
    let us = async |id: u64| {
        let got = world.get(&ann, &format!("/movies/{id}/operators?region=US")).await.expect(200, "");
        got.body["modes"]["stream"].as_array().is_some_and(|all| !all.is_empty())
    };
    for id in &world.films {
        assert_eq!(us(*id).await, mine.contains(id), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_security_page_says_how_safe_the_account_is() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let got = world.get(&ann, "/security").await.expect(200, "");
    assert_eq!((&got.body["password_age_days"], &got.body["sessions"]), (&json!(0), &json!(1)));
    assert_eq!(
        got.body["mfa"],
        json!({"totp": false, "email": false, "sms": false, "recovery_codes_left": 0})
    );
    assert_eq!(got.body["recent_logins"].as_array().unwrap().len(), 1);
    let (.., ann) = world.product.enrol(&ann).await;
    let got = world.get(&ann, "/security").await.expect(200, "");
    assert_eq!(
        got.body["mfa"],
        json!({"totp": true, "email": false, "sms": false, "recovery_codes_left": 10})
    );
}
