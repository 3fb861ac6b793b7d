//! Forgetting a person. That somebody is to be forgotten is noted where the one who forgets finds it, in the same
//! transaction that closes the account; everything after that can be killed and begun again.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use screensort_model::MovieId;
use serde::{Deserialize, Serialize};

use crate::accounts::{ACCOUNT, account_key};
use crate::api_keys::keys_key;
use crate::audit::Trail;
use crate::catalogue::{Item, key, number, text};
use crate::errands::LEASED;
use crate::history::GONE_FOR;
use crate::library::{Change, instant, is_gone, person_key};
use crate::links::invited_key;
use crate::owners::owner_key;
use crate::table::{PK, SK};
use crate::vault::{item, n, record, s, sort_key};
use crate::{Account, Accounts, Error, Idempotency, Library};

pub(crate) const DELETIONS: &str = "DELETIONS";
/// Items of a partition that one transaction deletes.
const CHUNK: usize = 90;
/// Items of a library that are replaced at once.
const AT_ONCE: usize = 16;
/// Who wrote what a person left behind.
const FORMER: &str = "a former member";

/// Somebody who is to be forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deletion {
    /// The account.
    pub account: String,
    /// Whether their published reviews stay, without their name.
    pub keeps_reviews: bool,
    /// The request that asked for it.
    pub request: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Whether the receipt was mailed.
    pub told: bool,
}

impl Accounts {
    /// Closes an account, ends its sessions and notes that its owner is to be forgotten. The number of
    /// administrators falls with one of them and never to none. False if the account changed meanwhile or the last
    /// administrator would go.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin_deletion(
        &self,
        account: &Account,
        deletion: &Deletion,
        administers: bool,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let vault = self.vault();
        let mut writes = vec![
            vault.updating(
                key(&account_key(&account.id), ACCOUNT),
                "SET disabled = :yes, generation = :next",
                "generation = :now",
                vec![
                    (":yes", AttributeValue::Bool(true)),
                    (":now", n(account.generation)),
                    (":next", n(account.generation + 1)),
                ],
            )?,
            vault.putting(item(DELETIONS, &account.id, deletion, None)?, None)?,
        ];
        if administers {
            writes.push(self.administrators(-1)?);
        }
        self.all(writes, trail).await
    }

    /// People who are to be forgotten.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn deletions(&self) -> Result<Vec<Deletion>, Error> {
        let found = self.vault().query_all(DELETIONS, "").await?;
        found.into_iter().map(|found| record(found, "deletion")).collect()
    }

    /// Notes that the receipt was mailed.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn told(&self, account: &str) -> Result<(), Error> {
        let values = vec![(":yes", AttributeValue::Bool(true))];
        let at = key(DELETIONS, account);
        self.vault().update(at, "SET told = :yes", Some("attribute_exists(pk)"), values).await?;
        Ok(())
    }

    /// Deletes everything of a person: account, credentials, sessions, login history, the ways from name and address
    /// to it, and the data key, without which what was sealed can be read by nobody wherever it was copied.
    ///
    /// # Errors
    /// If the store fails; doing it again goes on.
    pub async fn erase(&self, account: &str, unique_name: Option<&str>) -> Result<(), Error> {
        let vault = self.vault();
        let items = vault.query_all(&account_key(account), "").await?;
        let mut keys: Vec<Item> = Vec::new();
        if let Some(found) = items.iter().find(|item| sort_key(item) == ACCOUNT) {
            self.free(account, found, unique_name).await?;
        }
        // Logins, keys of service clients, invitations to links, first answers that are kept.
        let mut beside = Vec::new();
        for partition in [
            format!("LOGINS#{account}"),
            keys_key(account),
            invited_key(account),
            Idempotency::partition(account),
        ] {
            beside.extend(vault.query_all(&partition, "").await?);
        }
        let rest = items.iter().filter(|item| sort_key(item) != ACCOUNT);
        keys.extend(rest.chain(&beside).filter_map(key_of));
        for chunk in keys.chunks(CHUNK) {
            let writes = chunk
                .iter()
                .map(|key| vault.deleting(key.clone(), None, Vec::new()))
                .collect::<Result<_, _>>()?;
            vault.transact(writes).await?;
        }
        // The account goes last: until then the ways to it can be found. The one from its address may have become
        // another one since it was read, because the index got another key.
        let at = key(&account_key(account), ACCOUNT);
        if let Some(last) = vault.delete_if(at, "attribute_exists(pk)", Vec::new()).await? {
            self.free(account, &last, None).await?;
        }
        Ok(())
    }

    /// Deletes the ways that lead to an account, by what is `found` of it.
    async fn free(&self, account: &str, found: &Item, unique_name: Option<&str>) -> Result<(), Error> {
        let terms = ["email_term", "pending_term"].into_iter().filter_map(|name| text(found, name));
        for handle in terms.map(Self::email_handle).chain(unique_name.map(Self::name_handle)) {
            // The way may lead to somebody else by now.
            let of = vec![(":id", s(account))];
            self.vault().delete_if(owner_key(&handle), "account = :id", of).await?;
        }
        Ok(())
    }

    /// Notes that a person is forgotten.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forgotten(&self, account: &str) -> Result<(), Error> {
        self.vault().delete_if(key(DELETIONS, account), "attribute_exists(pk)", Vec::new()).await?;
        Ok(())
    }
}

fn key_of(item: &Item) -> Option<Item> {
    Some(key(text(item, PK)?, text(item, SK)?))
}

impl Library {
    /// Empties a person's library. Published reviews stay without their author's name, if they are to. Until when a run
    /// may be at an errand of theirs, and write, in seconds since 1970; none if none has taken one.
    ///
    /// # Errors
    /// If the store fails; doing it again goes on.
    pub async fn erase(&self, change: &Change<'_>, keeps_reviews: bool) -> Result<Option<i64>, Error> {
        let (mut left, mut leased_until) = (Vec::new(), None);
        for item in self.0.query_all(&person_key(change.account), "").await? {
            leased_until = leased_until.max(number::<i64>(&item, LEASED));
            if is_gone(&item) {
                continue;
            }
            if let Some(review) = text(&item, "id").filter(|_| sort_key(&item).starts_with("R#")) {
                self.part(change, &item, review, keeps_reviews).await?;
            }
            // The item is replaced, not deleted: who follows the changes learns by whom and why.
            let until = change.at.saturating_add(GONE_FOR).map_or(i64::MAX, Timestamp::as_second);
            let Some(mut gone) = key_of(&item) else { continue };
            gone.extend([
                ("gone".to_owned(), AttributeValue::Bool(true)),
                ("by".to_owned(), s(change.account)),
                ("rid".to_owned(), s(change.request)),
                ("at".to_owned(), s(instant(change.at))),
                ("v".to_owned(), n(number::<u64>(&item, "v").unwrap_or(0) + 1)),
                ("ttl".to_owned(), n(until)),
            ]);
            // Who forgets them in several goes has to know it each time.
            gone.extend(item.get(LEASED).map(|until| (LEASED.to_owned(), until.clone())));
            left.push(gone);
        }
        for chunk in left.chunks(AT_ONCE) {
            futures::future::try_join_all(chunk.iter().map(|gone| self.0.put(gone.clone()))).await?;
        }
        Ok(leased_until)
    }

    /// Takes a review from its author: it goes, or it goes on without a name, in a partition that is named after
    /// the review alone.
    async fn part(
        &self,
        change: &Change<'_>,
        item: &Item,
        review: &str,
        keeps_reviews: bool,
    ) -> Result<(), Error> {
        let movie = text(item, SK).and_then(|sk| sk.strip_prefix("R#")).unwrap_or_default().to_owned();
        let stays = keeps_reviews && text(item, "state") == Some("published");
        let leads = key(&format!("REVIEW#{review}"), "OWNER");
        if !stays {
            self.0.delete_if(leads, "attribute_exists(pk)", Vec::new()).await?;
            return Ok(());
        }
        let Ok(id) = movie.trim_start_matches('0').parse::<MovieId>() else { return Ok(()) };
        let home = person_key(review);
        let mut left = item.clone();
        left.extend(key(&home, &format!("R#{movie}")));
        left.extend([
            ("author".to_owned(), s(FORMER)),
            ("by".to_owned(), s(review)),
            ("rid".to_owned(), s(change.request)),
        ]);
        left.remove("own_order");
        let mut film = key(&home, &format!("F#{movie}"));
        film.extend([
            ("movie".to_owned(), n(id)),
            ("review_id".to_owned(), s(review)),
            ("review_state".to_owned(), s("published")),
            ("by".to_owned(), s(review)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
            ("v".to_owned(), n(1)),
        ]);
        let mut leads_on = leads;
        leads_on.extend([("account".to_owned(), s(review)), ("movie".to_owned(), n(id))]);
        let writes = [left, film, leads_on].into_iter().map(|item| self.0.putting(item, None));
        self.0.transact(writes.collect::<Result<_, _>>()?).await?;
        Ok(())
    }
}
