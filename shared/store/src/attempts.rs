//! Counters of attempts. What they mean is policy and decided elsewhere; here they are read, and changed on the
//! condition that they are still what was read.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

use crate::Error;
use crate::accounts::account_key;
use crate::catalogue::{Item, key, number, text};
use crate::owners::{owner_key, owner_of};
use crate::table::PK;
use crate::vault::{Vault, n};

/// How many items one address prefix's counter is spread over.
const PREFIX_SHARDS: u32 = 2;
/// How many items the counter of everything is spread over.
const GLOBAL_SHARDS: u32 = 4;

/// An exact counter, as it was read. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Attempts reserved.
    pub failures: u32,
    /// When the last one was.
    pub last_at: Option<Timestamp>,
    /// Until when nothing is verified.
    pub blocked_until: Option<Timestamp>,
}

/// Which approximate counters an attempt counts in.
#[derive(Debug, Clone)]
pub struct Bucket<'a> {
    /// The address prefix.
    pub prefix: &'a str,
    /// The number of the time window.
    pub window: i64,
    /// When the window ends.
    pub ends_at: Timestamp,
}

/// What was read before an attempt.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Failures from the address prefix in this window.
    pub prefix: u64,
    /// Failures from everywhere in this window.
    pub global: u64,
    /// The account that one of the handles leads to.
    pub account: Option<String>,
    /// The account that was registered for the same address after that one.
    pub rival: Option<String>,
}

/// The counters.
#[derive(Debug, Clone)]
pub struct Attempts(Vault);

/// The sort key of the counter `name`.
fn counter_name(name: &str) -> String {
    format!("ATTEMPTS#{name}")
}

/// Where `subject`'s counter `name` is: among everything of that person. A handle that leads nowhere has its
/// blind term as a subject, and a counter under it of the same shape.
pub(crate) fn counter_key(subject: &str, name: &str) -> Item {
    key(&account_key(subject), &counter_name(name))
}

fn prefix_key(bucket: &Bucket<'_>) -> String {
    format!("TALLY#{}#{}", bucket.prefix, bucket.window)
}

fn global_key(bucket: &Bucket<'_>) -> String {
    format!("TALLY#*#{}", bucket.window)
}

fn millis(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_millisecond)
}

fn time(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok().filter(|_| millis != 0)
}

impl Attempts {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Reads the approximate counters and where `handles` lead, in one request.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn survey(&self, bucket: &Bucket<'_>, handles: &[String]) -> Result<Survey, Error> {
        let mut keys: Vec<_> = handles.iter().map(|handle| owner_key(handle)).collect();
        keys.extend((0..PREFIX_SHARDS).map(|shard| key(&prefix_key(bucket), &shard.to_string())));
        keys.extend((0..GLOBAL_SHARDS).map(|shard| key(&global_key(bucket), &shard.to_string())));
        let mut survey = Survey::default();
        for found in self.0.get_all(keys).await? {
            let pk = text(&found, PK).unwrap_or_default();
            let failures = || u64::try_from(number::<i64>(&found, "failures").unwrap_or(0)).unwrap_or(0);
            if pk == prefix_key(bucket) {
                survey.prefix += failures();
            } else if pk == global_key(bucket) {
                survey.global += failures();
            } else if let Some(owner) = owner_of(&found) {
                (survey.account, survey.rival) = (Some(owner.account), owner.rival);
            }
        }
        Ok(survey)
    }

    /// Counts an attempt without having read the counter: if there is none, or one that stands under `most` and
    /// was used after `since`. False otherwise: nothing is counted. This is what most attempts need, so that
    /// they are counted while their person is read.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reserve_unread(
        &self,
        subject: &str,
        name: &str,
        most: u32,
        since: Timestamp,
        (now, expires): (Timestamp, Timestamp),
    ) -> Result<bool, Error> {
        let values = vec![
            (":zero", n(0)),
            (":one", n(1)),
            (":most", n(most)),
            (":since", n(since.as_millisecond())),
            (":now", n(now.as_millisecond())),
            (":ttl", n(expires.as_second())),
        ];
        let change = "SET failures = if_not_exists(failures, :zero) + :one, last_at = :now, \
                      blocked_until = :zero, #ttl = :ttl";
        let condition = "attribute_not_exists(pk) OR (failures < :most AND last_at > :since)";
        Ok(self.0.update(counter_key(subject, name), change, Some(condition), values).await?.is_some())
    }

    /// A counter as it is now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count(&self, subject: &str, name: &str) -> Result<Count, Error> {
        let found = self.0.get(&account_key(subject), &counter_name(name)).await?;
        Ok(found.map_or_else(Count::default, |found| Count {
            failures: number(&found, "failures").unwrap_or(0),
            last_at: time(number(&found, "last_at").unwrap_or(0)),
            blocked_until: time(number(&found, "blocked_until").unwrap_or(0)),
        }))
    }

    /// Puts `new` in the place of `old` if the counter is still that. False if somebody was faster.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reserve(
        &self,
        subject: &str,
        name: &str,
        old: &Count,
        new: &Count,
        expires: Timestamp,
    ) -> Result<bool, Error> {
        let fresh = *old == Count::default();
        let condition = if fresh {
            "attribute_not_exists(pk)"
        } else {
            "failures = :failures AND last_at = :last AND blocked_until = :blocked"
        };
        let mut values = vec![
            (":new_failures", n(new.failures)),
            (":new_last", n(millis(new.last_at))),
            (":new_blocked", n(millis(new.blocked_until))),
            (":ttl", n(expires.as_second())),
        ];
        if !fresh {
            values.push((":failures", n(old.failures)));
            values.push((":last", n(millis(old.last_at))));
            values.push((":blocked", n(millis(old.blocked_until))));
        }
        let change =
            "SET failures = :new_failures, last_at = :new_last, blocked_until = :new_blocked, #ttl = :ttl";
        Ok(self.0.update(counter_key(subject, name), change, Some(condition), values).await?.is_some())
    }

    /// Forgets a counter.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget(&self, subject: &str, name: &str) -> Result<(), Error> {
        self.0.delete_if(counter_key(subject, name), "attribute_exists(pk)", Vec::new()).await?;
        Ok(())
    }

    /// Adds a failure to the approximate counters. `spread` chooses the shard.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn tally(&self, bucket: &Bucket<'_>, spread: u32) -> Result<(), Error> {
        let expires = bucket.ends_at.as_second() + 60;
        let add = |pk: String, shards: u32| {
            let values = vec![(":one", n(1)), (":ttl", n(expires))];
            let at = key(&pk, &(spread % shards).to_string());
            self.0.update(at, "ADD failures :one SET #ttl = :ttl", None, values)
        };
        futures::future::try_join(
            add(prefix_key(bucket), PREFIX_SHARDS),
            add(global_key(bucket), GLOBAL_SHARDS),
        )
        .await?;
        Ok(())
    }

    /// Counts one use of `name` in the window that ends at `ends_at`, unless there were `most` already. False
    /// then: nothing is counted.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn draw(&self, name: &str, most: u32, ends_at: Timestamp) -> Result<bool, Error> {
        let at = key(&format!("LIMIT#{name}#{}", ends_at.as_second()), "LIMIT");
        let values = vec![(":one", n(1)), (":most", n(most)), (":ttl", n(ends_at.as_second() + 60))];
        let change = "ADD used :one SET #ttl = :ttl";
        let condition = "attribute_not_exists(pk) OR used < :most";
        Ok(self.0.update(at, change, Some(condition), values).await?.is_some())
    }
}
