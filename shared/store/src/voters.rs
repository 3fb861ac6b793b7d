//! Whose opinions may train the recommendation model.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

use crate::Error;
use crate::accounts::ACCOUNT;
use crate::catalogue::{Item, text};
use crate::library::time;
use crate::table::PK;
use crate::vault::Vault;

/// The attributes that are read, and no other: nothing that proves or names anybody.
const READ: &str = "pk, created_at, verified_at, disabled";

/// The accounts, as far as training may know them.
#[derive(Debug, Clone)]
pub struct Voters(Vault);

impl Voters {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Ids of the accounts that have a verified address, are not closed, and were made before `before`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn established(&self, before: Timestamp) -> Result<BTreeSet<String>, Error> {
        let (mut ids, mut start) = (BTreeSet::new(), None);
        loop {
            let (found, next) = self.0.scan_attributes(ACCOUNT, READ, start).await?;
            ids.extend(found.iter().filter(|item| is_established(item, before)).filter_map(id_of));
            match next {
                Some(key) => start = Some(key),
                None => return Ok(ids),
            }
        }
    }
}

fn is_established(item: &Item, before: Timestamp) -> bool {
    let closed = item.get("disabled").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false);
    let old = time(item, "created_at").is_some_and(|made| made < before);
    old && !closed && time(item, "verified_at").is_some()
}

fn id_of(item: &Item) -> Option<String> {
    text(item, PK)?.strip_prefix("ACCOUNT#").map(str::to_owned)
}
