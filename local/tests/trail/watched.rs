//! What whoever is on call sees: detections, alarms, the audit report.

use screensort::stand::Choices;
use screensort_http::Limits;
use serde_json::{Value, json};

use crate::logged::captured;
use crate::product::{PASSWORD, Product};
use crate::recorded::records;

async fn job(product: &Product, name: &str) -> Value {
    let job = screensort_jobs::by_name(name).unwrap();
    job(json!({}), product.stand.stack.clone()).await.unwrap()
}

async fn found(product: &Product) -> Vec<(String, String, bool)> {
    let found = job(product, "detect").await;
    let one = |threat: &Value| {
        let text = |name: &str| threat[name].as_str().unwrap().to_owned();
        (text("event"), text("subject"), threat["shut_out"] == true)
    };
    found["threats"].as_array().unwrap().iter().map(one).collect()
}

async fn id_of(product: &Product, token: &str) -> String {
    let got = product.with(token, "GET", "/session", Value::Null).await.expect(200, "");
    got.body["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_on_over_the_quota_is_recorded_once_a_minute_and_found() {
    let limits = Limits { reads_per_minute: 3, ..Limits::default() };
    let product = Product::start_with(Choices { limits: Some(limits), ..Choices::default() }).await;
    let (token, _) = product.signed_in("ann").await;
    for minute in 1..=5 {
        product.wait(60);
        for _ in 0..10 {
            product.with(&token, "GET", "/links", Value::Null).await;
        }
        let records = records(&product).await;
        let over = records.iter().filter(|record| record.action == "quota.exceeded").count();
        assert_eq!(over, minute, "one record a caller and minute");
        let threats = found(&product).await;
        assert_eq!(threats.len(), usize::from(minute == 5), "{threats:?}");
        assert!(threats.iter().all(|(event, ..)| event == "threat.catalogue.scraped"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_stuffs_is_shut_out_for_an_hour_and_others_are_not() {
    let product = Product::start().await;
    for n in 0..25 {
        let body = json!({"email": format!("stolen{n}@example.org"), "password": PASSWORD});
        let source = format!("198.51.100.{}", n + 1);
        product.post_from(&source, "/login", body).await.expect(401, "invalid_credentials");
    }
    let threats = found(&product).await;
    assert_eq!(threats, [("threat.credentials.stuffed".to_owned(), "198.51.100.0/24".to_owned(), true)]);
    let from = |source: &'static str| [("x-local-source", source)];
    product.ask("GET", "/health", &from("198.51.100.200"), Value::Null).await.expect(403, "blocked");
    product.ask("GET", "/health", &from("198.51.101.1"), Value::Null).await.expect(200, "");
    let admin = product.admin_token().await;
    let list = product.with(&admin, "GET", "/admin/blocklist", Value::Null).await.expect(200, "");
    assert_eq!(list.body["items"][0]["cidr"], "198.51.100.0/24");
    product.wait(61 * 60);
    product.ask("GET", "/health", &from("198.51.100.200"), Value::Null).await.expect(200, "");
    // This machine's own network never is.
    for n in 0..25 {
        let body = json!({"email": format!("other{n}@example.org"), "password": PASSWORD});
        product.post("/login", body).await;
    }
    let threats = found(&product).await;
    assert!(
        threats.iter().all(|(_, subject, shut_out)| subject == "127.0.0.0/24" && !shut_out),
        "{threats:?}"
    );
    assert!(!threats.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_copies_from_one_network_and_somebody_in_two_places_at_once_are_found() {
    let product = Product::start().await;
    for n in 0..10 {
        let email = product.person(&format!("person{n}")).await;
        let body = json!({"email": email, "password": PASSWORD});
        let got = product.post_from("203.0.113.9", "/login", body).await.expect(200, "");
        let bearer = format!("Bearer {}", got.str("access_token"));
        let headers = [("authorization", bearer.as_str()), ("x-local-source", "203.0.113.9")];
        product.ask("POST", "/profile/export", &headers, json!({})).await.expect(202, "");
    }
    let threats = found(&product).await;
    assert_eq!(threats, [("threat.people.exported".to_owned(), "203.0.113.0/24".to_owned(), false)]);
    product.wait(3600);
    let (token, _) = product.signed_in("ann").await;
    let ann = id_of(&product, &token).await;
    assert_eq!(found(&product).await, [], "the first login is from nowhere new");
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    let headers = [("x-local-source", "198.51.100.9"), ("user-agent", "curl/8 Linux")];
    product.ask("POST", "/login", &headers, body).await.expect(200, "");
    assert_eq!(found(&product).await, [("threat.login.displaced".to_owned(), ann, false)]);
    product.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_events_alarms_and_costs_can_be_looked_at() {
    captured();
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    for _ in 0..50 {
        product.with(&token, "GET", "/admin/audit", Value::Null).await.expect(403, "forbidden");
    }
    found(&product).await;
    let seen = product.ask("GET", "/_local/events", &[], Value::Null).await.expect(200, "");
    assert!(seen.text.contains("\n  \""), "for people to read");
    let alarms = seen.body["alarms"].as_array().unwrap();
    for alarm in ["AuthAccessDenied", "ThreatPrivilegeAttempted"] {
        assert!(alarms.iter().any(|ringing| ringing["alarm"] == alarm), "{alarms:?}");
    }
    let cost = &seen.body["metrics"]["endpoints"]["admin_audit"];
    assert_eq!((&cost["requests"], &cost["refusals"], &cost["errors"]), (&json!(50), &json!(50), &json!(0)));
    assert!(cost["duration_ms"]["p95"].as_f64().unwrap() > 0.0);
    assert!(seen.body["metrics"]["events"]["AuthAccessDenied"].as_u64().unwrap() >= 50);
    let threats = product.ask("GET", "/_local/events?event=threat.", &[], Value::Null).await.expect(200, "");
    let items = threats.body["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|i| i["event"].as_str().unwrap().starts_with("threat.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_what_holds_what_does_not_and_what_cannot_be_read() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let ann = id_of(&product, &token).await;
    product.wait(91 * 24 * 3600);
    let summary = job(&product, "security_audit").await;
    let name = summary["report"].as_str().unwrap();
    assert_eq!(name, "reports/security_audit-2027-02-21.md");
    let page = product.stand.stack.reports().get(name).await.unwrap().unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.starts_with("# Security audit, 2027-02-21T12:00:00Z"), "{page}");
    for part in [
        "The key that signs access tokens is 91 days in use; 35 are the most.",
        "The services are reached in clear",
        &format!("- {ann}: since 2026-11-22"),
        "| table screensort-auth | point-in-time recovery |",
        "| bucket screensort-audit | object lock |",
        "a key that works | yes |",
        "The pepper of passwords: KMS rotates no MAC keys.",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("example.org"), "nobody's address");
    assert!(records(&product).await.iter().any(|record| record.action == "protection.audited"));
    assert!(summary["protected"].as_u64().unwrap() > 0, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_product_cannot_do_without_is_a_critical_error() {
    let log = captured();
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    let client = product.stand.stack.dynamodb();
    client.delete_table().table_name(&product.stand.stack.settings().tables.auth).send().await.unwrap();
    let failed = product.with(&token, "GET", "/session", Value::Null).await;
    assert!(failed.status >= 500, "{}", failed.text);
    let request = failed.headers["x-request-id"].to_str().unwrap();
    let lines = log.lines();
    let critical = lines
        .iter()
        .find(|line| line["fields"]["event"] == "error.critical" && line["fields"]["request_id"] == request);
    assert_eq!(critical.unwrap()["fields"]["target_id"], "session");
}
