use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use screensort_auth::token::Jwks;
use screensort_crypto::{KeyId, KeyRing, KeyService, MacKey, RingKey, SigningKey, decode_base64url};
use screensort_http::{Endpoint, Incoming};
use screensort_runtime::Stack;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::product::{PASSWORD, Product};

const NEW: &str = "Another-kettle8 sings";

/// A ring of the stand's, as it is kept.
pub(crate) async fn ring<K: RingKey>(product: &Product, name: &str) -> KeyRing<K> {
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
    let known = product.mails().await.iter().any(|mail| mail["subject"] == "You already have an account");
    assert!(known, "found under the old term");
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
async fn another_key_wraps_peoples_keys_and_what_the_one_before_wrapped_is_opened() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let (token, _) = product.signed_in("ann").await;
    let (secret, ..) = product.enrol(&token).await;
    let token = product.login("ann@example.org").await.str("mfa_token");
    product.wait(30);
    let code = json!({"mfa_token": token, "code": product.code(&secret)});
    let token = product.post("/login/mfa", code).await.expect(200, "").str("access_token");
    product.with(&token, "PATCH", "/profile", json!({"bio": "Likes ferries"})).await.expect(200, "");
    let mut settings = stack.settings().clone();
    settings.old_data_keys = vec![settings.data_key.clone()];
    settings.data_key = "alias/screensort-library".to_owned();
    let after = Stack::new(settings.clone(), product.clock.clone());
    settings.old_data_keys.clear();
    let forgetful = Stack::new(settings, product.clock.clone());
    // Everything that is sealed for her, in both tables.
    let ann = person(&product, "ann@example.org").await;
    let id = ann.account.id.as_str();
    let key = screensort_accounts::person::data_key(&after, &ann).await.unwrap();
    let email = screensort_accounts::person::open_email(&key, id, "email", &ann.account.email).unwrap();
    assert_eq!(email.as_str(), "ann@example.org");
    let totp = ann.credentials.totp.as_deref().unwrap();
    let opened = screensort_accounts::person::open(&key, id, "totp", totp).unwrap();
    assert_eq!(opened.as_slice(), secret.as_bytes());
    let (profile, _) = after.library().profile(id).await.unwrap();
    let bio = after.private(id).await.unwrap().open("bio", &profile.bio.unwrap()).unwrap();
    assert_eq!(bio, "Likes ferries");
    // Who comes now is wrapped under the new key alone, and the old one opens nothing of theirs.
    let context = screensort_accounts::person::key_context("01NEW");
    let made = after.keys().generate_data_key(&context).await.unwrap();
    forgetful.keys().decrypt(&made.wrapped, &context).await.unwrap();
    assert!(stack.keys().decrypt(&made.wrapped, &context).await.is_err());
    assert!(screensort_accounts::person::data_key(&forgetful, &ann).await.is_err());
    // Another person's wrapped key stays theirs under every key.
    let other = screensort_accounts::person::key_context("01OTHER");
    assert!(after.keys().decrypt(&made.wrapped, &other).await.is_err());
}

/// What stands between the product and the other services of AWS, and writes down what the key service is asked.
async fn between(services: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let behind = services.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (noted, behind) = (Arc::clone(&noted), behind.clone());
            tokio::spawn(async move {
                let server = tokio::net::TcpStream::connect(behind).await.unwrap();
                let ((mut from, mut to), (mut back, mut out)) = (client.into_split(), server.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut back, &mut to).await });
                let mut bytes = vec![0; 65_536];
                while let Ok(read @ 1..) = from.read(&mut bytes).await {
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    for call in text.split("TrentService.").skip(1) {
                        let name = call.chars().take_while(char::is_ascii_alphanumeric).collect();
                        noted.lock().unwrap().push(name);
                    }
                    if out.write_all(&bytes[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (url, calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_service_is_asked_the_same_whoever_is_meant() {
    let product = Product::start().await;
    product.person("ann").await;
    let mut settings = product.stand.stack.settings().clone();
    let (url, calls) = between(settings.services_url.as_deref().unwrap()).await;
    settings.services_url = Some(url);
    let stack = Stack::new(settings, product.clock.clone());
    let endpoints = screensort_accounts::endpoints();
    // Through the handlers alone: the mailer, which writes to those who exist, has its own time.
    let asked = async |path: &str, body: Value, status: u16| {
        calls.lock().unwrap().clear();
        let request = Incoming {
            method: http::Method::POST,
            path: path.to_owned(),
            path_parameters: Vec::new(),
            query: Vec::new(),
            headers: [(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]
                .into_iter()
                .collect(),
            body: body.to_string().into(),
            source: [203, 0, 113, 7].into(),
            request_id: "01KAPJ5Z4V3T3NB8S3K6M5Q2WZ".to_owned(),
            checked: Default::default(),
        };
        let serves = |endpoint: &&Endpoint<Stack>| {
            endpoint.operations().iter().any(|operation| operation.route.path == path)
        };
        let answer = endpoints.iter().find(serves).unwrap().answer(path, request, stack.clone()).await;
        assert_eq!(answer.status.as_u16(), status);
        let mut calls = calls.lock().unwrap().clone();
        calls.sort_unstable();
        calls
    };
    for (name, password, status) in
        [("ann", PASSWORD, 200), ("ann", NEW, 401), ("nobody", NEW, 401), ("' OR 1=1--", NEW, 401)]
    {
        let body = json!({"username": name, "password": password});
        assert_eq!(asked("/login", body, status).await, ["GenerateMac"], "{name}");
    }
    let register = |name: &str, email: &str| json!({"username": name, "email": email, "password": PASSWORD});
    for body in [register("bob", "bob@example.org"), register("carl", "ann@example.org")] {
        assert_eq!(asked("/register", body, 202).await, ["GenerateDataKey", "GenerateMac"]);
    }
    for email in ["ann@example.org", "nobody@example.org"] {
        assert!(asked("/password/forgot", json!({"email": email}), 202).await.is_empty());
    }
}
