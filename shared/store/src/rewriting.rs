//! Accounts under another key of the blind index: the walk over all of them that puts new terms in the place of old
//! ones, a page at a time, and the note of how far it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::ACCOUNT;
use crate::audit::Trail;
use crate::vault::{item, record, s};
use crate::{Account, Accounts, Error};

const REWRITING: &str = "REWRITING";
const INDEX: &str = "INDEX";

/// How far the walk towards one key is. A value of it is true by itself, whoever else walks: of the accounts up to
/// `after`, so many were met that were not found under the key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The key that accounts are to be found under.
    pub key: String,
    /// When the walk began; none is under way without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// The account that was looked at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Accounts that were not found under the key when they were looked at.
    pub met: u64,
    /// When the last walk began that met none from its beginning to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_since: Option<Timestamp>,
}

impl Accounts {
    /// How far the walk is; nothing if there never was one.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn walk(&self) -> Result<Option<Walk>, Error> {
        let found = self.vault().get(REWRITING, INDEX).await?;
        found.map(|found| record(found, "walk")).transpose()
    }

    /// Notes how far the walk is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn walked(&self, walk: &Walk) -> Result<(), Error> {
        self.vault().put(item(REWRITING, INDEX, walk, None)?).await
    }

    /// Puts `term` in the place of the account's term: the new way to it, the old one and the account change
    /// together. False if the account has another address or is gone by now, or somebody else has the term.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reindex(&self, account: &Account, term: &str, trail: &Trail) -> Result<bool, Error> {
        let mut writes = Vec::from(self.moved(account, term)?);
        let values = vec![(":term", s(term)), (":old", s(&account.email_term))];
        let change = "SET email_term = :term, former_term = :old";
        writes.push(self.on(&account.id, ACCOUNT, change, "email_term = :old", values)?);
        self.all(writes, trail).await
    }

    /// Forgets an address that was named and never confirmed. False if it was, or is another one by now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget_pending(&self, id: &str, term: &str, trail: &Trail) -> Result<bool, Error> {
        let values = vec![(":term", s(term))];
        let change = "REMOVE pending_email, pending_term";
        self.all(vec![self.on(id, ACCOUNT, change, "pending_term = :term", values)?], trail).await
    }
}
