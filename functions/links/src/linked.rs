//! Reading through a link: what the three endpoints have in common.
//!
//! One's own side of a link says whose library is meant. The other side, and the account that it belongs to, are read
//! in the same step as the library: a link that either of them has ended, or narrowed, opens nothing, nor does one
//! whose other side was closed, whatever was read a moment before.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_catalog::card::MovieCard;
use screensort_catalog::{Catalog, Lookup};
use screensort_http::{Code, Input, Opening, Page, PageAsk, Problem, Reply, Text};
use screensort_model::{MovieId, Rating};
use screensort_runtime::Stack;
use screensort_store::{Error, Link, Listing, Side, Stage};
use serde::Serialize;

use crate::shown::Scope;

/// Which link, and which page.
pub(crate) struct Ask {
    pub id: String,
    pub page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("id", "The link.");
        let page = PageAsk::open(o);
        Some(Self { id: id?.0, page: page? })
    }
}

/// A film in a list of the linked account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LinkedEntry")]
pub(crate) struct Entry {
    movie_id: MovieId,
    /// Since when it is in the list.
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: Timestamp,
    /// In the list of ratings: the rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Rating>,
    /// The film; null if it has left the catalogue.
    movie: Option<MovieCard>,
}

/// The same for somebody whose link it is not, whose link has ended, and whose link lets them read something else.
fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("You have no link with this id through which this can be read.")
}

fn opens(link: &Link, side: Side, scope: Scope, now: Timestamp) -> bool {
    link.side == side
        && link.stage_at(now) == Stage::Active
        && link.scopes.iter().any(|theirs| theirs == scope.name())
}

/// What `read` reads of the account on the other side of `reader`'s link.
///
/// # Errors
/// 404 unless the link is active, `reader` is who asked for it, and `scope` is in it: on both sides, at the time
/// of reading; and unless the other account is open and its address verified.
pub(crate) async fn through<T, F>(
    stack: &Stack,
    reader: &str,
    id: &str,
    scope: Scope,
    read: impl FnOnce(String) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Error>>,
{
    let now = stack.clock().now();
    let links = stack.links();
    let own = links.get(reader, id).await?.filter(|link| opens(link, Side::Asker, scope, now));
    let other = own.and_then(|link| link.other).ok_or_else(unknown)?;
    let (theirs, data) =
        futures::future::try_join(links.with_account(&other, id), read(other.clone())).await?;
    // Who was closed by an administrator or is about to be forgotten can end no link: it opens nothing meanwhile.
    let theirs = theirs.filter(|(account, _)| !account.disabled && account.verified_at.is_some());
    let theirs = theirs.map(|(_, link)| link).filter(|link| opens(link, Side::Asked, scope, now));
    theirs.filter(|link| link.other.as_deref() == Some(reader)).ok_or_else(unknown)?;
    Ok(data)
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

/// A page of a list of the linked account.
pub(crate) async fn page(
    stack: &Stack,
    reader: &str,
    ask: &Ask,
    scope: Scope,
    listing: Listing,
) -> Result<Reply<Page<Entry>>, Problem> {
    let catalog = stack.catalog().await?;
    let cursors = stack.cursors().await?;
    let after: Option<String> = ask.page.start(&cursors, reader)?;
    let library = stack.library();
    let read =
        async |other: String| library.list(&other, listing, after.as_deref(), ask.page.limit + 1).await;
    let mut found = through(stack, reader, &ask.id, scope, read).await?;
    let next = ask.page.cut(&mut found, |(place, _)| place.clone());
    let entries = found.iter().map(|(_, state)| {
        let (at, value) = match listing {
            Listing::Ratings => (state.rating_at, state.rating),
            _ => (state.watchlist_at, None),
        };
        Entry { movie_id: state.movie, at: at.unwrap_or(state.at), value, movie: card(&catalog, state.movie) }
    });
    ask.page.reply(&cursors, reader, entries.collect(), next.as_ref())
}
