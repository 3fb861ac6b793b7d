//! `GET /search`: find films, people and operators by name.

use schemars::JsonSchema;
use screensort_catalog::Match;
use screensort_http::{Anyone, Endpoint, Input, Opening, Page, PageAsk, Problem, Reply, Text};
use screensort_model::{Found, PersonName};
use screensort_routes::SEARCH;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::card::{MovieCard, OperatorCard, kind};

/// How many of the best matches there are pages for.
const MOST: usize = 200;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("search").route(SEARCH, search)
}

struct Ask {
    text: String,
    kind: Option<Found>,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let text = o.required::<Text<200>>("q", "What to find; the last word may be unfinished.");
        let kind = o.query("type", "Only this kind.");
        let page = PageAsk::open(o);
        Some(Self { text: text?.0, kind, page: page? })
    }
}

/// A match. Exactly one of `movie`, `person` and `operator` is there: the one that `type` says.
#[derive(Debug, Serialize, JsonSchema)]
struct SearchMatch {
    #[serde(rename = "type")]
    kind: Found,
    /// 0 to 1; from 0.9 up the name is exactly what was asked for.
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    movie: Option<MovieCard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<OperatorCard>,
}

async fn search(who: Anyone, ask: Ask, stack: Stack) -> Result<Reply<Page<SearchMatch>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let start: usize = ask.page.start(&cursors, who.subject())?.unwrap_or(0);
    let next = start + ask.page.limit;
    let found = catalog.search(&ask.text, ask.kind, (next + 1).min(MOST));
    let items = found.iter().skip(start).take(ask.page.limit).map(|(found, score)| item(found, *score));
    ask.page.reply(&cursors, who.subject(), items.collect(), (next < found.len()).then_some(&next))
}

fn item(found: &Match<'_>, score: f32) -> SearchMatch {
    let score = (score * 10_000.0).round() / 10_000.0;
    let mut item = SearchMatch { kind: kind(found), score, movie: None, person: None, operator: None };
    match found {
        Match::Film(film) => item.movie = Some(MovieCard::of(*film, None)),
        Match::Person(person) => item.person = Some(person.clone()),
        Match::Operator(operator) => item.operator = Some(OperatorCard::of(operator)),
    }
    item
}
