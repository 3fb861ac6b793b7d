use std::fmt;

use crate::{KeyRing, MacKey};

/// A blind index: finds a record by a value that is stored encrypted only.
///
/// The term is HMAC-SHA-256 of the value under a key that the table's readers don't have, so a dump of the
/// table can't be searched with a list of likely addresses. Equal values have equal terms: the index tells
/// that two records hold the same value, which is what it is for.
///
/// The caller brings the value into its comparison form first (an e-mail address in lower case).
#[derive(Debug, Clone, Copy)]
pub struct BlindIndex<'a> {
    ring: &'a KeyRing<MacKey>,
    field: &'a str,
}

impl<'a> BlindIndex<'a> {
    /// The index over `field`, such as `email`; terms of two fields have nothing in common.
    pub fn new(ring: &'a KeyRing<MacKey>, field: &'a str) -> Self {
        Self { ring, field }
    }

    /// The term to store: under the current key.
    pub fn term(&self, value: &str) -> IndexTerm {
        self.under(self.ring.current(), value)
    }

    /// Every term that a record with this value may be stored under, the current key's first.
    ///
    /// While keys rotate, a look-up tries them all; a record found under an old one is rewritten.
    pub fn all_versions(&self, value: &str) -> Vec<IndexTerm> {
        let current = self.ring.current();
        let older = self.ring.iter().filter(|entry| entry.id != current.id);
        std::iter::once(current).chain(older).map(|entry| self.under(entry, value)).collect()
    }

    fn under(&self, entry: &crate::VersionedKey<MacKey>, value: &str) -> IndexTerm {
        let tag = entry.key.tag("blind-index", &[self.field.as_bytes(), value.as_bytes()]);
        IndexTerm(format!("{}.{}", entry.id, tag.to_text()))
    }
}

/// A term of a blind index: the key's name, a dot and the tag as base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexTerm(String);

impl IndexTerm {
    /// A term as it was stored.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text that is stored and looked up.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the key that made it.
    pub fn version(&self) -> &str {
        self.0.split_once('.').map_or("", |(version, _)| version)
    }
}

impl fmt::Display for IndexTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::KeyId;

    fn ring() -> KeyRing<MacKey> {
        KeyRing::new(KeyId::new("k1").unwrap(), MacKey::new([1; 32]), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_term_written_before_a_rotation_is_found_after_it() {
        let mut ring = ring();
        let old = BlindIndex::new(&ring, "email").term("ann@example.org");
        ring.publish(KeyId::new("k2").unwrap(), MacKey::new([2; 32]), Timestamp::UNIX_EPOCH).unwrap();
        ring.promote("k2", Timestamp::UNIX_EPOCH).unwrap();

        let index = BlindIndex::new(&ring, "email");
        let all = index.all_versions("ann@example.org");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], index.term("ann@example.org"));
        assert_eq!(all[0].version(), "k2");
        assert_eq!(all[1], old);
        assert_eq!(old.version(), "k1");
    }

    #[test]
    fn two_fields_have_nothing_in_common() {
        let ring = ring();
        let email = BlindIndex::new(&ring, "email").term("x");
        assert_ne!(email, BlindIndex::new(&ring, "username").term("x"));
    }
}
