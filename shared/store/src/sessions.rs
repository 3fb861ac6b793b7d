//! Sessions, under the person they belong to: a request reads both at once.

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::accounts::{ACCOUNT, Account, CREDENTIALS, WARNING, account_key};
use crate::attempts::counter_key;
use crate::audit::{Audit, Trail};
use crate::catalogue::{Item, key};
use crate::outbox::{Letter, letter_for};
use crate::vault::{Values, Vault, Written, item, n, record, s, sort_key};

const SESSION: &str = "SESSION#";
const SEEN: &str = "SEEN#";
/// How long the login history goes back.
const LOGINS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long a place is known after a login from it.
const PLACE_KNOWN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A session. Its id begins with its owner's: whoever brings the id need not be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The id, without the owner's in front.
    pub name: String,
    /// The account's generation when it began: once the account has moved on, the session is over.
    pub generation: u64,
    /// What kind it is, and so how long it lives.
    pub kind: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When its last request was written down.
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The number of the refresh token that is good now.
    pub refresh: u64,
    /// When that number was last raised.
    pub rotated_at: Timestamp,
    /// When its owner last proved who they are.
    pub authenticated_at: Timestamp,
    /// By which means (RFC 8176).
    pub amr: Vec<String>,
    /// Browser and system, in words.
    pub device: String,
    /// The address prefix that it began from.
    pub prefix: String,
    /// The hash of the cookie's secret, for a cookie session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

/// What a login writes besides its session.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// Sessions that have to go to make room, by name.
    pub evicted: Vec<String>,
    /// The owner's attempt counters that the success deletes, by name.
    pub forgiven: Vec<String>,
    /// What proved the second factor, if there was one: it can be used once.
    pub proof: Option<Proof>,
    /// The ticket of the second step.
    pub ticket: Option<String>,
    /// What is posted with it.
    pub letters: Vec<Letter>,
    /// The entry in the login history, by id.
    pub login: Option<(String, Login)>,
    /// Whether it takes back what its owner was told of roles that nobody uses.
    pub takes_warning_back: bool,
}

/// Browser and network of a login: what is remembered of it for a month, so that the next one from there is not
/// reported as a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPlace {
    /// Browser and system, in words.
    pub device: String,
    /// The address prefix.
    pub prefix: String,
    /// Until when it is known.
    pub known_until: Timestamp,
}

impl KnownPlace {
    /// The place of a login at `at`.
    pub fn of(login: &Login) -> Self {
        let known_until = login.at.saturating_add(PLACE_KNOWN).unwrap_or(Timestamp::MAX);
        Self { device: login.device.clone(), prefix: login.prefix.clone(), known_until }
    }

    /// Whether a login with `device` from `prefix` comes from here, at `now`.
    pub fn is_of(&self, device: &str, prefix: &str, now: Timestamp) -> bool {
        self.device == device && self.prefix == prefix && now < self.known_until
    }
}

/// A login that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// When.
    pub at: Timestamp,
    /// Browser and system, in words.
    pub device: String,
    /// The address prefix.
    pub prefix: String,
    /// Whether a second factor was shown.
    pub second_factor: bool,
    /// The session that it began.
    pub session: String,
}

/// What can be used once as a second factor.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A time step of the authenticator.
    Step(i64),
    /// A recovery code, by hash.
    Recovery(String),
    /// A code that was mailed or texted: it goes with its ticket.
    Sent,
}

/// Whether a login's writes took hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// The session lives.
    Yes,
    /// The ticket or the proof was used by somebody else meanwhile.
    Spent,
}

/// The sessions.
#[derive(Debug, Clone)]
pub struct Sessions(Vault, Audit);

fn logins_key(account: &str) -> String {
    format!("LOGINS#{account}")
}

pub(crate) fn session_key(account: &str, name: &str) -> Item {
    key(&account_key(account), &format!("{SESSION}{name}"))
}

/// A session as an item, forgotten when it is over at the latest.
pub(crate) fn session_item(account: &str, session: &Session) -> Result<Item, Error> {
    let expires = Some(session.expires_at.as_second());
    item(&account_key(account), &format!("{SESSION}{}", session.name), session, expires)
}

pub(crate) fn is_place(found: &Item) -> bool {
    sort_key(found).starts_with(SEEN)
}

pub(crate) fn session_of(found: Item) -> Result<Session, Error> {
    record(found, "session")
}

pub(crate) fn is_session(found: &Item) -> bool {
    sort_key(found).starts_with(SESSION)
}

impl Sessions {
    /// In `table`; what changes them leaves its trail in `audit`.
    pub fn new(client: Client, table: impl Into<String>, audit: Audit) -> Self {
        Self(Vault::new(client, table), audit)
    }

    /// A session and its owner's account, in one request.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn with_account(&self, account: &str, name: &str) -> Result<Option<(Account, Session)>, Error> {
        let keys = vec![key(&account_key(account), ACCOUNT), session_key(account, name)];
        let (mut owner, mut session) = (None, None);
        for found in self.0.get_all(keys).await? {
            if is_session(&found) {
                session = Some(session_of(found)?);
            } else {
                owner = Some(record(found, "account")?);
            }
        }
        Ok(owner.zip(session))
    }

    /// Begins a session, and with it uses up whatever let its owner in.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn open(
        &self,
        account: &str,
        session: &Session,
        with: &Opening,
        trail: &Trail,
    ) -> Result<Opened, Error> {
        let pk = account_key(account);
        let at = session_item(account, session)?;
        let mut writes = vec![self.0.putting(at, Some("attribute_not_exists(pk)"))?];
        for name in &with.evicted {
            writes.push(self.0.deleting(session_key(account, name), None, Vec::new())?);
        }
        for counter in &with.forgiven {
            writes.push(self.0.deleting(counter_key(account, counter), None, Vec::new())?);
        }
        if let Some(ticket) = &with.ticket {
            let spent = "attribute_exists(pk)";
            writes.push(self.0.deleting(crate::one_time::ticket_key(ticket), Some(spent), Vec::new())?);
        }
        let credentials = key(&pk, CREDENTIALS);
        match &with.proof {
            Some(Proof::Step(step)) => writes.push(self.0.updating(
                credentials,
                "SET totp_step = :step",
                "attribute_exists(totp) AND (attribute_not_exists(totp_step) OR totp_step < :step)",
                vec![(":step", n(step))],
            )?),
            Some(Proof::Recovery(hash)) => writes.push(self.0.deleting(
                crate::accounts::recovery_key(account, hash),
                Some("attribute_exists(pk)"),
                Vec::new(),
            )?),
            // It goes with its ticket.
            Some(Proof::Sent) | None => {}
        }
        if with.takes_warning_back {
            writes.push(self.0.deleting(key(&pk, WARNING), None, Vec::new())?);
        }
        for letter in &with.letters {
            writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        }
        if let Some((id, login)) = &with.login {
            let expires = login.at.saturating_add(LOGINS_KEPT).map_or(i64::MAX, Timestamp::as_second);
            writes.push(self.0.putting(item(&logins_key(account), id, login, Some(expires))?, None)?);
            let place = KnownPlace::of(login);
            let name = format!("{SEEN}{}#{}", place.device, place.prefix);
            let known = Some(place.known_until.as_second());
            writes.push(self.0.putting(item(&pk, &name, &place, known)?, None)?);
        }
        writes.extend(self.1.writes(trail)?);
        Ok(match self.0.transact(writes).await? {
            Written::Done => Opened::Yes,
            Written::Refused(_) => Opened::Spent,
        })
    }

    /// Notes that a session is in use. False if it is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn seen(&self, account: &str, name: &str, at: Timestamp) -> Result<bool, Error> {
        self.change(
            account,
            name,
            "SET last_seen = :at",
            "attribute_exists(pk)",
            vec![(":at", s(at.to_string()))],
        )
        .await
    }

    /// Notes that a session's owner proved again who they are. False if it is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn proven(
        &self,
        account: &str,
        name: &str,
        at: Timestamp,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let (change, there) = ("SET authenticated_at = :at", "attribute_exists(pk)");
        let values = vec![(":at", s(at.to_string()))];
        let mut writes = vec![self.0.updating(session_key(account, name), change, there, values)?];
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// Raises the number of the refresh token that is good from `from` by one. False if it is another one, or
    /// the session is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rotate(&self, account: &str, name: &str, from: u64, at: Timestamp) -> Result<bool, Error> {
        // `:next` is computed here, so that the SDK's retry after a lost answer fails instead of raising twice.
        self.change(
            account,
            name,
            "SET refresh = :next, rotated_at = :at, last_seen = :at",
            "refresh = :from",
            vec![(":from", n(from)), (":next", n(from.saturating_add(1))), (":at", s(at.to_string()))],
        )
        .await
    }

    /// Ends a session and posts `letter`. False if there was none of that name.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end(
        &self,
        account: &str,
        name: &str,
        letter: Option<&Letter>,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let there = Some("attribute_exists(pk)");
        let mut writes = vec![self.0.deleting(session_key(account, name), there, Vec::new())?];
        if let Some(letter) = letter {
            writes.push(self.0.putting(letter_for(letter, trail)?, None)?);
        }
        writes.extend(self.1.writes(trail)?);
        Ok(self.0.transact(writes).await? == Written::Done)
    }

    /// A person's sessions, dead ones too.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn of(&self, account: &str) -> Result<Vec<Session>, Error> {
        let found = self.0.query(&account_key(account), SESSION, 100).await?;
        found.into_iter().map(session_of).collect()
    }

    /// A person's logins, newest first, at most `most`, starting after the entry `after`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn logins(
        &self,
        account: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Login)>, Error> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let found = self.0.query_before(&logins_key(account), after, most).await?;
        let entry = |found: Item| Ok((sort_key(&found).to_owned(), record(found, "login")?));
        found.into_iter().map(entry).collect()
    }

    async fn change(
        &self,
        account: &str,
        name: &str,
        change: &'static str,
        condition: &'static str,
        values: Values,
    ) -> Result<bool, Error> {
        Ok(self.0.update(session_key(account, name), change, Some(condition), values).await?.is_some())
    }
}
