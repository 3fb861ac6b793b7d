//! Where names and addresses lead: one item a handle, which also makes it one account's.
//!
//! An address that has an account may be registered again, by its owner who forgot or by somebody else. The first of
//! those accounts to be is noted as the address's *rival*: whoever made it must see the same, whether or not the address
//! had an account before (docs/authentication.md). It leads nowhere else.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::accounts::{Accounts, OWNER};
use crate::catalogue::{Item, key, number, text};
use crate::table::PK;
use crate::vault::{n, s, sort_key};

/// How long a rival counts: a little longer than an account lives whose address nobody verifies.
const RIVAL_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A handle that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The handle.
    pub handle: String,
    /// The account that it leads to.
    pub account: String,
    /// The account that was the first to be registered for the same address after that one.
    pub rival: Option<String>,
    rival_until: Option<i64>,
}

impl Owner {
    /// Whether another registration would be the first one to contest the address.
    pub fn may_be_contested(&self, now: Timestamp) -> bool {
        self.rival_until.is_none_or(|until| until < now.as_second())
    }
}

/// The item that leads from a handle (`EMAIL#…` or `NAME#…`) to its account.
pub(crate) fn owner_key(handle: &str) -> Item {
    key(handle, OWNER)
}

/// The handle that an item is of, and where it leads.
pub(crate) fn owner_of(item: &Item) -> Option<Owner> {
    (sort_key(item) == OWNER).then_some(())?;
    Some(Owner {
        handle: text(item, PK)?.to_owned(),
        account: text(item, "account")?.to_owned(),
        rival: text(item, "rival").map(str::to_owned),
        rival_until: number(item, "rival_until"),
    })
}

impl Accounts {
    /// Notes `account` as the rival for `handle`, if that leads somewhere and has none.
    pub(crate) fn contest(
        &self,
        handle: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Error> {
        let until = now.saturating_add(RIVAL_FOR).map_or(i64::MAX, Timestamp::as_second);
        self.vault().updating(
            owner_key(handle),
            "SET rival = :rival, rival_until = :until",
            "attribute_exists(pk) AND (attribute_not_exists(rival) OR rival_until < :now)",
            vec![(":rival", s(account)), (":until", n(until)), (":now", n(now.as_second()))],
        )
    }

    /// The condition that `handle` leads to `account` and that nobody else registered it.
    pub(crate) fn uncontested(&self, handle: &str, account: &str) -> Result<TransactWriteItem, Error> {
        self.vault().checking_values(
            owner_key(handle),
            "account = :account AND attribute_not_exists(rival)",
            vec![(":account", s(account))],
        )
    }
}
