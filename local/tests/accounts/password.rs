use serde_json::json;

use crate::product::{PASSWORD, Product};

const NEW: &str = "Another-kettle8 sings";

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_and_every_session_ends() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    for _ in 0..2 {
        product.post("/password/forgot", json!({"email": "ANN@example.org"})).await.expect(202, "");
        product.mails().await;
    }
    let mails = product.mails().await;
    let tokens: Vec<&str> = mails
        .iter()
        .filter(|mail| mail["subject"] == "Set a new password")
        .map(|mail| mail["token"].as_str().unwrap())
        .collect();
    assert_eq!(tokens.len(), 2);
    let reset = |token: &str, password: &str| {
        product.post("/password/reset", json!({"token": token, "new_password": password}))
    };
    reset(tokens[0], "weak").await.expect(422, "weak_password");
    reset(tokens[0], NEW).await.expect(204, "");
    reset(tokens[0], NEW).await.expect(410, "gone");
    // One reset makes every other link void.
    reset(tokens[1], NEW).await.expect(410, "gone");
    product.with(&token, "GET", "/session", json!(null)).await.expect(401, "unauthorized");
    product
        .post("/login", json!({"email": "ann@example.org", "password": PASSWORD}))
        .await
        .expect(401, "invalid_credentials");
    product.post("/login", json!({"email": "ann@example.org", "password": NEW})).await.expect(200, "");
    let mails = product.mails().await;
    assert!(mails.iter().any(|mail| mail["subject"] == "Your password was changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_token_used_many_times_at_once_works_once_and_for_an_hour() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let token = product.mailed(&email, "Set a new").await;
    let uses = (0..12).map(|n| {
        product.post(
            "/password/reset",
            json!({"token": token, "new_password": format!("Another-kettle{n} sings")}),
        )
    });
    let answers = futures::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|got| got.status == 204).count(), 1, "{answers:?}");
    product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let token = product.mailed(&email, "Set a new").await;
    product.wait(3600);
    let late = json!({"token": token, "new_password": NEW});
    product.post("/password/reset", late).await.expect(410, "gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_five_mails_of_a_kind_an_hour_whoever_asks() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    for n in 0..12 {
        let source = format!("203.0.{n}.1");
        product.post_from(&source, "/password/forgot", json!({"email": email})).await.expect(202, "");
    }
    let mails = product.mails().await;
    let resets =
        mails.iter().filter(|mail| mail["to"] == email.as_str() && mail["subject"] != "Verify your address");
    assert_eq!(resets.count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let (own, other) = (product.login(&email).await.str("access_token"), product.login(&email).await);
    let change = |current: &str, new: &str| {
        product.with(&own, "PUT", "/password", json!({"current_password": current, "new_password": new}))
    };
    change("Wrong-guess1 here", NEW).await.expect(401, "invalid_credentials");
    change(PASSWORD, "weak").await.expect(422, "weak_password");
    change(PASSWORD, NEW).await.expect(204, "");
    product.with(&own, "GET", "/session", json!(null)).await.expect(200, "");
    product
        .with(&other.str("access_token"), "GET", "/session", json!(null))
        .await
        .expect(401, "unauthorized");
    let guesses = (0..50).map(|_| change("Wrong-guess1 here", NEW));
    let answers = futures::future::join_all(guesses).await;
    assert!(answers.iter().filter(|got| got.code() == "invalid_credentials").count() <= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_counts_once_its_owner_confirms_it() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let (stranger, _) = product.signed_in("bob").await;
    product.with(&token, "POST", "/email", json!({"email": "new@example.org"})).await.expect(202, "");
    let mailed = product.mailed("new@example.org", "Confirm").await;
    let mails = product.mails().await;
    assert!(
        mails
            .iter()
            .any(|m| m["to"] == "ann@example.org" && m["subject"] == "A new address for your account")
    );
    product.with(&stranger, "POST", "/email/confirm", json!({"token": mailed})).await.expect(410, "gone");
    product.login("ann@example.org").await;
    product.with(&token, "POST", "/email/confirm", json!({"token": mailed})).await.expect(204, "");
    product.with(&token, "POST", "/email/confirm", json!({"token": mailed})).await.expect(410, "gone");
    product.login("new@example.org").await;
    let old = json!({"email": "ann@example.org", "password": PASSWORD});
    product.post("/login", old).await.expect(401, "invalid_credentials");
    let mails = product.mails().await;
    assert!(mails.iter().any(|m| m["to"] == "ann@example.org" && m["subject"] == "Your address was changed"));
    // Somebody else's address is not taken over: confirming says what a used token says.
    product.with(&token, "POST", "/email", json!({"email": "bob@example.org"})).await.expect(202, "");
    let mailed = product.mailed("bob@example.org", "Confirm").await;
    product.with(&token, "POST", "/email/confirm", json!({"token": mailed})).await.expect(410, "gone");
    product.login("bob@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sensitive_needs_a_recent_proof() {
    let product = Product::start().await;
    let (_, refresh) = product.signed_in("ann").await;
    product.wait(10 * 60);
    let got = product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    let token = got.str("access_token");
    let email = json!({"email": "new@example.org"});
    for (method, path, body) in [
        ("POST", "/email", email.clone()),
        ("POST", "/mfa/totp", json!(null)),
        ("PUT", "/mfa/email", json!(null)),
        ("POST", "/mfa/recovery_codes", json!(null)),
    ] {
        product.with(&token, method, path, body).await.expect(403, "reauthentication_required");
    }
    let wrong = json!({"password": "Wrong-guess1 here"});
    product.with(&token, "POST", "/reauthenticate", wrong).await.expect(401, "invalid_credentials");
    product.with(&token, "POST", "/reauthenticate", json!({"password": PASSWORD})).await.expect(204, "");
    product.with(&token, "POST", "/email", email).await.expect(202, "");
}
