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
        // Where it leads and the tallies; the reservation beside the person; two tallies of the failure, its record.
        assert_eq!(product.store_cost("login"), (6, 3));
        seen.push((got.str("detail"), got.str("title")));
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

#[tokio::test(flavor = "multi_thread")]
async fn guessing_by_name_and_by_address_is_guessing_once() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    for handle in [json!({"email": email}), json!({"username": "ann"}), json!({"username": "ANN"})] {
        let mut body = handle;
        body["password"] = json!("Wrong-guess1 here");
        product.post("/login", body).await.expect(401, "invalid_credentials");
    }
    for (field, text) in [("email", "ann@example.org"), ("username", "ann")] {
        let body = json!({field: text, "password": PASSWORD});
        product.post("/login", body).await.expect(401, "challenge_required");
    }
    // The same for what leads to nobody.
    for _ in 0..3 {
        let body = json!({"username": "nobody", "password": "Wrong-guess1 here"});
        product.post("/login", body).await.expect(401, "invalid_credentials");
    }
    let body = json!({"username": "nobody", "password": "Wrong-guess1 here"});
    product.post("/login", body).await.expect(401, "challenge_required");
    let refused = product.store_cost("login");
    let body = json!({"username": "ann", "password": PASSWORD});
    product.post("/login", body).await.expect(401, "challenge_required");
    assert_eq!(product.store_cost("login"), refused);
    // Quiet for a quarter of an hour, all is forgotten, and the next failure is the first one.
    product.wait(15 * 60);
    for _ in 0..3 {
        let body = json!({"username": "ann", "password": "Wrong-guess1 here"});
        product.post("/login", body).await.expect(401, "invalid_credentials");
    }
    let body = json!({"username": "ann", "password": PASSWORD});
    product.post("/login", body).await.expect(401, "challenge_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_three_steps_and_a_registration_too() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    assert_eq!(product.store_cost("register"), (4, 3));
    product.login(&email).await;
    // Where it leads; the reservation beside the person; everything that a success writes, in one transaction.
    assert_eq!(product.store_cost("login"), (4, 3));
    let wrong = json!({"email": email, "password": "Wrong-guess1 here"});
    product.post("/login", wrong.clone()).await.expect(401, "invalid_credentials");
    assert_eq!(product.store_cost("login"), (6, 3));
    let (secret, ..) = {
        let token = product.login(&email).await.str("access_token");
        product.enrol(&token).await
    };
    product.wait(30);
    let ticket = product.login(&email).await.str("mfa_token");
    assert_eq!(product.store_cost("login"), (4, 3));
    let body = json!({"mfa_token": ticket, "code": product.code(&secret)});
    product.post("/login/mfa", body).await.expect(200, "");
    assert_eq!(product.store_cost("login_mfa"), (5, 3));
    for (path, endpoint) in [("/password/forgot", "password_forgot"), ("/register/resend", "register_resend")]
    {
        for email in ["ann@example.org", "nobody@example.org"] {
            product.post(path, json!({"email": email})).await.expect(202, "");
            assert_eq!(product.store_cost(endpoint), (3, 3), "{email}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_reported_once_for_each_place() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let reports = async || {
        let mails = product.mails().await;
        mails.iter().filter(|mail| mail["subject"] == "A new sign-in").count()
    };
    let body = json!({"email": email, "password": PASSWORD});
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let from = async |source: &str, agent: &str| {
        let headers = [("x-local-source", source), ("user-agent", agent)];
        product.ask("POST", "/login", &headers, body.clone()).await.expect(200, "")
    };
    from("203.0.113.7", "curl/8").await;
    assert_eq!(reports().await, 1);
    // The same words from the same network, without any cookie.
    from("203.0.113.99", "curl/8").await;
    assert_eq!(reports().await, 1);
    // Another browser, another network.
    from("203.0.113.7", firefox).await;
    assert_eq!(reports().await, 2);
    from("198.51.100.9", "curl/8").await;
    assert_eq!(reports().await, 3);
    // A known device may go where it likes.
    let device = from("198.51.100.9", "curl/8").await.cookie("__Host-device").unwrap();
    let cookie = format!("__Host-device={device}");
    let headers = [("x-local-source", "192.0.2.1"), ("user-agent", "curl/8"), ("cookie", &cookie)];
    product.ask("POST", "/login", &headers, body.clone()).await.expect(200, "");
    assert_eq!(reports().await, 3);
    // After a month a place is forgotten.
    product.wait(30 * 24 * 3600);
    from("203.0.113.7", firefox).await;
    assert_eq!(reports().await, 4);
}
