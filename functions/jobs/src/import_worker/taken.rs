//! What a file says of films, taken into a library. What was said here since is newer than the file and stays.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_http::{Problem, log, trail_of};
use screensort_model::text::links;
use screensort_model::{MovieId, person};
use screensort_runtime::Stack;
use screensort_store::{Account, Change, FilmState, Library, Review, ReviewState, Watch};

use crate::import::{Row, Watched, Written};

/// Reviews of one person that may wait for an editor when a file brings more.
const WAITING: usize = Limit::BROUGHT_REVIEWS.max as usize;

/// Whoever takes a file in, and what was there before.
pub(super) struct Taker<'w> {
    stack: &'w Stack,
    library: Library,
    change: Change<'w>,
    owner: &'w Account,
    films: HashMap<MovieId, FilmState>,
    /// Ids of the history's entries.
    history: HashSet<String>,
    /// Reviews that wait for an editor: those that did before, and those of this file.
    waiting: AtomicUsize,
}

/// The newest of what rows say, by when; without a time it comes before all others. The last row of several wins.
fn newest<T: Copy>(said: impl Iterator<Item = (T, Option<Timestamp>)>) -> Option<(T, Option<Timestamp>)> {
    said.max_by_key(|(_, at)| *at)
}

/// Whether the file says something that was not said here at that time or later.
fn is_news(here: Option<Option<Timestamp>>, then: Option<Timestamp>) -> bool {
    match here {
        None => true,
        Some(at) => then.zip(at).is_some_and(|(then, at)| then > at),
    }
}

impl<'w> Taker<'w> {
    /// For `rows`, into the library of `owner`.
    pub(super) async fn of(
        stack: &'w Stack,
        change: Change<'w>,
        owner: &'w Account,
        rows: &[Row],
    ) -> Result<Self, Problem> {
        let library = stack.library();
        let films = library.of_person(change.account).await?;
        let waiting = match rows.iter().any(|row| row.review.is_some()) {
            true => waiting(&library, change.account).await?,
            false => 0,
        };
        let films = films.into_iter().map(|film| (film.movie, film)).collect();
        let has_history = rows.iter().any(|row| row.watched.is_some());
        let history = match has_history {
            true => library.history(change.account, None, usize::MAX).await?,
            false => Vec::new(),
        };
        let history = history.into_iter().map(|(_, watch)| watch.id).collect();
        let waiting = waiting.into();
        Ok(Self { stack, library, change, owner, films, history, waiting })
    }

    /// Nothing was said in the future.
    fn then(&self, at: Option<Timestamp>) -> Timestamp {
        at.map_or(self.change.at, |at| at.min(self.change.at))
    }

    fn at(&self, at: Option<Timestamp>) -> Change<'w> {
        Change { at: self.then(at), ..self.change }
    }

    /// Takes what `rows` say of `movie`; what was left out of it, and why.
    pub(super) async fn take(&self, movie: MovieId, rows: &[&Row]) -> Result<Option<&'static str>, Problem> {
        let here = self.films.get(&movie);
        let rating = newest(rows.iter().filter_map(|row| row.rating));
        let said = here.filter(|film| film.rating.is_some()).map(|film| film.rating_at);
        if let Some((rating, at)) = rating.filter(|(_, at)| is_news(said, *at)) {
            self.library.set_rating(&self.at(at), movie, Some(rating)).await?;
        }
        let thumb = newest(rows.iter().filter_map(|row| row.thumb));
        let said = here.filter(|film| film.thumb.is_some()).map(|film| film.thumb_at);
        if let Some((thumb, at)) = thumb.filter(|(_, at)| is_news(said, *at)) {
            self.library.set_thumb(&self.at(at), movie, Some(thumb)).await?;
        }
        let hidden = rows.iter().filter_map(|row| row.hidden).max();
        if let Some(at) = hidden.filter(|_| here.is_none_or(|film| film.hidden_at.is_none())) {
            self.library.set_hidden(&self.at(at), movie, true).await?;
        }
        let watchlist = rows.iter().filter_map(|row| row.watchlist).max();
        if let Some(at) = watchlist.filter(|_| here.is_none_or(|film| film.watchlist_at.is_none())) {
            self.library.set_watchlist(&self.at(at), movie, true).await?;
        }
        for watched in rows.iter().filter_map(|row| row.watched.as_ref()) {
            self.watch(movie, watched).await?;
        }
        match rows.iter().filter_map(|row| row.review.as_ref()).next_back() {
            Some(written) => self.write(movie, written).await,
            None => Ok(None),
        }
    }

    /// The same film at the same time is the same entry, however often it is imported. Without a time the entry is
    /// the film's one import without a time.
    async fn watch(&self, movie: MovieId, watched: &Watched) -> Result<(), Problem> {
        let named = watched.at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
        let nth = if watched.nth > 0 { format!("#{}", watched.nth) } else { String::new() };
        let id = derived(&format!("{}#{movie}#{named}{nth}", self.change.account));
        if self.history.contains(&id) {
            return Ok(());
        }
        let watch = Watch {
            id,
            movie,
            watched_at: self.then(watched.at),
            rewatch: watched.rewatch,
            operator: watched.operator,
            mode: watched.mode,
        };
        self.library.watch(&self.change, &watch).await?;
        Ok(())
    }

    /// A review from a file always waits for an editor: whoever made the file may have written anything, and much of
    /// it. So that one person's file is not all that editors see, few are taken, and they stand in the queue by when
    /// they came. One that was written here stays.
    async fn write(&self, movie: MovieId, written: &Written) -> Result<Option<&'static str>, Problem> {
        if self.films.get(&movie).is_some_and(|film| film.review_id.is_some()) {
            return Ok(Some("You wrote a review of it here, which stays."));
        }
        let Ok(text) = person::review(&written.text) else {
            return Ok(Some("The review is left out: it is not plain text of 20 to 10,000 characters."));
        };
        // Counted before it is written: several files at once bring no more than one.
        let counter = format!("reviews#{}", self.change.account);
        let is_full = self.waiting.load(Ordering::Relaxed) >= WAITING
            || self.stack.draw(&counter, Limit::BROUGHT_REVIEWS).await?.is_err();
        if is_full {
            return Ok(Some(
                "The review is left out: editors look at 20 of yours first. Bring it again tomorrow.",
            ));
        }
        let (account, now) = (self.change.account, self.change.at);
        let review = Review {
            id: self.stack.new_id()?,
            movie,
            account: self.owner.id.clone(),
            author: self.owner.username.clone(),
            links: u32::try_from(links(&text)).unwrap_or(u32::MAX),
            text,
            spoiler: written.spoiler,
            language: written.language,
            state: ReviewState::Pending,
            reports: 0,
            note: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let trail = trail_of(Event::ReviewHeld, account, &review.id, self.change.request, now)?;
        // Refused if another worker has written it since.
        if self.library.bring_review(&self.change, &review, &trail).await? {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            log(&trail);
        }
        Ok(None)
    }
}

/// How many of a person's reviews wait for an editor.
async fn waiting(library: &Library, account: &str) -> Result<usize, Problem> {
    let reviews = library.own_reviews(account, None, usize::MAX).await?;
    Ok(reviews.iter().filter(|(_, review)| review.state == ReviewState::Pending).count())
}

/// A ULID that is the same for the same text.
fn derived(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    ulid::Ulid::from_bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Option<Timestamp> {
        Timestamp::from_second(day * 86_400).ok()
    }

    #[test]
    fn the_newest_of_several_rows_counts_and_what_was_said_here_since_stays() {
        let said = [(7, day(3)), (8, day(5)), (9, None), (6, day(4))];
        assert_eq!(newest(said.into_iter()), Some((8, day(5))));
        assert_eq!(newest([(7, None), (8, None)].into_iter()), Some((8, None)));
        assert!(is_news(None, None) && is_news(Some(day(3)), day(4)));
        assert!(
            !is_news(Some(day(4)), day(4)) && !is_news(Some(day(4)), day(3)) && !is_news(Some(day(4)), None)
        );
    }
}
