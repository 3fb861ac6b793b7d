use screensort_store::Account;
use serde_json::{Value, json};

use crate::product::Got;
use crate::world::World;

const TEXT: &str = "It is long, it is loud, and I liked every minute of it.";

impl World {
    pub(crate) async fn write(&self, token: &str, movie: u64, text: &str) -> Got {
        let path = format!("/movies/{movie}/review");
        self.product.with(token, "PUT", &path, json!({"text": text, "language": "en"})).await
    }

    /// The texts of a film's published reviews, as guests see them.
    pub(crate) async fn published(&self, movie: u64) -> Vec<String> {
        let got = self.product.ask("GET", &format!("/movies/{movie}/reviews"), &[], Value::Null).await;
        let items = got.expect(200, "").body["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect()
    }

    /// An editor, second factor shown.
    pub(crate) async fn editor(&self) -> String {
        let token = self.person("editor").await;
        let (secret, _, token) = self.product.enrol(&token).await;
        let stack = &self.product.stand.stack;
        let session = self.get(&token, "/session").await;
        let id = session.body["user"]["id"].as_str().unwrap().to_owned();
        let before = stack.accounts().person(&id).await.unwrap().unwrap().account;
        let after = Account { roles: vec!["user".into(), "editor".into()], ..before.clone() };
        let event = screensort_auth::event::Event::RoleChanged;
        let trail = screensort_http::trail_of(event, "test", &id, "test", self.product.clock.now()).unwrap();
        assert!(stack.accounts().set_standing(&before, &after, 0, None, &trail).await.unwrap());
        self.product.wait(60);
        let first = self.product.login("editor@example.org").await;
        let body = json!({"mfa_token": first.str("mfa_token"), "code": self.product.code(&secret)});
        self.product.post("/login/mfa", body).await.expect(200, "").str("access_token")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_reviews_wait_for_an_editor_and_later_ones_do_not() {
    let world = World::start().await;
    let editor = world.editor().await;
    let ann = world.person("ann").await;
    let film = world.films[0];
    let first = world.write(&ann, film, TEXT).await.expect(200, "");
    assert_eq!(first.body["state"], "pending");
    assert!(world.published(film).await.is_empty());
    world.get(&ann, "/moderation/reviews").await.expect(403, "forbidden");
    let waiting = world.get(&editor, "/moderation/reviews").await.expect(200, "");
    assert_eq!(waiting.body["items"][0]["id"], first.body["id"]);
    let path = format!("/moderation/reviews/{}", first.str("id"));
    let publish = json!({"decision": "publish", "note": "Thank you."});
    world.product.with(&ann, "POST", &path, publish.clone()).await.expect(403, "forbidden");
    world.product.with(&editor, "POST", &path, publish).await.expect(200, "");
    assert_eq!(world.published(film).await, [TEXT]);
    assert_eq!(world.community(film).await, json!([0, 0, 0, 0, 1]));
    assert!(world.get(&editor, "/moderation/reviews").await.body["items"].as_array().unwrap().is_empty());
    assert_eq!(world.write(&ann, world.films[1], TEXT).await.body["state"], "pending");
    let cost = || world.product.store_cost("movie_review");
    assert_eq!(cost(), (4, 2), "what is there beside session and quota, then one transaction");
    assert_eq!(world.write(&ann, world.films[2], TEXT).await.body["state"], "published");
    assert_eq!(cost(), (4, 2));
    let linked = format!("{TEXT} See https://spam.example");
    assert_eq!(world.write(&ann, world.films[3], &linked).await.body["state"], "pending");
    // A change of a published one stays published, unless it brings links.
    assert_eq!(world.write(&ann, film, &format!("{TEXT}!")).await.body["state"], "published");
    assert_eq!(cost(), (4, 2), "a change of one costs what a new one does");
    assert_eq!(world.write(&ann, film, &linked).await.body["state"], "pending");
    assert_eq!(world.community(film).await, json!([0, 0, 0, 0, 0]));
    let own = world.get(&ann, "/reviews").await.expect(200, "");
    assert_eq!(own.body["items"].as_array().unwrap().len(), 4);
    assert_eq!(world.get(&ann, &format!("/movies/{film}")).await.body["me"]["review_id"], first.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_once_per_person_and_a_removed_review_is_gone_for_others() {
    let world = World::start().await;
    let editor = world.editor().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.films[0];
    let made = world.write(&ann, film, TEXT).await.expect(200, "");
    let report = format!("/reviews/{}/report", made.str("id"));
    let decide = format!("/moderation/reviews/{}", made.str("id"));
    let spam = json!({"reason": "spam"});
    // Pending is not there for others.
    world.product.with(&bob, "POST", &report, spam.clone()).await.expect(404, "not_found");
    world.product.with(&editor, "POST", &decide, json!({"decision": "publish"})).await.expect(200, "");
    world.product.with(&ann, "POST", &report, spam.clone()).await.expect(409, "conflict");
    world.product.with(&bob, "POST", &report, json!({"reason": "envy"})).await.expect(422, "invalid_body");
    let reports = (0..6).map(|_| world.product.with(&bob, "POST", &report, spam.clone()));
    for got in futures::future::join_all(reports).await {
        got.expect(204, "");
    }
    world.product.with(&bob, "POST", &report, spam.clone()).await.expect(204, "");
    assert_eq!(world.product.store_cost("review_report"), (4, 2), "the way to it beside session and quota");
    world.product.ask("POST", &report, &[], spam).await.expect(401, "unauthorized");
    let waiting = world.get(&editor, "/moderation/reviews").await;
    assert_eq!(waiting.body["items"][0]["reports"], 1);
    let remove = json!({"decision": "remove", "note": "Off topic."});
    world.product.with(&editor, "POST", &decide, remove).await.expect(200, "");
    assert!(world.published(film).await.is_empty());
    assert_eq!(world.community(film).await, json!([0, 0, 0, 0, 0]));
    let own = world.get(&ann, "/reviews").await;
    assert_eq!(
        (&own.body["items"][0]["state"], &own.body["items"][0]["note"]),
        (&json!("removed"), &json!("Off topic."))
    );
    assert_eq!(world.write(&ann, film, TEXT).await.body["state"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_plain_text_of_a_sane_length_and_its_authors_alone_to_change() {
    let world = World::start().await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let film = world.films[0];
    for bad in ["too short", &"x".repeat(10_001), &format!("{TEXT}\u{202E}"), &format!("{TEXT}\u{0}")] {
        world.write(&ann, film, bad).await.expect(422, "invalid_body");
    }
    world.write(&ann, 1_999_999_999, TEXT).await.expect(404, "not_found");
    let markup = "<script>alert(1)</script> is what I think of it, Ame\u{301}lie";
    let made = world.write(&ann, film, markup).await.expect(200, "");
    assert_eq!(made.body["text"], "<script>alert(1)</script> is what I think of it, Am\u{e9}lie");
    assert!(!made.text.contains("<script>"), "markup travels escaped");
    let path = format!("/movies/{film}/review");
    world.product.with(&bob, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    let bearer = format!("Bearer {ann}");
    let stale = [("authorization", bearer.as_str()), ("if-match", "\"v7\"")];
    world.product.ask("PUT", &path, &stale, json!({"text": TEXT})).await.expect(412, "precondition_failed");
    world.product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    world.product.with(&ann, "DELETE", &path, Value::Null).await.expect(404, "not_found");
    assert_eq!(world.get(&ann, &format!("/movies/{film}")).await.body["me"]["review_id"], Value::Null);
    assert!(world.get(&ann, "/reviews").await.body["items"].as_array().unwrap().is_empty());
    world.write(&ann, film, TEXT).await.expect(200, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_trusted_for_what_was_withdrawn_or_removed() {
    let world = World::start().await;
    let editor = world.editor().await;
    let ann = world.person("ann").await;
    let film = world.films[0];
    let path = format!("/movies/{film}/review");
    for _ in 0..3 {
        assert_eq!(world.write(&ann, film, TEXT).await.expect(200, "").body["state"], "pending");
        world.product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    }
    // Two that stay make her trusted; one that an editor removes ends that, also after it is withdrawn.
    for film in &world.films[1..3] {
        assert_eq!(world.write(&ann, *film, TEXT).await.body["state"], "pending");
    }
    let shown = world.write(&ann, film, TEXT).await.expect(200, "");
    assert_eq!(shown.body["state"], "published");
    let decision = format!("/moderation/reviews/{}", shown.str("id"));
    world.product.with(&editor, "POST", &decision, json!({"decision": "remove"})).await.expect(200, "");
    world.product.with(&ann, "DELETE", &path, Value::Null).await.expect(204, "");
    assert_eq!(world.write(&ann, film, TEXT).await.body["state"], "pending");
    assert!(world.published(film).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_an_editor_let_through_is_not_changed_for_another() {
    let world = World::start().await;
    let editor = world.editor().await;
    let ann = world.person("ann").await;
    let film = world.films[0];
    let linked = format!("{TEXT} See https://good.example");
    let first = world.write(&ann, film, &linked).await.expect(200, "");
    let decision = format!("/moderation/reviews/{}", first.str("id"));
    world.product.with(&editor, "POST", &decision, json!({"decision": "publish"})).await.expect(200, "");
    let other = format!("{TEXT} See https://spam.example");
    assert_eq!(world.write(&ann, film, &other).await.body["state"], "pending");
    assert!(world.published(film).await.is_empty());
}
