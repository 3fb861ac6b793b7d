use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_newest_first_and_a_film_knows_when_it_was_last_watched() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let film = world.films[0];
    let add = |at: &str| {
        let body = json!({"movie_id": film, "watched_at": at, "mode": "cinema"});
        world.product.with(&ann, "POST", "/history", body)
    };
    let first = add("2020-05-01T20:00:00Z").await.expect(201, "");
    assert_eq!(world.product.store_requests("history"), 3);
    let last = add("2024-05-01T20:00:00Z").await.expect(201, "");
    add("2022-05-01T20:00:00Z").await.expect(201, "");
    add("2027-05-01T20:00:00Z").await.expect(422, "invalid_body");
    add("1850-05-01T20:00:00Z").await.expect(422, "invalid_body");
    let times = |items: Vec<Value>| -> Vec<String> {
        items.iter().map(|item| item["watched_at"].as_str().unwrap()[..4].to_owned()).collect()
    };
    assert_eq!(times(world.items(&ann, "/history").await), ["2024", "2022", "2020"]);
    let watched = async || world.get(&ann, &format!("/movies/{film}")).await.body["me"]["watched"].clone();
    assert_eq!(watched().await, "2024-05-01T20:00:00Z");
    let entry = |id: String| format!("/history/{id}");
    let change = json!({"watched_at": "2019-01-01T00:00:00Z", "mode": null, "rewatch": true});
    let path = entry(last.str("id"));
    let changed = world.product.with(&ann, "PATCH", &path, change).await.expect(200, "");
    assert_eq!((&changed.body["mode"], &changed.body["rewatch"]), (&Value::Null, &json!(true)));
    assert_eq!(watched().await, "2022-05-01T20:00:00Z");
    let cost = || world.product.store_cost("history_entry").1;
    assert_eq!(cost(), 4, "the last time moved before others: they are looked through");
    let noted = world.product.with(&ann, "PATCH", &path, json!({"mode": "rent"})).await.expect(200, "");
    assert_eq!(cost(), 2, "when it was watched stays: the entry beside the session, one transaction");
    assert_eq!((noted.str("mode").as_str(), watched().await), ("rent", json!("2022-05-01T20:00:00Z")));
    let between = json!({"watched_at": "2021-01-01T00:00:00Z"});
    world.product.with(&ann, "PATCH", &path, between).await.expect(200, "");
    assert_eq!((cost(), watched().await), (3, json!("2022-05-01T20:00:00Z")), "another one stays the last");
    let back = json!({"watched_at": "2019-01-01T00:00:00Z"});
    world.product.with(&ann, "PATCH", &path, back).await.expect(200, "");
    assert_eq!(cost(), 2, "another one was the last and stays it");
    assert_eq!(times(world.items(&ann, "/history").await), ["2022", "2020", "2019"]);
    world.product.with(&ann, "DELETE", &entry(first.str("id")), Value::Null).await.expect(204, "");
    assert_eq!(cost(), 2);
    world.product.with(&ann, "DELETE", &entry(first.str("id")), Value::Null).await.expect(404, "not_found");
    world.product.with(&ann, "DELETE", &entry(first.str("id")), Value::Null).await.expect(404, "not_found");
    assert_eq!(times(world.items(&ann, "/history").await), ["2022", "2019"]);
    let later = json!({"watched_at": "2025-01-01T00:00:00Z"});
    world.product.with(&ann, "PATCH", &path, later).await.expect(200, "");
    assert_eq!(cost(), 2, "the last time of all: the entry beside the session, one transaction");
    assert_eq!(watched().await, "2025-01-01T00:00:00Z");
    for item in world.items(&ann, "/history").await {
        let path = entry(item["id"].as_str().unwrap().to_owned());
        world.product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    }
    assert_eq!(watched().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_entry_is_not_there() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let body = json!({"movie_id": world.films[0]});
    let made = world.product.with(&ann, "POST", "/history", body).await.expect(201, "");
    let path = format!("/history/{}", made.str("id"));
    world.product.with(&bob, "PATCH", &path, json!({"rewatch": true})).await.expect(404, "not_found");
    world.product.with(&bob, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    world.product.ask("DELETE", &path, &[], Value::Null).await.expect(401, "unauthorized");
    assert!(world.items(&bob, "/history").await.is_empty());
    assert_eq!(world.items(&ann, "/history").await.len(), 1);
}
