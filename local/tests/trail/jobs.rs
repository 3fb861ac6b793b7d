use screensort_auth::event::Event;
use screensort_jobs::rotate_signing_key;
use serde_json::{Value, json};

use crate::product::Product;
use crate::recorded::records;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

async fn job(product: &Product, name: &str) -> Value {
    let job = screensort_jobs::by_name(name).unwrap();
    job(json!({}), product.stand.stack.clone()).await.unwrap()
}

/// The names of the keys that are public.
async fn public(product: &Product) -> Vec<String> {
    let got = product.ask("GET", "/.well-known/jwks.json", &[], Value::Null).await;
    let keys = got.body["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The key that signed a token.
fn signed_by(token: &str) -> String {
    let head = screensort_crypto::decode_base64url(token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_public_before_it_signs_and_the_old_one_until_its_last_token_has_ended() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let token = product.login(&email).await.str("access_token");
    let old = signed_by(&token);
    assert_eq!(job(&product, "rotate_signing_key").await["steps"], json!([]), "nothing is due");
    product.wait(29 * DAY + HOUR);
    let published = job(&product, "rotate_signing_key").await;
    assert_eq!(published["steps"][0]["event"], Event::SigningKeyPublished.name());
    assert_eq!(published["public"].as_array().unwrap().len(), 2);
    product.wait(6 * MINUTE);
    assert_eq!(public(&product).await.len(), 2);
    let token = product.login(&email).await.str("access_token");
    assert_eq!(signed_by(&token), old, "what is public does not sign yet");
    assert_eq!(job(&product, "rotate_signing_key").await["steps"], json!([]));
    product.wait(DAY);
    // Signed by the old key a moment before the change.
    let last = product.login(&email).await.str("access_token");
    let rotated = job(&product, "rotate_signing_key").await;
    assert_eq!(rotated["steps"][0]["event"], Event::SigningKeyRotated.name());
    product.wait(4 * MINUTE);
    product.with(&last, "GET", "/session", Value::Null).await.expect(200, "");
    product.wait(2 * MINUTE);
    let token = product.login(&email).await.str("access_token");
    assert_eq!(signed_by(&token), rotated["signs"].as_str().unwrap());
    assert_ne!(signed_by(&token), old);
    product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
    assert!(public(&product).await.contains(&old));
    product.wait(15 * MINUTE);
    let retired = job(&product, "rotate_signing_key").await;
    assert_eq!(retired["steps"][0]["event"], Event::SigningKeyRetired.name());
    product.wait(6 * MINUTE);
    assert!(!public(&product).await.contains(&old));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_can_be_rotated_at_once_and_a_run_that_broke_off_is_mended() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    product.wait(11 * MINUTE);
    let run = rotate_signing_key::run(stack, true).await.unwrap();
    assert_eq!(run["steps"][0]["event"], Event::SigningKeyPublished.name());
    // As if the run had broken off before the public keys were written.
    let name = &stack.settings().jwks_secret;
    stack.put_secret(name, "{\"keys\":[]}").await.unwrap();
    product.wait(10 * MINUTE);
    let run = rotate_signing_key::run(stack, true).await.unwrap();
    assert_eq!(run["steps"][0]["event"], Event::SigningKeyRotated.name());
    let text = stack.secret(name).await.unwrap();
    for key in run["public"].as_array().unwrap() {
        assert!(text.contains(key.as_str().unwrap()));
    }
    assert_eq!(run["public"].as_array().unwrap().len(), 2);
    let (token, _) = product.signed_in("ann").await;
    product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_owns_is_cleaned_and_nothing_else() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let (cid, _) = product.signed_in("cid").await;
    product.with(&cid, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    assert_eq!(
        job(&product, "sessions_cleanup").await,
        json!({"pointers": 0, "secrets": 0, "sessions": 1, "unverified": 0})
    );
    // Ann's account alone is deleted, as by a deletion that broke off.
    let admin = product.admin_token().await;
    let list = product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    let ann = list.body["items"].as_array().unwrap().iter().find(|item| item["username"] == "ann").unwrap();
    let stack = &product.stand.stack;
    let s = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    let pk = format!("ACCOUNT#{}", ann["id"].as_str().unwrap());
    let delete = stack.dynamodb().delete_item().table_name(&stack.settings().tables.auth);
    delete.key("pk", s(pk.clone())).key("sk", s("ACCOUNT".into())).send().await.unwrap();
    let cleaned = job(&product, "sessions_cleanup").await;
    assert_eq!(
        cleaned,
        json!({"pointers": 2, "secrets": 2, "sessions": 0, "unverified": 0}),
        "name, address; credentials, key"
    );
    assert_eq!(
        job(&product, "sessions_cleanup").await,
        json!({"pointers": 0, "secrets": 0, "sessions": 0, "unverified": 0})
    );
    product.with(&bob, "GET", "/session", Value::Null).await.expect(200, "");
    product.login("cid@example.org").await;
    assert!(records(&product).await.iter().any(|record| record.action == Event::SessionsCleaned.name()));
    // Both can be taken again.
    assert_eq!(product.person("ann").await, email);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_review_names_who_is_to_be_looked_at_and_administrators_read_it() {
    let product = Product::start().await;
    let (user, _) = product.signed_in("ann").await;
    product.person("bob").await;
    let admin = product.admin_token().await;
    product.with(&admin, "GET", "/admin/access_review", Value::Null).await.expect(404, "not_found");
    let list = product.with(&admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    let id = |name: &str| {
        let items = list.body["items"].as_array().unwrap();
        items.iter().find(|item| item["username"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let change = json!({"roles": ["user", "editor"], "grants": ["users:read"]});
    product.with(&admin, "PATCH", &format!("/admin/users/{}", id("bob")), change).await.expect(200, "");
    product.wait(91 * DAY);
    let summary = job(&product, "access_review").await;
    assert_eq!(summary["accounts"], 3);
    let admin = product.admin_token().await;
    product.with(&user, "GET", "/admin/access_review", Value::Null).await.expect(401, "unauthorized");
    let got = product.with(&admin, "GET", "/admin/access_review", Value::Null).await.expect(200, "");
    let ids = |name: &str| {
        let list = got.body[name].as_array().unwrap().iter();
        list.map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("dormant"), [id("ann")]);
    assert_eq!(ids("without_second_factor"), [id("bob")]);
    assert_eq!(ids("grants"), [id("bob")]);
    assert!(ids("dormant_staff").contains(&id("bob")));
    let findings = got.body["findings"].to_string();
    assert!(findings.contains("older than 35 days") && findings.contains("fewer than two"), "{findings}");
    let page = product.stand.stack.reports().get(&got.str("report")).await.unwrap().unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.starts_with("# Access review, 2027-02-21") && page.contains(&id("bob")));
    assert!(!page.contains("@example.org"), "the report names nobody's address");
}
