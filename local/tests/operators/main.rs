//! Operators, service clients, links, favourites and queries over HTTP: what works, and what attackers try.

#![allow(clippy::unwrap_used, dead_code, reason = "a test that cannot go on fails; helpers are shared")]

#[path = "../accounts/product.rs"]
mod product;

mod clients;
mod directory;
mod links;
mod own;
mod pages;
mod recorded;
mod replayed;

use product::{Got, PASSWORD, Product};
use screensort_model::{Kind, Operator, OperatorId};
use serde_json::{Value, json};

/// A small directory: two who show films, and three of the transport directory.
pub(crate) async fn with_operators() -> Product {
    let product = Product::start().await;
    let stack = &product.stand.stack;
    let now = product.clock.now();
    let operators: Vec<Operator> = [("8", "Netflix", vec!["US", "DE"]), ("2", "Apple TV Store", vec!["US"])]
        .into_iter()
        .map(|(key, name, regions)| Operator {
            id: OperatorId::derived("tmdb", key),
            kind: Kind::Streaming,
            name: name.to_owned(),
            description: String::new(),
            homepage: None,
            email: None,
            phone: None,
            default_language: None,
            regions: regions.into_iter().map(|region| region.parse().unwrap()).collect(),
            modes: vec![screensort_model::Mode::Stream],
            logo_path: Some("/logo.jpg".to_owned()),
            updated_at: now,
        })
        .collect();
    stack.catalogue().keep_operators(&operators).await.unwrap();
    let file = json!([
        {"id": "001", "description": "Avanti West Coast", "homepage": "www.avantiwestcoast.co.uk", "phone": null,
            "email": null, "default_language": "en", "modes": ["010"]},
        {"id": "011", "description": "Greater Anglia", "homepage": "www.greateranglia.co.uk", "phone": null,
            "email": "contactcentre@greateranglia.co.uk", "default_language": "en", "modes": ["010", "007"]},
        {"id": "020", "description": "<b>Bold & Sons</b>", "homepage": null, "modes": ["012"]},
    ]);
    let listings = screensort::directory_file::read(file.to_string().as_bytes(), now).unwrap();
    assert_eq!(screensort::directory_file::keep(stack, &listings, |_| {}).await.unwrap().added, 3);
    product
}

/// A product with two films.
pub(crate) async fn with_films() -> Product {
    let product = Product::start().await;
    let lines = r#"{"id": 27205, "title": "Inception", "release_date": "2010-07-15", "genres": [878]}
{"id": 550, "title": "Fight Club", "release_date": "1999-10-15", "genres": [18]}"#;
    let films = screensort::import::read(lines.as_bytes(), product.clock.now()).unwrap();
    screensort::import::keep(&product.stand.stack, &films, &[], |_| {}).await.unwrap();
    product
}

pub(crate) fn id(source: &str, key: &str) -> String {
    OperatorId::derived(source, key).to_string()
}

impl Product {
    pub(crate) async fn get(&self, token: &str, path: &str) -> Got {
        self.with(token, "GET", path, Value::Null).await
    }

    /// A new access token for the session that a refresh token belongs to.
    pub(crate) async fn refreshed(&self, refresh: &str) -> (String, String) {
        let got = self.post("/token/refresh", json!({"refresh_token": refresh})).await.expect(200, "");
        (got.str("access_token"), got.str("refresh_token"))
    }
}

/// The names of a page's items.
pub(crate) fn names(got: &Got) -> Vec<&str> {
    got.body["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

pub(crate) fn login(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}
