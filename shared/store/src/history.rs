//! What people watched, and when: an item for each time. A film's own item says when it was last watched.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use screensort_model::{Mode, MovieId, OperatorId};

use crate::catalogue::{Item, key, number, text};
use crate::library::{
    Change, FilmState, film_change, film_key, film_state, instant, is_gone, marks, person_key, time,
};
use crate::vault::{IndexAsk, Values, Written, n, s, shown};
use crate::{Error, Library};

pub(crate) const WATCH: &str = "H#";
/// How long what was taken back stays, for whoever follows the changes.
pub(crate) const GONE_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How often a change that met another one of the same film is tried again.
const MEETINGS: u32 = 8;

/// One time that a film was watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// A ULID.
    pub id: String,
    /// The film.
    pub movie: MovieId,
    /// When.
    pub watched_at: Timestamp,
    /// Whether it was not the first time.
    pub rewatch: bool,
    /// Who showed it.
    pub operator: Option<OperatorId>,
    /// In which way.
    pub mode: Option<Mode>,
}

impl Watch {
    fn order(&self) -> String {
        format!("{WATCH}{:.3}#{}", self.watched_at, self.id)
    }

    fn of(item: &Item) -> Option<Self> {
        let id = text(item, crate::table::SK)?.strip_prefix(WATCH)?.to_owned();
        if is_gone(item) {
            return None;
        }
        Some(Self {
            id,
            movie: number::<u32>(item, "movie").and_then(MovieId::new)?,
            watched_at: time(item, "watched_at")?,
            rewatch: item.get("rewatch").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default(),
            operator: text(item, "operator").and_then(|id| id.parse().ok()),
            mode: text(item, "mode").and_then(|name| Mode::ALL.into_iter().find(|mode| mode.name() == name)),
        })
    }

    fn item(&self, change: &Change<'_>) -> Item {
        let mut item = key(&person_key(change.account), &format!("{WATCH}{}", self.id));
        item.extend([
            ("movie".to_owned(), n(self.movie)),
            ("watched_at".to_owned(), s(instant(self.watched_at))),
            ("rewatch".to_owned(), AttributeValue::Bool(self.rewatch)),
            ("own_order".to_owned(), s(self.order())),
            ("by".to_owned(), s(change.account)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
        ]);
        item.extend(self.operator.map(|id| ("operator".to_owned(), s(id.to_string()))));
        item.extend(self.mode.map(|mode| ("mode".to_owned(), s(mode.name()))));
        item
    }
}

/// Just below the place `order`, and above every lower one: `BETWEEN` takes its ends in.
pub(crate) fn below(order: &str) -> String {
    let mut below = order.to_owned();
    if let Some(last) = below.pop() {
        below.push(char::from_u32(u32::from(last).saturating_sub(1)).unwrap_or('!'));
    }
    below.push('~');
    below
}

/// A person's own items of one kind, newest first.
pub(crate) const OWN: IndexAsk = IndexAsk {
    index: "own_order",
    keys: "pk = :pk AND own_order BETWEEN :from AND :to",
    filter: None,
    local: true,
    ascending: false,
};

impl Library {
    /// Writes down that a film was watched. False if that id is taken: it was written down already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn watch(&self, change: &Change<'_>, watch: &Watch) -> Result<bool, Error> {
        let entry = || self.0.putting(watch.item(change), Some("attribute_not_exists(pk)"));
        let film = film_key(change.account, watch.movie);
        let mut values = marks(change, watch.movie);
        values.push((":watched", s(instant(watch.watched_at))));
        let latest = self.0.updating(
            film.clone(),
            film_change!("watched_at = :watched, "),
            "attribute_not_exists(watched_at) OR watched_at < :watched",
            values,
        )?;
        match self.0.transact(vec![entry()?, latest]).await? {
            Written::Done => return Ok(true),
            Written::Refused(at) if at.contains(&0) => return Ok(false),
            Written::Refused(_) => {}
        }
        // It was watched later, too.
        let earlier = self.0.updating(
            film,
            film_change!(""),
            "attribute_exists(watched_at)",
            marks(change, watch.movie),
        )?;
        match self.0.transact(vec![entry()?, earlier]).await? {
            Written::Done => Ok(true),
            Written::Refused(at) if at.contains(&0) => Ok(false),
            Written::Refused(_) => Err(Error::Throttled {
                operation: "TransactWriteItems",
                cause: "the film met another change".into(),
            }),
        }
    }

    /// A person's history, newest first, at most `most`, starting after the place `after`. Each with its place.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn history(
        &self,
        account: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Watch)>, Error> {
        let found = self.0.query_index(&OWN, own(account, WATCH, after), most).await?;
        Ok(found
            .iter()
            .filter_map(|item| Some((text(item, OWN.index)?.to_owned(), Watch::of(item)?)))
            .collect())
    }

    /// One time that a person watched a film.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn watched(&self, account: &str, id: &str) -> Result<Option<Watch>, Error> {
        let found = self.0.get(&person_key(account), &format!("{WATCH}{id}")).await?;
        Ok(found.as_ref().and_then(Watch::of))
    }

    /// Puts `after` in the place of `before`, or takes that back. False if it is gone.
    ///
    /// One transaction, which says by itself where the film's last time does not depend on the other entries. Where it
    /// does, its refusal shows the film: one more, and before it a look at the other entries if it was the last time
    /// itself that goes, or moves before others.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rewrite_watch(
        &self,
        change: &Change<'_>,
        before: &Watch,
        after: Option<&Watch>,
    ) -> Result<bool, Error> {
        let (mut before, mut film) = (before.clone(), None);
        for _ in 0..MEETINGS {
            let settled = match &film {
                None => self.settling_unseen(change, &before, after)?,
                Some(film) => self.settling(change, &before, after, film).await?,
            };
            let same = "attribute_exists(own_order) AND watched_at = :seen";
            let seen = (":seen", s(instant(before.watched_at)));
            let entry = match after {
                Some(after) => self.0.putting_over(after.item(change), same, vec![seen])?,
                None => self.unwatching(change, &before, same, seen)?,
            };
            let Err(unmet) = self.0.transact_or_see(vec![shown(entry), shown(settled)]).await? else {
                return Ok(true);
            };
            for (at, item) in unmet {
                match (at, Watch::of(&item)) {
                    (0, None) => return Ok(false),
                    (0, Some(now)) => before = now,
                    _ => film = film_state(&item),
                }
            }
        }
        Err(Error::Throttled { operation: "TransactWriteItems", cause: "the film met other changes".into() })
    }

    /// What a film's item becomes where that can be said without seeing it, for as long as it is so.
    fn settling_unseen(
        &self,
        change: &Change<'_>,
        before: &Watch,
        after: Option<&Watch>,
    ) -> Result<TransactWriteItem, Error> {
        let mut values = marks(change, before.movie);
        let film = film_key(change.account, before.movie);
        match after.map(|after| after.watched_at) {
            Some(now) if now == before.watched_at => {
                self.0.updating(film, film_change!(""), "attribute_exists(watched_at)", values)
            }
            // Nothing is later than this.
            Some(now) if now > before.watched_at => {
                values.push((":watched", s(instant(now))));
                let set = film_change!("watched_at = :watched, ");
                self.0.updating(film, set, "watched_at <= :watched", values)
            }
            // Another entry is later than this one was.
            _ => {
                values.push((":before", s(instant(before.watched_at))));
                self.0.updating(film, film_change!(""), "watched_at > :before", values)
            }
        }
    }

    /// What a film's item becomes that was `film`, and is nothing else yet.
    async fn settling(
        &self,
        change: &Change<'_>,
        before: &Watch,
        after: Option<&Watch>,
        film: &FilmState,
    ) -> Result<TransactWriteItem, Error> {
        let after = after.map(|after| after.watched_at);
        let last = film.watched_at.filter(|last| *last > before.watched_at);
        let latest = match (last, after) {
            // Another one is the last, and stays it unless this one becomes it.
            (Some(last), after) => after.into_iter().chain([last]).max(),
            (None, Some(after)) if after >= before.watched_at => Some(after),
            // The film was seen before: who changes the history after that changes the film's version, too.
            (None, after) => self.other_watches(change.account, before).await?.into_iter().chain(after).max(),
        };
        let mut values = marks(change, before.movie);
        values.push((":v", n(film.version)));
        let at = film_key(change.account, before.movie);
        match latest {
            Some(latest) => {
                values.push((":watched", s(instant(latest))));
                self.0.updating(at, film_change!("watched_at = :watched, "), "v = :v", values)
            }
            None => self.0.updating(at, film_change!("", remove "watched_at"), "v = :v", values),
        }
    }

    fn unwatching(
        &self,
        change: &Change<'_>,
        watch: &Watch,
        condition: &'static str,
        value: (&'static str, AttributeValue),
    ) -> Result<TransactWriteItem, Error> {
        let until = change.at.saturating_add(GONE_FOR).map_or(i64::MAX, Timestamp::as_second);
        let values = vec![
            (":yes", AttributeValue::Bool(true)),
            (":by", s(change.account)),
            (":rid", s(change.request)),
            (":at", s(instant(change.at))),
            (":ttl", n(until)),
            value,
        ];
        self.0.updating(
            key(&person_key(change.account), &format!("{WATCH}{}", watch.id)),
            "SET gone = :yes, #by = :by, rid = :rid, #at = :at, #ttl = :ttl REMOVE own_order",
            condition,
            values,
        )
    }

    /// When the film of `watch` was watched besides.
    async fn other_watches(&self, account: &str, watch: &Watch) -> Result<Vec<Timestamp>, Error> {
        let ask = IndexAsk { filter: Some("movie = :movie"), ..OWN };
        let mut values = own(account, WATCH, None);
        values.push((":movie", n(watch.movie)));
        let found = self.0.query_index(&ask, values, usize::MAX).await?;
        let others = found.iter().filter_map(Watch::of).filter(|other| other.id != watch.id);
        Ok(others.map(|other| other.watched_at).collect())
    }
}

/// The values of [`OWN`] for a person's items whose place begins with `prefix`.
pub(crate) fn own(account: &str, prefix: &str, after: Option<&str>) -> Values {
    let to = after.map_or_else(|| format!("{prefix}~"), below);
    vec![(":pk", s(person_key(account))), (":from", s(prefix)), (":to", s(to))]
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn nothing_lies_between_a_place_and_just_below_it() {
        let places = ["H#2026-01-01T00:00:00.000Z#01A", "H#2026-01-01T00:00:00.000Z#01B", "H#2026-02"];
        for pair in places.windows(2) {
            assert!(pair[0] < below(pair[1]).as_str() && below(pair[1]).as_str() < pair[1]);
        }
    }
}
