use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use screensort_crypto::{decode_base64url, encode_base64url};
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_rotates_and_its_reuse_ends_the_family() {
    let product = Product::start().await;
    let (_, first) = product.signed_in("ann").await;
    let refresh = |token: &str| product.post("/token/refresh", json!({"refresh_token": token}));
    let second = refresh(&first).await.expect(200, "");
    // A client that lost the answer gets the very same successor, for ten seconds.
    assert_eq!(refresh(&first).await.expect(200, "").str("refresh_token"), second.str("refresh_token"));
    product.wait(11);
    refresh(&first).await.expect(401, "token_reuse");
    refresh(&second.str("refresh_token")).await.expect(401, "unauthorized");
    product
        .with(&second.str("access_token"), "GET", "/session", json!(null))
        .await
        .expect(401, "unauthorized");
    refresh("rt1.x.y.0.z").await.expect(401, "unauthorized");
    // Its owner hears of it once, and where they can end the others; the letter holds nothing that a thief could use.
    refresh(&first).await.expect(401, "unauthorized");
    let mails = product.mails().await;
    let told: Vec<_> = mails.iter().filter(|mail| mail["subject"] == "A session was ended").collect();
    assert_eq!((told.len(), &told[0]["to"]), (1, &json!("ann@example.org")));
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        text.contains("#forgot_password") && told[0]["token"].is_null() && !text.contains("srt_"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_token_used_many_times_at_once_yields_one_branch() {
    let product = Product::start().await;
    let (_, first) = product.signed_in("ann").await;
    let uses = (0..20).map(|_| product.post("/token/refresh", json!({"refresh_token": first})));
    let answers = futures::future::join_all(uses).await;
    let mut tokens: Vec<String> =
        answers.into_iter().map(|got| got.expect(200, "").str("refresh_token")).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_acts_on_the_very_next_request() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let (one, other) = (product.login(&email).await, product.login(&email).await);
    let (token, others) = (one.str("access_token"), other.str("access_token"));
    let out = product.with(&token, "POST", "/logout", json!(null)).await.expect(204, "");
    assert_eq!(out.text, "");
    assert!(out.headers.contains_key("clear-site-data"));
    product.with(&token, "GET", "/session", json!(null)).await.expect(401, "unauthorized");
    let body = json!({"refresh_token": one.str("refresh_token")});
    product.post("/token/refresh", body).await.expect(401, "unauthorized");
    let third = product.login(&email).await.str("access_token");
    product.with(&others, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    for token in [others, third] {
        product.with(&token, "GET", "/sessions", json!(null)).await.expect(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended_by_their_owner_only() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let (one, other) = (product.login(&email).await.str("access_token"), product.login(&email).await);
    let list = product.with(&one, "GET", "/sessions", json!(null)).await.expect(200, "");
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let theirs = items.iter().find(|item| item["current"] == false).unwrap();
    let path = format!("/sessions/{}", theirs["id"].as_str().unwrap());
    let (stranger, _) = product.signed_in("bob").await;
    product.with(&stranger, "DELETE", &path, json!(null)).await.expect(404, "not_found");
    product.with(&one, "DELETE", &path, json!(null)).await.expect(204, "");
    product.with(&one, "DELETE", &path, json!(null)).await.expect(404, "not_found");
    product
        .with(&other.str("access_token"), "GET", "/session", json!(null))
        .await
        .expect(401, "unauthorized");
    let logins = product.with(&one, "GET", "/logins?limit=1", json!(null)).await.expect(200, "");
    assert_eq!(logins.body["items"].as_array().unwrap().len(), 1);
    let next = format!("/logins?limit=1&cursor={}", logins.str("next_cursor"));
    let second = product.with(&one, "GET", &next, json!(null)).await.expect(200, "");
    assert_eq!(second.body["next_cursor"], Value::Null);
    product.with(&stranger, "GET", &next, json!(null)).await.expect(400, "bad_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_idle_and_in_the_end() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let refresh = async |token: String| product.post("/token/refresh", json!({"refresh_token": token})).await;
    let mut token = product.login(&email).await.str("refresh_token");
    product.wait(29 * 60);
    token = refresh(token).await.expect(200, "").str("refresh_token");
    product.wait(30 * 60);
    refresh(token).await.expect(401, "session_expired");
    let mut token = product.login(&email).await.str("refresh_token");
    for _ in 0..24 {
        product.wait(29 * 60);
        token = refresh(token).await.expect(200, "").str("refresh_token");
    }
    product.wait(25 * 60);
    refresh(token).await.expect(401, "session_expired");
    let got = product.login(&email).await;
    product.wait(5 * 60 + 6);
    product.with(&got.str("access_token"), "GET", "/session", json!(null)).await.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_eleventh_session_ends_the_one_that_was_idle_longest() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let first = product.login(&email).await.str("access_token");
    for _ in 0..10 {
        product.wait(1);
        product.login(&email).await;
    }
    product.with(&first, "GET", "/session", json!(null)).await.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_foreign_token_is_refused() {
    let product = Product::start().await;
    let (token, refresh) = product.signed_in("ann").await;
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| -> Value { serde_json::from_slice(&decode_base64url(part).unwrap()).unwrap() };
    let (header, claims) = (read(parts[0]), read(parts[1]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));
    let jwks = product.ask("GET", "/.well-known/jwks.json", &[], json!(null)).await;
    assert_eq!(jwks.body["keys"][0]["kid"], header["kid"]);
    assert!(jwks.body["keys"][0]["d"].is_null());
    let public = format!("{}{}", jwks.body["keys"][0]["x"], jwks.body["keys"][0]["y"]);
    let join = |header: &Value, claims: &Value, signature: &[u8]| {
        let body =
            format!("{}.{}", encode_base64url(header.to_string()), encode_base64url(claims.to_string()));
        format!("{body}.{}", encode_base64url(signature))
    };
    let random = ring::rand::SystemRandom::new();
    let own = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let own = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, own.as_ref(), &random).unwrap();
    let own_key = |header: &Value, claims: &Value| {
        let body =
            format!("{}.{}", encode_base64url(header.to_string()), encode_base64url(claims.to_string()));
        join(header, claims, own.sign(&random, body.as_bytes()).unwrap().as_ref())
    };
    let with = |mut value: Value, field: &str, other: Value| {
        value[field] = other;
        value
    };
    let hs = with(header.clone(), "alg", json!("HS256"));
    let hs_body = format!("{}.{}", encode_base64url(hs.to_string()), encode_base64url(claims.to_string()));
    let tag = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes()),
        hs_body.as_bytes(),
    );
    let signature = decode_base64url(parts[2]).unwrap();
    let forged = [
        join(&with(header.clone(), "alg", json!("none")), &claims, b""),
        join(&hs, &claims, tag.as_ref()),
        join(&with(header.clone(), "typ", json!("JWT")), &claims, &signature),
        join(&with(header.clone(), "typ", json!("service+jwt")), &claims, &signature),
        join(&header, &with(claims.clone(), "sub", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")), &signature),
        join(&header, &with(claims.clone(), "exp", json!(4_000_000_000_u32)), &signature),
        own_key(&header, &claims),
        own_key(&with(header.clone(), "kid", json!("../../etc/passwd")), &claims),
        own_key(&with(header.clone(), "kid", json!("foreign")), &claims),
        own_key(&with(header.clone(), "jku", json!("https://evil.example/jwks")), &claims),
        own_key(&with(header.clone(), "jwk", jwks.body["keys"][0].clone()), &claims),
        refresh,
        "x".repeat(20_000),
        String::new(),
    ];
    for forged in &forged {
        let got = product.with(forged, "GET", "/sessions", json!(null)).await.expect(401, "unauthorized");
        assert!(got.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    for header in ["Basic YTpi", "Bearer", "bearer"] {
        product
            .ask("GET", "/sessions", &[("authorization", header)], json!(null))
            .await
            .expect(401, "unauthorized");
    }
    product.with(&token, "GET", "/sessions", json!(null)).await.expect(200, "");
    product.ask("GET", "/sessions", &[], json!(null)).await.expect(401, "unauthorized");
    let guest = product.ask("GET", "/session", &[], json!(null)).await.expect(200, "");
    assert_eq!(guest.body, json!({"user": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_session_needs_its_page_for_every_unsafe_call() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let evil = [("origin", "https://evil.example")];
    product.ask("POST", "/login", &evil, body.clone()).await.expect(403, "csrf");
    let sign_in = async || {
        let got = product.post("/login", body.clone()).await.expect(200, "");
        assert!(got.body["access_token"].is_null() && got.body["refresh_token"].is_null());
        format!("__Host-session={}", got.cookie("__Host-session").unwrap())
    };
    let (cookie, other) = (sign_in().await, sign_in().await);
    let csrf = async |cookie: &str| {
        let got = product.ask("GET", "/csrf", &[("cookie", cookie)], json!(null)).await.expect(200, "");
        got.str("csrf_token")
    };
    let (token, others) = (csrf(&cookie).await, csrf(&other).await);
    let out = async |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        product.ask("POST", "/logout", &all, json!({})).await
    };
    out(&[]).await.expect(403, "csrf");
    out(&[("x-csrf-token", "wrong")]).await.expect(403, "csrf");
    out(&[("x-csrf-token", &others)]).await.expect(403, "csrf");
    out(&[("x-csrf-token", &token), ("origin", "https://evil.example")]).await.expect(403, "csrf");
    out(&[("x-csrf-token", &token), ("sec-fetch-site", "cross-site")]).await.expect(403, "csrf");
    let form = [("cookie", cookie.as_str()), ("x-csrf-token", &token), ("content-type", "text/plain")];
    product.ask("POST", "/logout", &form, json!({})).await.expect(415, "unsupported_media_type");
    let gone = out(&[("x-csrf-token", &token), ("origin", "https://app.example")]).await.expect(204, "");
    assert_eq!(gone.cookie("__Host-session").as_deref(), Some(""));
    product.ask("GET", "/session", &[("cookie", &cookie)], json!(null)).await.expect(401, "unauthorized");
    product.wait(2 * 3600 + 1);
    let late = [("cookie", other.as_str()), ("x-csrf-token", others.as_str())];
    product.ask("POST", "/logout", &late, json!(null)).await.expect(401, "session_expired");
    let edited = format!("{}x", &other[..other.len() - 1]);
    product.ask("GET", "/session", &[("cookie", &edited)], json!(null)).await.expect(401, "unauthorized");
    let twice = format!("{other}; {other}");
    let got = product.ask("GET", "/sessions", &[("cookie", &twice)], json!(null)).await;
    got.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_needs_a_token_to_begin_a_cookie_session_and_a_program_does_not() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let page = [("origin", "https://app.example"), ("sec-fetch-site", "same-site")];
    let login = async |more: &[(&str, &str)]| {
        let headers = [&page, more].concat();
        product.ask("POST", "/login", &headers, body.clone()).await
    };
    let form = async |cookie: Option<&str>| {
        let headers: Vec<_> = cookie.iter().map(|cookie| ("cookie", *cookie)).collect();
        let got = product.ask("GET", "/csrf", &headers, json!(null)).await.expect(200, "");
        (got.str("csrf_token"), format!("__Host-csrf={}", got.cookie("__Host-csrf").unwrap()))
    };
    let (token, cookie) = form(None).await;
    let (other, others) = form(None).await;
    login(&[]).await.expect(403, "csrf");
    login(&[("cookie", &cookie)]).await.expect(403, "csrf");
    login(&[("x-csrf-token", &token)]).await.expect(403, "csrf");
    login(&[("x-csrf-token", &other), ("cookie", &cookie)]).await.expect(403, "csrf");
    login(&[("x-csrf-token", &token), ("cookie", &others)]).await.expect(403, "csrf");
    let elsewhere = [("origin", "https://evil.example"), ("x-csrf-token", &token), ("cookie", &cookie)];
    product.ask("POST", "/login", &elsewhere, body.clone()).await.expect(403, "csrf");
    let right = [("x-csrf-token", token.as_str()), ("cookie", cookie.as_str())];
    let got = login(&right).await.expect(200, "");
    assert!(got.body["access_token"].is_null() && got.body["refresh_token"].is_null());
    // A second page of the same browser has the same cookie, and a token of its own.
    let (second, same) = form(Some(&cookie)).await;
    assert_eq!(same, cookie);
    assert_ne!(second, token);
    // The form's token opens nothing in the session, and the session's is good for another login.
    let session = format!("__Host-session={}", got.cookie("__Host-session").unwrap());
    let both = format!("{session}; {cookie}");
    let out = [("cookie", both.as_str()), ("x-csrf-token", &token)];
    product.ask("POST", "/logout", &out, json!({})).await.expect(403, "csrf");
    let own = product.ask("GET", "/csrf", &[("cookie", &session)], json!(null)).await.expect(200, "");
    assert!(own.cookie("__Host-csrf").is_none());
    login(&[("x-csrf-token", &own.str("csrf_token")), ("cookie", &session)]).await.expect(200, "");
    // The second step of a login is a form too; programs and tokens need none.
    let bearer = product.login(&email).await.str("access_token");
    let (secret, ..) = product.enrol(&bearer).await;
    product.wait(30);
    let ticket = product.post("/login", body.clone()).await.expect(200, "").str("mfa_token");
    let step = json!({"mfa_token": ticket, "code": product.code(&secret)});
    product.ask("POST", "/login/mfa", &page, step.clone()).await.expect(403, "csrf");
    let with = [&page, right.as_slice()].concat();
    product.ask("POST", "/login/mfa", &with, step).await.expect(200, "");
    product.wait(2 * 3600);
    login(&right).await.expect(403, "csrf");
    // Registration checks what it is given.
    let register = json!({"username": "bob", "email": "bob@example.org", "password": PASSWORD});
    product.ask("POST", "/register", &with, register.clone()).await.expect(403, "csrf");
    product.ask("POST", "/register", &elsewhere[..1], register.clone()).await.expect(403, "csrf");
    product.ask("POST", "/register", &page, register).await.expect(202, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_session_is_prolonged_by_use_and_by_asking() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let got = product.post("/login", body).await.expect(200, "");
    let cookie = format!("__Host-session={}", got.cookie("__Host-session").unwrap());
    let token = product.ask("GET", "/csrf", &[("cookie", &cookie)], json!(null)).await.str("csrf_token");
    let refresh = async |headers: &[(&str, &str)], body: Value| {
        product.ask("POST", "/token/refresh", headers, body).await
    };
    product.wait(29 * 60);
    refresh(&[("cookie", &cookie)], json!(null)).await.expect(403, "csrf");
    let page = [("cookie", cookie.as_str()), ("x-csrf-token", &token)];
    let got = refresh(&page, json!(null)).await.expect(200, "");
    assert_eq!(got.body["expires_in"], 12 * 3600 - 29 * 60);
    assert!(got.body["access_token"].is_null() && got.body["refresh_token"].is_null());
    product.wait(29 * 60);
    product.ask("GET", "/session", &[("cookie", &cookie)], json!(null)).await.expect(200, "");
    product.wait(29 * 60);
    refresh(&page, json!({})).await.expect(200, "");
    product.wait(30 * 60);
    let late = product.ask("GET", "/sessions", &[("cookie", &cookie)], json!(null)).await;
    late.expect(401, "session_expired");
    for body in [json!(null), json!({})] {
        refresh(&[], body).await.expect(422, "invalid_body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_says_who_sends_is_given_once() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let bearer = format!("Bearer {token}");
    for (name, value) in [("authorization", bearer.as_str()), ("cookie", "a=1"), ("idempotency-key", "k")] {
        let own = [("authorization", bearer.as_str())];
        let own = if name == "authorization" { &own[..0] } else { &own[..] };
        let once = [own, &[(name, value)]].concat();
        product.ask("GET", "/session", &once, json!(null)).await.expect(200, "");
        for other in [value, "x"] {
            let twice = [own, &[(name, value), (name, other)]].concat();
            let got = product.ask("GET", "/session", &twice, json!(null)).await.expect(400, "bad_parameter");
            assert_eq!(got.body["errors"][0]["pointer"], format!("/{name}"));
            assert_eq!(got.body["errors"][0]["code"], "repeated");
        }
    }
}
