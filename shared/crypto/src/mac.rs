use std::fmt;

use ring::hmac;
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, KeyId, KeyRing, Result, RingKey, encode, encode_base64url, random_bytes};

/// A 256-bit key for HMAC-SHA-256 (RFC 2104, FIPS 198-1), wiped from memory when dropped.
///
/// One key serves several purposes safely: the purpose and the number and length of the parts go into every
/// message, so a tag made for one purpose is worth nothing for another.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// Takes over 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The tag of `parts` for `purpose`.
    pub fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Tag {
        let mut context = self.start(purpose, parts);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        Tag(tag)
    }

    /// Checks `tag` in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthentic`].
    pub fn verify(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> Result<()> {
        if crate::constant_time_eq(&self.tag(purpose, parts).0, tag) {
            Ok(())
        } else {
            Err(Error::NotAuthentic)
        }
    }

    fn start(&self, purpose: &str, parts: &[&[u8]]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(&encode::join(&[purpose.as_bytes()]));
        context.update(&(parts.len() as u64).to_be_bytes());
        context
    }
}

impl RingKey for MacKey {
    fn generate() -> Result<Self> {
        Ok(Self(random_bytes()?))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| Error::Malformed("MAC key"))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

impl KeyRing<MacKey> {
    /// The tag of `parts` for `purpose` under the current key, and that key's name.
    pub fn tag(&self, purpose: &str, parts: &[&[u8]]) -> (&KeyId, Tag) {
        let current = self.current();
        (&current.id, current.key.tag(purpose, parts))
    }

    /// Checks a tag that the key `id` made.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`], [`Error::NotAuthentic`].
    pub fn verify(&self, id: &str, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> Result<()> {
        self.get(id).ok_or(Error::UnknownKey)?.key.verify(purpose, parts, tag)
    }

    /// Checks a tag of which the key isn't known. For formats that have no place for a key's name.
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthentic`].
    pub fn verify_any(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> Result<()> {
        // Every key is tried, whichever fits: the time doesn't tell which one it was.
        let found = self.iter().filter(|entry| entry.key.verify(purpose, parts, tag).is_ok()).count();
        if found > 0 { Ok(()) } else { Err(Error::NotAuthentic) }
    }
}

/// A 256-bit HMAC tag.
///
/// Compared in constant time. `Debug` hides it, because some tags are secrets (a derived refresh token).
#[derive(Clone, Copy)]
pub struct Tag([u8; 32]);

impl Tag {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as base64url text of 43 characters.
    pub fn to_text(&self) -> String {
        encode_base64url(self.0)
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        crate::constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for Tag {}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        // Test case 2.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"Jefe"), b"what do ya want for nothing?");
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_tag_is_bound_to_purpose_parts_and_key() {
        let key = MacKey::new([1; 32]);
        let tag = key.tag("csrf", &[b"ab", b"c"]);
        assert!(key.verify("csrf", &[b"ab", b"c"], tag.as_bytes()).is_ok());
        assert!(key.verify("csrf", &[b"a", b"bc"], tag.as_bytes()).is_err());
        assert!(key.verify("csrf", &[b"abc"], tag.as_bytes()).is_err());
        assert!(key.verify("device", &[b"ab", b"c"], tag.as_bytes()).is_err());
        assert!(key.verify("csrf", &[b"ab", b"c"], &tag.as_bytes()[..31]).is_err());
        assert!(MacKey::new([2; 32]).verify("csrf", &[b"ab", b"c"], tag.as_bytes()).is_err());
    }
}
