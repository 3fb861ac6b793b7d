//! Whole libraries at once, for the local demonstration and for trials: what people do comes in one by one.

use aws_sdk_dynamodb::Client;

use crate::Error;
use crate::catalogue::{Catalogue, Item};
use crate::library::{FilmState, film_key, instant, order};
use crate::vault::{n, s};

/// What DynamoDB takes in one request.
const AT_ONCE: usize = 25;

/// Fills libraries.
#[derive(Debug, Clone)]
pub struct Filler(Catalogue);

impl Filler {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Catalogue::new(client, table))
    }

    /// Writes these items as they are, in the place of what is there, each person's under their account. Reviews are
    /// not among it. `progress` is told how many are written.
    ///
    /// # Errors
    /// If the store fails; what was written until then stays.
    pub async fn fill(
        &self,
        states: &[(String, FilmState)],
        request: &str,
        mut progress: impl FnMut(usize),
    ) -> Result<(), Error> {
        let mut written = 0;
        for chunk in states.chunks(AT_ONCE) {
            let items = chunk.iter().map(|(account, state)| film_item(account, state, request)).collect();
            self.0.put_all(items).await?;
            written += chunk.len();
            progress(written);
        }
        Ok(())
    }
}

fn film_item(account: &str, state: &FilmState, request: &str) -> Item {
    let mut item = film_key(account, state.movie);
    let mut set = |name: &str, value| drop(item.insert(name.to_owned(), value));
    set("movie", n(state.movie));
    set("by", s(account));
    set("rid", s(request));
    set("at", s(instant(state.at)));
    set("v", n(state.version.max(1)));
    if let Some((thumb, at)) = state.thumb.zip(state.thumb_at) {
        set("thumb", s(thumb.name()));
        set("thumb_at", s(instant(at)));
        set("thumb_order", s(order(at, state.movie)));
    }
    if let Some((rating, at)) = state.rating.zip(state.rating_at) {
        set("rating", n(rating.halves()));
        set("rating_at", s(instant(at)));
        set("rating_order", s(order(at, state.movie)));
    }
    if let Some(at) = state.hidden_at {
        set("hidden_at", s(instant(at)));
        set("hidden_order", s(order(at, state.movie)));
    }
    if let Some(at) = state.watchlist_at {
        set("watchlist_at", s(instant(at)));
        set("watchlist_order", s(order(at, state.movie)));
    }
    if let Some(at) = state.watched_at {
        set("watched_at", s(instant(at)));
    }
    item
}
