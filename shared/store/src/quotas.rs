//! Exact quotas: what a person has changed today and this minute, and what has been leased of either to processes
//! that let service clients and readers of the directory in.

use std::cmp::Ordering;

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

/// A stretch of time that a quota is for. Windows begin with the epoch, so that a day begins at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// A minute.
    Minute,
    /// A day.
    Day,
}

impl Window {
    /// How long it is, in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Day => 86_400,
        }
    }

    /// The number of the one that `now` lies in.
    pub fn number(self, now: Timestamp) -> i64 {
        now.as_second().div_euclid(i64::from(self.seconds()))
    }

    /// When the one that `now` lies in ends, in seconds since 1970.
    fn end(self, now: Timestamp) -> i64 {
        (self.number(now) + 1) * i64::from(self.seconds())
    }

    /// Where its leases are noted. A day has an item of its own; minutes follow each other in one, so that a client
    /// leaves no more than that behind.
    fn place(self, now: Timestamp) -> String {
        match self {
            Self::Minute => "LEASED#MINUTE".to_owned(),
            Self::Day => format!("LEASED#{}", day(now)),
        }
    }
}

/// The counts.
#[derive(Debug, Clone)]
pub struct Quotas(Vault);

/// The day of `now` in UTC.
fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
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
        let minute = Window::Minute.number(now);
        let values = || {
            vec![
                (":minute", n(minute)),
                (":one", n(1)),
                (":per_minute", n(per_minute)),
                (":per_day", n(per_day)),
                (":ttl", n(Window::Day.end(now) + KEPT)),
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

    /// Takes back one call of `subject` that [`Quotas::count`] counted at `at`: it was somebody else's. The store is
    /// asked once and never again: an answer that is lost leaves the call counted, and none is taken back twice.
    ///
    /// # Errors
    /// If the store fails; the call stays counted.
    pub async fn give_back(&self, subject: &str, at: Timestamp) -> Result<(), Error> {
        let key = key(&format!("QUOTA#{subject}"), &format!("DAY#{}", day(at)));
        let values = || vec![(":minute", n(Window::Minute.number(at))), (":one", n(1)), (":none", n(0))];
        let vault = self.0.asking_once();
        let both = "SET in_minute = in_minute - :one, in_day = in_day - :one";
        let same = "at_minute = :minute AND in_minute > :none AND in_day > :none";
        if let Changed::Refused(_) = vault.change(key.clone(), both, same, values()).await? {
            // Its minute is over: what is left of it is the day's.
            let later = "at_minute > :minute AND in_day > :none";
            vault.change(key, "SET in_day = in_day - :one", later, values()).await?;
        }
        Ok(())
    }

    /// Takes a block of up to `block` calls out of the `quota` that `subject` has in the `window` that runs. What was
    /// taken and not used is lost: all blocks together are never more than the quota. How many were taken, 0 if there
    /// is nothing left, and how many all processes have taken now.
    ///
    /// One conditional update; a second one for the first block of a minute.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lease(
        &self,
        subject: &str,
        block: u32,
        (quota, window): (u32, Window),
        now: Timestamp,
    ) -> Result<(u32, u32), Error> {
        let at = key(&format!("QUOTA#{subject}"), &window.place(now));
        let number_now = window.number(now);
        let mut wanted = block.clamp(1, quota.max(1));
        for _ in 0..MEETINGS {
            if wanted > quota {
                return Ok((0, quota));
            }
            let values = || {
                vec![(":window", n(number_now)), (":wanted", n(wanted)), (":ttl", n(window.end(now) + KEPT))]
            };
            let condition = "attribute_not_exists(pk) OR (leased <= :most AND at_window = :window)";
            let change = "ADD leased :wanted SET at_window = :window, #ttl = :ttl";
            let room = values().into_iter().chain([(":most", n(quota - wanted))]).collect();
            let before = match self.0.change(at.clone(), change, condition, room).await? {
                Changed::Done(item) => return Ok((wanted, number(&item, "leased").unwrap_or(quota))),
                Changed::Refused(before) => before,
            };
            match number::<i64>(&before, "at_window").unwrap_or(number_now).cmp(&number_now) {
                Ordering::Equal => {
                    let leased: u32 = number(&before, "leased").unwrap_or(quota);
                    let left = quota.saturating_sub(leased);
                    if left == 0 {
                        return Ok((0, leased));
                    }
                    wanted = wanted.min(left);
                }
                // Another function's clock may be a moment ahead: its window is over only when ours has come.
                Ordering::Greater => return Ok((0, quota)),
                Ordering::Less => {
                    let change = "SET leased = :wanted, at_window = :window, #ttl = :ttl";
                    if let Changed::Done(_) =
                        self.0.change(at.clone(), change, "at_window < :window", values()).await?
                    {
                        return Ok((wanted, wanted));
                    }
                }
            }
        }
        Ok((0, quota))
    }
}
