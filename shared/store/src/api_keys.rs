//! Keys of service clients. A key lies under its owner, so that reading it and its owner is one request; only
//! its hash is kept.

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::accounts::{ACCOUNT, Account, account_key};
use crate::audit::{Audit, Trail};
use crate::catalogue::{Item, key};
use crate::outbox::{Letter, letter_for, letter_item};
use crate::vault::{Values, Vault, Written, item, n, record, s, sort_key};

/// How long a key that has run out can still be seen in its owner's list.
const SHOWN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A service client's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// A ULID.
    pub id: String,
    /// The account that answers for it.
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// The first characters of the key, to tell it from others.
    pub prefix: String,
    /// The hash of the key.
    pub hash: String,
    /// What it is good for, as permissions.
    pub scopes: Vec<String>,
    /// Calls that it has in a minute, if it has fewer than its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_minute: Option<u32>,
    /// Calls that it has in a day, if it has fewer than its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_day: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When a token was last issued for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The network that it was last used from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The key that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// When its owner was told that nobody uses it; using it takes that back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warned_at: Option<Timestamp>,
}

/// The keys.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    vault: Vault,
    audit: Audit,
}

pub(crate) fn keys_key(owner: &str) -> String {
    format!("KEYS#{owner}")
}

fn forgotten(expires_at: Timestamp) -> i64 {
    expires_at.saturating_add(SHOWN).map_or(i64::MAX, Timestamp::as_second)
}

/// That a key is there and was not used since it was read: the condition and its values.
fn unused_since(of: &ApiKey) -> (&'static str, Values) {
    match of.last_used_at {
        Some(at) => ("last_used_at = :seen", vec![(":seen", s(at.to_string()))]),
        None => ("attribute_exists(pk) AND attribute_not_exists(last_used_at)", Vec::new()),
    }
}

impl ApiKeys {
    /// In `table`; records go to `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self { vault: Vault::new(client, table), audit }
    }

    /// Keeps a new key and posts `letter`. `replaces` names a key of the same owner that it takes the place of,
    /// and until when that one still works. False if there is no such key or it was replaced before.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn make(
        &self,
        new: &ApiKey,
        replaces: Option<(&str, Timestamp)>,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let pk = keys_key(&new.owner);
        let put = item(&pk, &new.id, new, Some(forgotten(new.expires_at)))?;
        let mut writes = vec![
            self.vault.putting(put, Some("attribute_not_exists(pk)"))?,
            self.vault.putting(letter_item(letter)?, None)?,
        ];
        writes.extend(self.audit.writes(trail)?);
        if let Some((old, until)) = replaces {
            writes.push(self.vault.updating(
                key(&pk, old),
                "SET expires_at = :until, replaced_by = :new, #ttl = :ttl",
                "attribute_exists(pk) AND attribute_not_exists(replaced_by)",
                vec![(":until", s(until.to_string())), (":new", s(&new.id)), (":ttl", n(forgotten(until)))],
            )?);
        }
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// An owner's keys that were made before the key `before`, newest first, those that have run out too; at most
    /// `most`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn page(&self, owner: &str, before: Option<&str>, most: usize) -> Result<Vec<ApiKey>, Error> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let found = self.vault.query_before(&keys_key(owner), before, most).await?;
        found.into_iter().map(|found| record(found, "api key")).collect()
    }

    /// All keys of an account.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn of(&self, owner: &str) -> Result<Vec<ApiKey>, Error> {
        let found = self.vault.query_all(&keys_key(owner), "").await?;
        found.into_iter().map(|found| record(found, "api key")).collect()
    }

    /// A key and its owner's account, in one request.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn with_owner(&self, owner: &str, id: &str) -> Result<Option<(Account, ApiKey)>, Error> {
        let keys = vec![key(&account_key(owner), ACCOUNT), key(&keys_key(owner), id)];
        let (mut account, mut found) = (None, None);
        for item in self.vault.get_all(keys).await? {
            if sort_key(&item) == ACCOUNT {
                account = Some(record(item, "account")?);
            } else {
                found = Some(record(item, "api key")?);
            }
        }
        Ok(account.zip(found))
    }

    /// Notes that a token was issued for a key. False if the key is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn used(&self, of: &ApiKey, at: Timestamp, network: &str) -> Result<bool, Error> {
        let values = vec![(":at", s(at.to_string())), (":network", s(network))];
        let change = "SET last_used_at = :at, network = :network REMOVE warned_at";
        let at: Item = key(&keys_key(&of.owner), &of.id);
        Ok(self.vault.update(at, change, Some("attribute_exists(pk)"), values).await?.is_some())
    }

    /// Notes that the owner of a key is told, by `letter`, that nobody uses it. False if the key is gone or was used
    /// meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn warn(
        &self,
        of: &ApiKey,
        at: Timestamp,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let (unused, mut values) = unused_since(of);
        values.push((":at", s(at.to_string())));
        let at = key(&keys_key(&of.owner), &of.id);
        let mut writes = vec![
            self.vault.updating(at, "SET warned_at = :at", unused, values)?,
            self.vault.putting(letter_for(letter, trail)?, None)?,
        ];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Takes away a key that nobody used, and tells its owner by `letter`. False if the key is gone or was used
    /// meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lapse(&self, of: &ApiKey, letter: &Letter, trail: &Trail) -> Result<bool, Error> {
        let at = key(&keys_key(&of.owner), &of.id);
        let (unused, values) = unused_since(of);
        let mut writes = vec![
            self.vault.deleting(at, Some(unused), values)?,
            self.vault.putting(letter_for(letter, trail)?, None)?,
        ];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Takes a key away, at once. False if there was none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, owner: &str, id: &str, trail: &Trail) -> Result<bool, Error> {
        let at = key(&keys_key(owner), id);
        let mut writes = vec![self.vault.deleting(at, Some("attribute_exists(pk)"), Vec::new())?];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }
}
