//! What takes longer than a request: exports and imports. A request notes the errand, a worker does it and notes how
//! far it is. One that was interrupted is found again by its state.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::catalogue::Item;
use crate::library::{Change, instant, is_gone, owner, person_key};
use crate::vault::{item, record, s};
use crate::{Error, Library};

/// How long an errand can be asked about.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrandKind {
    /// Everything of a person into a file.
    Export,
    /// A file into a person's library.
    Import,
}

impl ErrandKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Export => "X#",
            Self::Import => "I#",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrandState {
    /// It waits or is under way.
    Running,
    /// Done.
    Done,
    /// Given up: `failure` says why.
    Failed,
}

/// An errand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Errand {
    /// A ULID.
    pub id: String,
    /// The format of an export, or the source of an import.
    pub form: String,
    /// For an import whose rows do not say so: whether its films are for the watchlist.
    pub to_watch: bool,
    /// For an import: whether nothing is to be changed.
    pub dry_run: bool,
    /// How far it is.
    pub progress: ErrandState,
    /// For an import, rows by what became of them: matched, ambiguous, unmatched.
    pub counted: [u32; 3],
    /// Why it was given up, in a sentence without anything of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The request that asked for it.
    pub request: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

impl Library {
    /// Notes an errand, or how far it is. One of somebody who was forgotten meanwhile does not come back.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn note_errand(
        &self,
        change: &Change<'_>,
        kind: ErrandKind,
        errand: &Errand,
    ) -> Result<(), Error> {
        let expires = errand.asked_at.saturating_add(KEPT).map_or(i64::MAX, Timestamp::as_second);
        let sk = format!("{}{}", kind.prefix(), errand.id);
        let mut noted: Item = item(&person_key(change.account), &sk, errand, Some(expires))?;
        noted.extend([
            ("by".to_owned(), s(change.account)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
        ]);
        self.0.put_if(noted, "attribute_not_exists(gone)", Vec::new()).await?;
        Ok(())
    }

    /// An errand of a person.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn errand(&self, account: &str, kind: ErrandKind, id: &str) -> Result<Option<Errand>, Error> {
        let found = self.0.get(&person_key(account), &format!("{}{id}", kind.prefix())).await?;
        found.filter(|item| !is_gone(item)).map(|item| record(item, "errand")).transpose()
    }

    /// The errands that wait or were interrupted, with whose they are.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn errands_waiting(&self, kind: ErrandKind) -> Result<Vec<(String, Errand)>, Error> {
        let (mut waiting, mut start) = (Vec::new(), None);
        loop {
            let (items, next) = self.0.scan_segment(kind.prefix(), (0, 1), start).await?;
            for item in items.into_iter().filter(|item| !is_gone(item)) {
                let Some(account) = owner(&item).map(str::to_owned) else { continue };
                let errand: Errand = record(item, "errand")?;
                if errand.progress == ErrandState::Running {
                    waiting.push((account, errand));
                }
            }
            match next {
                Some(key) => start = Some(key),
                None => return Ok(waiting),
            }
        }
    }
}
