//! Mail that waits to be sent. A request only posts a letter; what is written in it, whether there is anybody to
//! write to, and the secret inside are the mailer's business, so that no request's time tells whether an address
//! has an account, and nothing secret waits here.

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::audit::{Audit, Trail};
use crate::catalogue::{Item, key, number, text};
use crate::patience::doubled;
use crate::vault::{Vault, Written, item, n, record, s, sort_key};

const OUTBOX: &str = "OUTBOX";
/// The attribute that names the request which caused a letter.
const CAUSE: &str = "cause";
/// How long one mailer has a letter for itself; twice as long after each try that failed, up to [`LONGEST`].
const LEASE: SignedDuration = SignedDuration::from_secs(60);
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// The attribute that counts the tries.
const TRIES: &str = "tries";
/// Letters that are looked at in one request.
const PAGE: usize = 100;
/// How long a letter is tried.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Who a letter is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Whoever has the address with one of these terms in the blind index, if anybody.
    Terms(Vec<String>),
    /// An account, at its address.
    Account(String),
    /// An account, at the address that waits for confirmation.
    Pending(String),
    /// An account, at an address that it had, sealed.
    Former(String, String),
}

/// A letter to be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// A ULID: the order of posting.
    pub id: String,
    /// What kind of letter, by name.
    pub kind: String,
    /// Who for.
    pub to: To,
    /// What it is about, where the kind does not say: a device in words, or the hash of a ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// When it was posted.
    pub posted_at: Timestamp,
}

/// The letters.
#[derive(Debug, Clone)]
pub struct Outbox(Vault);

pub(crate) fn letter_item(letter: &Letter) -> Result<Item, Error> {
    let expires = letter.posted_at.saturating_add(KEPT).map_or(i64::MAX, Timestamp::as_second);
    let mut item = item(OUTBOX, &letter.id, letter, Some(expires))?;
    item.insert("leased_until".into(), n(0));
    Ok(item)
}

/// The letter with the request that caused it: the line about its sending names it too.
pub(crate) fn letter_for(letter: &Letter, trail: &Trail) -> Result<Item, Error> {
    let mut item = letter_item(letter)?;
    if let Some(record) = trail.records().first() {
        item.insert(CAUSE.into(), s(&record.request_id));
    }
    Ok(item)
}

impl Outbox {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Posts a letter.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn post(&self, letter: &Letter) -> Result<(), Error> {
        self.0.put(letter_item(letter)?).await
    }

    /// Posts a letter together with the trail of why, in one request.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn post_with(&self, letter: &Letter, audit: &Audit, trail: &Trail) -> Result<(), Error> {
        let mut writes = vec![self.0.putting(letter_for(letter, trail)?, None)?];
        writes.extend(audit.writes(trail)?);
        match self.0.transact(writes).await? {
            Written::Done => Ok(()),
            // Only a record of the same id is in the way, and ids are random.
            Written::Refused(_) => Err(Error::corrupt("record", "its id is taken")),
        }
    }

    /// Letters that wait, oldest first and at most `most`, each with the request that caused it if that is known,
    /// and leased to the caller: for a minute from `now`, or longer the oftener sending it has failed. Letters that
    /// are leased are passed over, so that some that cannot be sent hold up no others; one that was tried for a day
    /// is given up.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn take(&self, most: usize, now: Timestamp) -> Result<Vec<(Letter, Option<String>)>, Error> {
        let (mut taken, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.0.query_after(OUTBOX, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(taken) };
            after = sort_key(last).to_owned();
            for found in page {
                if number::<i64>(&found, "leased_until").is_some_and(|until| until > now.as_second()) {
                    continue;
                }
                let tries = number::<u32>(&found, TRIES).unwrap_or(0);
                let cause = text(&found, CAUSE).map(str::to_owned);
                let letter: Letter = record(found, "letter")?;
                if letter.posted_at.saturating_add(KEPT).is_ok_and(|end| end <= now) {
                    self.sent(&letter).await?;
                    continue;
                }
                if self.lease(&letter, tries, now).await? {
                    taken.push((letter, cause));
                }
                if taken.len() >= most {
                    return Ok(taken);
                }
            }
        }
    }

    /// When the letter was posted that waits longest, if one does.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn oldest(&self) -> Result<Option<Timestamp>, Error> {
        let first = self.0.query_after(OUTBOX, "", 1).await?.pop();
        first.map(|found| Ok(record::<Letter>(found, "letter")?.posted_at)).transpose()
    }

    async fn lease(&self, letter: &Letter, tries: u32, now: Timestamp) -> Result<bool, Error> {
        let lease = doubled(LEASE, tries, LONGEST);
        let until = now.saturating_add(lease).map_or(i64::MAX, Timestamp::as_second);
        let values = vec![(":until", n(until)), (":now", n(now.as_second())), (":one", n(1))];
        let change = "SET leased_until = :until ADD tries :one";
        let free = Some("leased_until <= :now");
        Ok(self.0.update(key(OUTBOX, &letter.id), change, free, values).await?.is_some())
    }

    /// Takes a letter that was sent out of the box.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sent(&self, letter: &Letter) -> Result<(), Error> {
        self.0.delete_if(key(OUTBOX, &letter.id), "id = :id", vec![(":id", s(&letter.id))]).await?;
        Ok(())
    }
}
