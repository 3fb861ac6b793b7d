//! Key rings turn by themselves: what was made with a key is read for as long as it lives, and no longer.

use screensort_auth::event::Event;
use screensort_crypto::{IndexTerm, KeyRing, MacKey};
use screensort_jobs::rewrite_index;
use screensort_jobs::rotate_keys::{self, Ring};
use screensort_jobs::ship_audit::{self, Source};
use screensort_store::Account;
use serde_json::{Value, json};

use crate::product::{Got, PASSWORD, Product};
use crate::recorded::records;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The steps of a run, as `ring event`.
async fn turned(product: &Product) -> Vec<String> {
    let done = rotate_keys::run(&product.stand.stack).await.unwrap();
    let step =
        |step: &Value| format!("{} {}", step["ring"].as_str().unwrap(), step["event"].as_str().unwrap());
    done["steps"].as_array().unwrap().iter().map(step).collect()
}

/// The same event in each of `rings`.
fn each(rings: &[&str], event: Event) -> Vec<String> {
    rings.iter().map(|ring| format!("{ring} {}", event.name())).collect()
}

async fn ring(product: &Product, name: &str) -> KeyRing<MacKey> {
    KeyRing::from_json(&product.stand.stack.secret(name).await.unwrap()).unwrap()
}

/// A login from a network where nobody was before, with a device's cookie: a known device is not reported.
async fn is_known_device(product: &Product, email: &str, device: &str) {
    let before = product.mails().await.len();
    let cookie = format!("__Host-device={device}");
    let headers = [("cookie", cookie.as_str()), ("x-local-source", "192.0.2.77")];
    let body = json!({"email": email, "password": PASSWORD});
    product.ask("POST", "/login", &headers, body).await.expect(200, "");
    assert_eq!(product.mails().await.len(), before);
}

async fn page(product: &Product, email: &str, cursor: &str) -> Got {
    let token = product.login(email).await.str("access_token");
    product.with(&token, "GET", &format!("/logins?limit=1{cursor}"), Value::Null).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ring_turns_once_a_year_and_what_was_made_before_is_read_until_it_has_ended() {
    let product = Product::start().await;
    let settings = product.stand.stack.settings().clone();
    let (ann, _) = product.signed_in("ann").await;
    let (_, codes, _) = product.enrol(&ann).await;
    ship_audit::job(json!({}), product.stand.stack.clone()).await.unwrap();
    let bob = product.person("bob").await;
    assert!(turned(&product).await.is_empty());
    product.wait(363 * DAY);
    let all = ["mac", "index", "cursor", "lasting"];
    assert_eq!(turned(&product).await, each(&all, Event::RingKeyPublished));
    assert!(turned(&product).await.is_empty(), "what is published is not used yet");
    product.wait(2 * DAY);
    product.login(&bob).await;
    let got = product.login(&bob).await;
    let (device, refresh) = (got.cookie("__Host-device").unwrap(), got.str("refresh_token"));
    let cursor = page(&product, &bob, "").await.expect(200, "").str("next_cursor");
    let cursor = format!("&cursor={cursor}");
    assert_eq!(turned(&product).await, each(&all, Event::RingKeyRotated));
    product.wait(6 * MINUTE);
    // Under the keys before.
    page(&product, &bob, &cursor).await.expect(200, "");
    product.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
    is_known_device(&product, &bob, &device).await;
    // A week later nobody goes on with a list; half a year later no device is known by the old key.
    product.wait(8 * DAY);
    assert_eq!(turned(&product).await, each(&["cursor"], Event::RingKeyRetired));
    product.wait(6 * MINUTE);
    page(&product, &bob, &cursor).await.expect(400, "bad_cursor");
    is_known_device(&product, &bob, &device).await;
    product.wait(172 * DAY);
    assert!(turned(&product).await.is_empty());
    product.wait(DAY);
    assert_eq!(turned(&product).await, each(&["mac"], Event::RingKeyRetired));
    assert_eq!(records(&product).await.last().unwrap().action, Event::RingKeyRetired.name());
    assert_eq!(ring(&product, &settings.mac_secret).await.iter().count(), 1);
    // What is kept for good: the code of a lost authenticator, and the trail's checkpoints.
    product.wait(6 * MINUTE);
    assert_eq!(ring(&product, &settings.lasting_secret).await.iter().count(), 2);
    let ticket = product.login("ann@example.org").await.str("mfa_token");
    let code = json!({"mfa_token": ticket, "recovery_code": codes[0]});
    product.post("/login/mfa", code).await.expect(200, "");
    ship_audit::job(json!({}), product.stand.stack.clone()).await.unwrap();
    assert!(ship_audit::verify(&product.stand.stack, Source::Shipped).await.unwrap() > 0);
    // Nobody has walked: the old key of the index is still needed.
    assert_eq!(ring(&product, &settings.index_secret).await.iter().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_turns_at_once_in_two_runs_ten_minutes_apart() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let run = |name: &'static str| rotate_keys::job(json!({"now": name}), stack.clone());
    let first = rotate_keys::job(json!({}), stack.clone()).await.unwrap();
    assert_eq!(first["steps"], json!([]), "the first look makes a ring of what was drawn");
    for ring in Ring::ALL {
        product.wait(10 * MINUTE);
        let published = run(ring.name()).await.unwrap();
        assert_eq!(published["steps"][0]["event"], Event::RingKeyPublished.name());
        assert_eq!(run(ring.name()).await.unwrap()["steps"], json!([]), "ten minutes lie between two steps");
        product.wait(10 * MINUTE);
        let rotated = run(ring.name()).await.unwrap();
        assert_eq!(rotated["steps"][0]["event"], Event::RingKeyRotated.name());
        assert_eq!(rotated["steps"][0]["key"], published["steps"][0]["key"]);
    }
    assert!(run("signing").await.is_err(), "it has a job of its own");
    product.signed_in("ann").await;
}

/// Another key of the index, in use.
async fn another_index_key(product: &Product) {
    for event in [Event::RingKeyPublished, Event::RingKeyRotated] {
        product.wait(10 * MINUTE);
        let done = rotate_keys::at_once(&product.stand.stack, Ring::Index).await.unwrap();
        assert_eq!(done["steps"][0]["event"], event.name());
    }
}

async fn walk(product: &Product, pages: usize, page: usize) -> Value {
    rewrite_index::run(&product.stand.stack, pages, page).await.unwrap()
}

/// The accounts that are found under the index's key of today, and all.
async fn found(product: &Product) -> (usize, usize) {
    let ring = ring(product, &product.stand.stack.settings().index_secret).await;
    let accounts: Vec<Account> = product.stand.stack.accounts().list(None, 100).await.unwrap();
    let of_today = |account: &&Account| {
        IndexTerm::from_stored(&account.email_term).version() == ring.current().id.as_str()
    };
    (accounts.iter().filter(of_today).count(), accounts.len())
}

async fn all_sign_in(product: &Product, names: &[&str]) {
    for name in names {
        product.login(&format!("{name}@example.org")).await;
    }
}

/// Somebody tries to register an address that has an account: its owner is told, and there is no second one.
async fn is_known(product: &Product, username: &str, email: &str) {
    let told = async || {
        let mails = product.mails().await;
        mails
            .iter()
            .filter(|mail| mail["to"] == email && mail["subject"] == "You already have an account")
            .count()
    };
    let before = told().await;
    let body = json!({"username": username, "email": email, "password": PASSWORD});
    product.post("/register", body).await.expect(202, "");
    assert_eq!(told().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_found_before_while_and_after_they_are_rewritten_and_then_the_old_key_goes() {
    let product = Product::start().await;
    let (stack, people) = (&product.stand.stack, ["ann", "bob", "cid", "dan", "eve"]);
    for name in people {
        product.person(name).await;
    }
    assert_eq!(walk(&product, 1, 100).await["rewritten"], 0, "there is one key");
    product.wait(10 * MINUTE);
    rotate_keys::at_once(stack, Ring::Index).await.unwrap();
    product.wait(10 * MINUTE);
    // Named under the key before and confirmed after the change; named and never confirmed.
    let cid = product.login("cid@example.org").await.str("access_token");
    product.with(&cid, "POST", "/email", json!({"email": "moved@example.org"})).await.expect(202, "");
    let confirm = product.mailed("moved@example.org", "Confirm").await;
    let dan = product.login("dan@example.org").await.str("access_token");
    product.with(&dan, "POST", "/email", json!({"email": "never@example.org"})).await.expect(202, "");
    rotate_keys::at_once(stack, Ring::Index).await.unwrap();
    product.with(&cid, "POST", "/email/confirm", json!({"token": confirm})).await.expect(204, "");
    let people = ["ann", "bob", "moved", "dan", "eve"];
    assert_eq!(walk(&product, 1, 100).await["rewritten"], 0, "letters may wait under the key before alone");
    product.wait(25 * HOUR);
    all_sign_in(&product, &people).await;
    product.post("/password/forgot", json!({"email": "ann@example.org"})).await.expect(202, "");
    let reset = product.mailed("ann@example.org", "Set a new").await;
    // Broken off after two of six; the next run goes on where it stopped.
    assert_eq!(walk(&product, 1, 2).await["rewritten"], 2);
    assert_eq!(found(&product).await, (2, 6));
    all_sign_in(&product, &people).await;
    for (n, name) in people.iter().enumerate() {
        is_known(&product, &format!("other{n}"), &format!("{name}@example.org")).await;
    }
    product.person("fay").await;
    assert_eq!(walk(&product, 1, 2).await["ended"], false);
    assert_eq!(walk(&product, 20, 100).await["ended"], true);
    let (today, all) = found(&product).await;
    assert_eq!(today, all, "decoys and newcomers too");
    all_sign_in(&product, &people).await;
    let body = json!({"token": reset, "new_password": PASSWORD});
    product.post("/password/reset", body).await.expect(204, "");
    let done = records(&product).await;
    assert_eq!(done.iter().filter(|record| record.action == Event::EmailReindexed.name()).count(), 6);
    // The address that nobody confirmed stays while it can be; then it is forgotten.
    assert_eq!(walk(&product, 20, 100).await, json!({"rewritten": 0, "lapsed": 0, "left": 1, "ended": true}));
    product.wait(DAY);
    assert_eq!(walk(&product, 20, 100).await["lapsed"], 1);
    assert!(records(&product).await.iter().any(|record| record.action == Event::EmailLapsed.name()));
    assert_eq!(walk(&product, 20, 100).await, json!({"rewritten": 0, "lapsed": 0, "left": 0, "ended": true}));
    // Nobody is left, and yet the key stays until a walk that began a week after its last day has met nobody.
    assert!(turned(&product).await.is_empty());
    assert_eq!(walk(&product, 20, 100).await["ended"], false, "there is no reason to walk");
    product.wait(7 * DAY);
    assert!(turned(&product).await.is_empty());
    assert_eq!(walk(&product, 20, 100).await["ended"], true);
    assert_eq!(turned(&product).await, each(&["index"], Event::RingKeyRetired));
    assert_eq!(ring(&product, &stack.settings().index_secret).await.iter().count(), 1);
    product.wait(6 * MINUTE);
    all_sign_in(&product, &people).await;
    is_known(&product, "another", "bob@example.org").await;
    assert_eq!(walk(&product, 20, 100).await["ended"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_meets_another_walk_a_change_of_address_and_a_deletion() {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    for name in ["ann", "bob", "cid", "dan"] {
        product.person(name).await;
    }
    another_index_key(&product).await;
    product.wait(25 * HOUR);
    let read = stack.accounts().list(None, 100).await.unwrap();
    let stale = |name: &str| read.iter().find(|account| account.username == name).unwrap();
    // What was read before the address changed, or before its owner left, is not written any more.
    let ann = product.login("ann@example.org").await.str("access_token");
    product.with(&ann, "POST", "/email", json!({"email": "moved@example.org"})).await.expect(202, "");
    let confirm = product.mailed("moved@example.org", "Confirm").await;
    product.with(&ann, "POST", "/email/confirm", json!({"token": confirm})).await.expect(204, "");
    let bob = product.login("bob@example.org").await.str("access_token");
    product.with(&bob, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    let job = screensort_jobs::by_name("deletion_worker").unwrap();
    job(json!({}), stack.clone()).await.unwrap();
    for name in ["ann", "bob"] {
        let trail =
            screensort_http::trail_of(Event::EmailReindexed, "test", name, "test", product.clock.now());
        assert!(!stack.accounts().reindex(stale(name), "k.term", &trail.unwrap()).await.unwrap(), "{name}");
    }
    assert!(stack.accounts().owners(&["EMAIL#k.term".to_owned()]).await.unwrap().is_empty());
    let (one, other) = tokio::join!(walk(&product, 20, 100), walk(&product, 20, 100));
    let rewritten = |run: &Value| run["rewritten"].as_u64().unwrap();
    assert_eq!(rewritten(&one) + rewritten(&other), 3, "cid, dan and the administrator, each once");
    assert_eq!(found(&product).await, (4, 4));
    for name in ["moved", "cid", "dan"] {
        product.login(&format!("{name}@example.org")).await;
    }
    // An address that was given up can be had again.
    product.person("bob").await;
    let body = json!({"username": "newann", "email": "ann@example.org", "password": PASSWORD});
    product.post("/register", body).await.expect(202, "");
    product.mailed("ann@example.org", "Verify").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_opened_is_left_and_the_old_key_with_them() {
    let product = Product::start().await;
    for name in ["ann", "bob"] {
        product.person(name).await;
    }
    another_index_key(&product).await;
    product.wait(8 * DAY);
    let mut settings = product.stand.stack.settings().clone();
    settings.data_key = "alias/screensort-nobody".to_owned();
    let without = screensort_runtime::Stack::new(settings, product.clock.clone());
    let left = rewrite_index::run(&without, 20, 100).await.unwrap();
    assert_eq!(left, json!({"rewritten": 0, "lapsed": 0, "left": 3, "ended": true}));
    assert!(turned(&product).await.is_empty());
    all_sign_in(&product, &["ann", "bob"]).await;
    assert_eq!(walk(&product, 20, 100).await["rewritten"], 3);
    assert!(turned(&product).await.is_empty(), "a walk that met somebody is no proof that nobody is left");
    assert_eq!(walk(&product, 20, 100).await["ended"], true);
    assert_eq!(turned(&product).await, each(&["index"], Event::RingKeyRetired));
    product.wait(6 * MINUTE);
    all_sign_in(&product, &["ann", "bob"]).await;
}
