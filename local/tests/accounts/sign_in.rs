use screensort_auth::challenge::{self, Challenge};
use serde_json::json;

use crate::product::{PASSWORD, Product};

async fn solved(product: &Product) -> String {
    let got = product.ask("GET", "/login/challenge", &[], json!(null)).await.expect(200, "");
    let challenge: Challenge = serde_json::from_value(got.body).unwrap();
    let number = challenge::solve(&challenge).unwrap();
    challenge::answer(&challenge, number).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_guesses_at_once_get_no_more_than_three_checked() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let guesses = (0..200)
        .map(|n| product.post("/login", json!({"email": email, "password": format!("Wrong-guess{n} here")})));
    let answers = futures::future::join_all(guesses).await;
    let checked = answers.iter().filter(|got| got.code() == "invalid_credentials").count();
    assert!((1..=3).contains(&checked), "{checked}");
    assert!(answers.iter().all(|got| {
        ["invalid_credentials", "challenge_required", "too_many_attempts"].contains(&got.code())
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_locked_out_and_let_back_in() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let wrong = |challenge: Option<String>| json!({"email": email, "password": "Wrong-guess1 here", "challenge": challenge});
    for _ in 0..3 {
        product
            .post("/login", json!({"email": email, "password": "Wrong-guess1 here"}))
            .await
            .expect(401, "invalid_credentials");
    }
    let right = json!({"email": email, "password": PASSWORD});
    product.post("/login", right.clone()).await.expect(401, "challenge_required");
    let once = solved(&product).await;
    product.post("/login", wrong(Some(once.clone()))).await.expect(401, "invalid_credentials");
    product.post("/login", wrong(Some(once))).await.expect(401, "challenge_required");
    product.post("/login", wrong(Some(solved(&product).await))).await.expect(401, "invalid_credentials");
    let mut with_challenge = right.clone();
    with_challenge["challenge"] = json!(solved(&product).await);
    let waits = product.post("/login", with_challenge.clone()).await.expect(429, "too_many_attempts");
    assert_eq!(waits.headers["retry-after"], "30");
    product.wait(30);
    with_challenge["challenge"] = json!(solved(&product).await);
    product.post("/login", with_challenge).await.expect(200, "");
    product.post("/login", right).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_signs_in_from_a_known_device_while_a_stranger_attacks() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let device = product.login(&email).await.cookie("__Host-device").unwrap();
    for n in 0..8 {
        let body = json!({"email": email, "password": format!("Wrong-guess{n} here"), "challenge": solved(&product).await});
        product.post_from("198.51.100.9", "/login", body).await;
    }
    let right = json!({"email": email, "password": PASSWORD});
    product.post("/login", right.clone()).await.expect(429, "too_many_attempts");
    let cookie = format!("__Host-device={device}");
    product.ask("POST", "/login", &[("cookie", &cookie)], right.clone()).await.expect(200, "");
    // The cookie lets nobody into another account's counter, and proves nothing.
    let wrong = json!({"email": email, "password": "Wrong-guess1 here"});
    product.ask("POST", "/login", &[("cookie", &cookie)], wrong).await.expect(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_account_is_answered_like_a_known_one_and_costs_the_same() {
    let product = Product::start().await;
    product.person("ann").await;
    let mut seen = Vec::new();
    for (field, name) in [
        ("email", "ann@example.org"),
        ("email", "nobody@example.org"),
        ("email", "not an address"),
        ("username", "ann"),
        ("username", "nobody"),
        ("username", "' OR 1=1--"),
    ] {
        let body = json!({field: name, "password": "Wrong-guess1 here"});
        let got = product.post("/login", body).await.expect(401, "invalid_credentials");
        assert!(got.headers.contains_key("www-authenticate"));
        seen.push((got.str("detail"), got.str("title"), product.store_requests("login")));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    let empty = json!({"email": "ann@example.org", "password": ""});
    product.post("/login", empty).await.expect(401, "invalid_credentials");
    for body in [json!({"password": "x"}), json!({"email": "a@b.org", "username": "a", "password": "x"})] {
        product.post("/login", body).await.expect(422, "invalid_body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_accounts_guessed_from_one_network_ask_for_a_challenge() {
    let product = Product::start().await;
    for n in 0..30 {
        let body = json!({"username": format!("name{n}"), "password": "Wrong-guess1 here"});
        product.post_from("198.51.100.9", "/login", body).await.expect(401, "invalid_credentials");
    }
    let body = json!({"username": "other", "password": "Wrong-guess1 here"});
    product.post_from("198.51.100.77", "/login", body.clone()).await.expect(401, "challenge_required");
    product.post_from("203.0.113.7", "/login", body).await.expect(401, "invalid_credentials");
}
