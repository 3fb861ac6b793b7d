use std::sync::{Mutex, OnceLock};

use screensort::stand::Choices;
use screensort_crypto::{KeyRing, SigningKey, decode_base64url, encode_base64url};
use screensort_runtime::Texts;
use serde_json::{Value, json};

use crate::keys::ring;
use crate::product::{PASSWORD, Product};

const NEW: &str = "Another-kettle8 sings";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signed_with_our_own_key_must_say_the_right_things() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| -> Value { serde_json::from_slice(&decode_base64url(part).unwrap()).unwrap() };
    let (header, claims) = (read(parts[0]), read(parts[1]));
    let settings = product.stand.stack.settings();
    let signing: KeyRing<SigningKey> = ring(&product, &settings.signing_secret).await;
    let sign = |header: &Value, claims: &Value| {
        let body =
            format!("{}.{}", encode_base64url(header.to_string()), encode_base64url(claims.to_string()));
        let signature = signing.current().key.sign(body.as_bytes()).unwrap();
        format!("{body}.{}", encode_base64url(signature))
    };
    // Signed again without a change it is good: what follows is refused for what it says.
    product.with(&sign(&header, &claims), "GET", "/sessions", Value::Null).await.expect(200, "");
    let now = product.clock.now().as_second();
    let with = |mut value: Value, field: &str, other: Value| {
        if other.is_null() {
            value.as_object_mut().unwrap().remove(field);
        } else {
            value[field] = other;
        }
        value
    };
    let mut forged = Vec::new();
    for (field, other) in [
        ("typ", json!("JWT")),
        ("typ", json!("service+jwt")),
        ("typ", Value::Null),
        ("alg", json!("none")),
        ("alg", json!("ES384")),
        ("alg", json!("HS256")),
        ("kid", json!("../../../dev/null")),
        ("kid", json!("foreign")),
        ("kid", Value::Null),
    ] {
        forged.push(sign(&with(header.clone(), field, other), &claims));
    }
    let other_person = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for (field, other) in [
        ("aud", json!("another-api")),
        ("aud", json!(["another-api"])),
        ("aud", Value::Null),
        ("iss", json!("https://evil.example")),
        ("iss", Value::Null),
        ("exp", json!(now - 3_600)),
        ("exp", Value::Null),
        ("nbf", json!(now + 3_600)),
        ("sub", json!(other_person)),
        ("sub", Value::Null),
        ("sid", json!(format!("{other_person}-{other_person}"))),
        ("sid", json!("../x")),
        ("sid", Value::Null),
    ] {
        forged.push(sign(&header, &with(claims.clone(), field, other)));
    }
    for forged in &forged {
        let got = product.with(forged, "GET", "/sessions", Value::Null).await;
        assert_eq!((got.status, got.code()), (401, "unauthorized"), "{forged}: {}", got.text);
        // Where nobody need be signed in, a bad token is still not taken for none.
        product.with(forged, "GET", "/session", Value::Null).await.expect(401, "unauthorized");
    }
    // Nothing that a token says about rights is believed.
    let more = with(with(claims, "scope", json!("user admin")), "acr", json!("aal2"));
    let got = product.with(&sign(&header, &more), "GET", "/session", Value::Null).await.expect(200, "");
    assert_eq!((&got.body["roles"], &got.body["acr"]), (&json!(["user"]), &json!("aal1")));
    product.with(&sign(&header, &more), "GET", "/admin/users", Value::Null).await.expect(403, "forbidden");
}

/// A bearer session and a cookie session of one person, as headers.
async fn two_sessions(product: &Product, email: &str) -> [Vec<(&'static str, String)>; 2] {
    let bearer = product.login(email).await.str("access_token");
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let got = product.post("/login", body).await.expect(200, "");
    let cookie = format!("__Host-session={}", got.cookie("__Host-session").unwrap());
    let csrf = product.ask("GET", "/csrf", &[("cookie", &cookie)], Value::Null).await.str("csrf_token");
    [vec![("authorization", format!("Bearer {bearer}"))], vec![("cookie", cookie), ("x-csrf-token", csrf)]]
}

async fn ask(
    product: &Product,
    as_who: &[(&'static str, String)],
    method: &str,
    path: &str,
    body: Value,
) -> crate::product::Got {
    let headers: Vec<(&str, &str)> = as_who.iter().map(|(name, value)| (*name, value.as_str())).collect();
    product.ask(method, path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_ends_it_for_the_next_request_by_token_and_by_cookie() {
    let product = Product::start().await;
    let admin = product.admin_token().await;
    for (n, what) in ["logout", "all", "password", "reset", "roles", "disabled", "revoked"].iter().enumerate()
    {
        let name = format!("name{n}");
        let email = product.person(&name).await;
        let other = product.login(&email).await;
        let sessions = two_sessions(&product, &email).await;
        for session in &sessions {
            ask(&product, session, "GET", "/sessions", Value::Null).await.expect(200, "");
        }
        let own = other.str("access_token");
        let id = other.body["user"]["id"].as_str().unwrap().to_owned();
        let path = format!("/admin/users/{id}");
        match *what {
            "logout" => {
                for session in &sessions {
                    ask(&product, session, "POST", "/logout", Value::Null).await.expect(204, "");
                }
            }
            "all" => {
                product.with(&own, "POST", "/logout", json!({"all": true})).await.expect(204, "");
            }
            "password" => {
                let body = json!({"current_password": PASSWORD, "new_password": NEW});
                product.with(&own, "PUT", "/password", body).await.expect(204, "");
            }
            "reset" => {
                let source = format!("203.0.{n}.1");
                product.post_from(&source, "/password/forgot", json!({"email": email})).await.expect(202, "");
                let token = product.mailed(&email, "Set a new").await;
                let body = json!({"token": token, "new_password": NEW});
                product.post("/password/reset", body).await.expect(204, "");
            }
            "roles" => {
                product
                    .with(&admin, "PATCH", &path, json!({"roles": ["user", "admin"]}))
                    .await
                    .expect(200, "");
            }
            "disabled" => {
                product.with(&admin, "PATCH", &path, json!({"disabled": true})).await.expect(200, "");
            }
            _ => {
                let all = product.with(&own, "GET", "/sessions", Value::Null).await.expect(200, "");
                for one in all.body["items"].as_array().unwrap() {
                    let path = format!("/sessions/{}", one["id"].as_str().unwrap());
                    if one["current"] == false {
                        product.with(&own, "DELETE", &path, Value::Null).await.expect(204, "");
                    }
                }
            }
        }
        for session in &sessions {
            ask(&product, session, "GET", "/sessions", Value::Null).await.expect(401, "unauthorized");
            ask(&product, session, "POST", "/logout", Value::Null).await.expect(401, "unauthorized");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_that_ends_takes_its_access_token_along() {
    let product = Product::start().await;
    let (_, first) = product.signed_in("ann").await;
    let second = product.post("/token/refresh", json!({"refresh_token": first})).await.expect(200, "");
    let access = second.str("access_token");
    product.with(&access, "GET", "/sessions", Value::Null).await.expect(200, "");
    product.wait(11);
    product.post("/token/refresh", json!({"refresh_token": first})).await.expect(401, "token_reuse");
    product.with(&access, "GET", "/sessions", Value::Null).await.expect(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_who_remove_each_other_leave_one() {
    for _ in 0..3 {
        let product = Product::start().await;
        let (_, _) = product.signed_in("ann").await;
        let admin = product.admin_token().await;
        let users = product.with(&admin, "GET", "/admin/users?limit=100", Value::Null).await;
        let id = |name: &str| {
            let items = users.body["items"].as_array().unwrap();
            items.iter().find(|item| item["username"] == name).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (ann, first) = (id("ann"), id("admin"));
        let path = |id: &str| format!("/admin/users/{id}");
        product.with(&admin, "PATCH", &path(&ann), json!({"roles": ["user", "admin"]})).await.expect(200, "");
        let token = product.login("ann@example.org").await.str("access_token");
        // Her own factor makes her session one that the role counts in.
        let (_, _, second) = product.enrol(&token).await;
        let demoted = json!({"roles": ["user"]});
        let (one, other) = (path(&first), path(&ann));
        let (a, b) = tokio::join!(
            product.with(&second, "PATCH", &one, demoted.clone()),
            product.with(&admin, "PATCH", &other, demoted.clone())
        );
        assert_eq!([a.status, b.status].iter().filter(|status| **status == 200).count(), 1, "{a:?} {b:?}");
        assert_eq!(product.stand.stack.accounts().administrator_count().await.unwrap(), 1);
    }
}

/// Everything that was logged in this process.
static LOG: OnceLock<&'static Mutex<Vec<u8>>> = OnceLock::new();

struct Lines;

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.get().unwrap().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_log_nor_the_tables_hold_anything_that_was_typed_or_handed_out() {
    LOG.set(Box::leak(Box::default())).unwrap();
    // More than is ever logged in earnest: everything of ours.
    let filter = "info,screensort_store=trace,screensort_http=trace,screensort_accounts=trace,\
                  screensort_runtime=trace,screensort_auth=trace,screensort_crypto=trace,security=trace";
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(|| Lines).init();
    let texts = Texts { countries: vec!["+44".to_owned()], sender: None, per_day: 500 };
    let product = Product::start_with(Choices { texts: Some(texts), ..Choices::default() }).await;
    let email = "planted.address@example.org";
    let register = json!({"username": "planted", "email": email, "password": PASSWORD});
    product.post("/register", register).await.expect(202, "");
    let verify = product.mailed(email, "Verify").await;
    product.post("/register/verify", json!({"token": verify})).await.expect(204, "");
    let wrong = "Planted-wrong4 guess";
    product
        .post("/login", json!({"email": email, "password": wrong}))
        .await
        .expect(401, "invalid_credentials");
    let got = product.login(email).await;
    let (token, refresh) = (got.str("access_token"), got.str("refresh_token"));
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    let cookie = product.post("/login", body).await.cookie("__Host-session").unwrap();
    let phone = "+442079460123";
    product.with(&token, "POST", "/mfa/sms", json!({"phone": phone})).await.expect(202, "");
    let texted = product.mailed(phone, "Text message").await;
    product.with(&token, "PUT", "/mfa/sms", json!({"code": texted})).await.expect(200, "");
    let (secret, codes, raised) = product.enrol(&token).await;
    product.wait(30);
    let ticket = product.login(email).await.str("mfa_token");
    let code = json!({"mfa_token": ticket, "recovery_code": codes[0]});
    product.post("/login/mfa", code).await.expect(200, "");
    product
        .with(&raised, "POST", "/email", json!({"email": "planted.new@example.org"}))
        .await
        .expect(202, "");
    let confirm = product.mailed("planted.new@example.org", "Confirm").await;
    product.post("/password/forgot", json!({"email": email})).await.expect(202, "");
    let reset = product.mailed(email, "Set a new").await;
    product.post("/password/reset", json!({"token": reset, "new_password": NEW})).await.expect(204, "");
    product.with("not-a-token", "GET", "/session", Value::Null).await.expect(401, "unauthorized");

    let mut seen = String::from_utf8_lossy(&LOG.get().unwrap().lock().unwrap()).into_owned();
    assert!(seen.contains("auth.login.succeeded"), "the log is the right one");
    for record in product.gateway.records() {
        seen.push_str(&record.json());
    }
    let client = product.stand.stack.dynamodb();
    for table in client.list_tables().send().await.unwrap().table_names() {
        let mut start = None;
        loop {
            let page = client.scan().table_name(table).set_exclusive_start_key(start).send().await.unwrap();
            seen.push_str(&format!("{:?}", page.items()));
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
    }
    assert!(seen.contains("CREDENTIALS"), "the dump is of the right table");
    let secret = secret.to_base32();
    let session = cookie.split_once('.').unwrap().1;
    for planted in [
        email,
        "planted.address",
        "planted.new",
        "2079460123",
        PASSWORD,
        wrong,
        NEW,
        verify.as_str(),
        reset.as_str(),
        confirm.as_str(),
        &token,
        &raised,
        &refresh,
        session,
        &ticket,
        &secret,
        &codes[0],
        &codes[0].replace('-', ""),
        &codes[9],
    ] {
        assert!(!seen.contains(planted), "{planted} was found");
    }
}
