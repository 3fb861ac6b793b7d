//! The chain over the trail: each link holds a record, and a hash over that record and the link before. Whoever
//! changes, drops, moves or inserts a record breaks it from there on.
//!
//! There is one chain a shard, across all days. Only arithmetic stands here; [`crate::Audit`] keeps the links.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Record;

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The chain.
    pub shard: u8,
    /// The place in it, from 1.
    pub seq: u64,
    /// The hash of the link before; empty for the first.
    pub previous: String,
    /// This link's.
    pub hash: String,
    /// What happened.
    pub record: Record,
}

/// What is wrong with a chain, and where first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("shard {shard}, link {seq}: {what}")]
pub struct Broken {
    /// The chain.
    pub shard: u8,
    /// The place.
    pub seq: u64,
    /// What is wrong there.
    pub what: &'static str,
}

impl Record {
    /// The record as JSON that is always the same: names in order, no spaces.
    pub fn canonical(&self) -> String {
        let at = self.at.to_string();
        let mut fields = BTreeMap::from([
            ("id", self.id.as_str()),
            ("action", &self.action),
            ("actor", &self.actor),
            ("target", &self.target),
            ("at", &at),
            ("source", &self.source),
            ("request_id", &self.request_id),
        ]);
        fields.extend(self.before.as_deref().map(|hash| ("before", hash)));
        fields.extend(self.after.as_deref().map(|hash| ("after", hash)));
        // A map of texts is always serialisable.
        serde_json::to_string(&fields).unwrap_or_default()
    }

    /// SHA-256 over the canonical form, in hexadecimal.
    pub fn digest(&self) -> String {
        hex(self.canonical().as_bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Link {
    /// The link for `record` after `head` (place and hash; nothing for the first) in the chain `shard`.
    pub fn after(head: Option<&Link>, shard: u8, record: Record) -> Self {
        let (seq, previous) = head.map_or((1, String::new()), |head| (head.seq + 1, head.hash.clone()));
        let hash = Self::hash_of(shard, seq, &previous, &record);
        Self { shard, seq, previous, hash, record }
    }

    fn hash_of(shard: u8, seq: u64, previous: &str, record: &Record) -> String {
        // Neither a number nor a hash can hold a line's end: no two links give one text.
        hex(format!("{shard}\n{seq}\n{previous}\n{}", record.canonical()).as_bytes())
    }

    /// Whether the link is what follows `before`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, shard: u8, before: Option<&Link>) -> Result<(), Broken> {
        let (seq, previous) = before.map_or((1, ""), |before| (before.seq + 1, before.hash.as_str()));
        let broken = |what| Err(Broken { shard, seq, what });
        if self.seq > seq {
            broken("a link is missing")
        } else if self.seq < seq {
            broken("a link stands where another one should")
        } else if self.shard != shard {
            broken("the link is of another shard")
        } else if self.previous != previous {
            broken("the link does not follow the one before")
        } else if self.hash != Self::hash_of(self.shard, self.seq, &self.previous, &self.record) {
            broken("the record was changed")
        } else {
            Ok(())
        }
    }
}

/// Checks links that follow each other, the first of them after `before`.
///
/// # Errors
/// Names the first link that is wrong.
pub fn check<'l>(
    shard: u8,
    before: Option<&'l Link>,
    links: impl IntoIterator<Item = &'l Link>,
) -> Result<(), Broken> {
    let mut before = before;
    for link in links {
        link.check(shard, before)?;
        before = Some(link);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u32) -> Record {
        Record {
            id: format!("01KAAAAAAAAAAAAAAAAAAAA{n:03}"),
            action: "auth.login.failed".into(),
            actor: "-".into(),
            target: format!("account{n}"),
            before: None,
            after: (n == 3).then(|| "h".to_owned()),
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            source: "203.0.113.7".into(),
            request_id: format!("r{n}"),
        }
    }

    fn chain() -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for n in 0..9 {
            links.push(Link::after(links.last(), 2, record(n)));
        }
        links
    }

    fn broken(change: impl FnOnce(&mut Vec<Link>)) -> (u64, &'static str) {
        let mut links = chain();
        change(&mut links);
        let broken = check(2, None, &links).unwrap_err();
        (broken.seq, broken.what)
    }

    #[test]
    fn an_untouched_chain_holds_as_a_whole_and_from_any_link_on() {
        let links = chain();
        check(2, None, &links).unwrap();
        check(2, Some(&links[3]), &links[4..]).unwrap();
    }

    #[test]
    fn a_changed_record_is_named() {
        let change = |of: fn(&mut Record)| broken(move |links| of(&mut links[4].record));
        assert_eq!(change(|r| r.target = "somebody".into()), (5, "the record was changed"));
        assert_eq!(change(|r| r.actor = "admin".into()), (5, "the record was changed"));
        assert_eq!(change(|r| r.before = Some(String::new())), (5, "the record was changed"));
        assert_eq!(change(|r| r.source = "198.51.100.1".into()), (5, "the record was changed"));
    }

    #[test]
    fn whoever_computes_the_hash_of_a_changed_record_too_breaks_the_next_link() {
        let at = broken(|links| {
            let mut record = links[4].record.clone();
            record.target = "somebody".into();
            links[4] = Link::after(Some(&links[3].clone()), 2, record);
        });
        assert_eq!(at, (6, "the link does not follow the one before"));
    }

    #[test]
    fn a_dropped_record_is_named() {
        assert_eq!(broken(|links| drop(links.remove(4))), (5, "a link is missing"));
        assert_eq!(broken(|links| drop(links.remove(0))), (1, "a link is missing"));
    }

    #[test]
    fn records_in_another_order_are_named() {
        assert_eq!(broken(|links| links.swap(4, 5)), (5, "a link is missing"));
        let swapped = broken(|links| {
            let (a, b) = (links[4].record.clone(), links[5].record.clone());
            (links[4].record, links[5].record) = (b, a);
        });
        assert_eq!(swapped, (5, "the record was changed"));
    }

    #[test]
    fn an_inserted_record_is_named() {
        let inserted = broken(|links| {
            let false_one = Link::after(Some(&links[3].clone()), 2, record(100));
            links.insert(4, false_one);
        });
        assert_eq!(inserted, (6, "a link stands where another one should"));
    }

    #[test]
    fn the_canonical_form_does_not_depend_on_the_order_of_fields() {
        let canonical = record(3).canonical();
        assert!(canonical.starts_with(r#"{"action":"auth.login.failed","actor":"-","after":"h","at":""#));
        let read: Record = serde_json::from_str(&canonical).unwrap();
        assert_eq!(read, record(3));
    }
}
