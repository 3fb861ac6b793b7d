//! Accounts: who there is, what proves them, what they may do.
//!
//! Everything of one person lies under one partition key, so that a login reads it in one request: the account,
//! its credentials, its wrapped data key, its sessions, its recovery codes. Names and addresses lead to it by
//! items of their own, which also make them unique.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{Audit, Trail};
use crate::catalogue::{Item, key, text};
use crate::deletion::DELETIONS;
use crate::outbox::{Letter, letter_for};
use crate::owners::{Owner, owner_key, owner_of};
use crate::sessions::{KnownPlace, Session, is_place, is_session, session_of};
use crate::vault::{Vault, Written, item, n, record, s, sort_key};
use crate::{Error, one_time};

pub(crate) const ACCOUNT: &str = "ACCOUNT";
pub(crate) const CREDENTIALS: &str = "CREDENTIALS";
pub(crate) const KEY: &str = "KEY";
pub(crate) const OWNER: &str = "OWNER";
pub(crate) const RECOVERY: &str = "RECOVERY#";
/// That the owner was told that what their roles allow is used by nobody.
pub(crate) const WARNING: &str = "WARNING";
/// The attribute that says when.
const WARNED_AT: &str = "warned_at";

pub(crate) fn account_key(id: &str) -> String {
    format!("ACCOUNT#{id}")
}

pub(crate) fn recovery_key(id: &str, hash: &str) -> Item {
    key(&account_key(id), &format!("{RECOVERY}{hash}"))
}

/// What an account is; nothing in it proves anybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// A ULID.
    pub id: String,
    /// The public name, as its owner writes it.
    pub username: String,
    /// The address, sealed with the person's data key.
    pub email: String,
    /// The address's term in the blind index.
    pub email_term: String,
    /// The term in whose place that one came when the index got another key: what was mailed under it still counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_term: Option<String>,
    /// An address that waits for its confirmation, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_email: Option<String>,
    /// That one's term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_term: Option<String>,
    /// When the address was shown to be its owner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// Roles by name.
    pub roles: Vec<String>,
    /// Permissions besides the roles'.
    pub grants: Vec<String>,
    /// Permissions taken away whatever the roles.
    pub denials: Vec<String>,
    /// Whether it is closed for its owner.
    pub disabled: bool,
    /// Raised to end every session at once.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// Whether `term` is the address's, under the index's key of today or the one before.
    pub fn is_under(&self, term: &str) -> bool {
        self.email_term == term || self.former_term.as_deref() == Some(term)
    }
}

/// What proves a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credentials {
    /// The password as it is stored.
    pub password: String,
    /// When it was set.
    pub password_changed_at: Timestamp,
    /// The authenticator's secret, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp: Option<String>,
    /// One that waits for its first code, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_pending: Option<String>,
    /// The last time step that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_step: Option<i64>,
    /// Whether codes by mail are the second factor.
    pub mail_factor: bool,
    /// The telephone number to which codes are texted as the second factor, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// One that waits for its first code, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_pending: Option<String>,
    /// How often the recovery codes were made anew.
    #[serde(default)]
    pub recovery_round: u64,
}

impl Credentials {
    /// A password and nothing besides it.
    pub fn of_password(password: String, at: Timestamp) -> Self {
        Self {
            password,
            password_changed_at: at,
            totp: None,
            totp_pending: None,
            totp_step: None,
            mail_factor: false,
            phone: None,
            phone_pending: None,
            recovery_round: 0,
        }
    }

    /// Whether one-time codes are sent to them as the second factor, by mail or by text message.
    pub fn gets_codes(&self) -> bool {
        self.totp.is_none() && (self.mail_factor || self.phone.is_some())
    }

    /// Whether there is something that recovery codes stand in for when it is lost.
    pub fn has_spares(&self) -> bool {
        self.totp.is_some() || self.phone.is_some()
    }
}

/// Everything under a person's key.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub account: Account,
    /// What proves them.
    pub credentials: Credentials,
    /// Their data key, wrapped; gone once the person is shredded.
    pub wrapped_key: Option<String>,
    /// Their sessions, dead ones too.
    pub sessions: Vec<Session>,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
    /// Where they signed in from of late.
    pub places: Vec<KnownPlace>,
    /// Whether they were told that nobody uses their roles; signing in takes that back.
    pub warned: bool,
}

#[derive(Serialize, Deserialize)]
struct Wrapped {
    wrapped: String,
}

/// An account to be.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// What will prove its owner.
    pub credentials: Credentials,
    /// Their data key, wrapped.
    pub wrapped_key: String,
    /// The name in the form in which names are unique.
    pub unique_name: String,
    /// The address's terms under other keys of the index: nobody may have it under one of those either.
    pub other_terms: Vec<String>,
    /// Whether it can manage accounts, and counts as one that can.
    pub administers: bool,
    /// The handle of an address that has an account already, whose rival this one is.
    pub contests: Option<String>,
}

/// How a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// The account is there.
    Yes,
    /// Somebody has the name.
    NameTaken,
    /// Somebody has the address, or was faster to contest it.
    EmailTaken,
}

/// The accounts.
#[derive(Debug, Clone)]
pub struct Accounts(Vault, Audit);

impl Accounts {
    /// In `table`; what changes them leaves its trail in `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self(Vault::new(client, table), audit)
    }

    /// Handle of an address, by its term in the blind index.
    pub fn email_handle(term: &str) -> String {
        format!("EMAIL#{term}")
    }

    /// Handle of a name, in the form in which names are unique.
    pub fn name_handle(unique: &str) -> String {
        format!("NAME#{unique}")
    }

    /// Which accounts `handles` lead to: each handle that leads somewhere.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn owners(&self, handles: &[String]) -> Result<Vec<Owner>, Error> {
        let unique: BTreeSet<&String> = handles.iter().collect();
        let found = self.0.get_all(unique.into_iter().map(|handle| owner_key(handle)).collect()).await?;
        Ok(found.iter().filter_map(owner_of).collect())
    }

    /// Everything of a person, in one request; asked for an id that nobody has, it costs the same.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn person(&self, id: &str) -> Result<Option<Person>, Error> {
        let (mut account, mut credentials, mut wrapped_key) = (None, None, None);
        let (mut sessions, mut recovery, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut warned = false;
        for found in self.0.query_all(&account_key(id), "").await? {
            match sort_key(&found) {
                ACCOUNT => account = Some(record(found, "account")?),
                CREDENTIALS => credentials = Some(record(found, "credentials")?),
                WARNING => warned = true,
                KEY => wrapped_key = Some(record::<Wrapped>(found, "key")?.wrapped),
                sk if sk.starts_with(RECOVERY) => {
                    recovery.extend(sk.strip_prefix(RECOVERY).map(str::to_owned))
                }
                _ if is_session(&found) => sessions.push(session_of(found)?),
                _ if is_place(&found) => places.push(record(found, "place")?),
                _ => {}
            }
        }
        Ok(account.zip(credentials).map(|(account, credentials)| Person {
            account,
            credentials,
            wrapped_key,
            sessions,
            recovery,
            places,
            warned,
        }))
    }

    /// A person's data key, wrapped; gone once the person is shredded.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn wrapped_key(&self, id: &str) -> Result<Option<String>, Error> {
        self.0.get(&account_key(id), KEY).await?.map(Self::wrapped_key_of).transpose()
    }

    pub(crate) fn wrapped_key_at(id: &str) -> Item {
        key(&account_key(id), KEY)
    }

    pub(crate) fn wrapped_key_of(found: Item) -> Result<String, Error> {
        Ok(record::<Wrapped>(found, "key")?.wrapped)
    }

    /// Makes an account and posts `letter`, all of it or nothing.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn register(
        &self,
        new: &NewAccount,
        letter: Option<&Letter>,
        trail: &Trail,
    ) -> Result<Registered, Error> {
        let id = &new.account.id;
        let owned = |handle: String| {
            let mut item = owner_key(&handle);
            item.insert("account".into(), s(id));
            self.0.putting(item, Some("attribute_not_exists(pk)"))
        };
        let pk = account_key(id);
        let wrapped = Wrapped { wrapped: new.wrapped_key.clone() };
        let mut writes = vec![
            owned(Self::name_handle(&new.unique_name))?,
            owned(Self::email_handle(&new.account.email_term))?,
            self.0.putting(item(&pk, ACCOUNT, &new.account, None)?, Some("attribute_not_exists(pk)"))?,
            self.0.putting(item(&pk, CREDENTIALS, &new.credentials, None)?, None)?,
            self.0.putting(item(&pk, KEY, &wrapped, None)?, None)?,
        ];
        writes.extend(self.unowned(&new.other_terms)?);
        if new.administers {
            writes.push(self.administrators(1)?);
        }
        if let Some(handle) = &new.contests {
            writes.push(self.contest(handle, id, new.account.created_at)?);
        }
        if let Some(letter) = letter {
            writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        }
        writes.extend(self.1.writes(trail)?);
        Ok(match self.0.transact(writes).await? {
            Written::Done => Registered::Yes,
            Written::Refused(at) if at.contains(&0) => Registered::NameTaken,
            Written::Refused(_) => Registered::EmailTaken,
        })
    }

    /// Takes the address of `term` as its owner's, and the token that shows it. False if the token was used meanwhile, or
    /// somebody else registered the address too.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn verify(
        &self,
        (id, term): (&str, &str),
        token: &str,
        at: Timestamp,
        trail: &Trail,
    ) -> Result<bool, Error> {
        self.all(
            vec![
                self.burnt(token)?,
                self.uncontested(&Self::email_handle(term), id)?,
                self.on(
                    id,
                    ACCOUNT,
                    "SET verified_at = :at",
                    "attribute_exists(pk)",
                    vec![(":at", s(at.to_string()))],
                )?,
            ],
            trail,
        )
        .await
    }

    /// Sets a new password by a mailed token, ends every session, posts `letter`. The token must be unused and
    /// of the account's present generation, so that one reset makes every other reset link void. It shows the
    /// address to be its owner's, too. False if not.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn reset(
        &self,
        account: &Account,
        token: &str,
        password: &str,
        at: Timestamp,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        self.all(
            vec![
                self.burnt(token)?,
                self.on(
                    &account.id,
                    ACCOUNT,
                    "SET generation = :next, verified_at = if_not_exists(verified_at, :at) \
                     REMOVE pending_email, pending_term",
                    "generation = :now AND disabled = :open AND email_term = :term",
                    vec![
                        (":term", s(&account.email_term)),
                        (":now", n(account.generation)),
                        (":next", n(account.generation + 1)),
                        (":at", s(at.to_string())),
                        (":open", AttributeValue::Bool(false)),
                    ],
                )?,
                self.new_password(&account.id, password, at)?,
                self.0.putting(letter_for(letter, trail)?, None)?,
            ],
            trail,
        )
        .await
    }

    /// Sets a new password for who knows the old one; every session but `session` ends. False if the account or
    /// the password changed meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    #[allow(
        clippy::too_many_arguments,
        reason = "one transaction, and each of its parts has a type of its own"
    )]
    pub async fn change_password(
        &self,
        account: &Account,
        old: &str,
        new: &str,
        session: &str,
        at: Timestamp,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = self.next_generation(account, session)?;
        writes.push(self.on(
            &account.id,
            CREDENTIALS,
            "SET password = :new, password_changed_at = :at",
            "password = :old",
            vec![(":new", s(new)), (":old", s(old)), (":at", s(at.to_string()))],
        )?);
        writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// Puts a better hash of the same password in `old`'s place.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rehash(&self, id: &str, old: &str, new: &str, trail: &Trail) -> Result<bool, Error> {
        let values = vec![(":new", s(new)), (":old", s(old))];
        let write = self.on(id, CREDENTIALS, "SET password = :new", "password = :old", values)?;
        self.all(vec![write], trail).await
    }

    /// Ends every session at once.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end_all(&self, id: &str, trail: &Trail) -> Result<(), Error> {
        let (change, there) = ("SET generation = generation + :one", "attribute_exists(pk)");
        let write = self.on(id, ACCOUNT, change, there, vec![(":one", n(1))])?;
        self.all(vec![write], trail).await?;
        Ok(())
    }

    /// Notes an address that waits for its confirmation, and posts the letters.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin_email(
        &self,
        id: &str,
        sealed: &str,
        term: &str,
        letters: &[Letter],
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = vec![self.on(
            id,
            ACCOUNT,
            "SET pending_email = :sealed, pending_term = :term",
            "attribute_exists(pk)",
            vec![(":sealed", s(sealed)), (":term", s(term))],
        )?];
        for letter in letters {
            writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        }
        self.all(writes, trail).await
    }

    /// Makes the waiting address, sealed anew for its place, the account's. False if the token was used, the
    /// waiting address is another one by now, or somebody else has it, under this term or one of `others`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn confirm_email(
        &self,
        account: &Account,
        token: &str,
        (term, others): (&str, &[String]),
        sealed: &str,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut writes = vec![self.burnt(token)?];
        writes.extend(self.moved(account, term)?);
        writes.extend(self.unowned(others)?);
        writes.push(self.on(
            &account.id,
            ACCOUNT,
            "SET email = :sealed, email_term = :term REMOVE pending_email, pending_term, former_term",
            "pending_term = :term AND pending_email = :pending AND generation = :now",
            vec![
                (":sealed", s(sealed)),
                (":term", s(term)),
                (":pending", s(account.pending_email.as_deref().unwrap_or_default())),
                (":now", n(account.generation)),
            ],
        )?);
        writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        self.all(writes, trail).await
    }

    /// When an account's owner was told that nobody uses its roles, if nobody has signed in since.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn warned_at(&self, id: &str) -> Result<Option<Timestamp>, Error> {
        let found = self.0.get(&account_key(id), WARNING).await?;
        Ok(found.and_then(|found| text(&found, WARNED_AT)?.parse().ok()))
    }

    /// Notes that an account's owner is told, by `letter`, that nobody uses its roles. False if they were told
    /// before, or the account is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn warn(
        &self,
        account: &Account,
        at: Timestamp,
        letter: &Letter,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let mut warning = key(&account_key(&account.id), WARNING);
        warning.insert(WARNED_AT.into(), s(at.to_string()));
        let writes = vec![
            self.0.checking(key(&account_key(&account.id), ACCOUNT), "attribute_exists(pk)")?,
            self.0.putting(warning, Some("attribute_not_exists(pk)"))?,
            self.0.putting(letter_for(letter, trail)?, None)?,
        ];
        self.all(writes, trail).await
    }

    /// Gives an account another standing; its sessions end, so that nobody goes on with what they had, and what was
    /// said of its roles before is said no more. `lapsed` is the letter to who loses what they did not use: only while
    /// the warning stands, which whoever signed in meanwhile has taken back. The number of administrators changes by
    /// `administrators` (-1, 0 or 1) and never falls to none. False if the account changed meanwhile or the last
    /// administrator would go.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_standing(
        &self,
        before: &Account,
        after: &Account,
        administrators: i8,
        lapsed: Option<&Letter>,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let list = |words: &[String]| AttributeValue::L(words.iter().map(s).collect());
        let mut writes = vec![self.on(
            &before.id,
            ACCOUNT,
            "SET #roles = :roles, grants = :grants, denials = :denials, disabled = :disabled, generation = :next",
            "generation = :now",
            vec![
                (":roles", list(&after.roles)),
                (":grants", list(&after.grants)),
                (":denials", list(&after.denials)),
                (":disabled", AttributeValue::Bool(after.disabled)),
                (":now", n(before.generation)),
                (":next", n(before.generation + 1)),
            ],
        )?];
        if administrators != 0 {
            writes.push(self.administrators(administrators)?);
        }
        // Who is being forgotten stays closed: nothing would undo what is already gone.
        writes.push(self.0.checking(key(DELETIONS, &before.id), "attribute_not_exists(pk)")?);
        let stands = lapsed.map(|_| "attribute_exists(pk)");
        writes.push(self.0.deleting(key(&account_key(&before.id), WARNING), stands, Vec::new())?);
        if let Some(letter) = lapsed {
            writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        }
        self.all(writes, trail).await
    }

    /// Closes an account that was never verified, so that it can be erased. False if it was, by now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lapse(&self, id: &str, trail: &Trail) -> Result<bool, Error> {
        let change = "SET disabled = :yes, generation = generation + :one";
        let values = vec![(":yes", AttributeValue::Bool(true)), (":one", n(1))];
        let never = "attribute_exists(pk) AND attribute_not_exists(verified_at)";
        self.all(vec![self.on(id, ACCOUNT, change, never, values)?], trail).await
    }

    /// How many accounts can manage accounts.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn administrator_count(&self) -> Result<u64, Error> {
        let item = self.0.get("ADMINISTRATORS", "COUNT").await?;
        Ok(item.and_then(|item| crate::catalogue::number(&item, "administrators")).unwrap_or(0))
    }

    /// Accounts, in no order that means anything but always the same, at most `most`, starting after the account
    /// `after`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn list(&self, after: Option<&str>, most: usize) -> Result<Vec<Account>, Error> {
        let mut start = after.map(|id| key(&account_key(id), ACCOUNT));
        let mut accounts = Vec::new();
        loop {
            let (found, next) = self.0.scan(ACCOUNT, start).await?;
            for item in found {
                accounts.push(record(item, "account")?);
            }
            if next.is_none() || accounts.len() >= most {
                accounts.truncate(most);
                return Ok(accounts);
            }
            start = next;
        }
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.0
    }

    pub(crate) fn administrators(&self, by: i8) -> Result<TransactWriteItem, Error> {
        let condition = if by < 0 {
            "administrators > :one"
        } else {
            "attribute_not_exists(pk) OR administrators >= :one"
        };
        let values = vec![(":by", n(by)), (":one", n(1))];
        self.0.updating(key("ADMINISTRATORS", "COUNT"), "ADD administrators :by", condition, values)
    }

    fn next_generation(&self, account: &Account, session: &str) -> Result<Vec<TransactWriteItem>, Error> {
        let values = vec![(":now", n(account.generation)), (":next", n(account.generation + 1))];
        let session = format!("SESSION#{session}");
        Ok(vec![
            self.generation(account)?,
            self.on(&account.id, &session, "SET generation = :next", "generation = :now", values)?,
        ])
    }

    /// Ends all sessions of an account's present generation, and a change of its address that one of them began.
    pub(crate) fn generation(&self, account: &Account) -> Result<TransactWriteItem, Error> {
        let values = vec![(":now", n(account.generation)), (":next", n(account.generation + 1))];
        let change = "SET generation = :next REMOVE pending_email, pending_term";
        self.on(&account.id, ACCOUNT, change, "generation = :now", values)
    }

    fn new_password(&self, id: &str, password: &str, at: Timestamp) -> Result<TransactWriteItem, Error> {
        self.on(
            id,
            CREDENTIALS,
            "SET password = :new, password_changed_at = :at",
            "attribute_exists(pk)",
            vec![(":new", s(password)), (":at", s(at.to_string()))],
        )
    }

    /// The way from the address to the account, under `term` instead of the account's present one.
    pub(crate) fn moved(&self, account: &Account, term: &str) -> Result<[TransactWriteItem; 2], Error> {
        let mut owned = owner_key(&Self::email_handle(term));
        owned.insert("account".into(), s(&account.id));
        let former = owner_key(&Self::email_handle(&account.email_term));
        let of = vec![(":id", s(&account.id))];
        Ok([
            self.0.putting(owned, Some("attribute_not_exists(pk)"))?,
            self.0.deleting(former, Some("account = :id"), of)?,
        ])
    }

    /// That nobody has an address under one of `terms`. Who knows of another key of the index a moment earlier than
    /// somebody else would write what the other one does not look for.
    fn unowned(&self, terms: &[String]) -> Result<Vec<TransactWriteItem>, Error> {
        let free =
            |term: &String| self.0.checking(owner_key(&Self::email_handle(term)), "attribute_not_exists(pk)");
        terms.iter().map(free).collect()
    }

    fn burnt(&self, token: &str) -> Result<TransactWriteItem, Error> {
        self.0.deleting(one_time::token_key(token), Some("attribute_exists(pk)"), Vec::new())
    }

    pub(crate) fn on(
        &self,
        id: &str,
        sk: &str,
        change: &str,
        condition: &str,
        values: crate::vault::Values,
    ) -> Result<TransactWriteItem, Error> {
        self.0.updating(key(&account_key(id), sk), change, condition, values)
    }

    /// All of `writes` and the trail of them, or nothing.
    pub(crate) async fn all(&self, mut writes: Vec<TransactWriteItem>, trail: &Trail) -> Result<bool, Error> {
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }
}
