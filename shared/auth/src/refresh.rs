//! Refresh tokens: opaque to clients, derived instead of stored, rotated at every use.
//!
//! Token *n* of a session is HMAC-SHA-256 over session and counter *n*. The store keeps the counter (and, as
//! evidence, the hash) of the token that is valid now. A rotation raises the counter in one conditional
//! update; a client that loses the answer and asks again within ten seconds gets the very same successor,
//! computed anew, so there is never a second branch. Anything older is a copy in other hands: the whole family
//! ends (RFC 9700, section 4.14.2).
//!
//! Text: `rt1.key.session.counter.tag`. The key is the one that the family began with, so that a successor is
//! the same on both sides of a key rotation.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use screensort_crypto::{KeyId, KeyRing, MacKey, TokenHash, encode_base64url, sha256};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// How long the immediate predecessor of the valid token is answered with the same successor again.
pub const GRACE: SignedDuration = SignedDuration::from_secs(10);
const PURPOSE: &str = "refresh-token";
const MALFORMED: Error = Error::Malformed("refresh token");

/// A refresh token that we made. There is no other way to hold one: parsing checks the tag.
#[derive(Clone)]
pub struct RefreshToken {
    key: KeyId,
    session: String,
    counter: u64,
    text: Zeroizing<String>,
}

impl RefreshToken {
    /// The first token of a session, under the ring's current key.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] unless `session` has 1 to 64 ASCII letters, digits and hyphens.
    pub fn first(ring: &KeyRing<MacKey>, session: &str) -> Result<Self> {
        Self::derive(ring, ring.current().id.as_str(), session, 0)
    }

    /// Token number `counter` of a session whose family began with the key `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for a session id of another form;
    /// [`screensort_crypto::Error::UnknownKey`] when the key has left the ring.
    pub fn derive(ring: &KeyRing<MacKey>, key: &str, session: &str, counter: u64) -> Result<Self> {
        let fits = (1..=64).contains(&session.len())
            && session.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !fits {
            return Err(MALFORMED);
        }
        let entry = ring.get(key).ok_or(screensort_crypto::Error::UnknownKey)?;
        let tag = entry.key.tag(PURPOSE, &[session.as_bytes(), &counter.to_be_bytes()]);
        let text = Zeroizing::new(format!("rt1.{}.{session}.{counter}.{}", entry.id, tag.to_text()));
        Ok(Self { key: entry.id.clone(), session: session.to_owned(), counter, text })
    }

    /// Reads a token that a client presents.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] or [`Error::Crypto`]: it isn't ours. Whether it is still good is for
    /// [`judge`] to say.
    pub fn parse(ring: &KeyRing<MacKey>, text: &str) -> Result<Self> {
        if text.len() > 256 {
            return Err(MALFORMED);
        }
        let fields: Vec<&str> = text.split('.').collect();
        let ["rt1", key, session, counter, _] = fields[..] else {
            return Err(MALFORMED);
        };
        let counter: u64 = counter.parse().map_err(|_| MALFORMED)?;
        let token = Self::derive(ring, key, session, counter)?;
        // The whole text, so that no second spelling (`+1`, `01`) passes.
        if screensort_crypto::constant_time_eq(token.text.as_bytes(), text.as_bytes()) {
            Ok(token)
        } else {
            Err(screensort_crypto::Error::NotAuthentic.into())
        }
    }

    /// The token that follows this one.
    ///
    /// # Errors
    ///
    /// As [`derive`](Self::derive).
    pub fn successor(&self, ring: &KeyRing<MacKey>) -> Result<Self> {
        Self::derive(ring, self.key.as_str(), &self.session, self.counter.saturating_add(1))
    }

    /// The session.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Its number in the session.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// The text to hand out.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the store may keep of it: the token itself can't be got back from it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::from_stored(encode_base64url(sha256(self.text.as_bytes())))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("session", &self.session)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

/// What a session's record says about its family of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The number of the token that is valid now.
    pub counter: u64,
    /// When that number was last raised; the session's beginning at first.
    pub rotated_at: Timestamp,
}

/// What to do with an authentic token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is the valid one: raise the counter, on the condition that it is still this one, and hand out the
    /// successor.
    Current,
    /// It is the predecessor of the valid one, a moment ago: hand out the successor again, change nothing.
    Predecessor,
    /// It was used before: end the family.
    Reuse,
}

/// Judges an authentic token with number `presented` by its session's record.
///
/// A number above the record's can't come from us unless the record was rolled back; it ends the family too.
pub fn judge(family: &Family, presented: u64, now: Timestamp) -> Rotation {
    let age = now.duration_since(family.rotated_at);
    if presented == family.counter {
        Rotation::Current
    } else if presented.checked_add(1) == Some(family.counter) && age <= GRACE {
        Rotation::Predecessor
    } else {
        Rotation::Reuse
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixed::{after, mac_ring, now};

    #[test]
    fn a_token_comes_back_from_its_text_and_leads_to_one_successor() {
        let ring = mac_ring();
        let first = RefreshToken::first(&ring, "01SESSION").unwrap();
        let parsed = RefreshToken::parse(&ring, first.text()).unwrap();
        assert_eq!((parsed.session(), parsed.counter()), ("01SESSION", 0));
        let (a, b) = (first.successor(&ring).unwrap(), parsed.successor(&ring).unwrap());
        assert_eq!(a.text(), b.text());
        assert_ne!(a.text(), first.text());
        assert_eq!(a.hash(), b.hash());
        assert!(!format!("{first:?}").contains(first.text()));
    }

    #[test]
    fn the_successor_is_the_same_on_both_sides_of_a_key_rotation() {
        let mut ring = mac_ring();
        let first = RefreshToken::first(&ring, "01SESSION").unwrap();
        let before = first.successor(&ring).unwrap();
        ring.publish(KeyId::new("m2").unwrap(), MacKey::new([4; 32]), now()).unwrap();
        ring.promote("m2", now()).unwrap();
        assert_eq!(first.successor(&ring).unwrap().text(), before.text());
        assert!(RefreshToken::first(&ring, "01SESSION").unwrap().text().starts_with("rt1.m2."));
    }

    #[test]
    fn no_other_spelling_and_no_edit_passes() {
        let ring = mac_ring();
        let text = RefreshToken::derive(&ring, "m1", "01SESSION", 1).unwrap().text().to_owned();
        for edited in [
            text.replace(".1.", ".2."),
            text.replace(".1.", ".01."),
            text.replace(".1.", ".+1."),
            text.replace("01SESSION", "02SESSION"),
            text.replace("rt1.", "rt2."),
            text.replace(".m1.", ".m9."),
            text.replace(".m1.", ".../m1."),
            format!("{text}="),
            format!("{text}.x"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert!(RefreshToken::parse(&ring, &edited).is_err(), "{edited}");
        }
        assert!(RefreshToken::first(&ring, "a.b").is_err());
        assert!(RefreshToken::first(&ring, "").is_err());
    }

    #[test]
    fn the_valid_token_rotates_and_its_predecessor_gets_ten_seconds() {
        let family = Family { counter: 5, rotated_at: now() };
        assert_eq!(judge(&family, 5, after(1_000_000)), Rotation::Current);
        assert_eq!(judge(&family, 4, after(0)), Rotation::Predecessor);
        assert_eq!(judge(&family, 4, after(10)), Rotation::Predecessor);
        assert_eq!(judge(&family, 4, after(11)), Rotation::Reuse);
        assert_eq!(judge(&family, 3, after(0)), Rotation::Reuse);
        assert_eq!(judge(&family, 6, after(0)), Rotation::Reuse);
        assert_eq!(judge(&Family { counter: 0, rotated_at: now() }, u64::MAX, now()), Rotation::Reuse);
    }

    proptest! {
        #[test]
        fn at_any_time_at_most_two_numbers_are_not_reuse(counter in 0u64..50, age in 0i64..100, presented in 0u64..60) {
            let family = Family { counter, rotated_at: now() };
            let rotation = judge(&family, presented, after(age));
            let expected_good = presented == counter || (presented + 1 == counter && age <= 10);
            prop_assert_eq!(rotation != Rotation::Reuse, expected_good);
        }

        #[test]
        fn any_text_is_answered_without_panic(text in ".{0,100}") {
            prop_assert!(RefreshToken::parse(&mac_ring(), &text).is_err());
        }
    }
}
