//! What strangers try around an account that is not theirs.

use screensort_auth::event::Event;
use screensort_store::{Letter, To};
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

const OTHER: &str = "Copper-lantern4 sings";

#[tokio::test(flavor = "multi_thread")]
async fn registering_a_known_address_and_signing_in_tells_nothing_about_it() {
    let product = Product::start().await;
    product.person("ann").await;
    for (name, email) in [("bob", "bob@example.org"), ("carl", "ann@example.org")] {
        let body = json!({"username": name, "email": email, "password": OTHER});
        product.post("/register", body).await.expect(202, "");
        assert_eq!(product.store_cost("register"), (4, 3), "{email}");
        let login = json!({"username": name, "password": OTHER});
        product.post("/login", login).await.expect(403, "email_unverified");
        let wrong = json!({"username": name, "password": PASSWORD});
        product.post("/login", wrong).await.expect(401, "invalid_credentials");
        let again = json!({"username": name, "email": "new@example.org", "password": OTHER});
        product.post("/register", again).await.expect(409, "username_taken");
    }
    // The address's owner is told, signs in as ever, and nobody else gets in with the address.
    let told =
        product.mails().await.iter().filter(|mail| mail["subject"] == "You already have an account").count();
    assert_eq!(told, 1);
    product.login("ann@example.org").await;
    assert!(product.mails().await.iter().all(|mail| !mail["to"].as_str().unwrap().ends_with(".invalid")));
}

/// What a login by address with this password comes to, from a network of its own, and what it cost.
async fn by_address(product: &Product, from: &str, email: &str, password: &str) -> (u16, String, (u32, u32)) {
    let got = product.post_from(from, "/login", json!({"email": email, "password": password})).await;
    assert!(got.body["access_token"].is_null(), "{}", got.text);
    (got.status, got.code().to_owned(), product.store_cost("login"))
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_a_known_address_and_signing_in_with_it_tells_nothing_either() {
    let product = Product::start().await;
    product.person("ann").await;
    let third = "Silver-harbour9 waits";
    for (at, email) in ["ann@example.org", "new@example.org"].into_iter().enumerate() {
        for (name, password) in [(format!("carl{at}"), OTHER), (format!("dora{at}"), third)] {
            let body = json!({"username": name, "email": email, "password": password});
            product.post_from("203.0.113.20", "/register", body).await.expect(202, "");
        }
    }
    // Whoever was first to register it, whoever came later, and a guess: the same of a known address and of a new one.
    for (password, code) in [
        (OTHER, "email_unverified"),
        (third, "invalid_credentials"),
        ("Nobody-chose8 this", "invalid_credentials"),
    ] {
        let known = by_address(&product, "198.51.100.1", "ann@example.org", password).await;
        let new = by_address(&product, "198.51.100.2", "new@example.org", password).await;
        assert_eq!(known, new, "{password}");
        assert_eq!(known.1, code);
    }
    // It is no way around the limit of guesses either: what the rival's maker gets right forgives nothing.
    let code = by_address(&product, "198.51.100.3", "ann@example.org", OTHER).await.1;
    assert_eq!(code, "challenge_required");
    let code = by_address(&product, "198.51.100.3", "new@example.org", OTHER).await.1;
    assert_eq!(code, "challenge_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_verify_an_account_whose_password_somebody_else_chose() {
    let product = Product::start().await;
    let squat = |name: &str, password: &str| json!({"username": name, "email": "ann@example.org", "password": password});
    // A stranger registers the address; its owner does so too, and asks for the mail again.
    product.post("/register", squat("thief", OTHER)).await.expect(202, "");
    let first = product.mailed("ann@example.org", "Verify").await;
    product.post("/register", squat("ann", PASSWORD)).await.expect(202, "");
    product.post("/register/verify", json!({"token": first})).await.expect(410, "gone");
    product.post("/register/resend", json!({"email": "ann@example.org"})).await.expect(202, "");
    let claim = product.mailed("ann@example.org", "Finish").await;
    product.post("/register/verify", json!({"token": claim})).await.expect(410, "gone");
    let mine = json!({"token": claim, "new_password": "Silver-harbour9 waits"});
    product.post("/password/reset", mine).await.expect(204, "");
    let stolen = json!({"username": "thief", "password": OTHER});
    product.post("/login", stolen).await.expect(401, "invalid_credentials");
    let mine = json!({"email": "ann@example.org", "password": "Silver-harbour9 waits"});
    product.post("/login", mine).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_contest_an_address_at_once_leave_it_one_rival() {
    let product = Product::start().await;
    product.person("ann").await;
    let tries = (0..8).map(|at| {
        let body = json!({"username": format!("carl{at}"), "email": "ann@example.org",
            "password": format!("Violet-kettle{at} hums")});
        let product = &product;
        async move { product.post_from(&format!("198.51.{at}.7"), "/register", body).await }
    });
    let answers = futures::future::join_all(tries).await;
    assert!(answers.iter().all(|got| matches!(got.status, 202 | 503)), "{answers:?}");
    let mut rivals = 0;
    for at in 0..8 {
        let from = format!("203.0.{at}.7");
        // The clock goes on, so that no try counts against the next one.
        product.wait(3_600);
        let password = format!("Violet-kettle{at} hums");
        if password == PASSWORD {
            continue;
        }
        rivals += u32::from(by_address(&product, &from, "ann@example.org", &password).await.0 == 403);
    }
    assert!(rivals <= 1, "{rivals}");
    product.login("ann@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_verifies_in_a_week_goes_and_frees_its_name_and_address() {
    let product = Product::start().await;
    product.person("ann").await;
    let squat = |name: &str, email: &str| json!({"username": name, "email": email, "password": OTHER});
    product.post("/register", squat("bob", "bob@example.org")).await.expect(202, "");
    product.post("/register", squat("carl", "ann@example.org")).await.expect(202, "");
    product.wait(6 * 24 * 3600);
    let cleaned = screensort_jobs::sessions_cleanup::run(&product.stand.stack).await.unwrap();
    assert_eq!(cleaned["unverified"], 0);
    product.wait(2 * 24 * 3600);
    let cleaned = screensort_jobs::sessions_cleanup::run(&product.stand.stack).await.unwrap();
    assert_eq!(cleaned["unverified"], 2);
    let today = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let records =
        screensort_http::Authority::audit(&product.stand.stack).day(today, None, 1_000).await.unwrap();
    let lapsed = records.iter().filter(|record| record.action == Event::AccountLapsed.name());
    assert_eq!(lapsed.count(), 2);
    product.login("ann@example.org").await;
    product
        .post("/login", json!({"username": "bob", "password": OTHER}))
        .await
        .expect(401, "invalid_credentials");
    product.post("/register", squat("bob", "bob@example.org")).await.expect(202, "");
    let token = product.mailed("bob@example.org", "Verify").await;
    product.post("/register/verify", json!({"token": token})).await.expect(204, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_mailed_to_an_address_that_was_given_up_resets_nothing() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let reset = product.mailed(&email, "password").await;
    product.with(&token, "POST", "/email", json!({"email": "safe@example.org"})).await.expect(202, "");
    let confirm = product.mailed("safe@example.org", "address").await;
    product.with(&token, "POST", "/email/confirm", json!({"token": confirm})).await.expect(204, "");
    let body = json!({"token": reset, "new_password": OTHER});
    product.post("/password/reset", body).await.expect(410, "gone");
    product.login("safe@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_named_before_a_new_password_is_not_taken_after_it() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    // A thief with a session names an address of theirs.
    let thief = product.login(&email).await.str("access_token");
    product.with(&thief, "POST", "/email", json!({"email": "thief@example.org"})).await.expect(202, "");
    let planted = product.mailed("thief@example.org", "address").await;
    let ann = product.login(&email).await.str("access_token");
    let body = json!({"current_password": PASSWORD, "new_password": OTHER});
    product.with(&ann, "PUT", "/password", body).await.expect(204, "");
    // The owner is made to open the link.
    product.with(&ann, "POST", "/email/confirm", json!({"token": planted})).await.expect(410, "gone");
    product.post("/login", json!({"email": email, "password": OTHER})).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_useless_mails_leaves_the_useful_ones() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    for at in 0..8 {
        let from = format!("198.51.{at}.7");
        product.post_from(&from, "/register/resend", json!({"email": email})).await.expect(202, "");
        let body = json!({"username": format!("name{at}"), "email": email, "password": OTHER});
        product.post_from(&from, "/register", body).await.expect(202, "");
    }
    product.post_from("203.0.113.9", "/password/forgot", json!({"email": email})).await.expect(202, "");
    let reset = product.mailed(&email, "password").await;
    let body = json!({"token": reset, "new_password": OTHER});
    product.post("/password/reset", body).await.expect(204, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_cannot_be_sent_hold_up_no_others() {
    let product = Product::start().await;
    let outbox = product.stand.stack.outbox();
    let letter = |at: u32| Letter {
        id: format!("01KAPJ5Z4V3T3NB8S3K6{at:06}"),
        kind: "reset".to_owned(),
        to: To::Terms(vec!["nobody".to_owned()]),
        about: None,
        posted_at: product.clock.now(),
    };
    for at in 0..130 {
        outbox.post(&letter(at)).await.unwrap();
    }
    let take = async || {
        let taken = outbox.take(25, product.clock.now()).await.unwrap();
        taken.into_iter().map(|(letter, _)| letter.id).collect::<Vec<_>>()
    };
    // Nothing that is taken is ever sent: each round goes on behind the ones that wait for another try.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6 {
        seen.extend(take().await);
    }
    assert_eq!((seen.len(), take().await.len()), (130, 0));
    product.wait(61);
    assert_eq!(take().await.len(), 25, "a second try");
    product.wait(61);
    let again: std::collections::BTreeSet<_> = take().await.into_iter().collect();
    assert!(!again.contains(&letter(0).id), "the third waits longer");
    product.wait(24 * 3600);
    assert_eq!(take().await, Vec::<String>::new(), "after a day they are given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_codes_elsewhere_does_not_lock_the_owners_browser_out() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let body = json!({"email": email, "password": PASSWORD});
    let first = product.post("/login", body.clone()).await.expect(200, "");
    let device = format!("__Host-device={}", first.cookie("__Host-device").unwrap());
    let (secret, ..) = product.enrol(&first.str("access_token")).await;
    product.wait(30);
    // A stranger knows the password and guesses codes until they are refused.
    let mut refused = 0;
    for at in 0..8 {
        let from = format!("198.51.{at}.7");
        let got = product.post_from(&from, "/login", body.clone()).await;
        if got.status != 200 {
            continue;
        }
        let guess = json!({"mfa_token": got.str("mfa_token"), "code": "000000"});
        refused += u32::from(product.post_from(&from, "/login/mfa", guess).await.status == 429);
    }
    assert!(refused > 0);
    let headers = [("cookie", device.as_str())];
    let got = product.ask("POST", "/login", &headers, body).await.expect(200, "");
    let code = json!({"mfa_token": got.str("mfa_token"), "code": product.code(&secret)});
    product.ask("POST", "/login/mfa", &headers, code).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_codes_elsewhere_does_not_hold_the_owner_up_who_is_signed_in() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    let (secret, _, token) = product.enrol(&token).await;
    product.wait(30);
    let body = json!({"email": email, "password": PASSWORD});
    for at in 0..8 {
        let from = format!("198.51.{at}.7");
        let got = product.post_from(&from, "/login", body.clone()).await;
        if got.status == 200 {
            let guess = json!({"mfa_token": got.str("mfa_token"), "code": "000000"});
            product.post_from(&from, "/login/mfa", guess).await;
        }
    }
    let code = json!({"code": product.code(&secret)});
    product.with(&token, "POST", "/reauthenticate", code).await.expect(204, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_address_is_no_new_one() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    let before = product.mails().await.len();
    product.with(&token, "POST", "/email", json!({"email": "Ann@example.org"})).await.expect(202, "");
    assert_eq!(product.mails().await.len(), before, "nothing is to be confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_made_twice_at_once_are_ten() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    let (_, _, token) = product.enrol(&token).await;
    let ask = || product.with(&token, "POST", "/mfa/recovery_codes", Value::Null);
    let (one, other) = futures::join!(ask(), ask());
    assert!(one.status == 200 || other.status == 200, "{} {}", one.text, other.text);
    let security = product.with(&token, "GET", "/security", Value::Null).await.expect(200, "");
    assert_eq!(security.body["mfa"]["recovery_codes_left"], 10);
}
