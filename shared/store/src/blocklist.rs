//! Networks that are shut out, and what networks did that may shut them out.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use screensort_model::Network;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::audit::{Audit, Trail};
use crate::catalogue::{key, number};
use crate::vault::{Vault, Written, item, n, record, sort_key};

const LIST: &str = "BLOCKLIST";

/// A network that is shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The network.
    pub cidr: Network,
    /// Why.
    pub reason: String,
    /// Who put it here: an account's id, or a job's name.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Blocked {
    /// Whether it still counts.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// What one process saw of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Logins that failed or were refused.
    pub logins: u32,
    /// Marks of the accounts that were tried: a few bits of a hash each, enough to tell many from one.
    pub accounts: Vec<u16>,
    /// Requests answered 401 or 403.
    pub refused: u32,
    /// Refused requests that look like injections.
    pub probes: u32,
    /// Unknown routes.
    pub unknown: u32,
}

impl Seen {
    fn take(&mut self, other: Self) {
        self.logins = self.logins.saturating_add(other.logins);
        self.refused = self.refused.saturating_add(other.refused);
        self.probes = self.probes.saturating_add(other.probes);
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.accounts.extend(other.accounts);
        self.accounts.sort_unstable();
        self.accounts.dedup();
    }
}

/// The list and the counts behind it.
#[derive(Debug, Clone)]
pub struct Blocklist {
    vault: Vault,
    audit: Audit,
}

fn suspects(window: i64) -> String {
    format!("SUSPECTS#{window}")
}

impl Blocklist {
    /// In `table`; records go to `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self { vault: Vault::new(client, table), audit }
    }

    /// All networks, those included whose time is over and that were not removed yet.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn all(&self) -> Result<Vec<Blocked>, Error> {
        let found = self.vault.query_all(LIST, "").await?;
        found.into_iter().map(|item| record(item, "blocked network")).collect()
    }

    /// Puts a network on the list, in the place of what the list says of it. With `if_new`, only if nothing is
    /// said of it; false then.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn add(&self, blocked: &Blocked, if_new: bool, trail: &Trail) -> Result<bool, Error> {
        let expires = blocked.expires_at.map(|at| at.as_second() + 3_600);
        let item = item(LIST, &blocked.cidr.to_string(), blocked, expires)?;
        let condition = if_new.then_some("attribute_not_exists(pk)");
        let mut writes = vec![self.vault.putting(item, condition)?];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Takes a network off the list. False if it is not on it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn remove(&self, cidr: &Network, trail: &Trail) -> Result<bool, Error> {
        let at = key(LIST, &cidr.to_string());
        let mut writes = vec![self.vault.deleting(at, Some("attribute_exists(pk)"), Vec::new())?];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Adds what was seen of a network to a window's counts.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn suspect(&self, of: &Network, window: i64, ends: i64, seen: &Seen) -> Result<(), Error> {
        let at = key(&suspects(window), &of.to_string());
        let mut values = vec![
            (":logins", n(seen.logins)),
            (":refused", n(seen.refused)),
            (":probes", n(seen.probes)),
            (":unknown", n(seen.unknown)),
            (":ttl", n(ends)),
        ];
        let change = if seen.accounts.is_empty() {
            "ADD logins :logins, refused :refused, probes :probes, unknown_routes :unknown SET #ttl = :ttl"
        } else {
            let marks = seen.accounts.iter().map(ToString::to_string).collect();
            values.push((":marks", AttributeValue::Ns(marks)));
            "ADD logins :logins, refused :refused, probes :probes, unknown_routes :unknown, tried :marks \
             SET #ttl = :ttl"
        };
        self.vault.update(at, change, None, values).await?;
        Ok(())
    }

    /// What was seen of each network in these windows together.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn suspected(
        &self,
        windows: impl IntoIterator<Item = i64>,
    ) -> Result<BTreeMap<Network, Seen>, Error> {
        let mut all: BTreeMap<Network, Seen> = BTreeMap::new();
        for window in windows {
            for found in self.vault.query(&suspects(window), "", 5_000).await? {
                let Ok(network) = sort_key(&found).parse() else { continue };
                let of = |name: &str| number::<u32>(&found, name).unwrap_or(0);
                let marks = found.get("tried").and_then(|value| value.as_ns().ok());
                all.entry(network).or_default().take(Seen {
                    logins: of("logins"),
                    accounts: marks.into_iter().flatten().filter_map(|mark| mark.parse().ok()).collect(),
                    refused: of("refused"),
                    probes: of("probes"),
                    unknown: of("unknown_routes"),
                });
            }
        }
        Ok(all)
    }

    /// Forgets what was seen of a network in these windows: it is given another chance.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn pardon(&self, of: &Network, windows: impl IntoIterator<Item = i64>) -> Result<(), Error> {
        for window in windows {
            let at = key(&suspects(window), &of.to_string());
            self.vault.delete_if(at, "attribute_exists(pk)", Vec::new()).await?;
        }
        Ok(())
    }
}
