//! Each rule of detection on the way that an attack takes: over HTTP, into the trail, and found by the job.

use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};

async fn found(product: &Product) -> Vec<(String, String)> {
    let job = screensort_jobs::by_name("detect").unwrap();
    let found = job(json!({}), product.stand.stack.clone()).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let threats = found["threats"].as_array().unwrap().iter();
    threats.map(|threat| (text(&threat["event"]), text(&threat["subject"]))).collect()
}

fn threat(event: &str, subject: &str) -> (String, String) {
    (event.to_owned(), subject.to_owned())
}

async fn from(product: &Product, source: &str, token: &str, method: &str, path: &str, body: Value) -> Got {
    let bearer = format!("Bearer {token}");
    product.ask(method, path, &[("authorization", &bearer), ("x-local-source", source)], body).await
}

async fn id_of(product: &Product, token: &str) -> String {
    let got = product.with(token, "GET", "/session", Value::Null).await.expect(200, "");
    got.body["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_to_be_forgotten_from_one_network_are_found() {
    let product = Product::start().await;
    for n in 0..10 {
        let email = product.person(&format!("person{n}")).await;
        let body = json!({"email": email, "password": PASSWORD});
        let token =
            product.post_from("203.0.113.9", "/login", body).await.expect(200, "").str("access_token");
        if n == 9 {
            assert_eq!(found(&product).await, [], "nine are no burst");
        }
        let leaves = json!({"password": PASSWORD});
        from(&product, "203.0.113.9", &token, "DELETE", "/profile", leaves).await.expect(202, "");
    }
    assert_eq!(found(&product).await, [threat("threat.people.deleted", "203.0.113.0/24")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_password_on_many_accounts_and_many_accounts_closed_by_one_are_found() {
    let product = Product::start().await;
    for n in 0..42 {
        let (name, source) = (format!("person{n}"), format!("10.1.{n}.7"));
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        product.post_from(&source, "/register", body).await.expect(202, "");
    }
    for n in 0..42 {
        let email = format!("person{n}@example.org");
        let token = product.mailed(&email, "Verify").await;
        product.post("/register/verify", json!({"token": token})).await.expect(204, "");
        let sprayed = json!({"email": email, "password": "Summer-2026 again"});
        let source = format!("198.51.{}.7", n % 14);
        product.post_from(&source, "/login", sprayed).await.expect(401, "invalid_credentials");
    }
    assert_eq!(found(&product).await, [threat("threat.passwords.sprayed", "everybody")]);
    product.wait(16 * 60);
    let admin = product.admin_token().await;
    let me = id_of(&product, &admin).await;
    let list = product.with(&admin, "GET", "/admin/users?limit=50", Value::Null).await.expect(200, "");
    let ids = list.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    for id in ids.filter(|id| *id != me).take(30) {
        let path = format!("/admin/users/{id}");
        product.with(&admin, "PATCH", &path, json!({"disabled": true})).await.expect(200, "");
    }
    assert_eq!(found(&product).await, [threat("threat.data.mass_changed", &me)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_everybody_and_who_decides_on_everything_are_found() {
    let product = Product::start().await;
    let (films, operators) = screensort::import::sample(product.clock.now()).unwrap();
    screensort::import::keep(&product.stand.stack, &films[..5], &operators, |_| {}).await.unwrap();
    let (ann, _) = product.signed_in("ann").await;
    let text = json!({"text": "It is long, it is loud, and I liked every minute of it.", "language": "en"});
    let path = format!("/movies/{}/review", films[0].id);
    let review = product.with(&ann, "PUT", &path, text).await.expect(200, "").str("id");
    let admin = product.admin_token().await;
    let me = id_of(&product, &admin).await;
    let (token, _) = product.signed_in("editor").await;
    let (secret, _, token) = product.enrol(&token).await;
    let editor = id_of(&product, &token).await;
    let roles = json!({"roles": ["user", "editor"]});
    product.with(&admin, "PATCH", &format!("/admin/users/{editor}"), roles).await.expect(200, "");
    product.wait(60);
    let first = product.login("editor@example.org").await;
    let code = json!({"mfa_token": first.str("mfa_token"), "code": product.code(&secret)});
    let token = product.post("/login/mfa", code).await.expect(200, "").str("access_token");
    for _ in 0..50 {
        product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    }
    for n in 0..41 {
        product.wait(1);
        let decision = json!({"decision": if n % 2 == 0 { "publish" } else { "remove" }});
        let path = format!("/moderation/reviews/{review}");
        product.with(&token, "POST", &path, decision).await.expect(200, "");
    }
    let wanted = [threat("threat.moderation.abused", &editor), threat("threat.people.browsed", &me)];
    assert_eq!(found(&product).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_guessed_and_keys_that_wander_are_found() {
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let me = id_of(&product, &ann).await;
    let wanted = json!({"name": "query tool", "scopes": ["operators:read"]});
    let key = product.with(&ann, "POST", "/api_keys", wanted).await.expect(201, "");
    let asking = |secret: &str| json!({"grant_type": "client_credentials", "client_id": key.str("client_id"), "client_secret": secret});
    for _ in 0..20 {
        product
            .post_from("198.51.100.7", "/token", asking("ssk_wrong"))
            .await
            .expect(401, "invalid_credentials");
    }
    for network in ["203.0.113.1", "192.0.2.1", "198.18.1.1", "198.18.2.1"] {
        product.post_from(network, "/token", asking(&key.str("key"))).await.expect(200, "");
    }
    let wanted = ["198.51.100.0/24", &me].map(|subject| threat("threat.keys.abused", subject));
    let mut got = found(&product).await;
    got.sort_by_key(|(_, subject)| subject == &me);
    assert_eq!(got, wanted);
    product.post_from("198.51.100.9", "/token", asking("ssk_wrong")).await.expect(403, "blocked");
}
