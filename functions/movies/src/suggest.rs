//! `GET /search/suggest`: completions of what is being typed.

use schemars::JsonSchema;
use screensort_catalog::Match;
use screensort_http::{Anyone, Endpoint, Input, Opening, Problem, Reply, Text};
use screensort_model::{Found, MovieId, OperatorId, PersonId};
use screensort_routes::SUGGEST;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::card::kind;

/// How many completions at most.
const MOST: usize = 8;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("suggest").route(SUGGEST, suggest)
}

struct Ask {
    text: String,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let text = o.required::<Text<100>>("q", "What is typed so far.");
        Some(Self { text: text?.0 })
    }
}

/// The completions, best first.
#[derive(Debug, Serialize, JsonSchema)]
struct Suggestions {
    #[schemars(length(max = 8))]
    items: Vec<Suggestion>,
}

/// A completion.
#[derive(Debug, Serialize, JsonSchema)]
struct Suggestion {
    #[serde(rename = "type")]
    kind: Found,
    id: Id,
    /// The film's title, or the person's or operator's name.
    title: String,
    /// Of the film's first release; null for people and operators, and where unknown.
    year: Option<i16>,
}

/// Of a film, a person or an operator.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum Id {
    Movie(MovieId),
    Person(PersonId),
    Operator(OperatorId),
}

async fn suggest(_: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Suggestions>, Problem> {
    let catalog = stack.catalog().await?;
    let items = catalog.suggest(&ask.text, MOST).iter().map(suggestion).collect();
    Ok(Reply::ok(Suggestions { items }))
}

fn suggestion(found: &Match<'_>) -> Suggestion {
    let (id, title, year) = match found {
        Match::Film(film) => {
            (Id::Movie(film.id()), film.title().to_owned(), film.release_date().map(|date| date.year()))
        }
        Match::Person(person) => (Id::Person(person.id), person.name.clone(), None),
        Match::Operator(operator) => (Id::Operator(operator.id), operator.name.clone(), None),
    };
    Suggestion { kind: kind(found), id, title, year }
}
