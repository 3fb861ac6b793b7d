//! `GET /movies/{id}/operators`: who shows a film in a region, by mode.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use screensort_http::{Anyone, Endpoint, Input, Opening, Problem, Reply};
use screensort_model::{Mode, MovieId, Region, attribution};
use screensort_routes::MOVIE_OPERATORS;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::card::OperatorCard;
use crate::film;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("movie_operators").route(MOVIE_OPERATORS, movie_operators)
}

struct Ask {
    id: MovieId,
    region: Region,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path("id", "The film.");
        let region = o.required("region", "Where, ISO 3166-1, such as US.");
        Some(Self { id: id?, region: region? })
    }
}

/// Who shows the film.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MovieOperators")]
struct Answer {
    region: Region,
    /// Every mode, also those in which nobody shows it.
    modes: BTreeMap<&'static str, Vec<OperatorCard>>,
    attribution: &'static str,
}

async fn movie_operators(_: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let catalog = stack.catalog().await?;
    let film = film(&catalog, ask.id, |into| format!("../{into}/operators"))?;
    let mut modes: BTreeMap<_, _> = Mode::ALL.iter().map(|mode| (mode.name(), Vec::new())).collect();
    for (mode, operator) in film.offers(ask.region) {
        modes.entry(mode.name()).or_default().push(OperatorCard::of(operator));
    }
    Ok(Reply::ok(Answer { region: ask.region, modes, attribution: attribution::JUSTWATCH }))
}
