//! The chain's links and checkpoints, in the trail's own table: put only, like the records. A link's place is its
//! key, so two writers cannot both take it: the chain never forks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::{SHARDS, day_key};
use crate::catalogue::{Item, key, text};
use crate::chain::Link;
use crate::vault::{Written, item, record};
use crate::{Audit, Error, Record};

/// The most links in one transaction: each is two writes.
pub const AT_ONCE: usize = 25;

/// How laying links ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Laid {
    /// They are there.
    Yes,
    /// Somebody else took the place: look at the head again.
    Taken,
    /// The records at these places of the list are in the chain already.
    Already(Vec<usize>),
}

/// Where a record is in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The chain.
    pub shard: u8,
    /// The place.
    pub seq: u64,
    /// The record's digest when it was laid.
    pub digest: String,
}

/// Up to where a chain is shipped, with a proof that it was us who shipped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The chain.
    pub shard: u8,
    /// The last link that is shipped.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// When.
    pub at: Timestamp,
    /// The object that holds the links since the checkpoint before.
    pub object: String,
    /// The name of the key of the proof.
    pub key: String,
    /// A keyed hash over the rest.
    pub mac: String,
}

fn chain_key(shard: u8) -> String {
    format!("CHAIN#{shard}")
}

fn checkpoint_key(shard: u8) -> String {
    format!("CHECKPOINT#{shard}")
}

fn place_key(id: &str) -> String {
    format!("LINKED#{id}")
}

/// A place as a sort key: in order as text.
fn place(seq: u64) -> String {
    format!("{seq:012}")
}

const THERE: Option<&str> = Some("attribute_not_exists(pk)");

impl Audit {
    /// The last link of a chain.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn head(&self, shard: u8) -> Result<Option<Link>, Error> {
        let found = self.0.query_before(&chain_key(shard), None, 1).await?;
        found.into_iter().next().map(|found| record(found, "link")).transpose()
    }

    /// Lays links, all or none. They must follow each other and the head.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lay(&self, links: &[Link]) -> Result<Laid, Error> {
        let mut writes = Vec::new();
        for link in links {
            let at = Place { shard: link.shard, seq: link.seq, digest: link.record.digest() };
            writes.push(self.0.putting(item(&chain_key(link.shard), &place(link.seq), link, None)?, THERE)?);
            writes.push(self.0.putting(item(&place_key(&link.record.id), "LINK", &at, None)?, THERE)?);
        }
        if writes.is_empty() {
            return Ok(Laid::Yes);
        }
        Ok(match self.0.transact(writes).await? {
            Written::Done => Laid::Yes,
            Written::Refused(at) => {
                let already: Vec<usize> = at.iter().filter(|at| *at % 2 == 1).map(|at| at / 2).collect();
                if already.is_empty() { Laid::Taken } else { Laid::Already(already) }
            }
        })
    }

    /// The links of a chain after the place `after`, at most `most`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn links(&self, shard: u8, after: u64, most: usize) -> Result<Vec<Link>, Error> {
        let found = self.0.query_after(&chain_key(shard), &place(after), most).await?;
        found.into_iter().map(|found| record(found, "link")).collect()
    }

    /// Where records are in their chains, by id; those that are in none yet are not there.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn places(&self, ids: &[&str]) -> Result<BTreeMap<String, Place>, Error> {
        let mut places = BTreeMap::new();
        for ids in ids.chunks(100) {
            let keys: Vec<Item> = ids.iter().map(|id| key(&place_key(id), "LINK")).collect();
            for found in self.0.get_all(keys).await? {
                let id = text(&found, crate::table::PK).and_then(|pk| pk.strip_prefix("LINKED#"));
                let id = id.unwrap_or_default().to_owned();
                places.insert(id, record(found, "place")?);
            }
        }
        Ok(places)
    }

    /// The records of a day's shard after the record `after`, oldest first, at most `most`.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn of_shard(
        &self,
        day: Date,
        shard: u8,
        after: &str,
        most: usize,
    ) -> Result<Vec<Record>, Error> {
        let found = self.0.query_after(&day_key(day, shard), after, most).await?;
        found.into_iter().map(|found| record(found, "record")).collect()
    }

    /// Which of these records are in the table, as they are there, by id.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn still(&self, records: &[&Record]) -> Result<BTreeMap<String, Record>, Error> {
        let mut there = BTreeMap::new();
        for records in records.chunks(100) {
            let keys = records.iter().map(|of| key(&day_key(of.day(), of.shard()), &of.id)).collect();
            for found in self.0.get_all(keys).await? {
                let found: Record = record(found, "record")?;
                there.insert(found.id.clone(), found);
            }
        }
        Ok(there)
    }

    /// The last checkpoint of a chain.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn checkpoint(&self, shard: u8) -> Result<Option<Checkpoint>, Error> {
        let found = self.0.query_before(&checkpoint_key(shard), None, 1).await?;
        found.into_iter().next().map(|found| record(found, "checkpoint")).transpose()
    }

    /// Keeps a checkpoint; one that is there already stays.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn check_in(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let pk = checkpoint_key(checkpoint.shard);
        self.0.put_new(item(&pk, &place(checkpoint.seq), checkpoint, None)?).await?;
        Ok(())
    }

    /// The shards.
    pub fn shards() -> std::ops::Range<u8> {
        0..SHARDS
    }
}
