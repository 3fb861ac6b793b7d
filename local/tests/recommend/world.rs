//! A product with films, and what people do to them.

use std::collections::BTreeSet;

use screensort::import;
use screensort_jobs::train_recommender::{self, Choices};
use screensort_model::{MovieId, Preferences, Rating, Thumb};
use screensort_store::Change;
use serde_json::{Value, json};

use crate::product::{Got, Product};

pub(crate) const SCIENCE_FICTION: u64 = 878;

/// Somebody signed in.
pub(crate) struct Somebody {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Product {
    /// With the sample catalogue, and a model of it alone.
    pub(crate) async fn with_films() -> Self {
        let product = Self::start().await;
        let (films, operators) = import::sample(product.clock.now()).unwrap();
        import::keep(&product.stand.stack, &films, &operators, |_| {}).await.unwrap();
        product.train().await;
        product
    }

    pub(crate) async fn train(&self) -> screensort_jobs::Outcome {
        train_recommender::run(&self.stand.stack, Choices::default(), |_| {}).await.unwrap()
    }

    /// The same person with another session, after so long that theirs is over.
    pub(crate) async fn again(&self, who: &mut Somebody, name: &str) {
        who.token = self.login(&format!("{name}@example.org")).await.str("access_token");
    }

    pub(crate) async fn somebody(&self, name: &str) -> Somebody {
        let (token, _) = self.signed_in(name).await;
        let session = self.with(&token, "GET", "/session", Value::Null).await.expect(200, "");
        Somebody { id: session.body["user"]["id"].as_str().unwrap().to_owned(), token }
    }

    /// A thumb as people give it.
    pub(crate) async fn thumb(&self, who: &Somebody, film: u64, thumb: Option<Thumb>) {
        let action = match thumb {
            Some(Thumb::Up) => "thumbs_up",
            Some(Thumb::Down) => "thumbs_down",
            None => "clear",
        };
        let body = json!({"movie_id": film, "action": action});
        self.with(&who.token, "POST", "/thumbs_action", body).await.expect(200, "");
    }

    /// A thumb on a film that no catalogue has.
    pub(crate) async fn stray_thumb(&self, who: &Somebody, film: u64) {
        let library = self.stand.stack.library();
        assert!(library.set_thumb(&self.change(who), movie(film), Some(Thumb::Up)).await.unwrap());
    }

    pub(crate) async fn prefer(&self, who: &Somebody, preferences: &Preferences) {
        let library = self.stand.stack.library();
        let (_, version) = library.preferences(&who.id).await.unwrap();
        assert!(library.set_preferences(&self.change(who), version, preferences).await.unwrap());
    }

    pub(crate) async fn rate(&self, who: &Somebody, film: u64, halves: u8) {
        let rating = Rating::from_halves(halves);
        let library = self.stand.stack.library();
        assert!(library.set_rating(&self.change(who), movie(film), rating).await.unwrap());
    }

    pub(crate) async fn hide(&self, who: &Somebody, film: u64) {
        let library = self.stand.stack.library();
        assert!(library.set_hidden(&self.change(who), movie(film), true).await.unwrap());
    }

    fn change<'c>(&self, who: &'c Somebody) -> Change<'c> {
        Change { account: &who.id, request: "test", at: self.clock.now() }
    }

    pub(crate) async fn get(&self, who: &Somebody, path: &str) -> Got {
        self.with(&who.token, "GET", path, Value::Null).await
    }

    /// The page of recommendations; 200 is expected.
    pub(crate) async fn page(&self, who: &Somebody, query: &str) -> Value {
        self.get(who, &format!("/recommendation{query}")).await.expect(200, "").body
    }
}

pub(crate) fn movie(id: u64) -> MovieId {
    MovieId::new(u32::try_from(id).unwrap()).unwrap()
}

/// The films of a page, in order.
pub(crate) fn films(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["movie"]["id"].as_u64().unwrap()).collect()
}

/// How many films of a page have a genre.
pub(crate) fn of_genre(page: &Value, genre: u64) -> usize {
    let items = page["items"].as_array().unwrap().iter();
    items.filter(|item| item["movie"]["genres"].as_array().unwrap().iter().any(|g| g["id"] == genre)).count()
}

/// The genres of a page.
pub(crate) fn genres(page: &Value) -> BTreeSet<u64> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .flat_map(|item| item["movie"]["genres"].as_array().unwrap())
        .map(|g| g["id"].as_u64().unwrap())
        .collect()
}

/// The sum of the weights of an item's reasons.
pub(crate) fn sum(item: &Value) -> f64 {
    item["reasons"].as_array().unwrap().iter().map(|reason| reason["weight"].as_f64().unwrap()).sum()
}
