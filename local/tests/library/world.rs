//! A product with a small catalogue, and people in it.

use screensort::import;
use serde_json::{Value, json};

use crate::product::{Got, Product};

/// The films' ids, the most popular first.
pub(crate) const FILMS: usize = 40;

pub(crate) struct World {
    pub(crate) product: Product,
    pub(crate) films: Vec<u64>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::of(FILMS).await
    }

    /// With so many films.
    pub(crate) async fn of(count: usize) -> Self {
        Self::on(Product::start().await, count).await
    }

    /// On a product, with so many films.
    pub(crate) async fn on(product: Product, count: usize) -> Self {
        let (mut films, operators) = import::sample(product.clock.now()).unwrap();
        films.truncate(count);
        import::keep(&product.stand.stack, &films, &operators, |_| {}).await.unwrap();
        let films = films.iter().map(|film| u64::from(film.id.get())).collect();
        Self { product, films }
    }

    /// Whose token it is.
    pub(crate) async fn id(&self, token: &str) -> String {
        self.get(token, "/session").await.body["user"]["id"].as_str().unwrap().to_owned()
    }

    /// The access token of somebody new.
    pub(crate) async fn person(&self, name: &str) -> String {
        self.product.signed_in(name).await.0
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Got {
        self.product.with(token, "GET", path, Value::Null).await
    }

    pub(crate) async fn thumb(&self, token: &str, movie: u64, action: &str) -> Got {
        let body = json!({"movie_id": movie, "action": action});
        self.product.with(token, "POST", "/thumbs_action", body).await
    }

    pub(crate) async fn rate(&self, token: &str, movie: u64, value: f64) -> Got {
        self.product.with(token, "PUT", &format!("/movies/{movie}/rating"), json!({"value": value})).await
    }

    /// The `movie_id`s of a list, all pages, three at a time.
    pub(crate) async fn listed(&self, token: &str, path: &str) -> Vec<u64> {
        self.items(token, path).await.iter().map(|item| item["movie_id"].as_u64().unwrap()).collect()
    }

    pub(crate) async fn items(&self, token: &str, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut next) = (Vec::new(), format!("{path}{joint}limit=3"));
        loop {
            let got = self.get(token, &next).await.expect(200, "");
            all.extend(got.body["items"].as_array().unwrap().clone());
            match got.body["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}{joint}limit=3&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// Counts what changed, and gives a film's counters: thumbs up and down, ratings, their halves, reviews.
    pub(crate) async fn community(&self, movie: u64) -> Value {
        self.product.gateway.count_films().await.unwrap();
        let id = screensort_model::MovieId::new(u32::try_from(movie).unwrap()).unwrap();
        let counters = self.product.stand.stack.catalogue().film(id).await.unwrap().counters;
        let (ratings, halves) = (counters.rating_count, counters.rating_halves);
        json!([counters.thumbs_up, counters.thumbs_down, ratings, halves, counters.reviews])
    }

    /// Every item of the library's table.
    pub(crate) async fn dump(&self) -> String {
        self.dump_of(&self.product.stand.stack.settings().tables.library).await
    }

    pub(crate) async fn dump_of(&self, table: &str) -> String {
        let stack = &self.product.stand.stack;
        let items = stack.dynamodb().scan().table_name(table).send().await.unwrap();
        format!("{:?}", items.items())
    }
}
