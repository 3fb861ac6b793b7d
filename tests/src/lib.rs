//! The whole product in memory, and a client that trusts no answer.
//!
//! [`Product`] is what `cargo run` starts: the embedded services, the sample catalogue, every handler behind
//! the gateway and a listener on any port; only the clock stands still. Whatever passes through its client is
//! held against what every answer promises, the committed OpenAPI document included: see [`contract`]. So a
//! test of one endpoint says only what is peculiar to it.

// A test that cannot go on says so by panicking.
#![allow(clippy::unwrap_used)]

mod answer;
mod ask;
pub mod contract;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use screensort::gateway::Gateway;
use screensort::server::Server;
use screensort::stand::{Choices, Stand};
use screensort::{import, product};
use screensort_model::{Clock, Movie, Operator};
use screensort_runtime::{Record, Stack};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

pub use answer::Answer;
pub use ask::{Ask, encoded};

/// When the products of tests are started: a Sunday noon.
pub const NOON: &str = "2026-11-22T12:00:00Z";

/// The one origin whose pages may read answers.
pub const ORIGIN: &str = "https://app.example.org";

/// A product of its own, gone when it is dropped.
pub struct Product {
    /// What its catalogue was made of.
    pub films: Vec<Movie>,
    /// Who shows them.
    pub operators: Vec<Operator>,
    /// Its time; it moves by [`Clock::advance`] only.
    pub clock: Clock,
    stand: Stand,
    gateway: Arc<Gateway>,
    server: Server,
}

impl Product {
    /// With the sample catalogue.
    pub async fn start() -> Self {
        let (films, operators) = import::sample(noon()).expect("the sample can be read");
        Self::with(films, operators).await
    }

    /// With a catalogue of these films, which is quicker when there are few.
    pub async fn with(films: Vec<Movie>, operators: Vec<Operator>) -> Self {
        let clock = Clock::fixed(noon());
        let choices = Choices { cors_origins: vec![ORIGIN.to_owned()], ..Choices::default() };
        let stand = Stand::set_up(choices, clock.clone()).await.expect("a stand in memory");
        import::keep(&stand.stack, &films, &operators, |_| {}).await.expect("an empty store takes films");
        let gateway = Gateway::new(product::endpoints(), stand.stack.clone(), false, false);
        let server = Server::start(Arc::clone(&gateway), 0, None).await.expect("any port will do");
        Self { films, operators, clock, stand, gateway, server }
    }

    /// With the sample's first few films.
    pub async fn small() -> Self {
        let (mut films, operators) = import::sample(noon()).expect("the sample can be read");
        films.truncate(60);
        Self::with(films, operators).await
    }

    /// The context that handlers get, to arrange what no call can.
    pub fn stack(&self) -> &Stack {
        &self.stand.stack
    }

    /// Publishes what the table holds now; the next call is answered from it.
    pub async fn publish(&self) {
        screensort_jobs::publish_catalog::run(self.stack(), true).await.expect("a catalogue");
        self.stack().catalog_changed();
    }

    /// Where it listens, such as `127.0.0.1:40000`.
    pub fn address(&self) -> &str {
        let rest = self.server.url.strip_prefix("http://").expect("plain HTTP");
        rest.strip_suffix("/v1").expect("the stage")
    }

    /// The record of the request that `answer` answers, if the gateway still holds it.
    pub fn record(&self, answer: &Answer) -> Option<Record> {
        let id = answer.header("x-request-id")?;
        self.gateway.records().into_iter().find(|record| record.request_id == id)
    }

    /// `GET` of a path under the stage, which must be encoded already.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Ask::get(path)).await
    }

    /// Sends a request and checks its answer.
    pub async fn ask(&self, ask: Ask) -> Answer {
        let answer = ask.send(self.address()).await;
        contract::check(&ask, &answer);
        answer
    }

    /// The film of the sample with this id.
    pub fn film(&self, id: u64) -> &Movie {
        let found = self.films.iter().find(|film| u64::from(film.id.get()) == id);
        found.unwrap_or_else(|| panic!("no film {id}"))
    }

    /// All items of a list, page by page, each page found by the `Link` of the one before.
    pub async fn pages(&self, path: &str, limit: usize) -> Vec<serde_json::Value> {
        let (bare, joint) =
            (path.split('?').next().unwrap_or(path), if path.contains('?') { '&' } else { '?' });
        let mut next = format!("{path}{joint}limit={limit}");
        let mut all = Vec::new();
        for _ in 0..5_000 {
            let answer = self.get(&next).await;
            let page = answer.ok();
            let items = page["items"].as_array().expect("items");
            all.extend(items.iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else {
                assert!(answer.header("link").is_none(), "{next}: the last page links to another");
                return all;
            };
            assert_eq!(items.len(), limit, "{next}: a page that is not the last is full");
            let link = answer.header("link").expect("a page that is not the last links to the next");
            let query =
                link.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\"")).expect("a link");
            assert!(query.starts_with('?') && query.ends_with(&format!("cursor={cursor}")), "{link}");
            next = format!("{bare}{query}");
        }
        panic!("{path}: pages without end");
    }
}

/// When products start.
pub fn noon() -> Timestamp {
    NOON.parse().expect("an instant")
}

/// Lives as long as the process, so that what is shared outlives the test that asked for it first.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("two threads")
});

/// The product that all tests share which only read. The sample takes about a second to load.
pub async fn shared() -> &'static Product {
    static SHARED: OnceCell<Product> = OnceCell::const_new();
    SHARED.get_or_init(|| async { apart(Product::start()).await }).await
}

/// Runs `work` on the shared product's runtime: connections that the product opens outlive the test then.
pub async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.spawn(work).await.expect("the work ends without a panic")
}
