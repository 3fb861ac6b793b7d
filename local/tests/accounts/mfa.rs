use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

async fn first_step(product: &Product, email: &str) -> String {
    let got = product.login(email).await;
    assert_eq!(got.body["mfa_required"], true);
    assert!(got.body["access_token"].is_null() && got.cookie("__Host-device").is_none());
    got.str("mfa_token")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_is_enrolled_and_asked_for() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let other = product.login(&email).await.str("access_token");
    let token = product.login(&email).await.str("access_token");
    product.with(&token, "PUT", "/mfa/totp", json!({"code": "000000"})).await.expect(409, "conflict");
    let (secret, codes, raised) = product.enrol(&token).await;
    assert_eq!(codes.len(), 10);
    // The session that enrolled goes on with two factors, under another name; every other one has ended.
    product.with(&token, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    let token = raised;
    let session = product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
    assert_eq!(session.body["acr"], "aal2");
    product.with(&other, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    product.with(&token, "POST", "/mfa/totp", Value::Null).await.expect(409, "conflict");
    let ticket = first_step(&product, &email).await;
    // The code that confirmed is spent.
    let spent = json!({"mfa_token": ticket, "code": product.code(&secret)});
    product.post("/login/mfa", spent).await.expect(401, "invalid_credentials");
    product.wait(30);
    let right = json!({"mfa_token": ticket, "code": product.code(&secret)});
    let got = product.post("/login/mfa", right.clone()).await.expect(200, "");
    let session = product.with(&got.str("access_token"), "GET", "/session", Value::Null).await;
    assert_eq!(session.body["acr"], "aal2");
    product.post("/login/mfa", right).await.expect(401, "invalid_credentials");
    product.wait(30);
    let remove = json!({"code": product.code(&secret)});
    product.with(&got.str("access_token"), "DELETE", "/mfa/totp", remove).await.expect(204, "");
    // What stays shows a password and no more; what had two factors besides has ended.
    let session =
        product.with(&got.str("access_token"), "GET", "/session", Value::Null).await.expect(200, "");
    assert_eq!(session.body["acr"], "aal1");
    product.with(&token, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    assert!(product.login(&email).await.body["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_used_many_times_at_once_opens_one_session() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let (secret, codes, _) = product.enrol(&token).await;
    product.wait(30);
    let mut tickets = Vec::new();
    for _ in 0..4 {
        tickets.push(first_step(&product, "ann@example.org").await);
    }
    let code = product.code(&secret);
    let uses =
        tickets.iter().map(|ticket| product.post("/login/mfa", json!({"mfa_token": ticket, "code": code})));
    let answers = futures::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|got| got.status == 200).count(), 1, "{answers:?}");
    let mut tickets = Vec::new();
    for _ in 0..3 {
        tickets.push(first_step(&product, "ann@example.org").await);
    }
    let uses = tickets
        .iter()
        .map(|ticket| product.post("/login/mfa", json!({"mfa_token": ticket, "recovery_code": codes[0]})));
    let answers = futures::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|got| got.status == 200).count(), 1, "{answers:?}");
    let mails = product.mails().await;
    assert!(mails.iter().any(|mail| mail["subject"] == "A recovery code was used"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_codes_at_once_get_no_more_than_five_checked() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let (secret, codes, _) = product.enrol(&token).await;
    product.wait(30);
    let ticket = first_step(&product, "ann@example.org").await;
    let guesses = (0..200).map(|n| {
        let body = if n % 2 == 0 {
            json!({"mfa_token": ticket, "code": format!("{n:06}")})
        } else {
            json!({"mfa_token": ticket, "recovery_code": "000000-000000-000000-000000"})
        };
        product.post("/login/mfa", body)
    });
    let answers = futures::future::join_all(guesses).await;
    assert!(answers.iter().all(|got| got.status == 401 || got.status == 429));
    let right = json!({"mfa_token": ticket, "code": product.code(&secret)});
    product.post("/login/mfa", right).await.expect(401, "invalid_credentials");
    // A new ticket does not help: the account waits too, recovery codes included.
    let ticket = first_step(&product, "ann@example.org").await;
    let right = json!({"mfa_token": ticket, "recovery_code": codes[0]});
    product.post("/login/mfa", right.clone()).await.expect(429, "too_many_attempts");
    product.wait(30);
    product.post("/login/mfa", right).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_mail_is_bound_to_its_login() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    product.with(&token, "PUT", "/mfa/email", Value::Null).await.expect(204, "");
    let (ticket, other) =
        (first_step(&product, "ann@example.org").await, first_step(&product, "ann@example.org").await);
    product.post("/login/mfa/send", json!({"mfa_token": ticket})).await.expect(202, "");
    let code = product.mailed("ann@example.org", "sign-in code").await;
    product
        .post("/login/mfa", json!({"mfa_token": other, "code": code}))
        .await
        .expect(401, "invalid_credentials");
    let right = json!({"mfa_token": ticket, "code": code});
    let got = product.post("/login/mfa", right.clone()).await.expect(200, "");
    let session = product.with(&got.str("access_token"), "GET", "/session", Value::Null).await;
    assert_eq!(session.body["acr"], "aal1");
    product.post("/login/mfa", right).await.expect(401, "invalid_credentials");
    let late = first_step(&product, "ann@example.org").await;
    product.post("/login/mfa/send", json!({"mfa_token": late})).await.expect(202, "");
    let code = product.mailed("ann@example.org", "sign-in code").await;
    product.wait(600);
    product
        .post("/login/mfa", json!({"mfa_token": late, "code": code}))
        .await
        .expect(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_keeps_the_second_factor_and_new_recovery_codes_replace_the_old() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let (_, old, token) = product.enrol(&token).await;
    let renewed = product.with(&token, "POST", "/mfa/recovery_codes", Value::Null).await.expect(200, "");
    let new = renewed.body["recovery_codes"][0].as_str().unwrap().to_owned();
    product.post("/password/forgot", json!({"email": "ann@example.org"})).await.expect(202, "");
    let mailed = product.mailed("ann@example.org", "Set a new").await;
    let reset = json!({"token": mailed, "new_password": PASSWORD});
    product.post("/password/reset", reset).await.expect(204, "");
    let ticket = first_step(&product, "ann@example.org").await;
    let with = |code: &str| product.post("/login/mfa", json!({"mfa_token": ticket, "recovery_code": code}));
    with(&old[0]).await.expect(401, "invalid_credentials");
    with(&new).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_has_a_second_factor_and_is_made_once() {
    let product = Product::start().await;
    let token = product.admin_token().await;
    let session = product.with(&token, "GET", "/session", Value::Null).await;
    assert_eq!(session.body["roles"], json!(["user", "admin"]));
    assert!(session.body["permissions"].as_array().unwrap().contains(&json!("users:manage")));
    let again = screensort_accounts::first_admin(&product.stand.stack, "root", "root@example.org").await;
    assert!(again.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tickets_and_many_sessions_get_no_more_codes_checked_than_one() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let (secret, codes, raised) = product.enrol(&token).await;
    product.wait(30);
    let mut tickets = Vec::new();
    for _ in 0..20 {
        tickets.push(first_step(&product, "ann@example.org").await);
    }
    let checked = |answers: &[crate::product::Got]| {
        assert!(answers.iter().all(|got| got.status == 401 || got.status == 429));
        answers.iter().filter(|got| got.code() == "invalid_credentials").count()
    };
    // Ten codes for each of twenty tickets; after five a ticket is over, and after five the account waits.
    let guesses = (0..200).map(|n| {
        let ticket = &tickets[n % 20];
        product
            .post("/login/mfa", json!({"mfa_token": ticket, "recovery_code": "000000-000000-000000-000000"}))
    });
    let answers = futures::future::join_all(guesses).await;
    let waiting = answers.iter().filter(|got| got.code() == "too_many_attempts").count();
    // What is over says so as a wrong code does; a busy store that is asked twice counts a try twice. How many codes
    // were compared is what was reserved for it.
    assert!(checked(&answers) > 0 && waiting > 0, "{waiting}");
    let me = product.with(&raised, "GET", "/session", Value::Null).await.expect(200, "");
    let id = me.body["user"]["id"].as_str().unwrap();
    assert_eq!(product.stand.stack.attempts().count(id, "mfa").await.unwrap().failures, 5);
    let right = json!({"mfa_token": tickets[0], "recovery_code": codes[0]});
    product.post("/login/mfa", right).await.expect(401, "invalid_credentials");
    // Another counter counts codes of somebody signed in: whoever guesses here does not hold them up.
    let again = json!({"code": product.code(&secret)});
    product.with(&raised, "POST", "/reauthenticate", again).await.expect(204, "");
    product.wait(15 * 60 + 30);
    let ticket = first_step(&product, "ann@example.org").await;
    let right = json!({"mfa_token": ticket, "recovery_code": codes[0]});
    let bearer = product.post("/login/mfa", right).await.expect(200, "").str("access_token");
    let guesses = (0..200)
        .map(|n| product.with(&bearer, "POST", "/reauthenticate", json!({"code": format!("{n:06}")})));
    let answers = futures::future::join_all(guesses).await;
    assert!((1..=5).contains(&checked(&answers)));
}
