//! First answers, kept for a day, so that a call that is sent again is not done again.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::catalogue::{Item, key, number, text};
use crate::vault::{Changed, Values, Vault, n, s};

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a first call may run before it counts as crashed: longer than the gateway waits for it.
const LEASE: SignedDuration = SignedDuration::from_secs(45);

/// One call that creates something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who calls.
    pub account: String,
    /// What: method and path as the route table writes them.
    pub route: String,
    /// The hash of the caller's key.
    pub key: String,
    /// The hash of everything that the call says.
    pub print: String,
    /// The request's id.
    pub holder: String,
}

/// An answer, as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the endpoint's own.
    pub headers: Vec<(String, String)>,
    /// The media type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What a call with a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The first, or the first since one crashed: to be done, and ended.
    First,
    /// Done before, with this answer.
    Done(Kept),
    /// Done before; the answer could not be kept.
    Forgotten,
    /// Being done right now; to be tried again after so many seconds.
    Running(u32),
    /// Another call with the same key.
    Other,
}

/// The calls.
#[derive(Debug, Clone)]
pub struct Idempotency(Vault);

fn call_key(call: &Call) -> Item {
    key(&format!("ONCE#{}", call.account), &format!("{}#{}", call.route, call.key))
}

fn later(now: Timestamp, by: SignedDuration) -> i64 {
    now.saturating_add(by).map_or(i64::MAX, Timestamp::as_second)
}

impl Idempotency {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// The partition of an account's kept answers, for whoever deletes everything of a person.
    pub fn partition(account: &str) -> String {
        format!("ONCE#{account}")
    }

    /// Begins a call, unless it was begun before.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn begin(&self, call: &Call, now: Timestamp) -> Result<Begun, Error> {
        let condition = "attribute_not_exists(pk) OR kept_until <= :now OR \
            (attribute_not_exists(http_status) AND leased_until <= :now AND fingerprint = :print)";
        let change = "SET fingerprint = :print, holder = :holder, leased_until = :lease, kept_until = :kept, \
            #ttl = :kept REMOVE http_status, http_headers, http_type, http_body";
        let values = vec![
            (":now", n(now.as_second())),
            (":print", s(&call.print)),
            (":holder", s(&call.holder)),
            (":lease", n(later(now, LEASE))),
            (":kept", n(later(now, KEPT))),
        ];
        match self.0.change(call_key(call), change, condition, values).await? {
            Changed::Done(_) => Ok(Begun::First),
            Changed::Refused(before) => read(&before, call, now),
        }
    }

    /// Keeps the answer of a call that was begun; without one, only that it is done.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end(&self, call: &Call, answer: Option<&Kept>) -> Result<(), Error> {
        let mut values: Values = vec![(":holder", s(&call.holder))];
        let change = match answer {
            Some(answer) => {
                let lines: Vec<_> =
                    answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                values.push((":status", n(answer.status)));
                values.push((":headers", s(lines.join("\n"))));
                values.push((":type", s(&answer.content_type)));
                values.push((":body", AttributeValue::B(Blob::new(answer.body.clone()))));
                "SET http_status = :status, http_headers = :headers, http_type = :type, http_body = :body"
            }
            None => {
                values.push((":status", n(0)));
                "SET http_status = :status"
            }
        };
        // Who took over after the lease ends it: an answer that comes too late is not theirs.
        self.0.change(call_key(call), change, "holder = :holder", values).await?;
        Ok(())
    }

    /// Forgets a call that was begun and created nothing: it may be tried again at once.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget(&self, call: &Call) -> Result<(), Error> {
        let values = vec![(":holder", s(&call.holder))];
        let condition = "holder = :holder AND attribute_not_exists(http_status)";
        self.0.delete_if(call_key(call), condition, values).await?;
        Ok(())
    }
}

fn read(item: &Item, call: &Call, now: Timestamp) -> Result<Begun, Error> {
    if text(item, "fingerprint") != Some(call.print.as_str()) {
        return Ok(Begun::Other);
    }
    let Some(status) = number::<u16>(item, "http_status") else {
        let until: i64 = number(item, "leased_until").unwrap_or(0);
        let seconds = (until - now.as_second()).clamp(1, LEASE.as_secs());
        return Ok(Begun::Running(u32::try_from(seconds).unwrap_or(1)));
    };
    if status == 0 {
        return Ok(Begun::Forgotten);
    }
    let headers = text(item, "http_headers").unwrap_or_default().lines();
    let body = item.get("http_body").and_then(|value| value.as_b().ok());
    Ok(Begun::Done(Kept {
        status,
        headers: headers.filter_map(|line| line.split_once(": ")).map(owned).collect(),
        content_type: text(item, "http_type").unwrap_or_default().to_owned(),
        body: body.ok_or_else(|| Error::corrupt("kept answer", "it has no body"))?.as_ref().to_vec(),
    }))
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
