use screensort_accounts::deletion_worker;
use screensort_store::{Change, Errand, ErrandKind, ErrandState, Review, ReviewState};
use serde_json::{Value, json};

use crate::product::PASSWORD;
use crate::world::World;

const TEXT: &str = "It is long, it is loud, and I liked every minute of it.";

impl World {
    /// Somebody who has done everything there is.
    pub(crate) async fn busy(&self, name: &str) -> String {
        let token = self.person(name).await;
        let film = self.films[0];
        self.thumb(&token, film, "thumbs_up").await.expect(200, "");
        self.rate(&token, film, 8.0).await.expect(200, "");
        self.product.with(&token, "POST", "/history", json!({"movie_id": film})).await.expect(201, "");
        self.product.with(&token, "PUT", &format!("/watchlist/{film}"), Value::Null).await.expect(204, "");
        let told = json!({"bio": "Planted", "region": "GB"});
        self.product.with(&token, "PATCH", "/profile", told).await.expect(200, "");
        self.product.with(&token, "PUT", "/preferences", json!({"region": "GB"})).await.expect(200, "");
        for film in &self.films[..3] {
            let path = format!("/movies/{film}/review");
            self.product.with(&token, "PUT", &path, json!({"text": TEXT})).await.expect(200, "");
        }
        token
    }

    /// Waits until nobody is left to be forgotten.
    pub(crate) async fn forgotten(&self) {
        let stack = &self.product.stand.stack;
        deletion_worker::run(stack).await.unwrap();
        assert!(stack.accounts().deletions().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_gone_everywhere_and_can_come_back_as_somebody_new() {
    let world = World::start().await;
    let (ann, bob) = (world.busy("ann").await, world.busy("bob").await);
    let (film, id) = (world.films[0], world.id(&ann).await);
    assert_eq!(world.community(film).await, json!([2, 0, 2, 32, 0]));
    let delete = |body: Value| world.product.with(&ann, "DELETE", "/profile", body);
    delete(json!({"password": "Wrong-guess1 here"})).await.expect(401, "invalid_credentials");
    delete(json!({"password": PASSWORD, "user_id": "x"})).await.expect(422, "invalid_body");
    world
        .product
        .ask("DELETE", "/profile", &[], json!({"password": PASSWORD}))
        .await
        .expect(401, "unauthorized");
    delete(json!({"password": PASSWORD})).await.expect(202, "");
    world.get(&ann, "/thumbs").await.expect(401, "unauthorized");
    world.forgotten().await;
    let login = json!({"email": "ann@example.org", "password": PASSWORD});
    world.product.post("/login", login).await.expect(401, "invalid_credentials");
    assert!(world.product.mails().await.iter().any(|mail| mail["subject"] == "Your account is deleted"));
    assert!(world.product.stand.stack.accounts().person(&id).await.unwrap().is_none());
    assert!(world.product.stand.stack.accounts().wrapped_key(&id).await.unwrap().is_none());
    assert_eq!(world.community(film).await, json!([1, 0, 1, 16, 0]));
    assert!(world.product.stand.stack.library().of_person(&id).await.unwrap().is_empty());
    // The third review was published; it went with its author.
    let path = format!("/movies/{}/reviews", world.films[2]);
    let left = world.product.ask("GET", &path, &[], Value::Null).await.expect(200, "");
    let authors: Vec<&Value> = left.body["items"].as_array().unwrap().iter().map(|r| &r["author"]).collect();
    assert_eq!(authors, ["bob"]);
    assert_eq!(world.listed(&bob, "/thumbs").await, [film]);
    // Name and address are free again, and nothing is left of before.
    let again = world.person("ann").await;
    assert!(world.listed(&again, "/thumbs").await.is_empty());
    assert_ne!(world.id(&again).await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_may_stay_without_a_name_and_a_killed_worker_goes_on() {
    let world = World::start().await;
    let ann = world.busy("ann").await;
    let id = world.id(&ann).await;
    let body = json!({"password": PASSWORD, "reviews": "anonymise"});
    world.product.with(&ann, "DELETE", "/profile", body).await.expect(202, "");
    world.forgotten().await;
    // As if the worker had been killed before the last step, twice.
    let stack = &world.product.stand.stack;
    let change = screensort_store::Change { account: &id, request: "r", at: world.product.clock.now() };
    for _ in 0..2 {
        stack.library().erase(&change, true).await.unwrap();
        stack.accounts().erase(&id, Some("ann")).await.unwrap();
    }
    let path = format!("/movies/{}/reviews", world.films[2]);
    let left = world.product.ask("GET", &path, &[], Value::Null).await.expect(200, "");
    assert_eq!(left.body["items"].as_array().unwrap().len(), 1, "{}", left.text);
    assert_eq!(left.body["items"][0]["author"], "a former member");
    assert_eq!(world.community(world.films[2]).await, json!([0, 0, 0, 0, 1]));
    let bob = world.person("bob").await;
    let report = format!("/reviews/{}/report", left.body["items"][0]["id"].as_str().unwrap());
    world.product.with(&bob, "POST", &report, json!({"reason": "spam"})).await.expect(204, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_the_last_administrator_stays() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let (secret, _, ann) = world.product.enrol(&ann).await;
    let delete = |body: Value| world.product.with(&ann, "DELETE", "/profile", body);
    delete(json!({"password": PASSWORD})).await.expect(422, "invalid_body");
    world.product.wait(60);
    let code = world.product.code(&secret);
    delete(json!({"password": PASSWORD, "code": code})).await.expect(202, "");
    let admin = world.product.admin_token().await;
    let password = world.product.admin.as_ref().unwrap().password.clone();
    let uri = world.product.admin.as_ref().unwrap().otpauth_uri.clone();
    let secret = crate::product::secret_of(uri.split("secret=").nth(1).unwrap().split('&').next().unwrap());
    world.product.wait(60);
    let body = json!({"password": password, "code": world.product.code(&secret)});
    world.product.with(&admin, "DELETE", "/profile", body).await.expect(409, "conflict");
}

/// How much a library still says.
async fn left(world: &World, account: &str) -> usize {
    let library = world.product.stand.stack.library();
    let films = library.of_person(account).await.unwrap().len();
    let watches = library.history(account, None, usize::MAX).await.unwrap().len();
    let reviews = library.own_reviews(account, None, usize::MAX).await.unwrap().len();
    films + watches + reviews + library.errands(account).await.unwrap().len()
}

/// An errand that waits since then.
pub(crate) fn running(id: String, asked_at: jiff::Timestamp) -> Errand {
    Errand {
        id,
        form: "json".to_owned(),
        to_watch: false,
        dry_run: false,
        progress: ErrandState::Running,
        counted: [0; 3],
        failure: None,
        request: "late".to_owned(),
        asked_at,
    }
}

/// A review that nobody but the store has heard of.
fn brought(world: &World, account: &str) -> Review {
    let now = world.product.clock.now();
    Review {
        id: world.product.stand.stack.new_id().unwrap(),
        movie: screensort_model::MovieId::new(u32::try_from(world.films[0]).unwrap()).unwrap(),
        account: account.to_owned(),
        author: "ann".to_owned(),
        text: TEXT.to_owned(),
        spoiler: false,
        language: None,
        state: ReviewState::Pending,
        links: 0,
        reports: 0,
        note: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_that_was_under_way_left_behind_goes_with_its_errand() {
    let world = World::start().await;
    let stack = &world.product.stand.stack;
    for (kind, folder) in [(ErrandKind::Export, "exports"), (ErrandKind::Import, "imports")] {
        let ann = world.person("ann").await;
        let id = world.id(&ann).await;
        world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
        world.forgotten().await;
        // When all was over, the request noted its errand, and another worker a film with a review.
        let change = Change { account: &id, request: "late", at: world.product.clock.now() };
        let errand = running(stack.new_id().unwrap(), change.at);
        let file = format!("{folder}/{id}/{}", errand.id);
        stack.parcels().put(&file, "text/plain", b"Planted".to_vec()).await.unwrap();
        stack.library().begin_errand(&change, kind, &errand, None).await.unwrap();
        let review = brought(&world, &id);
        let event = screensort_auth::event::Event::ReviewHeld;
        let trail = screensort_http::trail_of(event, &id, &review.id, "late", change.at).unwrap();
        assert!(stack.library().bring_review(&change, &review, &trail).await.unwrap());
        assert_eq!(left(&world, &id).await, 3);
        world.product.gateway.follow_changes().await.unwrap();
        assert_eq!(left(&world, &id).await, 0, "{kind:?}");
        assert!(stack.parcels().get(&file).await.unwrap().is_none(), "{kind:?}");
        assert!(stack.library().review_by_id(&review.id).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_owner_is_forgotten_while_it_works_leaves_nothing_of_theirs() {
    let world = World::of(300).await;
    let ann = world.person("ann").await;
    let id = world.id(&ann).await;
    let library = world.product.stand.stack.library();
    let films: Vec<Value> = world.films.iter().map(|film| json!({"movie_id": film, "rating": 7})).collect();
    let content = json!({"format": "screensort", "films": films}).to_string();
    let errand = world.asked(&id, "screensort", &content).await;
    let stack = world.product.stand.stack.clone();
    let worker =
        tokio::spawn(async move { screensort_jobs::import_worker::job(json!({}), stack).await.unwrap() });
    while library.of_person(&id).await.unwrap().len() < 20 {
        assert!(!worker.is_finished(), "its owner was to be forgotten half way");
        tokio::task::yield_now().await;
    }
    world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
    screensort_accounts::deletion_worker::run(&world.product.stand.stack).await.unwrap();
    worker.await.unwrap();
    assert_eq!(left(&world, &id).await, 0);
    for name in [format!("imports/{id}/{errand}"), format!("imports/{id}/{errand}.report")] {
        assert!(world.product.stand.stack.parcels().get(&name).await.unwrap().is_none(), "{name}");
    }
    // It is over when the worker can be at it no more.
    assert_eq!(world.product.stand.stack.accounts().deletions().await.unwrap().len(), 1);
    world.product.wait(5 * 60 + 1);
    world.forgotten().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_left_that_was_killed_while_its_owner_was_forgotten_goes_when_its_lease_ends() {
    let world = World::start().await;
    let stack = &world.product.stand.stack;
    for (kind, folder) in [(ErrandKind::Export, "exports"), (ErrandKind::Import, "imports")] {
        let ann = world.person("ann").await;
        let id = world.id(&ann).await;
        let change = Change { account: &id, request: "late", at: world.product.clock.now() };
        let errand = running(stack.new_id().unwrap(), change.at);
        stack.library().begin_errand(&change, kind, &errand, None).await.unwrap();
        let open = stack.library().errands_open(kind, 10).await.unwrap();
        assert!(stack.library().take_errand(kind, &open[0], "killed", change.at).await.unwrap().is_some());
        world.product.with(&ann, "DELETE", "/profile", json!({"password": PASSWORD})).await.expect(202, "");
        screensort_accounts::deletion_worker::run(stack).await.unwrap();
        assert!(stack.accounts().person(&id).await.unwrap().is_none());
        // The last that it did.
        let file = format!("{folder}/{id}/{}", errand.id);
        stack.parcels().put(&file, "text/plain", b"Planted".to_vec()).await.unwrap();
        screensort_accounts::deletion_worker::run(stack).await.unwrap();
        assert_eq!(stack.accounts().deletions().await.unwrap().len(), 1, "{kind:?}");
        stack.parcels().put(&file, "text/plain", b"Planted".to_vec()).await.unwrap();
        world.product.wait(5 * 60 + 1);
        world.forgotten().await;
        assert!(stack.parcels().get(&file).await.unwrap().is_none(), "{kind:?}");
        assert!(stack.library().errands_open(kind, 10).await.unwrap().is_empty());
    }
}
