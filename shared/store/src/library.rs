//! What people do with films: one item per person and film holds thumb, rating, hidden, watchlist and when it was
//! last watched, so that everything one person thinks of all films is one query, and of one film one read.
//!
//! Each item counts its changes (`v`): whoever hears of them late or twice knows which is the newest. It says who
//! changed it last and in which request. Taking something back is a change, never a deletion.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use screensort_model::{MovieId, Rating, Thumb};

use crate::catalogue::{Item, key, number, text};
use crate::table::PK;
use crate::vault::{IndexAsk, Values, Vault, n, s};
use crate::{Audit, Error};

pub(crate) const FILM: &str = "F#";

/// Who changes something, in which request, and when.
#[derive(Debug, Clone, Copy)]
pub struct Change<'c> {
    /// Whose library it is.
    pub account: &'c str,
    /// The request's id.
    pub request: &'c str,
    /// Now.
    pub at: Timestamp,
}

/// What a person did with a film.
#[derive(Debug, Clone, PartialEq)]
pub struct FilmState {
    /// The film.
    pub movie: MovieId,
    /// Up or down.
    pub thumb: Option<Thumb>,
    /// Since when.
    pub thumb_at: Option<Timestamp>,
    /// The rating.
    pub rating: Option<Rating>,
    /// Since when.
    pub rating_at: Option<Timestamp>,
    /// Since when it is not to be shown.
    pub hidden_at: Option<Timestamp>,
    /// Since when it is on the watchlist.
    pub watchlist_at: Option<Timestamp>,
    /// When it was last watched.
    pub watched_at: Option<Timestamp>,
    /// The person's review of it.
    pub review_id: Option<String>,
    /// Whether that review is published.
    pub review_published: bool,
    /// How often the item was changed.
    pub version: u64,
    /// When it was last changed.
    pub at: Timestamp,
}

impl FilmState {
    /// Whether it says nothing any more: everything was taken back.
    pub fn is_empty(&self) -> bool {
        self.thumb.is_none()
            && self.rating.is_none()
            && self.hidden_at.is_none()
            && self.watchlist_at.is_none()
            && self.watched_at.is_none()
            && self.review_id.is_none()
    }

    /// Whether the person does not want to see it in lists.
    pub fn is_unwanted(&self) -> bool {
        self.hidden_at.is_some() || self.thumb == Some(Thumb::Down)
    }
}

/// The lists of films that a person keeps, each newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Films with a thumb: this one, or either.
    Thumbs(Option<Thumb>),
    /// Films that were rated.
    Ratings,
    /// Films that are not to be shown.
    Hidden,
    /// Films to be watched.
    Watchlist,
}

impl Listing {
    fn ask(self) -> IndexAsk {
        let (index, keys) = match self {
            Self::Thumbs(_) => ("thumb_order", "pk = :pk AND thumb_order < :before"),
            Self::Ratings => ("rating_order", "pk = :pk AND rating_order < :before"),
            Self::Hidden => ("hidden_order", "pk = :pk AND hidden_order < :before"),
            Self::Watchlist => ("watchlist_order", "pk = :pk AND watchlist_order < :before"),
        };
        let filter = matches!(self, Self::Thumbs(Some(_))).then_some("thumb = :thumb");
        IndexAsk { index, keys, filter, local: true, ascending: false }
    }
}

/// People's libraries, and the trail of what is recorded with their changes.
#[derive(Debug, Clone)]
pub struct Library(pub(crate) Vault, pub(crate) Audit);

/// A change of a film's item: what is set and removed, and what every change sets.
macro_rules! film_change {
    ($set:literal $(, remove $remove:literal)?) => {
        concat!(
            "SET ", $set,
            "movie = :movie, #by = :by, rid = :rid, #at = :at, v = if_not_exists(v, :zero) + :one",
            $(" REMOVE ", $remove)?
        )
    };
}

pub(crate) fn person_key(account: &str) -> String {
    format!("PERSON#{account}")
}

pub(crate) fn film_sort(movie: MovieId) -> String {
    format!("{FILM}{:010}", movie.get())
}

pub(crate) fn film_key(account: &str, movie: MovieId) -> Item {
    key(&person_key(account), &film_sort(movie))
}

/// An instant as it is kept: to the millisecond, so that texts sort as times do.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(crate) fn order(at: Timestamp, movie: MovieId) -> String {
    format!("{at:.3}#{:010}", movie.get())
}

pub(crate) fn time(item: &Item, name: &str) -> Option<Timestamp> {
    text(item, name)?.parse().ok()
}

/// The account whose partition an item is in.
pub(crate) fn owner(item: &Item) -> Option<&str> {
    text(item, PK)?.strip_prefix("PERSON#")
}

pub(crate) fn is_gone(item: &Item) -> bool {
    item.contains_key("gone")
}

/// What a film's item says; `None` for another kind of item, and for one that is gone.
pub(crate) fn film_state(item: &Item) -> Option<FilmState> {
    let movie = text(item, crate::table::SK)?.strip_prefix(FILM)?.trim_start_matches('0').parse().ok()?;
    if is_gone(item) {
        return None;
    }
    Some(FilmState {
        movie,
        thumb: text(item, "thumb").and_then(|thumb| thumb.parse().ok()),
        thumb_at: time(item, "thumb_at"),
        rating: number(item, "rating").and_then(Rating::from_halves),
        rating_at: time(item, "rating_at"),
        hidden_at: time(item, "hidden_at"),
        watchlist_at: time(item, "watchlist_at"),
        watched_at: time(item, "watched_at"),
        review_id: text(item, "review_id").map(str::to_owned),
        review_published: text(item, "review_state") == Some("published"),
        version: number(item, "v").unwrap_or(0),
        at: time(item, "at").unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// What every change of a film's item sets.
pub(crate) fn marks(change: &Change<'_>, movie: MovieId) -> Values {
    vec![
        (":movie", n(movie)),
        (":by", s(change.account)),
        (":rid", s(change.request)),
        (":at", s(instant(change.at))),
        (":zero", n(0)),
        (":one", n(1)),
    ]
}

pub(crate) use film_change;

impl Library {
    /// In `table`; what is recorded of its changes goes to `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self(Vault::new(client, table), audit)
    }

    /// What a person did with a film.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn film(&self, account: &str, movie: MovieId) -> Result<Option<FilmState>, Error> {
        let found = self.0.get(&person_key(account), &film_sort(movie)).await?;
        Ok(found.as_ref().and_then(film_state))
    }

    /// What a person did with any film, by the films' ids.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn of_person(&self, account: &str) -> Result<Vec<FilmState>, Error> {
        let found = self.0.query_all(&person_key(account), FILM).await?;
        Ok(found.iter().filter_map(film_state).filter(|state| !state.is_empty()).collect())
    }

    /// What `take` keeps of what everybody did with any film, in no order, in `segments` parallel reads, for training.
    /// The rest is forgotten page by page: a library of millions fits where what is kept of it does.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn everyone<T>(
        &self,
        segments: u32,
        take: impl Fn(&str, &FilmState) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let of = segments.max(1);
        let reads = (0..of).map(|segment| self.segment(segment, of, &take));
        Ok(futures::future::try_join_all(reads).await?.into_iter().flatten().collect())
    }

    async fn segment<T>(
        &self,
        segment: u32,
        of: u32,
        take: &impl Fn(&str, &FilmState) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let (mut all, mut start) = (Vec::new(), None);
        loop {
            let (items, next) = self.0.scan_segment(FILM, (segment, of), start).await?;
            all.extend(items.iter().filter_map(|item| take(owner(item)?, &film_state(item)?)));
            match next {
                Some(key) => start = Some(key),
                None => return Ok(all),
            }
        }
    }

    /// What some people did with any film, with whose it is, in no order, and where the next of them are.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn page_of_everyone(
        &self,
        start: Option<Item>,
    ) -> Result<(Vec<(String, FilmState)>, Option<Item>), Error> {
        let (items, next) = self.0.scan_segment(FILM, (0, 1), start).await?;
        let state = |item: &Item| Some((owner(item)?.to_owned(), film_state(item)?));
        Ok((items.iter().filter_map(state).collect(), next))
    }

    /// A list, newest first, at most `most`, starting after the place `after`. Each film with its place.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn list(
        &self,
        account: &str,
        listing: Listing,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, FilmState)>, Error> {
        let ask = listing.ask();
        // Places begin with a year: all of them lie before this.
        let mut values = vec![(":pk", s(person_key(account))), (":before", s(after.unwrap_or("~")))];
        if let Listing::Thumbs(Some(thumb)) = listing {
            values.push((":thumb", s(thumb.name())));
        }
        let found = self.0.query_index(&ask, values, most).await?;
        let place = |item: &Item| Some((text(item, ask.index)?.to_owned(), film_state(item)?));
        Ok(found.iter().filter_map(place).collect())
    }

    /// Gives a thumb, or takes it back. False if it was so already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_thumb(
        &self,
        change: &Change<'_>,
        movie: MovieId,
        thumb: Option<Thumb>,
    ) -> Result<bool, Error> {
        let Some(thumb) = thumb else {
            let remove = film_change!("", remove "thumb, thumb_at, thumb_order");
            return self.change(change, movie, remove, "attribute_exists(thumb)", Vec::new()).await;
        };
        let values = vec![(":thumb", s(thumb.name())), (":order", s(order(change.at, movie)))];
        let set = film_change!("thumb = :thumb, thumb_at = :at, thumb_order = :order, ");
        self.change(change, movie, set, "attribute_not_exists(thumb) OR thumb <> :thumb", values).await
    }

    /// Rates a film, or takes the rating back. False if it was so already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_rating(
        &self,
        change: &Change<'_>,
        movie: MovieId,
        rating: Option<Rating>,
    ) -> Result<bool, Error> {
        let Some(rating) = rating else {
            let remove = film_change!("", remove "rating, rating_at, rating_order");
            return self.change(change, movie, remove, "attribute_exists(rating)", Vec::new()).await;
        };
        let values = vec![(":rating", n(rating.halves())), (":order", s(order(change.at, movie)))];
        let set = film_change!("rating = :rating, rating_at = :at, rating_order = :order, ");
        self.change(change, movie, set, "attribute_not_exists(rating) OR rating <> :rating", values).await
    }

    /// Hides a film, or shows it again. False if it was so already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_hidden(&self, change: &Change<'_>, movie: MovieId, hidden: bool) -> Result<bool, Error> {
        if !hidden {
            let remove = film_change!("", remove "hidden_at, hidden_order");
            return self.change(change, movie, remove, "attribute_exists(hidden_at)", Vec::new()).await;
        }
        let values = vec![(":order", s(order(change.at, movie)))];
        let set = film_change!("hidden_at = :at, hidden_order = :order, ");
        self.change(change, movie, set, "attribute_not_exists(hidden_at)", values).await
    }

    /// Puts a film on the watchlist, or takes it off. False if it was so already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_watchlist(
        &self,
        change: &Change<'_>,
        movie: MovieId,
        listed: bool,
    ) -> Result<bool, Error> {
        if !listed {
            let remove = film_change!("", remove "watchlist_at, watchlist_order");
            return self.change(change, movie, remove, "attribute_exists(watchlist_at)", Vec::new()).await;
        }
        let values = vec![(":order", s(order(change.at, movie)))];
        let set = film_change!("watchlist_at = :at, watchlist_order = :order, ");
        self.change(change, movie, set, "attribute_not_exists(watchlist_at)", values).await
    }

    async fn change(
        &self,
        change: &Change<'_>,
        movie: MovieId,
        expression: &'static str,
        condition: &'static str,
        mut values: Values,
    ) -> Result<bool, Error> {
        values.extend(marks(change, movie));
        let at = film_key(change.account, movie);
        Ok(self.0.update(at, expression, Some(condition), values).await?.is_some())
    }
}
