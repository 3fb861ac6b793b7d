//! `GET /links/{id}/history`: what a linked account watched, newest first.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::may;
use screensort_catalog::card::MovieCard;
use screensort_http::{Endpoint, Owner, Page, Problem, Reply};
use screensort_model::{Mode, MovieId, OperatorId};
use screensort_routes::LINK_HISTORY;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::linked::{Ask, card, through};
use crate::shown::Scope;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("link_history").route(LINK_HISTORY, history)
}

/// One time that a film was watched.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LinkedHistoryEntry")]
struct Entry {
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

async fn history(
    who: Owner<may::LinksReadShared>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.page.start(&cursors, who.id())?;
    let library = stack.library();
    let read = async |other: String| library.history(&other, after.as_deref(), ask.page.limit + 1).await;
    let mut found = through(&stack, who.id(), &ask.id, Scope::History, read).await?;
    let next = ask.page.cut(&mut found, |(place, _)| place.clone());
    let entries = found.into_iter().map(|(_, watch)| Entry {
        movie: card(&catalog, watch.movie),
        movie_id: watch.movie,
        watched_at: watch.watched_at,
        rewatch: watch.rewatch,
        operator: watch.operator,
        mode: watch.mode,
    });
    ask.page.reply(&cursors, who.id(), entries.collect(), next.as_ref())
}
