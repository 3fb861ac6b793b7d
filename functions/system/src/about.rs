//! `GET /about`: version and attribution.

use schemars::JsonSchema;
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_model::attribution;
use screensort_routes::ABOUT;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("about").route(ABOUT, about)
}

/// What this is and whom it owes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "About")]
struct Answer {
    name: &'static str,
    version: &'static str,
    license: &'static str,
    /// Path of the reference.
    docs: &'static str,
    attribution: Attribution,
}

/// Whom the product owes what it shows.
#[derive(Debug, Serialize, JsonSchema)]
struct Attribution {
    tmdb: &'static str,
    tmdb_url: &'static str,
    justwatch: &'static str,
    justwatch_url: &'static str,
}

async fn about(_: Anyone, (): (), _: Stack) -> Result<Reply<Answer>, Problem> {
    Ok(Reply::ok(Answer {
        name: "ScreenSort",
        version: crate::VERSION,
        license: "Apache-2.0 OR MIT",
        docs: "/v1/docs",
        attribution: Attribution {
            tmdb: attribution::TMDB,
            tmdb_url: "https://www.themoviedb.org/",
            justwatch: attribution::JUSTWATCH,
            justwatch_url: "https://www.justwatch.com/",
        },
    }))
}
