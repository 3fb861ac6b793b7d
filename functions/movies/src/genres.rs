//! `GET /genres`: what filters take.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_model::reference::Genre;
use screensort_model::{Language, Region};
use screensort_routes::GENRES;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("genres").route(GENRES, genres)
}

/// The lists that filters refer to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Genres")]
struct Answer {
    genres: Vec<Genre>,
    /// For each region its age ratings, from the mildest to the strictest.
    certifications: BTreeMap<String, Vec<String>>,
    /// The languages that films of the catalogue were made in, the most frequent first.
    languages: Vec<Language>,
    /// The regions that ratings or offers are known for.
    regions: Vec<Region>,
}

async fn genres(_: Anyone, (): (), stack: Stack) -> Result<Reply<Answer>, Problem> {
    let catalog = stack.catalog().await?;
    let reference = catalog.reference();
    let certifications = reference.certifications.iter().map(|(r, list)| (r.to_string(), list.clone()));
    Ok(Reply::ok(Answer {
        genres: reference.genres.clone(),
        certifications: certifications.collect(),
        languages: catalog.languages(),
        regions: catalog.regions().collect(),
    }))
}
