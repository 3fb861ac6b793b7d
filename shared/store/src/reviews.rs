//! What people write about films. A review lies with its author; an index lists a film's published ones, another
//! one those that wait for an editor. Its id leads to it by an item of its own.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use screensort_model::{Language, MovieId};

use crate::catalogue::{Item, key, number, text};
use crate::history::{GONE_FOR, OWN, own};
use crate::library::{Change, film_change, film_key, instant, is_gone, marks, owner, person_key, time};
use crate::table::{BY_FILM, BY_QUEUE, SK};
use crate::vault::{IndexAsk, Values, Written, n, s, shown, sort_key};
use crate::{Error, Library, Trail};

const REVIEW: &str = "R#";
const REPORT: &str = "REPORT#";
const STANDING: &str = "STANDING";
const QUEUE: &str = "REVIEWS";

/// Who sees a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Everybody.
    Published,
    /// Its author and editors, until one of them decides.
    Pending,
    /// Its author and editors.
    Removed,
}

impl ReviewState {
    /// The word used in answers and items.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Pending => "pending",
            Self::Removed => "removed",
        }
    }

    fn read(name: &str) -> Option<Self> {
        [Self::Published, Self::Pending, Self::Removed].into_iter().find(|state| state.name() == name)
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// A ULID.
    pub id: String,
    /// The film.
    pub movie: MovieId,
    /// Its author's account.
    pub account: String,
    /// Its author's public name.
    pub author: String,
    /// Plain text.
    pub text: String,
    /// Whether it tells how the film ends.
    pub spoiler: bool,
    /// The language that it is in.
    pub language: Option<Language>,
    /// Who sees it.
    pub state: ReviewState,
    /// Links in it.
    pub links: u32,
    /// People who reported it since an editor last decided.
    pub reports: u32,
    /// What the editor who decided says to the author.
    pub note: Option<String>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last changed by its author.
    pub updated_at: Timestamp,
    /// How often it was changed.
    pub version: u64,
}

/// What stands in the place of a review that was to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The review.
    pub review: Option<Review>,
    /// How many its author had written.
    pub written: u64,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It counts.
    Now,
    /// The same person had reported it before.
    Before,
    /// There is no such review that is published.
    Unknown,
}

/// That a person reported a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The review.
    pub review: String,
    /// What is wrong with it, in a word.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Review {
    fn of(item: &Item) -> Option<Self> {
        if is_gone(item) {
            return None;
        }
        Some(Self {
            id: text(item, "id")?.to_owned(),
            movie: text(item, SK)?.strip_prefix(REVIEW)?.trim_start_matches('0').parse().ok()?,
            account: owner(item)?.to_owned(),
            author: text(item, "author")?.to_owned(),
            text: text(item, "text")?.to_owned(),
            spoiler: item.get("spoiler").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default(),
            language: text(item, "language").and_then(|language| language.parse().ok()),
            state: ReviewState::read(text(item, "state")?)?,
            links: number(item, "links").unwrap_or(0),
            reports: number(item, "reports").unwrap_or(0),
            note: text(item, "note").map(str::to_owned),
            created_at: time(item, "created_at")?,
            updated_at: time(item, "updated_at")?,
            version: number(item, "v").unwrap_or(0),
        })
    }

    fn order(&self) -> String {
        format!("{:.3}#{}", self.created_at, self.id)
    }

    fn item(&self, change: &Change<'_>) -> Item {
        let mut item = review_key(&self.account, self.movie);
        let fields = [
            ("id", Some(s(&self.id))),
            ("author", Some(s(&self.author))),
            ("text", Some(s(&self.text))),
            ("spoiler", Some(AttributeValue::Bool(self.spoiler))),
            ("language", self.language.map(|language| s(language.to_string()))),
            ("state", Some(s(self.state.name()))),
            ("links", Some(n(self.links))),
            ("reports", Some(n(self.reports))),
            ("note", self.note.as_ref().map(s)),
            ("created_at", Some(s(instant(self.created_at)))),
            ("updated_at", Some(s(instant(self.updated_at)))),
            ("own_order", Some(s(format!("{REVIEW}{}", self.order())))),
            ("by", Some(s(change.account))),
            ("rid", Some(s(change.request))),
            ("at", Some(s(instant(change.at)))),
            ("v", Some(n(self.version))),
        ];
        item.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        if self.state == ReviewState::Published {
            item.insert(BY_FILM.0.to_owned(), s(film_partition(self.movie)));
            item.insert(BY_FILM.1.to_owned(), s(self.order()));
        }
        if self.state == ReviewState::Pending || self.reports > 0 {
            item.insert(BY_QUEUE.0.to_owned(), s(QUEUE));
            item.insert(BY_QUEUE.1.to_owned(), s(self.order()));
        }
        item
    }
}

fn film_partition(movie: MovieId) -> String {
    format!("FILM#{movie}")
}

fn review_key(account: &str, movie: MovieId) -> Item {
    key(&person_key(account), &format!("{REVIEW}{:010}", movie.get()))
}

fn pointer(id: &str) -> Item {
    key(&format!("REVIEW#{id}"), "OWNER")
}

/// That somebody reported a review.
fn report_key(account: &str, review: &str) -> Item {
    key(&person_key(account), &format!("{REPORT}{review}"))
}

/// The condition on a review that it still has the version that was read.
const SAME: &str = "v = :was";
/// The condition that there is none, or none any more.
const NONE: &str = "attribute_not_exists(pk) OR attribute_exists(gone)";

impl Library {
    /// A person's review of a film, and how many they have written so far.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn review(&self, account: &str, movie: MovieId) -> Result<(Option<Review>, u64), Error> {
        let keys = vec![review_key(account, movie), key(&person_key(account), STANDING)];
        let (mut review, mut written) = (None, 0);
        for item in self.0.get_all(keys).await? {
            if sort_key(&item) == STANDING {
                written = number(&item, "reviews").unwrap_or(0);
            } else {
                review = Review::of(&item);
            }
        }
        Ok((review, written))
    }

    /// Writes a review in the place of `before`, or anew, and its record. Refused if that is not there any more,
    /// another one is, or its author has written fewer than `least` until now: with what is there.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write_review(
        &self,
        change: &Change<'_>,
        before: Option<&Review>,
        after: &Review,
        least: u64,
        trail: &Trail,
    ) -> Result<Result<(), Found>, Error> {
        let replacing = shown(self.replacing(change, before, after)?);
        let mut writes = vec![replacing, self.noting(change, after)?];
        if before.is_none() {
            writes.push(shown(self.standing(change, least)?));
            writes.push(self.leading(after)?);
        }
        writes.extend(self.1.writes(trail)?);
        let Err(unmet) = self.0.transact_or_see(writes).await? else { return Ok(Ok(())) };
        let mut found = Found { review: None, written: least };
        for (at, item) in unmet {
            match at {
                0 => found.review = Review::of(&item),
                2 if before.is_none() => found.written = number(&item, "reviews").unwrap_or(0),
                _ => {}
            }
        }
        Ok(Err(found))
    }

    /// One more review, of somebody who has written so many.
    fn standing(&self, change: &Change<'_>, least: u64) -> Result<TransactWriteItem, Error> {
        let condition = match least {
            0 => "attribute_not_exists(gone)",
            _ => "attribute_not_exists(gone) AND reviews >= :least",
        };
        let mut values = vec![(":one", n(1)), (":by", s(change.account)), (":rid", s(change.request))];
        if least > 0 {
            values.push((":least", n(least)));
        }
        let at = key(&person_key(change.account), STANDING);
        self.0.updating(at, "ADD reviews :one SET #by = :by, rid = :rid", condition, values)
    }

    /// Writes a review that was brought along from elsewhere. It makes nobody's standing. False if there is one.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn bring_review(
        &self,
        change: &Change<'_>,
        review: &Review,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = vec![self.replacing(change, None, review)?, self.noting(change, review)?];
        writes.push(self.leading(review)?);
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// Takes a review back. False if it was changed meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delete_review(
        &self,
        change: &Change<'_>,
        review: &Review,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let until = change.at.saturating_add(GONE_FOR).map_or(i64::MAX, Timestamp::as_second);
        let gone = self.0.updating(
            review_key(&review.account, review.movie),
            "SET gone = :yes, #by = :by, rid = :rid, #at = :at, #ttl = :ttl REMOVE #text, own_order, film, \
             film_order, queue, queue_order",
            SAME,
            vec![
                (":yes", AttributeValue::Bool(true)),
                (":by", s(change.account)),
                (":rid", s(change.request)),
                (":at", s(instant(change.at))),
                (":ttl", n(until)),
                (":was", n(review.version)),
            ],
        )?;
        let film = self.0.updating(
            film_key(&review.account, review.movie),
            film_change!("", remove "review_id, review_state"),
            "attribute_exists(pk)",
            marks(change, review.movie),
        )?;
        let leads = self.0.deleting(pointer(&review.id), None, Vec::new())?;
        let mut writes = vec![gone, film, leads];
        if review.state != ReviewState::Published {
            // What was never shown earns no trust: who writes and withdraws is as new as before.
            let at = key(&person_key(change.account), STANDING);
            let values = vec![(":less", n(-1)), (":by", s(change.account)), (":rid", s(change.request))];
            let less = "ADD reviews :less SET #by = :by, rid = :rid";
            writes.push(self.0.updating(at, less, "attribute_not_exists(gone)", values)?);
        }
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// Notes that somebody reported a published review, which lies at `place`: it goes to the editors. That they did lies
    /// with what is theirs, and goes when they are forgotten.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn report_review(
        &self,
        change: &Change<'_>,
        (id, place): (&str, &(String, MovieId)),
        reason: &str,
        trail: &Trail,
    ) -> Result<Reported, Error> {
        let mut report = report_key(change.account, id);
        report.extend([
            ("reason".to_owned(), s(reason)),
            ("by".to_owned(), s(change.account)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
        ]);
        let once = self.0.putting(report, Some("attribute_not_exists(pk)"))?;
        // Among the film's published reviews it has its place already: in the queue it gets the same one.
        let counted = self.0.updating(
            review_key(&place.0, place.1),
            "ADD reports :one, v :one SET queue = :queue, queue_order = film_order, #by = :by, rid = :rid, #at = :at",
            "id = :id AND #state = :published AND attribute_not_exists(gone)",
            vec![
                (":one", n(1)),
                (":queue", s(QUEUE)),
                (":by", s(change.account)),
                (":rid", s(change.request)),
                (":at", s(instant(change.at))),
                (":id", s(id)),
                (":published", s(ReviewState::Published.name())),
            ],
        )?;
        let mut writes = vec![once, counted];
        writes.extend(self.1.writes(trail)?);
        Ok(match self.0.transact(writes).await? {
            Written::Done => Reported::Now,
            Written::Refused(at) if at.contains(&1) => Reported::Unknown,
            Written::Refused(_) => Reported::Before,
        })
    }

    /// The reviews that a person reported.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn own_reports(&self, account: &str) -> Result<Vec<Report>, Error> {
        let found = self.0.query_all(&person_key(account), REPORT).await?;
        let report = |item: &Item| {
            Some(Report {
                review: sort_key(item).strip_prefix(REPORT)?.to_owned(),
                reason: text(item, "reason")?.to_owned(),
                at: time(item, "at")?,
            })
        };
        Ok(found.iter().filter(|item| !is_gone(item)).filter_map(report).collect())
    }

    /// Puts what an editor decided in the place of `before`, in the review, in its author's film and in the trail at
    /// once. False if it was changed meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn decide_review(
        &self,
        change: &Change<'_>,
        before: &Review,
        after: &Review,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = vec![self.replacing(change, Some(before), after)?, self.noting(change, after)?];
        if after.state == ReviewState::Removed {
            // Whoever had one removed is new again: what they write next waits for an editor.
            let at = key(&person_key(&before.account), STANDING);
            let values = vec![(":none", n(0)), (":by", s(change.account)), (":rid", s(change.request))];
            let reset = "SET reviews = :none, #by = :by, rid = :rid";
            writes.push(self.0.updating(at, reset, "attribute_not_exists(gone)", values)?);
        }
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// The review with this id.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn review_by_id(&self, id: &str) -> Result<Option<Review>, Error> {
        let Some((account, movie)) = self.review_place(id).await? else { return Ok(None) };
        let found = self.0.get_all(vec![review_key(&account, movie)]).await?.pop();
        Ok(found.as_ref().and_then(Review::of).filter(|review| review.id == id))
    }

    /// Where the review with this id lies: with which account, for which film.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn review_place(&self, id: &str) -> Result<Option<(String, MovieId)>, Error> {
        let Some(leads) = self.0.get(&format!("REVIEW#{id}"), "OWNER").await? else { return Ok(None) };
        let movie = number::<u32>(&leads, "movie").and_then(MovieId::new);
        Ok(text(&leads, "account").map(str::to_owned).zip(movie))
    }

    /// A film's published reviews, newest first, at most `most`, starting after the place `after`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reviews_of(
        &self,
        movie: MovieId,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Review)>, Error> {
        let keys = "film = :film AND film_order < :before";
        let values = vec![(":film", s(film_partition(movie))), (":before", s(after.unwrap_or("~")))];
        self.reviews(
            &IndexAsk { index: BY_FILM.1, keys, filter: None, local: false, ascending: false },
            values,
            most,
        )
        .await
    }

    /// Reviews that wait for an editor, newest first, at most `most`, starting after the place `after`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reviews_waiting(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Review)>, Error> {
        let keys = "queue = :queue AND queue_order < :before";
        let values = vec![(":queue", s(QUEUE)), (":before", s(after.unwrap_or("~")))];
        self.reviews(
            &IndexAsk { index: BY_QUEUE.1, keys, filter: None, local: false, ascending: false },
            values,
            most,
        )
        .await
    }

    /// A person's reviews, newest first, at most `most`, starting after the place `after`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn own_reviews(
        &self,
        account: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Review)>, Error> {
        self.reviews(&OWN, own(account, REVIEW, after), most).await
    }

    async fn reviews(
        &self,
        ask: &IndexAsk,
        values: Values,
        most: usize,
    ) -> Result<Vec<(String, Review)>, Error> {
        let found = self.0.query_index(ask, values, most).await?;
        Ok(found
            .iter()
            .filter_map(|item| Some((text(item, ask.index)?.to_owned(), Review::of(item)?)))
            .collect())
    }

    fn replacing(
        &self,
        change: &Change<'_>,
        before: Option<&Review>,
        after: &Review,
    ) -> Result<TransactWriteItem, Error> {
        let item = after.item(change);
        match before {
            Some(before) => self.0.putting_over(item, SAME, vec![(":was", n(before.version))]),
            None => self.0.putting(item, Some(NONE)),
        }
    }

    /// The way from its id to it.
    fn leading(&self, review: &Review) -> Result<TransactWriteItem, Error> {
        let mut leads = pointer(&review.id);
        leads.extend([("account".to_owned(), s(&review.account)), ("movie".to_owned(), n(review.movie))]);
        self.0.putting(leads, None)
    }

    /// Notes in the author's film which review there is, and whether it counts.
    fn noting(&self, change: &Change<'_>, review: &Review) -> Result<TransactWriteItem, Error> {
        let mut values = marks(change, review.movie);
        values.extend([(":review", s(&review.id)), (":state", s(review.state.name()))]);
        self.0.updating(
            film_key(&review.account, review.movie),
            film_change!("review_id = :review, review_state = :state, "),
            "attribute_not_exists(gone)",
            values,
        )
    }
}
