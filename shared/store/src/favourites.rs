//! Favourite operators: one item for each, under the person whose they are.

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use screensort_model::OperatorId;
use serde::{Deserialize, Serialize};

use crate::catalogue::key;
use crate::hand::is_gone;
use crate::library::person_key;
use crate::vault::{Vault, item, n, record};
use crate::{Error, Hand};

const FAVOURITE: &str = "FAVOURITE#";
/// How long it can be seen that one was taken away: long enough for whoever reads the changes.
const GONE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A favourite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Favourite {
    /// Which operator.
    pub operator: OperatorId,
    /// Since when.
    pub added_at: Timestamp,
}

/// The favourites.
#[derive(Debug, Clone)]
pub struct Favourites(Vault);

impl Favourites {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// A person's favourites in the order of their ids, at most `most`, starting after `after`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn page(
        &self,
        person: &str,
        after: Option<OperatorId>,
        most: usize,
    ) -> Result<Vec<Favourite>, Error> {
        let (mut page, mut from) = (Vec::new(), after.map_or_else(String::new, |id| format!("{id}!")));
        // What was taken away lately is still there and is passed over.
        loop {
            let range = (format!("{FAVOURITE}{from}"), format!("{FAVOURITE}~"));
            let wanted = i32::try_from(most - page.len()).unwrap_or(i32::MAX);
            let found =
                self.0.between(&person_key(person), (&range.0, &range.1), true, wanted.max(1)).await?;
            let short = found.len() < usize::try_from(wanted).unwrap_or(0);
            let last = found.last().map(|item| crate::vault::sort_key(item).to_owned());
            for item in found.into_iter().filter(|item| !is_gone(item)) {
                page.push(record(item, "favourite")?);
            }
            match last.and_then(|last| last.strip_prefix(FAVOURITE).map(|id| format!("{id}!"))) {
                Some(next) if !short && page.len() < most => from = next,
                _ => return Ok(page),
            }
        }
    }

    /// Adds one; one that is there stays as it was.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn add(&self, person: &str, favourite: &Favourite, hand: &Hand<'_>) -> Result<(), Error> {
        let sk = format!("{FAVOURITE}{}", favourite.operator);
        let mut put = item(&person_key(person), &sk, favourite, None)?;
        hand.sign(&mut put);
        // One that was taken away has no such attribute any more.
        self.0.put_if(put, "attribute_not_exists(added_at)", Vec::new()).await?;
        Ok(())
    }

    /// Takes one away. False if it was none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove(
        &self,
        person: &str,
        operator: OperatorId,
        at: Timestamp,
        hand: &Hand<'_>,
    ) -> Result<bool, Error> {
        let until = at.saturating_add(GONE_FOR).map_or(i64::MAX, Timestamp::as_second);
        let mut values = hand.values();
        values.push((":gone", aws_sdk_dynamodb::types::AttributeValue::Bool(true)));
        values.push((":ttl", n(until)));
        let change = "SET gone = :gone, #by = :by, rid = :rid, #ttl = :ttl REMOVE added_at";
        let at = key(&person_key(person), &format!("{FAVOURITE}{operator}"));
        Ok(self.0.update(at, change, Some("attribute_exists(added_at)"), values).await?.is_some())
    }
}
