//! `GET /people/{id}`: a person and the films they made.

use schemars::JsonSchema;
use screensort_catalog::Credits;
use screensort_http::{Anyone, Code, Endpoint, Input, Opening, Problem, Reply};
use screensort_model::{PersonId, attribution};
use screensort_routes::PERSON;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::card::MovieCard;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("person").route(PERSON, person)
}

struct Ask {
    id: PersonId,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { id: o.path("id", "The person.")? })
    }
}

/// A person with their films.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
struct Answer {
    id: PersonId,
    name: String,
    /// Of this catalogue, the newest first.
    films: Vec<Part>,
    attribution: &'static str,
}

/// A film and what the person did for it.
#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    movie: MovieCard,
    roles: Vec<Role>,
}

/// What somebody did for a film.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Director,
    Writer,
    Cast,
}

async fn person(_: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let catalog = stack.catalog().await?;
    let person = catalog
        .person(ask.id)
        .ok_or_else(|| Problem::new(Code::NotFound).with_detail("There is no person with this id."))?;
    let films = catalog.filmography(ask.id).into_iter();
    let films = films.map(|(film, credits)| Part { movie: MovieCard::of(film, None), roles: roles(credits) });
    Ok(Reply::ok(Answer {
        id: person.id,
        name: person.name,
        films: films.collect(),
        attribution: attribution::TMDB,
    }))
}

fn roles(credits: Credits) -> Vec<Role> {
    let all =
        [(credits.director, Role::Director), (credits.writer, Role::Writer), (credits.cast, Role::Cast)];
    all.into_iter().filter_map(|(is, role)| is.then_some(role)).collect()
}
