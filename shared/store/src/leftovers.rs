//! What expiry alone does not clean in the table of credentials: items without an expiry whose owner is gone, and
//! sessions that ended before their time was over.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;

use crate::accounts::{ACCOUNT, CREDENTIALS, KEY, OWNER, RECOVERY, account_key};
use crate::audit::{Audit, Trail};
use crate::catalogue::{Item, key, number, text};
use crate::sessions::is_session;
use crate::table::PK;
use crate::vault::{Vault, Written, n, s, sort_key};
use crate::{Account, Error};

/// An item that nobody owns any more, and whose account it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: Kind,
    /// The account that it belonged to.
    pub account: String,
    pk: String,
    sk: String,
    generation: Option<u64>,
}

/// Where the next page starts.
#[derive(Debug)]
pub struct Next(Item);

/// What is left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An address or a name that leads to no account.
    Pointer,
    /// Credentials, a wrapped key or a recovery code of no account.
    Secret,
    /// A session of no account, or of an earlier generation of one.
    Session,
}

impl Kind {
    /// As counts name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pointer => "pointers",
            Self::Secret => "secrets",
            Self::Session => "sessions",
        }
    }
}

/// The table of credentials, for the job that tidies it.
#[derive(Debug, Clone)]
pub struct Leftovers(Vault, Audit);

impl Leftovers {
    /// In `table`; what is deleted leaves its trail in `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self(Vault::new(client, table), audit)
    }

    /// One page of what is left over, and where the next one starts.
    ///
    /// # Errors
    /// If the store fails or an account cannot be read.
    pub async fn page(&self, start: Option<Next>) -> Result<(Vec<Leftover>, Option<Next>), Error> {
        // Nothing that has an account's own sort key, and nothing that leads nowhere.
        let owned_by_somebody = "(begins_with(pk, :accounts) AND sk <> :account) OR sk = :owner";
        let values = vec![(":accounts", s("ACCOUNT#")), (":account", s(ACCOUNT)), (":owner", s(OWNER))];
        let (items, next) = self.0.scan_where(owned_by_somebody, values, start.map(|Next(at)| at)).await?;
        let owned: Vec<Leftover> = items.iter().filter_map(owned).collect();
        // Read after the scan and as they are now: an account that is being made is there with its items.
        let ids: BTreeSet<&str> = owned.iter().map(|item| item.account.as_str()).collect();
        let mut generations = std::collections::BTreeMap::new();
        for ids in ids.into_iter().collect::<Vec<_>>().chunks(100) {
            let keys = ids.iter().map(|id| key(&account_key(id), ACCOUNT)).collect();
            for found in self.0.get_all(keys).await? {
                let account: Account = crate::vault::record(found, "account")?;
                generations.insert(account.id, account.generation);
            }
        }
        let is_left = |item: &Leftover| match (generations.get(&item.account), item.generation) {
            (None, _) => true,
            (Some(now), Some(then)) => then < *now,
            (Some(_), None) => false,
        };
        Ok((owned.into_iter().filter(is_left).collect(), next.map(Next)))
    }

    /// Deletes what is left over of one account, if it is still as it was found; how many items went.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn clean(&self, items: &[Leftover], trail: &Trail) -> Result<usize, Error> {
        let mut gone = 0;
        for items in items.chunks(90) {
            let mut writes = Vec::new();
            for item in items {
                let at = key(&item.pk, &item.sk);
                writes.push(match item.generation {
                    // A pointer that leads to somebody else by now stays.
                    _ if item.kind == Kind::Pointer => {
                        let values = vec![(":account", s(&item.account))];
                        self.0.deleting(at, Some("account = :account"), values)?
                    }
                    Some(generation) => {
                        let values = vec![(":then", n(generation))];
                        self.0.deleting(at, Some("generation = :then"), values)?
                    }
                    None => self.0.deleting(at, None, Vec::new())?,
                });
            }
            writes.extend(self.1.writes(trail)?);
            if self.0.transact(writes).await? == Written::Done {
                gone += items.len();
            }
        }
        Ok(gone)
    }
}

/// Whose an item without an account's own sort key is.
fn owned(item: &Item) -> Option<Leftover> {
    let (pk, sk) = (text(item, PK)?, sort_key(item));
    let leftover = |kind, account: &str, generation| {
        Some(Leftover { kind, account: account.to_owned(), pk: pk.to_owned(), sk: sk.to_owned(), generation })
    };
    if let Some(account) = pk.strip_prefix("ACCOUNT#") {
        // Counters of attempts expire by themselves. Those of a handle that leads to no account must last as long
        // as those of one that does: else it could be told which is which.
        let secret = matches!(sk, CREDENTIALS | KEY) || sk.starts_with(RECOVERY);
        return match (is_session(item), secret) {
            (true, _) => leftover(Kind::Session, account, number(item, "generation")),
            (_, true) => leftover(Kind::Secret, account, None),
            _ => None,
        };
    }
    leftover(Kind::Pointer, text(item, "account")?, None)
}
