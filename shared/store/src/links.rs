//! Links between two accounts of one person: what one of them lets the other read.
//!
//! Whoever asks has an item of the link from the start; the account at the address that was named gets an
//! invitation once its mail is written, and an item of the link when it confirms. Both items change in one
//! transaction, so that a link holds if either of them says so.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::accounts::{ACCOUNT, Account, account_key};
use crate::audit::{Audit, Trail};
use crate::catalogue::key;
use crate::hand::is_gone;
use crate::library::person_key;
use crate::outbox::{Letter, letter_item};
use crate::vault::{Vault, Written, item, n, record, s};
use crate::{Error, Hand};

const LINK: &str = "LINK#";
/// Wrong tokens after which an invitation is void.
const TRIES: u32 = 5;
/// How long a link that has ended can still be seen.
const SHOWN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most links of one person that are listed.
const LISTED: i32 = 500;
/// The most invitations to one person that are looked at. Fewer letters than that reach one address in the half hour
/// that a token works.
const INVITED: i32 = 100;

/// Which side of a link somebody is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Reads.
    Asker,
    /// Is read.
    Asked,
}

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Waits to be confirmed.
    Pending,
    /// Holds.
    Active,
    /// Holds no more.
    Ended,
}

/// A link, as one side has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// A ULID.
    pub id: String,
    /// Whose item it is: which side.
    pub side: Side,
    /// Where it stands. A link that waits too long has ended, whatever this says: see [`Link::stage_at`].
    pub stage: Stage,
    /// What may be read.
    pub scopes: Vec<String>,
    /// The account on the other side, once it has confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// Its user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_name: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// When it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Link {
    /// Where it stands at `now`.
    pub fn stage_at(&self, now: Timestamp) -> Stage {
        if self.stage == Stage::Pending && self.expires_at <= now { Stage::Ended } else { self.stage }
    }
}

/// What the mailed token opens, kept with the account that it was mailed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The link.
    pub link: String,
    /// Who asks.
    pub asker: String,
    /// Their user name.
    pub asker_name: String,
    /// What they ask for.
    pub scopes: Vec<String>,
    /// The hash of the token.
    pub token_hash: String,
    /// The blind index term of the address that the token was mailed to.
    pub term: String,
    /// Tokens that were tried.
    pub tries: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when the token works.
    pub expires_at: Timestamp,
}

/// What a token led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Confirming {
    /// This invitation.
    Right(Invitation),
    /// None; these invitations have had their tries and are void.
    Wrong(Vec<Invitation>),
}

/// A change of a link: who makes it and when, who is told, and its record.
#[derive(Debug, Clone, Copy)]
pub struct LinkChange<'c> {
    /// Who, in which request.
    pub hand: Hand<'c>,
    /// When.
    pub at: Timestamp,
    /// Letters to those whom it concerns.
    pub letters: &'c [Letter],
    /// The records of it.
    pub trail: &'c Trail,
}

/// The links.
#[derive(Debug, Clone)]
pub struct Links {
    library: Vault,
    auth: Vault,
    audit: Audit,
}

fn link_sk(id: &str) -> String {
    format!("{LINK}{id}")
}

pub(crate) fn invited_key(account: &str) -> String {
    format!("INVITED#{account}")
}

fn seconds(at: Timestamp, more: SignedDuration) -> i64 {
    at.saturating_add(more).map_or(i64::MAX, Timestamp::as_second)
}

impl Links {
    /// In the tables of what people do and of credentials; records go to `audit`.
    pub fn new(client: Client, library: &str, auth: &str, audit: Audit) -> Self {
        Self { library: Vault::new(client.clone(), library), auth: Vault::new(client, auth), audit }
    }

    /// What every change writes besides the link: letters and records.
    fn beside(&self, change: &LinkChange<'_>) -> Result<Vec<TransactWriteItem>, Error> {
        let letters = change.letters.iter().map(|letter| self.auth.putting(letter_item(letter)?, None));
        let mut writes = letters.collect::<Result<Vec<_>, _>>()?;
        writes.extend(self.audit.writes(change.trail)?);
        Ok(writes)
    }

    /// Keeps a link that `asker` asks for.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn ask(&self, asker: &str, link: &Link, change: &LinkChange<'_>) -> Result<(), Error> {
        let expires = seconds(link.expires_at, SHOWN);
        let mut put = item(&person_key(asker), &link_sk(&link.id), link, Some(expires))?;
        change.hand.sign(&mut put);
        let mut writes = vec![self.library.putting(put, Some("attribute_not_exists(pk)"))?];
        writes.extend(self.beside(change)?);
        match self.library.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::corrupt("link", "its id is taken")),
        }
    }

    /// Keeps the invitation to `account`: called when its mail is written.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn invite(&self, account: &str, invitation: &Invitation, trail: &Trail) -> Result<(), Error> {
        let expires = Some(invitation.expires_at.as_second());
        let put = item(&invited_key(account), &invitation.link, invitation, expires)?;
        let mut writes = vec![self.auth.putting(put, None)?];
        writes.extend(self.audit.writes(trail)?);
        // Nothing here is conditional but that the record's id is new.
        self.auth.transact(writes).await.map(drop)
    }

    /// One's own side of a link.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn get(&self, account: &str, id: &str) -> Result<Option<Link>, Error> {
        let found = self.library.get(&person_key(account), &link_sk(id)).await?;
        found.filter(|item| !is_gone(item)).map(|item| record(item, "link")).transpose()
    }

    /// An account's side of a link, and the account itself, in one request.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn with_account(&self, account: &str, id: &str) -> Result<Option<(Account, Link)>, Error> {
        let link = vec![key(&person_key(account), &link_sk(id))];
        let owner = vec![key(&account_key(account), ACCOUNT)];
        let (mut link, mut owner) = self.library.get_beside(link, &self.auth, owner).await?;
        let link = link.pop().filter(|item| !is_gone(item)).map(|item| record(item, "link")).transpose()?;
        let owner = owner.pop().map(|item| record(item, "account")).transpose()?;
        Ok(owner.zip(link))
    }

    /// All links of an account, oldest first.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn of(&self, account: &str) -> Result<Vec<Link>, Error> {
        let found = self.library.query(&person_key(account), LINK, LISTED).await?;
        found.into_iter().filter(|item| !is_gone(item)).map(|item| record(item, "link")).collect()
    }

    /// The invitations to an account whose tokens still work.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn invitations(&self, account: &str, now: Timestamp) -> Result<Vec<Invitation>, Error> {
        // The newest: those that have expired lie on until the store takes them away, which may be days.
        let found = self.auth.between(&invited_key(account), ("0", "~"), false, INVITED).await?;
        let all: Vec<Invitation> =
            found.into_iter().map(|item| record(item, "invitation")).collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|one| now < one.expires_at && one.tries < TRIES).collect())
    }

    /// Looks for the invitation to `account` that a token with this hash opens. The try is counted on all of them
    /// before anything is compared, so that many at once are no more than many in a row.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn try_token(&self, account: &str, hash: &str, now: Timestamp) -> Result<Confirming, Error> {
        let mut counted = Vec::new();
        for one in self.invitations(account, now).await? {
            let values = vec![(":one", n(1)), (":most", n(TRIES))];
            let at = key(&invited_key(account), &one.link);
            let tried =
                self.auth.update(at, "SET tries = tries + :one", Some("tries < :most"), values).await?;
            if let Some(item) = tried {
                counted.push(record::<Invitation>(item, "invitation")?);
            }
        }
        let right = counted.iter().position(|one| one.token_hash == hash);
        let Some(right) = right.map(|at| counted.swap_remove(at)) else {
            return Ok(Confirming::Wrong(counted.into_iter().filter(|one| one.tries >= TRIES).collect()));
        };
        // It was meant for one of them: the others give their try back.
        for other in &counted {
            let at = key(&invited_key(account), &other.link);
            let values = vec![(":one", n(1)), (":none", n(0))];
            self.auth.update(at, "SET tries = tries - :one", Some("tries > :none"), values).await?;
        }
        Ok(Confirming::Right(right))
    }

    /// Confirms a link: uses the invitation up, and gives both sides an active link. False if the token was used
    /// meanwhile or who asked has ended it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn confirm(
        &self,
        account: (&str, &str),
        invitation: &Invitation,
        scopes: &[String],
        change: &LinkChange<'_>,
    ) -> Result<bool, Error> {
        let (id, name) = account;
        let own = Link {
            id: invitation.link.clone(),
            side: Side::Asked,
            stage: Stage::Active,
            scopes: scopes.to_vec(),
            other: Some(invitation.asker.clone()),
            other_name: Some(invitation.asker_name.clone()),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            confirmed_at: Some(change.at),
            ended_at: None,
        };
        let mut put = item(&person_key(id), &link_sk(&own.id), &own, None)?;
        change.hand.sign(&mut put);
        let mut values = change.hand.values();
        values.extend([
            (":active", s("active")),
            (":pending", s("pending")),
            (":other", s(id)),
            (":name", s(name)),
            (":at", s(change.at.to_string())),
            (":scopes", serde_dynamo::to_attribute_value(scopes).map_err(|e| Error::corrupt("link", e))?),
        ]);
        let mut writes = vec![
            self.auth.deleting(
                key(&invited_key(id), &own.id),
                Some("token_hash = :hash"),
                vec![(":hash", s(&invitation.token_hash))],
            )?,
            self.library.updating(
                key(&person_key(&invitation.asker), &link_sk(&own.id)),
                "SET stage = :active, #other = :other, other_name = :name, confirmed_at = :at, scopes = :scopes, \
                 #by = :by, rid = :rid REMOVE #ttl",
                "stage = :pending",
                values,
            )?,
            self.library.putting(put, Some("attribute_not_exists(pk)"))?,
        ];
        writes.extend(self.beside(change)?);
        Ok(self.library.transact(writes).await? == Written::Done)
    }

    /// Ends a link on both its sides, at once. False if it does not stand as `link` says.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end(&self, account: &str, link: &Link, change: &LinkChange<'_>) -> Result<bool, Error> {
        let stage = if link.stage == Stage::Pending { "pending" } else { "active" };
        let mut writes = Vec::new();
        for side in std::iter::once(account).chain(link.other.as_deref()) {
            writes.push(self.ending(side, &link.id, stage, change)?);
        }
        writes.extend(self.beside(change)?);
        Ok(self.library.transact(writes).await? == Written::Done)
    }

    fn ending(
        &self,
        side: &str,
        id: &str,
        stage: &str,
        change: &LinkChange<'_>,
    ) -> Result<TransactWriteItem, Error> {
        let mut values = change.hand.values();
        values.extend([
            (":ended", s("ended")),
            (":stage", s(stage)),
            (":at", s(change.at.to_string())),
            (":ttl", n(seconds(change.at, SHOWN))),
        ]);
        self.library.updating(
            key(&person_key(side), &link_sk(id)),
            "SET stage = :ended, ended_at = :at, #by = :by, rid = :rid, #ttl = :ttl",
            "stage = :stage",
            values,
        )
    }

    /// Takes an invitation away, with its record and no letter. False if there was none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn decline(&self, account: &str, id: &str, trail: &Trail) -> Result<bool, Error> {
        let mut writes = vec![self.uninviting(account, id)?];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.auth.transact(writes).await? == Written::Done)
    }

    fn uninviting(&self, account: &str, id: &str) -> Result<TransactWriteItem, Error> {
        self.auth.deleting(key(&invited_key(account), id), Some("attribute_exists(pk)"), Vec::new())
    }

    /// Ends a link that `account` was asked for and nobody confirmed: for both, at once. False if either of them
    /// ended it meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn void(
        &self,
        account: &str,
        invitation: &Invitation,
        change: &LinkChange<'_>,
    ) -> Result<bool, Error> {
        let mut writes = vec![
            self.uninviting(account, &invitation.link)?,
            self.ending(&invitation.asker, &invitation.link, "pending", change)?,
        ];
        writes.extend(self.beside(change)?);
        Ok(self.library.transact(writes).await? == Written::Done)
    }
}
