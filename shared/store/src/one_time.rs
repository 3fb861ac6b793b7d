//! What works once: tokens sent by mail, tickets between two steps of a login, solved challenges. All of them
//! are found by hash; none is kept in clear.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::attempts::counter_key;
use crate::catalogue::{Item, key};
use crate::vault::{Vault, Written, item, n, record, s};

/// A token that was sent by mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Whose it is.
    pub account: String,
    /// The account's generation when it was sent.
    pub generation: u64,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// What it confirms, where the account alone does not say: the blind index term of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// Who has shown the right password and owes the second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Whose it is.
    pub account: String,
    /// The account's generation at the first step.
    pub generation: u64,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Whether a long session was asked for.
    pub remember: bool,
    /// Whether a cookie session was asked for.
    pub cookie: bool,
    /// Codes that were tried so far.
    pub tries: u32,
    /// Whether its codes go to a telephone: texts cost money, and are counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub texted: bool,
    /// The keyed hash of the code that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_sent_at: Option<Timestamp>,
}

/// Whether a code may be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Tried {
    /// Yes: the try is counted.
    Counted(Ticket),
    /// No: there is no such ticket, or it has had its tries.
    Over,
}

/// The things that work once.
#[derive(Debug, Clone)]
pub struct OneTime(Vault);

pub(crate) fn token_key(hash: &str) -> Item {
    key(&format!("TOKEN#{hash}"), "TOKEN")
}

pub(crate) fn ticket_key(hash: &str) -> Item {
    key(&format!("TICKET#{hash}"), "TICKET")
}

pub(crate) fn ticket_item(hash: &str, ticket: &Ticket) -> Result<Item, Error> {
    item(&format!("TICKET#{hash}"), "TICKET", ticket, Some(ticket.expires_at.as_second()))
}

impl OneTime {
    /// In `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Vault::new(client, table))
    }

    /// Keeps a token, by hash.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep(&self, hash: &str, token: &Token) -> Result<(), Error> {
        let expires = Some(token.expires_at.as_second());
        self.0.put(item(&format!("TOKEN#{hash}"), "TOKEN", token, expires)?).await
    }

    /// The token with this hash, if it still works. Reading does not use it up.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn token(&self, hash: &str, now: Timestamp) -> Result<Option<Token>, Error> {
        let found = self.0.get(&format!("TOKEN#{hash}"), "TOKEN").await?;
        let token: Option<Token> = found.map(|found| record(found, "token")).transpose()?;
        Ok(token.filter(|token| now < token.expires_at))
    }

    /// Keeps a ticket, by hash, and forgets its owner's counter `forgiven`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn issue(&self, hash: &str, ticket: &Ticket, forgiven: &str) -> Result<(), Error> {
        let counter = counter_key(&ticket.account, forgiven);
        let writes = vec![
            self.0.putting(ticket_item(hash, ticket)?, None)?,
            self.0.deleting(counter, None, Vec::new())?,
        ];
        match self.0.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::corrupt("ticket", "a write without a condition was refused")),
        }
    }

    /// The ticket with this hash, if it still works.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn ticket(&self, hash: &str, now: Timestamp) -> Result<Option<Ticket>, Error> {
        let found = self.0.get(&format!("TICKET#{hash}"), "TICKET").await?;
        let ticket: Option<Ticket> = found.map(|found| record(found, "ticket")).transpose()?;
        Ok(ticket.filter(|ticket| now < ticket.expires_at))
    }

    /// Counts a try on a ticket, before anything is compared, as long as there are fewer than `most`.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn try_ticket(&self, hash: &str, most: u32, now: Timestamp) -> Result<Tried, Error> {
        let values = vec![(":one", n(1)), (":most", n(most))];
        let counted = self
            .0
            .update(ticket_key(hash), "SET tries = tries + :one", Some("tries < :most"), values)
            .await?;
        let ticket: Option<Ticket> = counted.map(|found| record(found, "ticket")).transpose()?;
        Ok(match ticket {
            Some(ticket) if now < ticket.expires_at => Tried::Counted(ticket),
            _ => Tried::Over,
        })
    }

    /// Notes the keyed hash of a code that is being sent for a ticket. False if the ticket is gone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_code(&self, hash: &str, code: &str, at: Timestamp) -> Result<bool, Error> {
        let change = "SET code = :code, code_sent_at = :at";
        let values = vec![(":code", s(code)), (":at", s(at.to_string()))];
        Ok(self.0.update(ticket_key(hash), change, Some("attribute_exists(pk)"), values).await?.is_some())
    }

    /// Uses up `name` until `expires_at`. False if it was used before.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn burn(&self, name: &str, expires_at: Timestamp) -> Result<bool, Error> {
        let mut item = key(&format!("BURNT#{name}"), "BURNT");
        item.insert(crate::table::TTL.into(), n(expires_at.as_second()));
        self.0.put_new(item).await
    }
}
