//! What nobody uses is named, its owner told, and at last it is taken back.

use screensort_runtime::{Dormancy, Stack};
use serde_json::{Value, json};

use crate::product::Product;
use crate::recorded::records;

const DAY: u64 = 24 * 3600;

/// Runs the review as the schedule does; what it says is to be looked at.
async fn review(product: &Product) -> String {
    let got = product.ask("POST", "/_local/jobs/access_review", &[], Value::Null).await.expect(200, "");
    product.ask("POST", "/_local/jobs/mailer", &[], Value::Null).await.expect(200, "");
    got.body["findings"].to_string()
}

/// How many mails somebody got whose subject is this.
async fn mails(product: &Product, name: &str, subject: &str) -> usize {
    let to = format!("{name}@example.org");
    let mails = product.mails().await;
    mails.iter().filter(|mail| mail["to"] == to && mail["subject"] == subject).count()
}

async fn user(product: &Product, admin: &str, name: &str) -> Value {
    let list = product.with(admin, "GET", "/admin/users", Value::Null).await.expect(200, "");
    let items = list.body["items"].as_array().unwrap();
    items.iter().find(|item| item["username"] == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_uses_is_told_of_once_and_revoked_half_a_year_after_its_last_use() {
    let product = Product::start().await;
    let wanted = json!({"name": "query tool", "scopes": ["operators:read"], "expires_in_days": 365});
    let mut keys = Vec::new();
    for name in ["ann", "bob"] {
        let (token, _) = product.signed_in(name).await;
        let made = product.with(&token, "POST", "/api_keys", wanted.clone()).await.expect(201, "");
        keys.push((made.str("client_id"), made.str("key"), made.str("id")));
    }
    let uses = async |key: usize| {
        let (id, secret, _) = &keys[key];
        let body = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret});
        product.post("/token", body).await
    };
    uses(0).await.expect(200, "");
    product.wait(89 * DAY);
    assert!(!review(&product).await.contains("API key"));
    product.wait(DAY);
    for _ in 0..2 {
        assert!(review(&product).await.contains(&keys[0].2));
        for name in ["ann", "bob"] {
            assert_eq!(mails(&product, name, "Do you still need this API key?").await, 1, "{name}");
        }
    }
    // Using a key takes back what was said of it, and its time begins anew.
    uses(1).await.expect(200, "");
    product.wait(89 * DAY);
    review(&product).await;
    uses(0).await.expect(200, "");
    product.wait(90 * DAY);
    review(&product).await;
    assert_eq!(mails(&product, "ann", "Do you still need this API key?").await, 2);
    product.wait(90 * DAY);
    let findings = review(&product).await;
    assert!(findings.contains("it is revoked"), "{findings}");
    uses(0).await.expect(401, "invalid_credentials");
    assert_eq!(mails(&product, "ann", "An API key was revoked").await, 1);
    let records = records(&product).await;
    let revoked = records.iter().find(|record| record.action == "key.revoked" && record.target == keys[0].2);
    assert_eq!(revoked.unwrap().actor, "access_review");
    assert!(!product.mails().await.iter().any(|mail| mail["text"].as_str().unwrap().contains(&keys[0].1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_who_stays_away_are_taken_back_and_the_last_administrator_stays() {
    let product = Product::start().await;
    for name in ["bob", "cid", "dan"] {
        product.person(name).await;
    }
    let admin = product.admin_token().await;
    let rights = [
        ("bob", json!({"roles": ["user", "editor"]})),
        ("cid", json!({"roles": ["user", "admin"]})),
        ("dan", json!({"grants": ["users:read"]})),
    ];
    for (name, right) in rights {
        let path = format!("/admin/users/{}", user(&product, &admin, name).await["id"].as_str().unwrap());
        product.with(&admin, "PATCH", &path, right).await.expect(200, "");
    }
    product.wait(90 * DAY);
    for _ in 0..2 {
        review(&product).await;
        for name in ["bob", "cid", "dan"] {
            assert_eq!(mails(&product, name, "Do you still need your roles?").await, 1, "{name}");
        }
    }
    let said = records(&product).await.iter().filter(|record| record.action == "access.dormant").count();
    assert_eq!(said, 4, "the first administrator was away too");
    // Whoever signs in takes back what was said of them.
    product.admin_token().await;
    product.login("dan@example.org").await;
    product.wait(89 * DAY);
    review(&product).await;
    let admin = product.admin_token().await;
    assert_eq!(user(&product, &admin, "bob").await["roles"], json!(["user", "editor"]));
    product.wait(DAY);
    let findings = review(&product).await;
    assert!(findings.contains("its roles are taken back"), "{findings}");
    let admin = product.admin_token().await;
    for name in ["bob", "cid"] {
        let user = user(&product, &admin, name).await;
        assert_eq!((&user["roles"], &user["disabled"]), (&json!(["user"]), &json!(false)), "{name}");
        assert_eq!(mails(&product, name, "Your roles were taken back").await, 1, "{name}");
    }
    assert_eq!(user(&product, &admin, "dan").await["grants"], json!(["users:read"]));
    let changed = records(&product).await;
    let changed: Vec<_> = changed.iter().filter(|record| record.action == "auth.role.changed").collect();
    assert!(changed.iter().all(|one| one.actor == "access_review" && one.before != one.after));
    assert_eq!(changed.len(), 2);
    // Somebody must be able to let the others in again.
    product.wait(90 * DAY);
    review(&product).await;
    product.wait(90 * DAY);
    let findings = review(&product).await;
    assert!(findings.contains("it is the last administrator"), "{findings}");
    let admin = product.admin_token().await;
    assert_eq!(user(&product, &admin, "dan").await["grants"], json!([]));
    product.login("bob@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_settings_say_so_it_is_only_named() {
    let product = Product::start().await;
    product.person("bob").await;
    let admin = product.admin_token().await;
    let bob = user(&product, &admin, "bob").await["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{bob}");
    let right = json!({"roles": ["user", "editor"]});
    product.with(&admin, "PATCH", &path, right).await.expect(200, "");
    let mut settings = product.stand.stack.settings().clone();
    settings.dormancy = Dormancy { keys: 0, roles: 0 };
    let stack = Stack::new(settings, product.clock.clone());
    for _ in 0..3 {
        product.wait(100 * DAY);
        let report = screensort_jobs::access_review::run(&stack).await.unwrap();
        assert!(report["dormant_staff"].to_string().contains(&bob));
    }
    product.login("bob@example.org").await;
    assert_eq!(mails(&product, "bob", "Do you still need your roles?").await, 0);
    let account = stack.accounts().person(&bob).await.unwrap().unwrap().account;
    assert_eq!(account.roles, ["user", "editor"]);
}
