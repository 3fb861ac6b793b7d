//! One suite over everything that is kept, on the store in memory and on the one on disk, which is closed and opened
//! again in the middle. What is answered must be the same, word for word.

use std::collections::BTreeMap;
use std::path::Path;

use screensort::stand::Choices;
use serde_json::{Value, json};

use crate::product::Product;
use crate::world::World;

/// What was answered, in order. Ids are drawn by chance: they are numbered as they appear.
#[derive(Default)]
struct Seen {
    answers: Vec<String>,
    ids: BTreeMap<String, usize>,
}

impl Seen {
    fn note(&mut self, what: &str, status: u16, body: &Value) {
        let mut body = body.clone();
        self.plain(&mut body);
        self.answers.push(format!("{what}: {status} {body}"));
    }

    /// Chance taken out: ids numbered, secrets, cursors and ids of requests left out.
    fn plain(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let by_chance =
                        ["next_cursor", "request_id", "instance", "key", "prefix", "access_token"];
                    if by_chance.contains(&name.as_str()) && value.is_string() {
                        *value = json!("by chance");
                    }
                    self.plain(value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.plain(item)),
            Value::String(text) if text.split('-').all(|part| ulid::Ulid::from_string(part).is_ok()) => {
                let next = self.ids.len();
                let number = *self.ids.entry(text.clone()).or_insert(next);
                *text = format!("id {number}");
            }
            _ => {}
        }
    }
}

const READS: [&str; 14] = [
    "/profile",
    "/preferences",
    "/thumbs?limit=5",
    "/ratings",
    "/hidden",
    "/history",
    "/watchlist",
    "/reviews",
    "/favourites",
    "/queries",
    "/api_keys",
    "/links",
    "/logins",
    "/security",
];

impl World {
    async fn kept_in(data: Option<&Path>) -> Self {
        let product =
            Product::start_with(Choices { data: data.map(Path::to_owned), ..Choices::default() }).await;
        let (mut films, operators) = screensort::import::sample(product.clock.now()).unwrap();
        films.truncate(24);
        screensort::import::keep(&product.stand.stack, &films, &operators, |_| {}).await.unwrap();
        let films = films.iter().map(|film| u64::from(film.id.get())).collect();
        Self { product, films }
    }

    /// The same data, after everything was closed. Time goes on where it stood.
    async fn opened_again(self, data: &Path) -> Self {
        let Self { mut product, films } = self;
        let (before, admin) = (product.clock.now(), product.admin.take());
        product.stop().await;
        let mut product =
            Product::start_with(Choices { data: Some(data.to_owned()), ..Choices::default() }).await;
        assert!(product.admin.is_none(), "the administrator is still there");
        product.admin = admin;
        product.wait(u64::try_from(before.duration_since(product.clock.now()).as_secs()).unwrap());
        Self { product, films }
    }

    async fn call(&self, seen: &mut Seen, token: &str, method: &str, path: &str, body: Value) -> Value {
        // Newest first is an order only if times differ.
        self.product.wait(1);
        let got = self.product.with(token, method, path, body).await;
        let plain = |part: &str| match ulid::Ulid::from_string(part) {
            Ok(_) => "id".to_owned(),
            Err(_) => part.to_owned(),
        };
        let path = path.split('/').map(plain).collect::<Vec<_>>().join("/");
        seen.note(&format!("{method} {path}"), got.status, &got.body);
        got.body
    }

    async fn reads(&self, token: &str) -> Seen {
        let mut seen = Seen::default();
        for path in READS {
            let got = self.get(token, path).await.expect(200, "");
            seen.note(path, got.status, &got.body);
        }
        for film in &self.films[..3] {
            let got = self.get(token, &format!("/movies/{film}")).await.expect(200, "");
            seen.note("film", got.status, &got.body);
        }
        seen
    }
}

/// What one half hands to the other.
struct Kept {
    refresh: String,
    key: Value,
    link: String,
    entry: String,
    by_hand: u64,
}

async fn first_half(world: &World, seen: &mut Seen) -> Kept {
    let (ann, refresh) = world.product.signed_in("ann").await;
    let (bob, _) = world.product.signed_in("bob").await;
    let mut call = async |token: &str, method: &str, path: &str, body: Value| {
        world.call(seen, token, method, path, body).await
    };
    for (at, film) in world.films[..12].iter().enumerate() {
        let action = ["thumbs_up", "thumbs_down", "clear"][at % 3];
        call(&ann, "POST", "/thumbs_action", json!({"movie_id": film, "action": "thumbs_up"})).await;
        call(&ann, "POST", "/thumbs_action", json!({"movie_id": film, "action": action})).await;
    }
    let film = world.films[0];
    call(&ann, "PUT", &format!("/movies/{film}/rating"), json!({"value": 9.5})).await;
    call(&ann, "PUT", &format!("/movies/{film}/rating"), json!({"value": 9.7})).await;
    call(&ann, "PUT", &format!("/movies/{}/hidden", world.films[1]), Value::Null).await;
    call(&ann, "PUT", &format!("/watchlist/{film}"), Value::Null).await;
    call(&ann, "PUT", "/watchlist/1999999999", Value::Null).await;
    let entry =
        call(&ann, "POST", "/history", json!({"movie_id": film})).await["id"].as_str().unwrap().to_owned();
    call(&ann, "POST", "/history", json!({"movie_id": film, "rewatch": true})).await;
    call(&ann, "PATCH", &format!("/history/{entry}"), json!({"mode": "cinema"})).await;
    let text = json!({"text": "It is long, it is loud, and I liked every minute.", "language": "en"});
    call(&ann, "PUT", &format!("/movies/{film}/review"), text.clone()).await;
    call(&ann, "PUT", &format!("/movies/{film}/review"), text).await;
    call(
        &ann,
        "PATCH",
        "/profile",
        json!({"bio": "Ame\u{301}lie \u{1f3ac}", "region": "GB", "birth_year": 1990}),
    )
    .await;
    call(&ann, "PUT", "/preferences", json!({"max_runtime": 120, "avoid_genres": [27]})).await;
    call(&ann, "PUT", "/queries", json!({"kept": true})).await;
    let found = call(&ann, "GET", "/operators?limit=2", Value::Null).await;
    let operator = found["items"][0]["id"].as_str().unwrap().to_owned();
    call(&ann, "PUT", &format!("/favourites/{operator}"), Value::Null).await;
    let key = call(&ann, "POST", "/api_keys", json!({"name": "tool", "scopes": ["operators:read"]})).await;
    let asked = json!({"email": "bob@example.org", "scopes": ["history"]});
    let link = call(&ann, "POST", "/links", asked).await["id"].as_str().unwrap().to_owned();
    let mailed = world.product.mailed("bob@example.org", "yours too").await;
    call(&bob, "POST", "/links/confirm", json!({"token": mailed})).await;
    let admin = world.product.admin_token().await;
    call(&admin, "PUT", "/admin/blocklist/203.0.113.9", json!({"reason": "Scanning"})).await;
    let made = call(&admin, "POST", "/admin/add_movie", json!({"title": "Ferry", "genres": [18]})).await;
    call(&admin, "PATCH", &format!("/admin/movies/{film}"), json!({"tagline": "Across."})).await;
    world.product.gateway.follow_changes().await.unwrap();
    Kept { refresh, key, link, entry, by_hand: made["id"].as_u64().unwrap() }
}

async fn second_half(world: &World, seen: &mut Seen, kept: &Kept) {
    // What was handed out before is still good: a refresh token, an API key, the administrator's second factor.
    let body = json!({"refresh_token": kept.refresh});
    let ann = world.product.post("/token/refresh", body).await.expect(200, "").str("access_token");
    let grant = json!({"grant_type": "client_credentials", "client_id": kept.key["client_id"],
        "client_secret": kept.key["key"]});
    let service = world.product.post("/token", grant).await.expect(200, "").str("access_token");
    let mut call = async |token: &str, method: &str, path: &str, body: Value| {
        world.call(seen, token, method, path, body).await
    };
    call(&service, "GET", "/operators?limit=2", Value::Null).await;
    let film = world.films[0];
    call(&ann, "DELETE", &format!("/movies/{film}/rating"), Value::Null).await;
    call(&ann, "DELETE", &format!("/movies/{film}/rating"), Value::Null).await;
    call(&ann, "DELETE", &format!("/history/{}", kept.entry), Value::Null).await;
    call(&ann, "DELETE", &format!("/history/{}", kept.entry), Value::Null).await;
    call(&ann, "DELETE", &format!("/movies/{film}/review"), Value::Null).await;
    call(&ann, "DELETE", &format!("/watchlist/{film}"), Value::Null).await;
    call(&ann, "PATCH", "/profile", json!({"bio": null})).await;
    call(&ann, "DELETE", "/queries", Value::Null).await;
    call(&ann, "GET", &format!("/links/{}", kept.link), Value::Null).await;
    call(&ann, "GET", &format!("/links/{}/history", kept.link), Value::Null).await;
    call(&ann, "DELETE", &format!("/links/{}", kept.link), Value::Null).await;
    call(&ann, "DELETE", &format!("/api_keys/{}", kept.key["id"].as_str().unwrap()), Value::Null).await;
    call(&service, "GET", "/operators?limit=2", Value::Null).await;
    world.product.wait(60);
    let admin = world.product.admin_token().await;
    call(&admin, "GET", "/admin/blocklist", Value::Null).await;
    call(&admin, "DELETE", &format!("/admin/movies/{}", kept.by_hand), Value::Null).await;
    let users =
        world.product.with(&admin, "GET", "/admin/users?limit=100", Value::Null).await.expect(200, "");
    // In an order that means nothing.
    let mut names: Vec<&Value> =
        users.body["items"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    names.sort_by_key(|name| name.to_string());
    seen.note("/admin/users", 200, &json!(names));
    let taken =
        json!({"username": "ann", "email": "other@example.org", "password": crate::product::PASSWORD});
    let got = world.product.post("/register", taken).await;
    seen.note("register", got.status, &got.body);
    world.product.gateway.follow_changes().await.unwrap();
    let last = world.reads(&ann).await;
    seen.answers.extend(last.answers);
    seen.answers.push(world.community(film).await.to_string());
    let gone = json!({"password": crate::product::PASSWORD});
    world.call(seen, &ann, "DELETE", "/profile", gone).await;
    screensort_accounts::deletion_worker::run(&world.product.stand.stack).await.unwrap();
    let left = world.get(&ann, "/profile").await;
    seen.note("profile", left.status, &left.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_disk_answers_like_the_one_in_memory_and_after_a_restart_like_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut answers = Vec::new();
    for place in [None, Some(data.as_path())] {
        let mut world = World::kept_in(place).await;
        let mut seen = Seen::default();
        let kept = first_half(&world, &mut seen).await;
        if let Some(data) = place {
            let token = world.product.login("ann@example.org").await.str("access_token");
            let before = world.reads(&token).await.answers;
            world = world.opened_again(data).await;
            assert_eq!(world.reads(&token).await.answers, before);
        } else {
            world.product.login("ann@example.org").await;
        }
        second_half(&world, &mut seen, &kept).await;
        assert!(seen.answers.len() > 80, "{} answers", seen.answers.len());
        answers.push(seen.answers);
        world.product.stop().await;
    }
    for (memory, disk) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(memory, disk);
    }
    assert_eq!(answers[0].len(), answers[1].len());
}
