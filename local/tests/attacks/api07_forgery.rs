//! API7:2023, server side request forgery. Nothing that a caller or TMDb says becomes an address that the product calls:
//! a canary listens, its address goes into everything that can be said, and every job runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use screensort::stand::Choices;
use screensort_routes::TABLE;
use screensort_testkit::tmdb_standin::{Fault, Script, Standin};
use serde_json::{Value, json};

use crate::product::Product;
use crate::victim::{bodies, path_of, query_of, reference, sound_body};
use crate::world::World;

/// A listener that counts who calls.
pub(crate) struct Canary {
    pub(crate) address: String,
    called: Arc<AtomicUsize>,
}

impl Canary {
    pub(crate) async fn listen() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let called = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&called);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, called }
    }

    #[track_caller]
    pub(crate) fn was_not_called(&self) {
        assert_eq!(self.called.load(Ordering::SeqCst), 0, "something that was said became an address");
    }
}

/// The product beside a stand-in for TMDb and with the sample's first films.
pub(crate) async fn with_tmdb() -> (World, Standin) {
    let tmdb = Standin::start().await;
    let product = Product::with_tmdb(&tmdb, Choices::default()).await;
    let (mut films, operators) = screensort::import::sample(product.clock.now()).unwrap();
    films.truncate(20);
    screensort::import::keep(&product.stand.stack, &films, &operators, |_| {}).await.unwrap();
    let films = films.iter().map(|film| u64::from(film.id.get())).collect();
    (World { product, films }, tmdb)
}

async fn every_job(product: &Product) {
    for job in screensort_jobs::NAMES {
        product.ask("POST", &format!("/_local/jobs/{job}"), &[], Value::Null).await;
    }
    product.gateway.follow_changes().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_caller_says_becomes_an_address_that_is_called() {
    let (canary, (world, tmdb)) = (Canary::listen().await, with_tmdb().await);
    let ann = world.victim("ann").await;
    let mut admin = world.product.admin_token().await;
    let at = &canary.address;
    let addresses = [
        format!("http://{at}/x"),
        format!("//{at}/x"),
        at.clone(),
        format!("http://user@{at}/"),
        format!("\\\\{at}\\x"),
    ];
    let document = reference();
    for (turn, route) in TABLE.iter().enumerate() {
        if turn % 10 == 9 {
            world.product.wait(30);
            admin = world.product.admin_token().await;
        }
        let (method, path) = (route.method.as_str(), path_of(route, &ann));
        let bearer = format!("Bearer {admin}");
        // In what proxies, frameworks and webhooks read.
        let named = addresses[0].as_str();
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-forwarded-host", at.as_str()),
            ("x-forwarded-server", at),
            ("forwarded", &format!("host={at};proto=http")),
            ("x-original-url", named),
            ("x-rewrite-url", named),
            ("referer", named),
            ("x-callback-url", named),
            ("x-wap-profile", named),
            ("profile", named),
            ("link", &format!("<{named}>; rel=\"preload\"")),
        ];
        // Who signs out or is deleted says nothing any more.
        if !["/logout", "/profile"].contains(&route.path) || method == "GET" {
            world
                .product
                .ask_loosely(method, &format!("{path}{}", query_of(route)), &headers, Value::Null)
                .await;
        }
        // In every parameter of the query, known ones and those of other people's products.
        let operation = &document["paths"][route.path][method.to_lowercase()];
        let known = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
        let known: Vec<&str> = known.map(|one| one["name"].as_str().unwrap()).collect();
        for name in
            known.into_iter().chain(["url", "callback", "webhook", "redirect_uri", "image", "tmdb_url"])
        {
            let path = format!("{path}?{name}={}", percent(named));
            world.product.ask_loosely("GET", &path, &headers[..1], Value::Null).await;
        }
    }
    for (route, schema) in bodies() {
        world.product.wait(60);
        admin = world.product.admin_token().await;
        let bearer = format!("Bearer {admin}");
        // Guesses at the administrator's own secrets would only have the next login wait.
        let guessed = ["password", "current_password", "code"];
        let fields = schema["properties"].as_object().unwrap().keys();
        for field in fields.filter(|field| !guessed.contains(&field.as_str())) {
            for address in &addresses {
                let mut body = sound_body(route, &ann);
                body[field] = json!(address);
                let path = path_of(route, &ann);
                let headers = [("authorization", bearer.as_str())];
                world.product.ask_loosely(route.method.as_str(), &path, &headers, body).await;
            }
        }
    }
    // A film of TMDb's is asked for by its number, and by nothing else.
    for id in [json!(at), json!("550/../../x"), json!("550?x=1"), json!({"url": at}), json!(-1), json!(5.5)] {
        let got = world.product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": id})).await;
        assert_eq!(got.status, 422, "{id}: {}", got.text);
    }
    every_job(&world.product).await;
    canary.was_not_called();
    for asked in tmdb.requests() {
        let said = format!("{} {} {:?}", asked.path, asked.query, asked.headers);
        assert!(!said.contains(at) && asked.method == "GET", "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_tmdb_says_becomes_an_address_that_is_called() {
    let (canary, (world, tmdb)) = (Canary::listen().await, with_tmdb().await);
    let at = &canary.address;
    let admin = world.product.admin_token().await;
    let mut film = tmdb.movie(550).unwrap();
    for field in ["poster_path", "backdrop_path", "homepage", "imdb_id"] {
        film[field] = json!(format!("//{at}/x.jpg"));
    }
    assert!(tmdb.set_movie(film));
    let got = world.product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": 550})).await;
    assert!([201, 409].contains(&got.status), "{}", got.text);
    let id = tmdb.movie_ids().into_iter().find(|id| !world.films.contains(&u64::from(*id))).unwrap();
    tmdb.script(Script::anywhere().fault(Fault::Redirect(format!("http://{at}/3/movie/{id}"))).always());
    let got = world.product.with(&admin, "POST", "/admin/add_movie", json!({"tmdb_id": id})).await;
    assert_eq!(got.status, 503, "{}", got.text);
    every_job(&world.product).await;
    canary.was_not_called();
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl Product {
    /// A request of which only what it leads to counts.
    pub(crate) async fn ask_loosely(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> u16 {
        let mut asked = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url()));
        for (name, value) in headers {
            asked = asked.header(*name, *value);
        }
        if !body.is_null() {
            asked = asked.header("content-type", "application/json").body(body.to_string());
        }
        let status = asked.send().await.unwrap().status().as_u16();
        assert!(status < 500 || status == 503, "{method} {path}: {status}");
        status
    }
}
