//! What a person asked the directory, for those who want that kept. Nothing is kept unless they said so.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::catalogue::{Item, key, text};
use crate::hand::is_gone;
use crate::library::person_key;
use crate::vault::{Vault, item, record, s, sort_key};
use crate::{Error, Hand};

const QUERY: &str = "QUERY#";
const SETTING: &str = "SETTING#QUERIES";
/// How long a query is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How long it can be seen that one was deleted.
const GONE_FOR: SignedDuration = SignedDuration::from_hours(24);
/// A query whose id is older than this has been noted by now, or never will be: no request takes so long.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);

/// Something that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// When.
    pub asked_at: Timestamp,
    /// The path, such as `/operators`.
    pub path: String,
    /// The filters that were given.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// How many operators were found.
    pub found: u64,
}

/// The queries.
#[derive(Debug, Clone)]
pub struct Queries(Vault);

impl Queries {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Whether a person wants their queries kept.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn are_kept(&self, person: &str) -> Result<bool, Error> {
        let found = self.0.get(&person_key(person), SETTING).await?;
        Ok(found.is_some_and(|item| item.get("kept") == Some(&AttributeValue::Bool(true))))
    }

    /// Sets whether they are.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_kept(&self, person: &str, kept: bool, hand: &Hand<'_>) -> Result<(), Error> {
        let mut values = hand.values();
        values.push((":kept", AttributeValue::Bool(kept)));
        let set = "SET kept = :kept, #by = :by, rid = :rid";
        self.0.update(key(&person_key(person), SETTING), set, None, values).await.map(drop)
    }

    /// The id up to which all of a person's queries were deleted; it sorts before all if none were. What was deleted
    /// lies there for a day: whoever reads from above it does not walk through that.
    async fn floor(&self, person: &str) -> Result<String, Error> {
        let found = self.0.get(&person_key(person), SETTING).await?;
        let cleared = found.as_ref().and_then(|item| text(item, "cleared"));
        Ok(cleared.unwrap_or_default().to_owned())
    }

    /// Keeps a query under an id that is a ULID.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn note(&self, person: &str, id: &str, query: &Query, hand: &Hand<'_>) -> Result<(), Error> {
        let expires = query.asked_at.saturating_add(KEPT).map_or(i64::MAX, Timestamp::as_second);
        let mut put = item(&person_key(person), &format!("{QUERY}{id}"), query, Some(expires))?;
        hand.sign(&mut put);
        self.0.put(put).await
    }

    /// A person's queries with their ids, newest first, at most `most`, starting before the id `before`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn page(
        &self,
        person: &str,
        before: Option<&str>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<(String, Query)>, Error> {
        // Where it ends is read beside its beginning.
        let (floor, mut found) =
            futures::try_join!(self.floor(person), self.between(person, ("", before), most))?;
        let (mut page, mut wanted) = (Vec::new(), most);
        loop {
            let lowest = found.last().map(|item| id_of(sort_key(item)));
            let short = found.len() < wanted || lowest.as_ref().is_none_or(|lowest| *lowest <= floor);
            for item in found.into_iter().filter(|item| !is_gone(item)) {
                let id = id_of(sort_key(&item));
                let query: Query = record(item, "query")?;
                if query.asked_at.saturating_add(KEPT).is_ok_and(|end| now < end) {
                    page.push((id, query));
                }
            }
            if short || page.len() >= most {
                return Ok(page);
            }
            wanted = most - page.len();
            found = self.between(person, (&floor, lowest.as_deref()), wanted).await?;
        }
    }

    /// Deletes all of a person's queries: nothing of them is left but that there was one.
    ///
    /// # Errors
    /// If the store fails; asking again goes on where it ended.
    pub async fn clear(&self, person: &str, now: Timestamp, hand: &Hand<'_>) -> Result<(), Error> {
        let until = now.saturating_add(GONE_FOR).map_or(i64::MAX, Timestamp::as_second);
        let pk = person_key(person);
        let floor = self.floor(person).await?;
        let mut before: Option<String> = None;
        loop {
            let found = self.between(person, (&floor, before.as_deref()), 100).await?;
            let short = found.len() < 100;
            before = found.last().map(|item| id_of(sort_key(item)));
            let there = found.iter().filter(|item| !is_gone(item));
            let puts = there.map(|item| self.0.put(hand.tombstone(key(&pk, sort_key(item)), until)));
            futures::future::try_join_all(puts).await?;
            if short {
                break;
            }
        }
        // What was under way meanwhile may have come in below what was there: it is above the floor, and seen.
        let cleared = now.saturating_sub(UNDER_WAY).unwrap_or(now).as_millisecond();
        let cleared = ulid::Ulid::from_parts(u64::try_from(cleared).unwrap_or(0), 0).to_string();
        let mut values = hand.values();
        values.push((":cleared", s(cleared)));
        let set = "SET cleared = :cleared, #by = :by, rid = :rid";
        self.0.update(key(&pk, SETTING), set, None, values).await.map(drop)
    }

    /// A person's queries from the id `from` to below the id `before`, and those that are gone, newest first.
    async fn between(
        &self,
        person: &str,
        (from, before): (&str, Option<&str>),
        most: usize,
    ) -> Result<Vec<Item>, Error> {
        // `BETWEEN` includes its ends: the character before `0` makes a key just below the id.
        let to = before.map_or_else(|| format!("{QUERY}~"), |id| format!("{QUERY}{}", just_below(id)));
        let from = format!("{QUERY}{from}");
        if from > to {
            return Ok(Vec::new());
        }
        let most = i32::try_from(most).unwrap_or(i32::MAX).max(1);
        self.0.between(&person_key(person), (&from, &to), false, most).await
    }
}

fn id_of(sk: &str) -> String {
    sk.strip_prefix(QUERY).unwrap_or_default().to_owned()
}

/// The greatest text that sorts before a ULID and is no other ULID's.
fn just_below(id: &str) -> String {
    let (head, last) = id.split_at(id.len().saturating_sub(1));
    let before = last.bytes().next().map_or(b'!', |byte| byte.saturating_sub(1));
    format!("{head}{}~", char::from(before))
}
