//! Films in a person's lists.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_catalog::card::MovieCard;
use screensort_catalog::{Catalog, Lookup};
use screensort_http::{Page, PageAsk, Problem, Reply};
use screensort_model::{MovieId, Rating, Thumb};
use screensort_runtime::Stack;
use screensort_store::{FilmState, Listing};
use serde::Serialize;

/// A film in a list of one's own.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LibraryEntry")]
pub(crate) struct Entry {
    pub movie_id: MovieId,
    /// Since when it is in the list.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// In the list of thumbs: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<Thumb>,
    /// In the list of ratings: the rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Rating>,
    /// The film; null if it has left the catalogue.
    pub movie: Option<MovieCard>,
}

impl Entry {
    pub(crate) fn of(state: &FilmState, listing: Listing, catalog: &Catalog) -> Self {
        let (at, thumb, value) = match listing {
            Listing::Thumbs(_) => (state.thumb_at, state.thumb, None),
            Listing::Ratings => (state.rating_at, None, state.rating),
            Listing::Hidden => (state.hidden_at, None, None),
            Listing::Watchlist => (state.watchlist_at, None, None),
        };
        let movie = card(catalog, state.movie);
        Self { movie_id: state.movie, at: at.unwrap_or(state.at), thumb, value, movie }
    }
}

/// The card of a film, under whatever id it lives on.
pub(crate) fn card(catalog: &Catalog, id: MovieId) -> Option<MovieCard> {
    let found = match catalog.lookup(id) {
        Lookup::Merged(into) => catalog.lookup(into),
        other => other,
    };
    match found {
        Lookup::Film(film) => Some(MovieCard::of(film, None)),
        _ => None,
    }
}

/// A page of a list: one request to the store.
pub(crate) async fn page(
    account: &str,
    listing: Listing,
    ask: &PageAsk,
    stack: &Stack,
) -> Result<Reply<Page<Entry>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.start(&cursors, account)?;
    let mut found = stack.library().list(account, listing, after.as_deref(), ask.limit + 1).await?;
    let next = ask.cut(&mut found, |(place, _)| place.clone());
    let entries = found.iter().map(|(_, state)| Entry::of(state, listing, &catalog)).collect();
    ask.reply(&cursors, account, entries, next.as_ref())
}
