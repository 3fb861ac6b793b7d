use std::sync::{Mutex, OnceLock};

use aws_sdk_dynamodb::types::AttributeValue;
use screensort_auth::token::Jwks;
use screensort_crypto::{KeyId, KeyRing, MacKey, RingKey, SigningKey, decode_base64url, encode_base64url};
use screensort_runtime::Stack;
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

const NEW: &str = "Another-kettle8 sings";

/// A ring of the stand's, as it is kept.
async fn ring<K: RingKey>(product: &Product, name: &str) -> KeyRing<K> {
    KeyRing::from_json(&product.stand.stack.secret(name).await.unwrap()).unwrap()
}

async fn put_secret(product: &Product, name: &str, text: &str) {
    let put = product.stand.stack.secrets().put_secret_value().secret_id(name).secret_string(text);
    put.send().await.unwrap();
}

/// Adds a key to a ring and makes it the one that writes.
async fn rotate<K: RingKey>(product: &Product, name: &str) -> KeyRing<K> {
    let mut ring: KeyRing<K> = ring(product, name).await;
    let now = product.clock.now();
    let id = KeyId::new("20261122-rotated").unwrap();
    ring.publish(id, K::generate().unwrap(), now).unwrap();
    ring.promote("20261122-rotated", now).unwrap();
    put_secret(product, name, &ring.to_json().unwrap()).await;
    ring
}

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

/// An item of the table of credentials, changed behind the product's back.
async fn tamper(product: &Product, account: &str, sk: &str, field: &str, value: Option<&str>) {
    let table = &product.stand.stack.settings().tables.auth;
    let client = product.stand.stack.dynamodb();
    let update = client
        .update_item()
        .table_name(table)
        .key("pk", AttributeValue::S(format!("ACCOUNT#{account}")))
        .key("sk", AttributeValue::S(sk.to_owned()))
        .expression_attribute_names("#field", field);
    let update = match value {
        Some(value) => update
            .update_expression("SET #field = :value")
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned())),
        None => update.update_expression("REMOVE #field"),
    };
    update.send().await.unwrap();
}

async fn person(product: &Product, email: &str) -> screensort_store::Person {
    let accounts = product.stand.stack.accounts().list(None, 100).await.unwrap();
    let name = email.split('@').next().unwrap();
    let id = accounts.into_iter().find(|account| account.username == name).unwrap().id;
    product.stand.stack.accounts().person(&id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_field_is_worth_nothing_elsewhere_and_nothing_without_its_key() {
    let product = Product::start().await;
    let (mut people, mut secrets) = (Vec::new(), Vec::new());
    for name in ["ann", "bob"] {
        let (token, _) = product.signed_in(name).await;
        secrets.push(product.enrol(&token).await);
        people.push(person(&product, &format!("{name}@example.org")).await);
    }
    product.wait(30);
    let second_step = async |code: String| {
        let ticket = product.login("ann@example.org").await.str("mfa_token");
        product.post("/login/mfa", json!({"mfa_token": ticket, "code": code})).await
    };
    let id = people[0].account.id.as_str();
    let own = people[0].credentials.totp.clone().unwrap();
    // Bob's secret in Ann's place, with the code that Bob's authenticator shows.
    tamper(&product, id, "CREDENTIALS", "totp", people[1].credentials.totp.as_deref()).await;
    second_step(product.code(&secrets[1].0)).await.expect(500, "internal_error");
    // Ann's own address in the place of her secret.
    tamper(&product, id, "CREDENTIALS", "totp", Some(&people[0].account.email)).await;
    second_step(product.code(&secrets[0].0)).await.expect(500, "internal_error");
    // One changed character.
    let mut edited = own.clone().into_bytes();
    let last = edited.len() - 1;
    edited[last] = if edited[last] == b'A' { b'B' } else { b'A' };
    tamper(&product, id, "CREDENTIALS", "totp", Some(std::str::from_utf8(&edited).unwrap())).await;
    second_step(product.code(&secrets[0].0)).await.expect(500, "internal_error");
    // Bob's key does not open Ann's fields, nor is it opened for her.
    tamper(&product, id, "CREDENTIALS", "totp", Some(&own)).await;
    let keys = [people[0].wrapped_key.clone().unwrap(), people[1].wrapped_key.clone().unwrap()];
    tamper(&product, id, "KEY", "wrapped", Some(&keys[1])).await;
    second_step(product.code(&secrets[0].0)).await.expect(500, "internal_error");
    tamper(&product, id, "KEY", "wrapped", Some(&keys[0])).await;
    product.wait(15 * 60);
    second_step(product.code(&secrets[0].0)).await.expect(200, "");
    // Shredded: the key is deleted, and what was sealed stays sealed wherever it was copied.
    let client = product.stand.stack.dynamodb();
    client
        .delete_item()
        .table_name(&product.stand.stack.settings().tables.auth)
        .key("pk", AttributeValue::S(format!("ACCOUNT#{id}")))
        .key("sk", AttributeValue::S("KEY".to_owned()))
        .send()
        .await
        .unwrap();
    product.wait(30);
    let shredded = person(&product, "ann@example.org").await;
    assert!(screensort_accounts::person::data_key(&product.stand.stack, &shredded).await.is_err());
    second_step(product.code(&secrets[0].0)).await.expect(500, "internal_error");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_running_accounts() {
    let product = Product::start().await;
    let settings = product.stand.stack.settings().clone();
    let (token, refresh) = product.signed_in("ann").await;
    let device = product.login("ann@example.org").await.cookie("__Host-device").unwrap();
    let kid = |token: &str| -> Value {
        let header = decode_base64url(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
    };
    // The public half is published before the private one signs.
    let signing: KeyRing<SigningKey> = rotate(&product, &settings.signing_secret).await;
    put_secret(&product, &settings.jwks_secret, &json!(Jwks::of(&signing)).to_string()).await;
    rotate::<MacKey>(&product, &settings.index_secret).await;
    rotate::<MacKey>(&product, &settings.mac_secret).await;
    product.wait(4 * 60 + 59);
    product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
    // Copies in memory are five minutes old at most.
    product.wait(2);
    let got = product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    assert_eq!(kid(&got.str("access_token")), "20261122-rotated");
    assert_ne!(kid(&token), "20261122-rotated");
    product.with(&got.str("access_token"), "GET", "/session", Value::Null).await.expect(200, "");
    let jwks = product.ask("GET", "/.well-known/jwks.json", &[], Value::Null).await;
    assert_eq!(jwks.body["keys"].as_array().unwrap().len(), 2);
    // The address is found under the old term, is still hers alone, and the device is still known.
    let before = product.mails().await.len();
    let cookie = format!("__Host-device={device}");
    let headers = [("cookie", cookie.as_str()), ("x-local-source", "192.0.2.77")];
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    product.ask("POST", "/login", &headers, body).await.expect(200, "");
    assert_eq!(product.mails().await.len(), before, "a known device is not reported");
    let again = json!({"username": "other", "email": "ann@example.org", "password": PASSWORD});
    product.post("/register", again).await.expect(202, "");
    assert_eq!(product.stand.stack.accounts().list(None, 100).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pepper_is_rotated_by_the_logins_after_it() {
    let product = Product::start().await;
    product.person("ann").await;
    let old = person(&product, "ann@example.org").await.credentials.password;
    assert!(old.starts_with("p1|"));
    let mut settings = product.stand.stack.settings().clone();
    settings.old_peppers = vec![(settings.pepper_id.clone(), settings.pepper_key.clone())];
    settings.pepper_id = KeyId::new("p2").unwrap();
    settings.pepper_key = "alias/screensort-index".to_owned();
    let rotated = product.beside(Stack::new(settings.clone(), product.clock.clone())).await;
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    rotated
        .post("/login", json!({"email": "ann@example.org", "password": NEW}))
        .await
        .expect(401, "invalid_credentials");
    rotated.post("/login", body.clone()).await.expect(200, "");
    let new = person(&product, "ann@example.org").await.credentials.password;
    assert!(new.starts_with("p2|"), "the login put the new pepper in the old one's place");
    rotated.post("/login", body.clone()).await.expect(200, "");
    // Without the old key a hash that still needs it is an error of ours, not a wrong password.
    let bob = product.person("bob").await;
    settings.old_peppers.clear();
    let forgetful = product.beside(Stack::new(settings, product.clock.clone())).await;
    forgetful.post("/login", body).await.expect(200, "");
    forgetful.post("/login", json!({"email": bob, "password": PASSWORD})).await.expect(500, "internal_error");
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
    let product = Product::start().await;
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
