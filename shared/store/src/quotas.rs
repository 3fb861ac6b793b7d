//! Exact quotas: what a person has changed today and this minute, and what service clients have drawn.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Error;
use crate::catalogue::{Item, key, number};
use crate::vault::{Changed, Vault, n};

/// How often a count that met others is tried again. A meeting is lost once a minute at most: to whoever began it.
const MEETINGS: usize = 8;
/// How long a count outlives its day, in seconds.
const KEPT: i64 = 3_600;

/// How far two counts have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// In this minute.
    pub in_minute: u32,
    /// In this day.
    pub in_day: u32,
    /// Whether the call is counted; if not, one of the two was used up.
    pub counted: bool,
}

/// The counts.
#[derive(Debug, Clone)]
pub struct Quotas(Vault);

/// The day of `now` in UTC.
fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn end_of_day(now: Timestamp) -> i64 {
    (now.as_second().div_euclid(86_400) + 1) * 86_400
}

fn used(item: &Item, minute: i64, counted: bool) -> Used {
    let same = number::<i64>(item, "at_minute") == Some(minute);
    let in_minute = if same { number(item, "in_minute").unwrap_or(0) } else { 0 };
    Used { in_minute, in_day: number(item, "in_day").unwrap_or(0), counted }
}

impl Quotas {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Counts one call of `subject`, unless it has had `per_minute` in this minute or `per_day` in this day.
    ///
    /// One conditional update; a second one for the first call of a minute.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count(
        &self,
        subject: &str,
        per_minute: u32,
        per_day: u32,
        now: Timestamp,
    ) -> Result<Used, Error> {
        let at = key(&format!("QUOTA#{subject}"), &format!("DAY#{}", day(now)));
        let minute = now.as_second().div_euclid(60);
        let values = || {
            vec![
                (":minute", n(minute)),
                (":one", n(1)),
                (":per_minute", n(per_minute)),
                (":per_day", n(per_day)),
                (":ttl", n(end_of_day(now) + KEPT)),
            ]
        };
        for _ in 0..MEETINGS {
            let condition = "attribute_not_exists(pk) OR \
                (at_minute = :minute AND in_minute < :per_minute AND in_day < :per_day)";
            let change = "ADD in_minute :one, in_day :one SET at_minute = :minute, #ttl = :ttl";
            let before = match self.0.change(at.clone(), change, condition, values()).await? {
                Changed::Done(item) => return Ok(used(&item, minute, true)),
                Changed::Refused(item) => item,
            };
            let full = used(&before, minute, false);
            // Another function's clock may be a moment ahead: its minute is over only when ours has come.
            let newer = number::<i64>(&before, "at_minute").is_some_and(|theirs| theirs > minute);
            if full.in_day >= per_day || full.in_minute >= per_minute || newer {
                return Ok(Used { in_minute: if newer { per_minute } else { full.in_minute }, ..full });
            }
            let condition = "at_minute < :minute AND in_day < :per_day";
            let change = "SET at_minute = :minute, in_minute = :one, in_day = in_day + :one, #ttl = :ttl";
            let mut values = values();
            values.retain(|(name, _)| *name != ":per_minute");
            if let Changed::Done(item) = self.0.change(at.clone(), change, condition, values).await? {
                return Ok(used(&item, minute, true));
            }
        }
        Err(Error::Throttled {
            operation: "UpdateItem",
            cause: "a count met other counts eight times".into(),
        })
    }

    /// Takes a block of up to `block` calls out of the `per_day` that `subject` has today. What was taken and
    /// not used is lost: all blocks together are never more than the quota. 0 if there is nothing left.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lease(
        &self,
        subject: &str,
        block: u32,
        per_day: u32,
        now: Timestamp,
    ) -> Result<(u32, u32), Error> {
        let at = key(&format!("QUOTA#{subject}"), &format!("LEASED#{}", day(now)));
        let mut wanted = block.clamp(1, per_day.max(1));
        for _ in 0..MEETINGS {
            if wanted > per_day {
                return Ok((0, per_day));
            }
            let values = vec![
                (":wanted", n(wanted)),
                (":most", n(per_day - wanted)),
                (":ttl", n(end_of_day(now) + KEPT)),
            ];
            let condition = "attribute_not_exists(pk) OR leased <= :most";
            let change = "ADD leased :wanted SET #ttl = :ttl";
            match self.0.change(at.clone(), change, condition, values).await? {
                Changed::Done(item) => return Ok((wanted, number(&item, "leased").unwrap_or(per_day))),
                Changed::Refused(before) => {
                    let leased: u32 = number(&before, "leased").unwrap_or(per_day);
                    let left = per_day.saturating_sub(leased);
                    if left == 0 {
                        return Ok((0, leased));
                    }
                    wanted = wanted.min(left);
                }
            }
        }
        Ok((0, per_day))
    }
}
