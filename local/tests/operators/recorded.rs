use screensort_auth::event::Event;
use screensort_http::Authority;
use screensort_store::Record;
use serde_json::{Value, json};

use crate::product::{PASSWORD, Product};
use crate::{id, with_operators};

/// What the trail of the day says of keys, links or operators, oldest first.
async fn records(product: &Product, area: &str) -> Vec<Record> {
    let day = product.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut records = product.stand.stack.audit().day(day, None, 1_000).await.unwrap();
    records.retain(|record| record.action.starts_with(area));
    records.reverse();
    records
}

fn actions(records: &[Record]) -> Vec<&str> {
    let mut actions: Vec<&str> = records.iter().map(|record| record.action.as_str()).collect();
    actions.sort_unstable();
    actions
}

async fn account(product: &Product, token: &str) -> String {
    product.get(token, "/session").await.body["user"]["id"].as_str().unwrap().to_owned()
}

async fn without_a_trail(product: &Product) {
    let table = &product.stand.stack.settings().tables.audit;
    product.stand.stack.dynamodb().delete_table().table_name(table).send().await.unwrap();
}

fn wanted() -> Value {
    json!({"name": "query tool", "scopes": ["operators:read"]})
}

fn asking(key: &crate::Got, secret: &str) -> Value {
    json!({"grant_type": "client_credentials", "client_id": key.str("client_id"), "client_secret": secret})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_leaves_a_record_of_each_thing_that_happens_to_it() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let owner = account(&product, &ann).await;
    let old = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    product.wait(1);
    let new = product.with(&ann, "POST", "/api_keys", json!({"replaces": old.str("id")})).await;
    let new = new.expect(201, "");
    product.post("/token", asking(&new, "ssk_wrong")).await.expect(401, "invalid_credentials");
    product.wait(1);
    let nobody = json!({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "ssk_x"});
    product.post("/token", nobody).await.expect(401, "invalid_credentials");
    let path = format!("/api_keys/{}", new.str("id"));
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    product.with(&ann, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    let all = records(&product, "key.").await;
    let made = ["key.made", "key.made", "key.refused", "key.refused", "key.replaced", "key.revoked"];
    assert_eq!(actions(&all), made);
    let of = |event: Event| all.iter().filter(move |record| record.action == event.name());
    let made: Vec<_> = of(Event::KeyMade).map(|record| record.target.clone()).collect();
    assert_eq!(made, [old.str("id"), new.str("id")]);
    assert!(of(Event::KeyMade).all(|record| record.actor == owner && record.source == "127.0.0.1"));
    assert_eq!(of(Event::KeyReplaced).next().unwrap().target, old.str("id"));
    assert_eq!(of(Event::KeyRevoked).next().unwrap().target, new.str("id"));
    // Who shows a key that is no good is not known; whose it would be is, where there is one.
    let refused: Vec<_> = of(Event::KeyRefused).map(|r| (r.actor.as_str(), r.target.as_str())).collect();
    assert_eq!(refused, [("-", new.str("id").as_str()), ("-", "-")]);
    let text = format!("{all:?}");
    assert!(!text.contains(&new.str("key")[4..]) && !text.contains("ssk_") && !text.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_moves_is_recorded_once_for_each_network_and_day() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let from = async |source: &str| {
        product.post_from(source, "/token", asking(&key, &key.str("key"))).await.expect(200, "");
        product.wait(1);
    };
    let moves = async || {
        let all = records(&product, "key.moved").await;
        assert!(all.iter().all(|record| record.target == key.str("id")), "{all:?}");
        all.iter().map(|record| record.source.clone()).collect::<Vec<_>>()
    };
    // Where it is used first is no move, nor is another address of the same network.
    from("198.51.100.1").await;
    from("198.51.100.200").await;
    assert!(moves().await.is_empty());
    from("203.0.113.5").await;
    from("2001:db8:0:1::5").await;
    from("2001:db8:0:1::6").await;
    assert_eq!(moves().await, ["203.0.113.5", "2001:db8:0:1::5"]);
    // To and fro all day is said once for each of them.
    for _ in 0..5 {
        from("198.51.100.1").await;
        from("203.0.113.9").await;
    }
    assert_eq!(moves().await, ["203.0.113.5", "2001:db8:0:1::5", "198.51.100.1"]);
    product.wait(12 * 3_600);
    from("198.51.100.1").await;
    assert_eq!(moves().await, ["198.51.100.1"], "another day");
    // Wrong keys move nothing.
    let wrong = product.post_from("192.0.2.1", "/token", asking(&key, "ssk_wrong")).await;
    wrong.expect(401, "invalid_credentials");
    assert_eq!(moves().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leaves_a_record_of_each_thing_that_happens_to_it() {
    const MAIL: &str = "yours too";
    let product = Product::start().await;
    let (ann, _) = product.signed_in("ann").await;
    let (bob, _) = product.signed_in("bob").await;
    let (asker, asked) = (account(&product, &ann).await, account(&product, &bob).await);
    let ask = async || {
        let body = json!({"email": "bob@example.org", "scopes": ["history", "ratings"]});
        let got = product.with(&ann, "POST", "/links", body).await.expect(202, "");
        (got.str("id"), product.mailed("bob@example.org", MAIL).await)
    };
    let confirm = async |body: Value| product.with(&bob, "POST", "/links/confirm", body).await;
    let of = async |link: &str| {
        let mut all = records(&product, "link.").await;
        all.retain(|record| record.target == link);
        all
    };
    // Confirmed with less than was asked for, ended by who is read.
    let (first, token) = ask().await;
    confirm(json!({"token": token, "scopes": ["ratings"]})).await.expect(200, "");
    product.with(&bob, "DELETE", &format!("/links/{first}"), Value::Null).await.expect(204, "");
    let all = of(&first).await;
    let names = ["link.asked", "link.confirmed", "link.ended", "link.invited", "link.narrowed"];
    assert_eq!(actions(&all), names);
    for record in &all {
        let by = match record.action.as_str() {
            "link.asked" => asker.as_str(),
            "link.invited" => "mailer",
            _ => asked.as_str(),
        };
        assert_eq!(record.actor, by, "{record:?}");
    }
    // Declined.
    let (second, _) = ask().await;
    product.with(&bob, "DELETE", &format!("/links/{second}"), Value::Null).await.expect(204, "");
    assert_eq!(actions(&of(&second).await), ["link.asked", "link.declined", "link.invited"]);
    // Guessed at until it ended; who guessed is the target, for no link is known.
    let (third, _) = ask().await;
    for _ in 0..5 {
        confirm(json!({"token": "wrong"})).await.expect(404, "not_found");
    }
    assert_eq!(actions(&of(&third).await), ["link.asked", "link.ended", "link.invited"]);
    assert_eq!(actions(&of(&asked).await), ["link.refused"; 5]);
    // Nobody has the address: it was asked for, and nobody invited.
    let body = json!({"email": "nobody@example.org", "scopes": ["history"]});
    let fourth = product.with(&ann, "POST", "/links", body).await.expect(202, "").str("id");
    product.mails().await;
    assert_eq!(actions(&of(&fourth).await), ["link.asked"]);
    let text = format!("{:?}", records(&product, "").await);
    for planted in ["example.org", &token, "bob", "ann"] {
        assert!(!text.contains(planted), "{planted} is in the trail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_the_directory_leaves_a_record_with_hashes_of_before_and_after() {
    let product = with_operators().await;
    // What the file brought is recorded too.
    let loaded = records(&product, "operator.").await;
    assert_eq!(actions(&loaded), ["operator.added"; 3]);
    assert!(loaded.iter().all(|record| record.actor == "import-operators" && record.source == "-"));
    let admin = product.admin_token().await;
    let by = account(&product, &admin).await;
    let (netflix, new) = (id("tmdb", "8"), id("hand", "1"));
    let body = |name: &str| json!({"kind": "streaming", "name": name, "modes": ["stream"]});
    let path = |id: &str| format!("/admin/operators/{id}");
    for (operator, name, status) in [(&netflix, "One", 200), (&netflix, "Two", 200), (&new, "New", 201)] {
        product.with(&admin, "PUT", &path(operator), body(name)).await.expect(status, "");
        product.wait(1);
    }
    product.with(&admin, "DELETE", &path(&netflix), Value::Null).await.expect(204, "");
    let stale = format!("Bearer {admin}");
    let stale = [("authorization", stale.as_str()), ("if-match", "\"v9\"")];
    product.ask("PUT", &path(&new), &stale, body("Newer")).await.expect(412, "precondition_failed");
    let mut edits = records(&product, "operator.").await;
    edits.retain(|record| record.actor == by);
    let shown: Vec<_> = edits
        .iter()
        .map(|r| (r.action.as_str(), r.target.as_str(), r.before.is_some(), r.after.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("operator.changed", netflix.as_str(), true, true),
            ("operator.changed", netflix.as_str(), true, true),
            ("operator.added", new.as_str(), false, true),
            ("operator.removed", netflix.as_str(), true, false),
        ]
    );
    assert_eq!(edits[0].after, edits[1].before, "the hashes hang together");
    assert_eq!(edits[1].after, edits[3].before);
    assert_ne!(edits[0].before, edits[0].after);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_record_there_is_no_change() {
    let product = with_operators().await;
    let (ann, _) = product.signed_in("ann").await;
    let key = product.with(&ann, "POST", "/api_keys", wanted()).await.expect(201, "");
    let netflix = id("tmdb", "8");
    let admin = product.admin_token().await;
    without_a_trail(&product).await;
    let path = format!("/api_keys/{}", key.str("id"));
    let link = json!({"email": "bob@example.org", "scopes": ["history"]});
    let edit = json!({"kind": "streaming", "name": "Edited"});
    for (token, method, path, body) in [
        (&ann, "POST", "/api_keys", wanted()),
        (&ann, "DELETE", path.as_str(), Value::Null),
        (&ann, "POST", "/links", link),
        (&admin, "PUT", &format!("/admin/operators/{netflix}"), edit),
    ] {
        let got = product.with(token, method, path, body).await;
        assert!(got.status >= 500, "{method} {path}: {}", got.text);
    }
    let keys = product.get(&ann, "/api_keys").await.expect(200, "");
    assert_eq!(keys.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(product.get(&ann, "/links").await.body["items"], json!([]));
    let shown = product.get(&ann, &format!("/operators/{netflix}")).await;
    assert_eq!((shown.str("name"), shown.headers["etag"].to_str().unwrap()), ("Netflix".into(), "\"v0\""));
}
