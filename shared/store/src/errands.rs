//! What takes longer than a request: exports and imports. A request notes the errand; the table's stream brings it to
//! a worker, which does it and notes how far it is. Until it has ended it stands in an index, where one that got
//! stuck is found.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::catalogue::Item;
use crate::library::{Change, instant, is_gone, owner, person_key};
use crate::table::BY_QUEUE;
use crate::vault::{IndexAsk, Written, item, record, s};
use crate::{Error, Library, Trail};

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

    /// Where those that wait or are under way stand in the index of what waits.
    fn queue(self) -> &'static str {
        match self {
            Self::Export => "EXPORTS",
            Self::Import => "IMPORTS",
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

impl Errand {
    fn item(&self, change: &Change<'_>, kind: ErrandKind) -> Result<Item, Error> {
        let expires = self.asked_at.saturating_add(KEPT).map_or(i64::MAX, Timestamp::as_second);
        let sk = format!("{}{}", kind.prefix(), self.id);
        let mut noted: Item = item(&person_key(change.account), &sk, self, Some(expires))?;
        noted.extend([
            ("by".to_owned(), s(change.account)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
        ]);
        if self.progress == ErrandState::Running {
            noted.insert(BY_QUEUE.0.to_owned(), s(kind.queue()));
            noted.insert(BY_QUEUE.1.to_owned(), s(format!("{:.3}#{}", self.asked_at, self.id)));
        }
        Ok(noted)
    }
}

/// An errand that a change of the table brought: whose it is, and its id. Changes are as Lambda is given them; what is
/// no new errand of this kind is none.
pub fn errand_of_change(record: &serde_json::Value, kind: ErrandKind) -> Option<(String, String)> {
    if record.get("eventName")?.as_str()? != "INSERT" {
        return None;
    }
    let keys = record.get("dynamodb")?.get("Keys")?;
    let field = |name: &str| keys.get(name)?.get("S")?.as_str();
    let account = field("pk")?.strip_prefix("PERSON#")?;
    let id = field("sk")?.strip_prefix(kind.prefix())?;
    Some((account.to_owned(), id.to_owned()))
}

impl Library {
    /// Notes a new errand, and with it what the trail is to say.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn begin_errand(
        &self,
        change: &Change<'_>,
        kind: ErrandKind,
        errand: &Errand,
        trail: Option<&Trail>,
    ) -> Result<(), Error> {
        let mut writes = vec![self.0.putting(errand.item(change, kind)?, Some("attribute_not_exists(pk)"))?];
        if let Some(trail) = trail {
            writes.extend(self.1.writes(trail)?);
        }
        match self.0.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::corrupt("errand", "there is one with this id")),
        }
    }

    /// Notes how far an errand is. False if it has ended: another worker did it, or its owner was forgotten.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn note_errand(
        &self,
        change: &Change<'_>,
        kind: ErrandKind,
        errand: &Errand,
    ) -> Result<bool, Error> {
        let running = vec![(":running", s("running"))];
        let condition = "progress = :running AND attribute_not_exists(gone)";
        self.0.put_if(errand.item(change, kind)?, condition, running).await
    }

    /// An errand of a person.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn errand(&self, account: &str, kind: ErrandKind, id: &str) -> Result<Option<Errand>, Error> {
        let found = self.0.get(&person_key(account), &format!("{}{id}", kind.prefix())).await?;
        found.filter(|item| !is_gone(item)).map(|item| record(item, "errand")).transpose()
    }

    /// A person's exports and imports of the last week.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn errands(&self, account: &str) -> Result<Vec<(ErrandKind, Errand)>, Error> {
        let mut all = Vec::new();
        for kind in [ErrandKind::Export, ErrandKind::Import] {
            let found = self.0.query_all(&person_key(account), kind.prefix()).await?;
            for item in found.into_iter().filter(|item| !is_gone(item)) {
                all.push((kind, record(item, "errand")?));
            }
        }
        Ok(all)
    }

    /// Errands that nobody has worked on since `before`, at most `most`, with whose they are: those whose worker was
    /// killed, or that no change brought to one.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn errands_stuck(
        &self,
        kind: ErrandKind,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<(String, Errand)>, Error> {
        let ask = IndexAsk {
            index: BY_QUEUE.1,
            keys: "queue = :queue AND queue_order < :before",
            filter: Some("#at < :before"),
            local: false,
        };
        let values = vec![(":queue", s(kind.queue())), (":before", s(instant(before)))];
        let mut stuck = Vec::new();
        for item in self.0.query_index(&ask, values, most).await? {
            let Some(account) = owner(&item).map(str::to_owned) else { continue };
            stuck.push((account, record(item, "errand")?));
        }
        Ok(stuck)
    }
}
