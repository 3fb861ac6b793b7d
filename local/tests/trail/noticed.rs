use screensort_auth::event::Event;
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};
use crate::recorded::records;

async fn detect(product: &Product) -> Vec<(String, String)> {
    let job = screensort_jobs::by_name("detect").unwrap();
    let found = job(json!({}), product.stand.stack.clone()).await.unwrap();
    let threats = found["threats"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    threats.iter().map(|threat| (text(&threat["event"]), text(&threat["subject"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_attack_is_noticed_once_and_people_are_not() {
    let product = Product::start().await;
    let (token, _) = product.signed_in("ann").await;
    for name in ["bob", "cid"] {
        product.signed_in(name).await;
        let wrong = json!({"email": format!("{name}@example.org"), "password": "Mistyped-once7 here"});
        product.post("/login", wrong).await.expect(401, "invalid_credentials");
        product.login(&format!("{name}@example.org")).await;
    }
    assert_eq!(detect(&product).await, [], "people who mistype");
    // A list of stolen credentials from one network.
    for n in 0..25 {
        let body = json!({"email": format!("stolen{n}@example.org"), "password": PASSWORD});
        product.post_from("198.51.100.7", "/login", body).await.expect(401, "invalid_credentials");
    }
    // Somebody without rights at every door.
    for _ in 0..10 {
        product.with(&token, "GET", "/admin/audit", Value::Null).await.expect(403, "forbidden");
    }
    let found = detect(&product).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], ("threat.credentials.stuffed".to_owned(), "198.51.100.0/24".to_owned()));
    assert_eq!((found[1].0.as_str(), found[1].1.len()), ("threat.privilege.attempted", 26));
    assert_eq!(detect(&product).await, [], "once an hour");
    let threats = records(&product).await.iter().filter(|r| r.action.starts_with("threat.")).count();
    assert_eq!(threats, 2);
    product.wait(16 * 60);
    assert_eq!(detect(&product).await, [], "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_delivered_twice_is_recorded_once() {
    let product = Product::start().await;
    let event = include_str!("../../../events/capture_changes.json");
    let event: Value = serde_json::from_str(event).unwrap();
    let job = screensort_jobs::by_name("capture_changes").unwrap();
    for _ in 0..2 {
        let summary = job(event.clone(), product.stand.stack.clone()).await.unwrap();
        assert_eq!(summary, json!({"changes": 1, "recorded": 1}));
    }
    let records = records(&product).await;
    let changes: Vec<_> = records.iter().filter(|r| r.action == Event::FilmNoted.name()).collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].request_id.as_str(), changes[0].target.as_str()),
        ("r2", "01KAPJ5Z4V3T3NB8S3K6M5Q2WZ/F")
    );
}
