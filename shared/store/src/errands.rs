//! What takes longer than a request: exports and imports. A request notes the errand. Until it has ended it stands in an
//! index, by when it is due. A run of a worker finds it there, leases it by a condition, does it and notes how far it is;
//! each note renews the lease. One whose run was killed is due again when the lease ends, one that failed after a while
//! that grows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::catalogue::{Item, key, number, text};
use crate::library::{Change, instant, is_gone, owner, person_key};
use crate::patience::doubled;
use crate::table::{BY_QUEUE, SK};
use crate::vault::{IndexAsk, Written, item, n, record, s};
use crate::{Error, Library, Trail};

/// How long an errand can be asked about.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long a run has an errand for itself after it took it or last noted how far it is.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// How long one that failed waits; twice as long after each try, up to [`LONGEST`].
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// The attribute that says until when a run may be at an errand, in seconds since 1970.
pub(crate) const LEASED: &str = "leased_until";
/// The attribute that names that run.
const HOLDER: &str = "holder";
/// That the run `:holder` has an errand still.
const IS_HELD: &str = "holder = :holder AND attribute_not_exists(gone)";
/// The attribute that counts how often it was taken.
const TRIES: &str = "tries";

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

    /// The sort key of one.
    fn place(self, id: &str) -> String {
        format!("{}{id}", self.prefix())
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
        let sk = kind.place(&self.id);
        let mut noted: Item = item(&person_key(change.account), &sk, self, Some(expires))?;
        noted.extend([
            ("by".to_owned(), s(change.account)),
            ("rid".to_owned(), s(change.request)),
            ("at".to_owned(), s(instant(change.at))),
        ]);
        if self.progress == ErrandState::Running {
            noted.insert(BY_QUEUE.0.to_owned(), s(kind.queue()));
            noted.insert(BY_QUEUE.1.to_owned(), s(due(self.asked_at, &self.id)));
        }
        Ok(noted)
    }
}

/// An errand that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenErrand {
    /// Whose it is.
    pub account: String,
    /// Its id.
    pub id: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// From when on a run may take it.
    pub due_at: Timestamp,
}

impl OpenErrand {
    fn of(item: &Item, kind: ErrandKind) -> Option<Self> {
        Some(Self {
            account: owner(item)?.to_owned(),
            id: text(item, SK)?.strip_prefix(kind.prefix())?.to_owned(),
            asked_at: text(item, "asked_at")?.parse().ok()?,
            due_at: text(item, BY_QUEUE.1)?.split('#').next()?.parse().ok()?,
        })
    }
}

/// An errand that a run has for itself for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldErrand {
    /// Whose it is.
    pub account: String,
    /// What is to be done.
    pub kind: ErrandKind,
    /// Its id.
    pub id: String,
    /// How often it was taken, this time included.
    pub tries: u32,
    /// The run.
    holder: String,
}

impl HeldErrand {
    fn key(&self) -> Item {
        key(&person_key(&self.account), &self.kind.place(&self.id))
    }
}

/// The place in the index of what is due then.
fn due(at: Timestamp, id: &str) -> String {
    format!("{at:.3}#{id}")
}

/// After every place of what is due by then.
fn by(now: Timestamp) -> String {
    format!("{now:.3}$")
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

    /// Notes how far an errand is and renews the lease of the run that has it. False if that run has it no more: it has
    /// ended, another one took it, or its owner was forgotten.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn note_errand(
        &self,
        change: &Change<'_>,
        held: &HeldErrand,
        errand: &Errand,
    ) -> Result<bool, Error> {
        let mut noted = errand.item(change, held.kind)?;
        if errand.progress == ErrandState::Running {
            let until = change.at.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
            noted.extend([
                (BY_QUEUE.1.to_owned(), s(due(until, &held.id))),
                (LEASED.to_owned(), n(until.as_second())),
                (HOLDER.to_owned(), s(&held.holder)),
                (TRIES.to_owned(), n(held.tries)),
            ]);
        }
        self.0.put_if(noted, IS_HELD, vec![(":holder", s(&held.holder))]).await
    }

    /// An errand of a person.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn errand(&self, account: &str, kind: ErrandKind, id: &str) -> Result<Option<Errand>, Error> {
        let found = self.0.get(&person_key(account), &kind.place(id)).await?;
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

    /// Errands that have not ended, at most `most`, those first that are due first: what waits, then what runs are at and
    /// what failed a while ago. As the index has it, which may be a moment old.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn errands_open(&self, kind: ErrandKind, most: usize) -> Result<Vec<OpenErrand>, Error> {
        let ask = IndexAsk {
            index: BY_QUEUE.1,
            keys: "queue = :queue",
            filter: None,
            local: false,
            ascending: true,
        };
        let values = vec![(":queue", s(kind.queue()))];
        let found = self.0.query_index(&ask, values, most).await?;
        Ok(found.iter().filter_map(|item| OpenErrand::of(item, kind)).collect())
    }

    /// Takes an errand for the run `holder`, for five minutes from `now` and from each note; none if it has ended, is
    /// not due, or another run has it. What is not of the expected shape is an errand that fails.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn take_errand(
        &self,
        kind: ErrandKind,
        open: &OpenErrand,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<(HeldErrand, Result<Errand, Error>)>, Error> {
        let mut held = HeldErrand {
            account: open.account.clone(),
            kind,
            id: open.id.clone(),
            tries: 1,
            holder: holder.to_owned(),
        };
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let values = vec![
            (":holder", s(holder)),
            (":order", s(due(until, &held.id))),
            (":until", n(until.as_second())),
            (":one", n(1)),
            (":running", s("running")),
            (":by", s(by(now))),
        ];
        let change = "SET holder = :holder, queue_order = :order, leased_until = :until ADD tries :one";
        let free = "progress = :running AND queue_order <= :by AND attribute_not_exists(gone)";
        let Some(taken) = self.0.update(held.key(), change, Some(free), values).await? else {
            return Ok(None);
        };
        held.tries = number(&taken, TRIES).unwrap_or(u32::MAX);
        Ok(Some((held, record(taken, "errand"))))
    }

    /// Gives back an errand that failed: it is due again after a while, longer the oftener it was tried.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn put_back_errand(&self, held: &HeldErrand, now: Timestamp) -> Result<(), Error> {
        let pause = doubled(PAUSE, held.tries.saturating_sub(1), LONGEST);
        let again = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        let values = vec![(":order", s(due(again, &held.id))), (":holder", s(&held.holder))];
        let change = "SET queue_order = :order REMOVE holder, leased_until";
        self.0.update(held.key(), change, Some(IS_HELD), values).await?;
        Ok(())
    }

    /// Ends an errand that could not be done; `why` is for its owner.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn give_up_errand(&self, held: &HeldErrand, why: &str) -> Result<(), Error> {
        let values = vec![(":failed", s("failed")), (":why", s(why)), (":holder", s(&held.holder))];
        let change = "SET progress = :failed, #failure = :why \
            REMOVE queue, queue_order, holder, leased_until, tries";
        self.0.update(held.key(), change, Some(IS_HELD), values).await?;
        Ok(())
    }
}
