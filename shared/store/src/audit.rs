//! The trail: who did what to whom, when and from where. Items of the table `screensort-audit` are put and never
//! changed; a record is written in the same transaction as what it records, so that neither is there without the
//! other.
//!
//! Every method that changes an account, its credentials, its rights or its sessions takes a [`Trail`]: it cannot
//! be forgotten. Records are written unchained; the one that ships them lays the chain.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::catalogue::{Item, key};
use crate::table::TTL;
use crate::vault::{Vault, Written, item, n, record};

/// How many partitions a day is spread over.
pub const SHARDS: u8 = 4;
/// How long records stay in the table. What is shipped to S3 stays as long as the bucket's lock says.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Something that happened. It holds ids and keyed hashes, never a secret, an address or a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// A ULID.
    pub id: String,
    /// What was done: the event's name.
    pub action: String,
    /// Who did it: an account's id, a job's name, or `-` for somebody unknown.
    pub actor: String,
    /// What it was done to, by id; `-` if nobody knows.
    pub target: String,
    /// A keyed hash of what was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// A keyed hash of what is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The address that it came from; `-` for a job.
    pub source: String,
    /// The request that caused it, or the job's run.
    pub request_id: String,
}

impl Record {
    /// The day that it lies under, in UTC.
    pub fn day(&self) -> Date {
        self.at.to_zoned(TimeZone::UTC).date()
    }

    /// The shard that it lies in: its id decides.
    pub fn shard(&self) -> u8 {
        self.id.bytes().next_back().unwrap_or_default() % SHARDS
    }

    fn item(&self) -> Result<Item, Error> {
        let expires = self.at.saturating_add(KEPT).map_or(i64::MAX, Timestamp::as_second);
        item(&day_key(self.day(), self.shard()), &self.id, self, Some(expires))
    }
}

/// One record, or several of one act. What changes people's accounts asks for it.
#[derive(Debug, Clone)]
pub struct Trail(Vec<Record>);

impl Trail {
    /// Of one record.
    pub fn of(record: Record) -> Self {
        Self(vec![record])
    }

    /// With those of `other` too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// With keyed hashes of what was there before and is there now, in every record.
    #[must_use]
    pub fn with_values(mut self, before: Option<String>, after: Option<String>) -> Self {
        for record in &mut self.0 {
            record.before.clone_from(&before);
            record.after.clone_from(&after);
        }
        self
    }

    /// The records, at least one.
    pub fn records(&self) -> &[Record] {
        &self.0
    }
}

/// The trail's table.
#[derive(Debug, Clone)]
pub struct Audit(pub(crate) Vault);

pub(crate) fn day_key(day: Date, shard: u8) -> String {
    format!("DAY#{day}#{shard}")
}

impl Audit {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// What a transaction writes besides its own.
    pub(crate) fn writes(&self, trail: &Trail) -> Result<Vec<TransactWriteItem>, Error> {
        let put = |record: &Record| self.0.putting(record.item()?, Some("attribute_not_exists(pk)"));
        trail.0.iter().map(put).collect()
    }

    /// Keeps what is no change of anything else: an attempt that failed, a refusal, a look.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep(&self, trail: &Trail) -> Result<(), Error> {
        let one = |record: &Record| {
            let item = record.item();
            // The SDK may send a put twice after a lost answer: the second finds the first, which is the same.
            async move { self.0.put_new(item?).await }
        };
        futures::future::try_join_all(trail.0.iter().map(one)).await?;
        Ok(())
    }

    /// Keeps `trail` unless it was kept for `what` and `when` before; says whether it did.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn once(&self, what: &str, when: &str, trail: &Trail) -> Result<bool, Error> {
        let mut mark = key(&format!("ONCE#{what}"), when);
        let expires = trail.0.first().map_or(0, |record| record.at.as_second() + 7 * 24 * 3600);
        mark.insert(TTL.into(), n(expires));
        let mut writes = vec![self.0.putting(mark, Some("attribute_not_exists(pk)"))?];
        writes.extend(self.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// The records of a day that come before the record `before`, newest first, at most `most`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn day(&self, day: Date, before: Option<&str>, most: usize) -> Result<Vec<Record>, Error> {
        let limit = i32::try_from(most).unwrap_or(i32::MAX);
        let keys: Vec<String> = (0..SHARDS).map(|shard| day_key(day, shard)).collect();
        let asked = keys.iter().map(|key| self.0.query_before(key, before, limit));
        let found = futures::future::try_join_all(asked).await?;
        let records = found.into_iter().flatten().map(|item| record(item, "record"));
        let mut records: Vec<Record> = records.collect::<Result<_, _>>()?;
        records.sort_unstable_by(|a, b| b.id.cmp(&a.id));
        records.truncate(most);
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_lies_under_its_day_in_a_shard_of_its_own() {
        let record = Record {
            id: "01KAAAAAAAAAAAAAAAAAAAAAAC".into(),
            action: "auth.login.succeeded".into(),
            actor: "-".into(),
            target: "-".into(),
            before: None,
            after: None,
            at: "2026-11-22T23:59:59.999Z".parse().unwrap(),
            source: "203.0.113.7".into(),
            request_id: "r".into(),
        };
        let item = record.item().unwrap();
        assert_eq!(item["pk"].as_s().unwrap(), "DAY#2026-11-22#3");
        assert!(!item.contains_key("before"));
        let read: Record = crate::vault::record(item, "record").unwrap();
        assert_eq!(read, record);
    }
}
