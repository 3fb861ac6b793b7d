//! What requests take of the store in capacity units, as docs/performance.md has it: of one person with a few items,
//! counted by the embedded store as AWS says that it counts, transactions twice, index writes and batches included.

use serde_json::{Value, json};

use crate::product::PASSWORD;
use crate::world::World;

const TEXT: &str = "I liked every minute of it, and the music most.";

/// What was asked, and the units that it took.
#[derive(Default)]
struct Taken(Vec<(&'static str, f64)>);

impl Taken {
    /// Notes what the last request of `endpoint` took, and prints it as infra/costs.toml has it.
    #[allow(clippy::print_stdout, reason = "with --nocapture it is what infra/costs.toml is written from")]
    fn note(&mut self, world: &World, what: &'static str, endpoint: &str) {
        let records = world.product.gateway.records();
        let last = records.iter().find(|record| record.endpoint == endpoint).unwrap();
        assert!(last.status < 500, "{what}: {}", last.status);
        println!(
            "{what}: {endpoint} = {{requests = {}, units = {}, steps = {}, bytes = {}}}",
            last.store_requests, last.store_units, last.store_steps, last.bytes
        );
        self.0.push((what, last.store_units));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_requests_take_of_the_store_in_units_is_known() {
    let world = World::start().await;
    let (product, mut taken) = (&world.product, Taken::default());
    let login = |name: &str, password: &str| {
        let body = json!({"email": format!("{name}@example.org"), "password": password});
        async move { product.post("/login", body).await }
    };
    let ann = world.person("ann").await;
    taken.note(&world, "register", "register");
    let editor = world.editor().await;
    login("ann", PASSWORD).await.expect(200, "");
    taken.note(&world, "login, right", "login");
    login("ann", "Wrong-kettle8 hums").await.expect(401, "invalid_credentials");
    taken.note(&world, "login, wrong", "login");
    login("nobody", "Wrong-kettle8 hums").await.expect(401, "invalid_credentials");
    taken.note(&world, "login, unknown", "login");
    let film = world.films[0];
    let call = async |token: &str, method: &str, path: &str, body: Value| {
        let got = product.with(token, method, path, body).await;
        assert!(got.status < 300, "{method} {path}: {}", got.text);
        got
    };
    // A block of calls is drawn by the first.
    call(&ann, "GET", "/session", Value::Null).await;
    world.thumb(&ann, film, "thumbs_up").await.expect(200, "");
    taken.note(&world, "thumbs_action", "thumbs_action");
    world.rate(&ann, film, 8.0).await.expect(200, "");
    taken.note(&world, "rating", "movie_rating");
    call(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await;
    taken.note(&world, "watchlist", "watchlist_entry");
    let entry = call(&ann, "POST", "/history", json!({"movie_id": film})).await.str("id");
    taken.note(&world, "history", "history");
    let review = world.write(&ann, film, TEXT).await.expect(200, "").str("id");
    taken.note(&world, "review, first", "movie_review");
    call(&editor, "POST", &format!("/moderation/reviews/{review}"), json!({"decision": "publish"})).await;
    taken.note(&world, "moderation", "moderation_review");
    let bob = world.person("bob").await;
    call(&bob, "POST", &format!("/reviews/{review}/report"), json!({"reason": "spam"})).await;
    taken.note(&world, "report", "review_report");
    call(&ann, "DELETE", &format!("/movies/{film}/review"), Value::Null).await;
    taken.note(&world, "review, deleted", "movie_review");
    call(&ann, "PATCH", &format!("/history/{entry}"), json!({"rewatch": true})).await;
    taken.note(&world, "history, changed", "history_entry");
    call(&ann, "DELETE", &format!("/history/{entry}"), Value::Null).await;
    taken.note(&world, "history, deleted", "history_entry");
    call(&ann, "PUT", "/preferences", json!({"region": "GB", "avoid_genres": [27]})).await;
    taken.note(&world, "preferences", "preferences");
    call(&ann, "PATCH", "/profile", json!({"bio": "Films with music."})).await;
    taken.note(&world, "profile, changed", "profile");
    for (path, endpoint) in [
        ("/profile", "profile"),
        ("/security", "security"),
        ("/sessions", "sessions"),
        ("/session", "session"),
        ("/thumbs", "thumbs"),
        ("/ratings", "ratings"),
        ("/history", "history"),
        ("/recommendation", "recommendation"),
    ] {
        call(&ann, "GET", path, Value::Null).await;
        taken.note(&world, path, endpoint);
    }
    call(&ann, "POST", "/profile/export", Value::Null).await;
    taken.note(&world, "export", "profile_export");
    call(&ann, "POST", "/imports", json!({"source": "imdb", "content": "Const\ntt1\n"})).await;
    taken.note(&world, "import", "imports");
    // A change of one of these is a change of docs/performance.md and infra/costs.toml.
    let expected = [
        ("register", 18.0),
        ("login, right", 19.0),
        ("login, wrong", 12.0),
        ("login, unknown", 12.0),
        ("thumbs_action", 5.0),
        ("rating", 6.0),
        ("watchlist", 7.0),
        ("history", 11.0),
        ("review, first", 20.0),
        ("moderation", 17.0),
        ("report", 13.0),
        ("review, deleted", 19.0),
        ("history, changed", 12.0),
        ("history, deleted", 13.0),
        ("preferences", 4.0),
        ("profile, changed", 6.0),
        ("/profile", 4.0),
        ("/security", 3.5),
        ("/sessions", 3.0),
        ("/session", 2.0),
        ("/thumbs", 3.0),
        ("/ratings", 3.0),
        ("/history", 3.0),
        ("/recommendation", 5.0),
        ("export", 9.0),
        ("import", 9.0),
    ];
    assert_eq!(taken.0, expected);
}
