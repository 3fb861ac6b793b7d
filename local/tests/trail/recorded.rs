use screensort_auth::event::Event;
use screensort_http::Authority;
use screensort_store::Record;
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};

/// Everything in the trail of the day, oldest first.
pub(crate) async fn records(product: &Product) -> Vec<Record> {
    let day = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut records = product.stand.stack.audit().day(day, None, 1_000).await.unwrap();
    records.reverse();
    records
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.action.as_str()).collect()
}

fn count(records: &[Record], event: Event) -> usize {
    records.iter().filter(|record| record.action == event.name()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_on_an_account_leaves_its_record() {
    let product = Product::start().await;
    let email = product.person("ann").await;
    product.post("/register", json!({"username": "ann2", "email": email, "password": PASSWORD})).await;
    product
        .post("/login", json!({"email": email, "password": "wrong"}))
        .await
        .expect(401, "invalid_credentials");
    let got = product.login(&email).await;
    let token = got.str("access_token");
    let (secret, codes, token) = product.enrol(&token).await;
    product.with(&token, "POST", "/mfa/recovery_codes", Value::Null).await.expect(200, "");
    let other = product.login(&email).await.str("mfa_token");
    product
        .post("/login/mfa", json!({"mfa_token": other, "code": "000000"}))
        .await
        .expect(401, "invalid_credentials");
    assert_eq!(codes.len(), 10);
    product.wait(31);
    product.with(&token, "POST", "/reauthenticate", json!({"password": PASSWORD})).await.expect(204, "");
    product.with(&token, "POST", "/email", json!({"email": "new@example.org"})).await.expect(202, "");
    let confirm = product.mailed("new@example.org", "Confirm").await;
    product.with(&token, "POST", "/email/confirm", json!({"token": confirm})).await.expect(204, "");
    let change = json!({"current_password": PASSWORD, "new_password": "Quiet-harbor9 sings"});
    product.with(&token, "PUT", "/password", change).await.expect(204, "");
    let code = json!({"code": product.code(&secret)});
    product.with(&token, "DELETE", "/mfa/totp", code).await.expect(204, "");
    let body = json!({"email": "new@example.org", "password": "Quiet-harbor9 sings"});
    let refresh = product.post("/login", body).await.expect(200, "").str("refresh_token");
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    product.wait(60);
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(401, "token_reuse");
    product.post("/password/forgot", json!({"email": "new@example.org"})).await.expect(202, "");
    let reset = product.mailed("new@example.org", "Set a new").await;
    product.post("/password/reset", json!({"token": reset, "new_password": PASSWORD})).await.expect(204, "");
    let token = product.login("new@example.org").await.str("access_token");
    product.with(&token, "GET", "/admin/users", Value::Null).await.expect(403, "forbidden");
    product.with(&token, "POST", "/logout", json!({"all": true})).await.expect(204, "");
    let records = records(&product).await;
    let once = [
        Event::AccountDuplicated,
        Event::AccountVerified,
        Event::LoginFailed,
        Event::MfaBegun,
        Event::MfaEnabled,
        Event::MfaFailed,
        Event::MfaDisabled,
        Event::RecoveryRenewed,
        Event::Reauthenticated,
        Event::EmailNamed,
        Event::EmailChanged,
        Event::PasswordChanged,
        Event::PasswordForgotten,
        Event::PasswordReset,
        Event::TokenReused,
        Event::AccessDenied,
        Event::SessionsEnded,
        Event::LoggedOut,
    ];
    for event in once {
        assert_eq!(count(&records, event), 1, "{} in {:?}", event.name(), names(&records));
    }
    // The administrator and ann; three logins.
    assert_eq!((count(&records, Event::AccountCreated), count(&records, Event::LoginSucceeded)), (2, 3));
    let failed = records.iter().find(|record| record.action == Event::LoginFailed.name()).unwrap();
    assert_eq!(
        (failed.actor.as_str(), failed.target.len()),
        ("-", 26),
        "nobody is known before the password is right"
    );
    assert_eq!(failed.source, "127.0.0.1");
    assert_eq!(failed.request_id.len(), 26);
    let changed = records.iter().find(|record| record.action == Event::EmailChanged.name()).unwrap();
    assert!(changed.before.is_some() && changed.after.is_some() && changed.before != changed.after);
    let all = format!("{records:?}");
    let secrets = [PASSWORD, "ann", "example.org", "Quiet", &confirm, &reset, &refresh, &token];
    for secret in secrets {
        assert!(!all.contains(secret), "{secret} is in the trail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_does_not_happen_leaves_no_record_and_a_record_that_cannot_be_put_no_change() {
    let product = Product::start().await;
    product.person("ann").await;
    let (token, _) = product.signed_in("bob").await;
    let before = records(&product).await.len();
    product
        .with(&token, "DELETE", "/sessions/01KAAAAAAAAAAAAAAAAAAAAAAA", Value::Null)
        .await
        .expect(404, "not_found");
    product.post("/register/verify", json!({"token": "A".repeat(43)})).await.expect(410, "gone");
    assert_eq!(records(&product).await.len(), before);
    let client = product.stand.stack.dynamodb();
    client.delete_table().table_name(&product.stand.stack.settings().tables.audit).send().await.unwrap();
    let refused = product.with(&token, "POST", "/logout", json!({})).await;
    assert!(refused.status >= 500, "{}", refused.text);
    product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
    // A refusal stands whether or not it can be kept.
    let wrong = json!({"email": "ann@example.org", "password": "wrong"});
    product.post("/login", wrong).await.expect(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_made_once_and_recorded() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let second = screensort_accounts::first_admin(stack, "second", "second@example.org").await;
    assert!(second.unwrap().is_none(), "there is one already");
    let records = records(&product).await;
    assert_eq!(names(&records).len(), 2);
    assert!(records.iter().all(|record| record.actor == "first-admin" && record.source == "-"));
    assert_eq!((count(&records, Event::AccountCreated), count(&records, Event::RoleChanged)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_read_the_trail_page_by_page_and_nobody_else_does() {
    let product = Product::start().await;
    let (user, _) = product.signed_in("ann").await;
    for _ in 0..3 {
        product.login("ann@example.org").await;
    }
    product.ask("GET", "/admin/audit", &[], Value::Null).await.expect(401, "unauthorized");
    product.with(&user, "GET", "/admin/audit", Value::Null).await.expect(403, "forbidden");
    let admin = product.admin_token().await;
    let (mut ids, mut path) = (Vec::new(), "/admin/audit?limit=3&action=auth.login.succeeded".to_owned());
    loop {
        let got = product.with(&admin, "GET", &path, Value::Null).await.expect(200, "");
        for item in got.body["items"].as_array().unwrap() {
            assert_eq!(
                (item["action"].as_str(), item["severity"].as_str()),
                (Some("auth.login.succeeded"), Some("routine"))
            );
            assert_eq!(item["actor"], item["target"]);
            ids.push(item["id"].as_str().unwrap().to_owned());
        }
        match got.body["next_cursor"].as_str() {
            Some(cursor) => {
                path = format!("/admin/audit?limit=3&action=auth.login.succeeded&cursor={cursor}")
            }
            None => break,
        }
    }
    assert_eq!(ids.len(), 5, "ann four times and the administrator");
    let mut sorted = ids.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(ids, sorted, "newest first, each once");
    let by = |query: &str| format!("/admin/audit?{query}");
    let own = product.with(&admin, "GET", &by("action=audit.read"), Value::Null).await.expect(200, "");
    assert!(!own.body["items"].as_array().unwrap().is_empty(), "reading is recorded too");
    let none = product.with(&admin, "GET", &by("day=2026-11-21"), Value::Null).await.expect(200, "");
    assert_eq!(none.body["items"], json!([]));
    for bad in ["day=yesterday", "day=2026-13-01", "action=auth.nonsense", "actor=", "who=me"] {
        product.with(&admin, "GET", &by(bad), Value::Null).await.expect(400, "bad_parameter");
    }
}
