use serde_json::json;

use crate::product::{PASSWORD, Product};

#[tokio::test(flavor = "multi_thread")]
async fn somebody_registers_verifies_and_signs_in() {
    let product = Product::start().await;
    let body = json!({"username": "Ann", "email": "Ann@Example.org", "password": PASSWORD});
    let registered = product.post("/register", body).await.expect(202, "");
    assert_eq!(registered.body, json!({"status": "verification_sent"}));
    let login = json!({"email": "ann@example.org", "password": PASSWORD});
    product.post("/login", login.clone()).await.expect(403, "email_unverified");
    let wrong = json!({"email": "ann@example.org", "password": "Violet-kettle8 hums"});
    product.post("/login", wrong).await.expect(401, "invalid_credentials");
    let token = product.mailed("Ann@example.org", "Verify").await;
    product.post("/register/verify", json!({"token": token})).await.expect(204, "");
    product.post("/register/verify", json!({"token": token})).await.expect(410, "gone");
    let by_name = json!({"username": "ANN", "password": PASSWORD});
    for body in [login, by_name] {
        let got = product.post("/login", body).await.expect(200, "");
        assert_eq!(got.body["user"]["username"], "Ann");
        assert_eq!((got.str("token_type"), &got.body["expires_in"]), ("Bearer".into(), &json!(300)));
        let session = product.with(&got.str("access_token"), "GET", "/session", json!(null)).await;
        assert_eq!(session.body["user"]["username"], "Ann");
        assert_eq!(session.body["acr"], "aal1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_address_is_answered_like_a_new_one_and_costs_the_same() {
    let product = Product::start().await;
    product.person("ann").await;
    let ask = |name: &str, email: &str| json!({"username": name, "email": email, "password": PASSWORD});
    let new = product.post("/register", ask("bob", "bob@example.org")).await;
    let cost = product.store_requests("register");
    let known = product.post("/register", ask("carl", "ann@example.org")).await;
    assert_eq!((known.status, &known.body), (new.status, &new.body));
    assert_eq!(product.store_requests("register"), cost);
    let mails = product.mails().await;
    assert!(
        mails.iter().any(|m| m["to"] == "ann@example.org" && m["subject"] == "You already have an account")
    );
    for path in ["/password/forgot", "/register/resend"] {
        let endpoint = &path[1..].replace('/', "_");
        let known = product.post(path, json!({"email": "ann@example.org"})).await.expect(202, "");
        let cost = product.store_requests(endpoint);
        let unknown = product.post(path, json!({"email": "nobody@example.org"})).await.expect(202, "");
        assert_eq!(known.body, unknown.body);
        assert_eq!(product.store_requests(endpoint), cost);
    }
    assert!(product.mails().await.iter().all(|mail| mail["to"] != "nobody@example.org"));
    product.post("/register", ask("ANN", "new@example.org")).await.expect(409, "username_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_gets_one_reason_each() {
    let product = Product::start().await;
    let ask =
        |password: &str| json!({"username": "annabel", "email": "ann@example.org", "password": password});
    for (password, codes) in [
        ("tiny", vec!["too_short", "no_upper", "no_digit", "no_special"]),
        ("annabel-Xk29!qpz", vec!["contains_username"]),
        ("Password1!", vec!["too_guessable"]),
    ] {
        let got = product.post("/register", ask(password)).await.expect(422, "weak_password");
        let errors = got.body["errors"].as_array().unwrap();
        let found: Vec<&str> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
        assert!(codes.iter().all(|code| found.contains(code)), "{password}: {found:?}");
        assert!(errors.iter().all(|error| error["pointer"] == "/password"));
        assert!(!got.text.contains(password));
    }
    for (field, body) in [
        ("/email", json!({"username": "ann", "email": "a\r\nBcc: b@example.org", "password": PASSWORD})),
        ("/username", json!({"username": "a b", "email": "ann@example.org", "password": PASSWORD})),
        ("/username", json!({"username": {"$ne": null}, "email": "ann@example.org", "password": PASSWORD})),
        (
            "/roles",
            json!({"username": "ann", "email": "a@example.org", "password": PASSWORD, "roles": ["admin"]}),
        ),
    ] {
        let got = product.post("/register", body).await.expect(422, "invalid_body");
        assert_eq!(got.body["errors"][0]["pointer"], field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_or_address_registered_many_times_at_once_is_one_accounts() {
    let product = Product::start().await;
    let same_name = (0..10).map(|n| {
        let body = json!({"username": "ann", "email": format!("ann{n}@example.org"), "password": PASSWORD});
        product.post("/register", body)
    });
    let answers = futures::future::join_all(same_name).await;
    assert_eq!(answers.iter().filter(|got| got.status == 202).count(), 1);
    assert!(answers.iter().filter(|got| got.status != 202).all(|got| got.code() == "username_taken"));
    let same_address = (0..10).map(|n| {
        let body = json!({"username": format!("bob{n}"), "email": "bob@example.org", "password": PASSWORD});
        let source = format!("203.0.{n}.1");
        let product = &product;
        async move { product.post_from(&source, "/register", body).await }
    });
    let answers = futures::future::join_all(same_address).await;
    assert!(answers.iter().all(|got| got.status == 202), "{answers:?}");
    // The others are decoys, each under an address of nobody.
    let accounts = product.stand.stack.accounts().list(None, 100).await.unwrap();
    let terms: std::collections::BTreeSet<&String> =
        accounts.iter().map(|account| &account.email_term).collect();
    assert_eq!(terms.len(), accounts.len());
    // Nobody knows any more whose password it is: who reads the address's mail sets one.
    let token = product.mailed("bob@example.org", "Finish").await;
    let mine = json!({"token": token, "new_password": PASSWORD});
    product.post("/password/reset", mine).await.expect(204, "");
    product.login("bob@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_token_used_many_times_at_once_works_once() {
    let product = Product::start().await;
    let body = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
    product.post("/register", body).await.expect(202, "");
    let token = product.mailed("ann@example.org", "Verify").await;
    let uses = (0..20).map(|_| product.post("/register/verify", json!({"token": token})));
    let answers = futures::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|got| got.status == 204).count(), 1);
    assert!(answers.iter().all(|got| got.status == 204 || got.code() == "gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_token_is_good_for_a_day_and_for_nothing_else() {
    let product = Product::start().await;
    let body = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
    product.post("/register", body).await.expect(202, "");
    let token = product.mailed("ann@example.org", "Verify").await;
    let reset = json!({"token": token, "new_password": "Another-kettle8 sings"});
    product.post("/password/reset", reset).await.expect(410, "gone");
    product.wait(24 * 3600);
    product.post("/register/verify", json!({"token": token})).await.expect(410, "gone");
    product.post("/register/resend", json!({"email": "ann@example.org"})).await.expect(202, "");
    let token = product.mailed("ann@example.org", "Verify").await;
    product.post("/register/verify", json!({"token": token})).await.expect(204, "");
}
