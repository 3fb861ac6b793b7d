//! `GET`, `POST /history`: what one watched, newest first; write down one more time.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_catalog::Catalog;
use screensort_catalog::card::MovieCard;
use screensort_http::{Ask, Code, Endpoint, FieldError, Member, Owner, Page, PageAsk, Problem, Reply};
use screensort_model::person::is_since_cinema;
use screensort_model::{Mode, MovieId, OperatorId};
use screensort_routes::{HISTORY, HISTORY_ADD};
use screensort_runtime::Stack;
use screensort_store::Watch;
use serde::{Deserialize, Serialize};

use crate::entry::card;
use crate::film::{change, living};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("history").route(HISTORY, history).creating(HISTORY_ADD, add)
}

/// One time that a film was watched.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryEntry")]
pub(crate) struct Entry {
    id: String,
    movie_id: MovieId,
    #[schemars(with = "String", extend("format" = "date-time"))]
    watched_at: Timestamp,
    /// Whether it was not the first time.
    rewatch: bool,
    /// Who showed it; null where not said.
    operator: Option<OperatorId>,
    /// In which way; null where not said.
    mode: Option<Mode>,
    /// The film; null if it has left the catalogue.
    movie: Option<MovieCard>,
}

impl Entry {
    pub(crate) fn of(watch: Watch, catalog: &Catalog) -> Self {
        Self {
            movie: card(catalog, watch.movie),
            id: watch.id,
            movie_id: watch.movie,
            watched_at: watch.watched_at,
            rewatch: watch.rewatch,
            operator: watch.operator,
            mode: watch.mode,
        }
    }
}

/// What was watched.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Watched")]
struct Body {
    movie_id: MovieId,
    /// Now, unless given.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    watched_at: Option<Timestamp>,
    #[serde(default)]
    rewatch: bool,
    operator: Option<OperatorId>,
    mode: Option<Mode>,
}

async fn history(
    who: Owner<may::HistoryReadOwn>,
    ask: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.start(&cursors, who.id())?;
    let mut found = stack.library().history(who.id(), after.as_deref(), ask.limit + 1).await?;
    let next = ask.cut(&mut found, |(place, _)| place.clone());
    let entries = found.into_iter().map(|(_, watch)| Entry::of(watch, &catalog)).collect();
    ask.reply(&cursors, who.id(), entries, next.as_ref())
}

async fn add(
    Member { who, .. }: Member<may::HistoryWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Entry>, Problem> {
    let change = change(&who, &ask.whence, &stack);
    let watch = Watch {
        id: stack.new_id()?,
        movie: living(&stack, ask.body.movie_id).await?,
        watched_at: checked(ask.body.watched_at.unwrap_or(change.at), change.at)?,
        rewatch: ask.body.rewatch,
        operator: ask.body.operator,
        mode: ask.body.mode,
    };
    stack.library().watch(&change, &watch).await?;
    Ok(Reply::ok(Entry::of(watch, &*stack.catalog().await?)))
}

/// A time at which a film can have been watched: since there is cinema, and not after tomorrow: clocks and zones
/// differ.
pub(crate) fn checked(at: Timestamp, now: Timestamp) -> Result<Timestamp, Problem> {
    let latest = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
    if is_since_cinema(at) && at <= latest {
        return Ok(at);
    }
    let error = FieldError {
        pointer: "/watched_at".to_owned(),
        code: "out_of_range",
        detail: "A time from 1896 to now.".to_owned(),
    };
    Err(Problem::new(Code::InvalidBody).with_errors(vec![error]))
}
