//! One-time codes by mail or by text message: the second factor of those who have no authenticator.
//!
//! A code of a few digits can be guessed, so everything around it is tight: ten minutes, five tries, one use,
//! and a keyed hash that binds it to the ticket of the login that asked for it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use screensort_crypto::{KeyRing, MacKey, TokenHash, constant_time_eq, random_below};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// How long a code lives.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How many wrong tries end a code. The try is counted, conditionally, before the code is compared.
pub const MAX_TRIES: u32 = 5;
const PURPOSE: &str = "mail-code";

/// How many digits a code has: 6, 7 or 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// Six, the default: one chance in 200,000 for five tries.
    pub const SIX: Self = Self(6);

    /// `digits` from 6 to 8.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn new(digits: u8) -> Result<Self> {
        if (6..=8).contains(&digits) { Ok(Self(digits)) } else { Err(Error::Malformed("number of digits")) }
    }
}

/// A code to send. Wiped when dropped.
pub struct MailCode(Zeroizing<String>);

impl MailCode {
    /// Draws a code, every one as likely.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn generate(digits: Digits) -> Result<Self> {
        let number = random_below(10u64.pow(u32::from(digits.0)))?;
        Ok(Self(Zeroizing::new(format!("{number:0width$}", width = usize::from(digits.0)))))
    }

    /// The digits to send.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored: a tag over the ticket and the code. Without the ring's key it can't be searched
    /// through, short as the code is.
    pub fn hash(&self, ring: &KeyRing<MacKey>, ticket: &str) -> TokenHash {
        let (id, tag) = ring.tag(PURPOSE, &[ticket.as_bytes(), self.0.as_bytes()]);
        TokenHash::from_stored(format!("{id}.{}", tag.to_text()))
    }
}

impl fmt::Debug for MailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCode(..)")
    }
}

/// A code as it waits in the store.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The keyed hash.
    pub hash: TokenHash,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Tries so far, this one included.
    pub tries: u32,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The code: remove it, on the condition that it is still there.
    Right,
    /// Another code.
    Wrong {
        /// Tries that are left.
        left: u32,
    },
    /// Too late, or too many tries: remove it.
    Over,
}

impl Waiting {
    /// Compares `code`, typed for `ticket`, with what waits. Spaces around it are ignored.
    pub fn check(&self, ring: &KeyRing<MacKey>, ticket: &str, code: &str, now: Timestamp) -> Outcome {
        if now.duration_since(self.sent_at) >= LIFETIME || self.tries > MAX_TRIES {
            return Outcome::Over;
        }
        let code = code.trim();
        let id = self.hash.as_str().split_once('.').map_or("", |(id, _)| id);
        let right = code.len() <= 8
            && ring.get(id).is_some_and(|entry| {
                let tag = entry.key.tag(PURPOSE, &[ticket.as_bytes(), code.as_bytes()]).to_text();
                constant_time_eq(self.hash.as_str().as_bytes(), format!("{id}.{tag}").as_bytes())
            });
        if right { Outcome::Right } else { Outcome::Wrong { left: MAX_TRIES - self.tries } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::{after, mac_ring, now};

    fn waiting(code: &MailCode, tries: u32) -> Waiting {
        Waiting { hash: code.hash(&mac_ring(), "ticket-a"), sent_at: now(), tries }
    }

    #[test]
    fn a_code_is_right_for_its_ticket_only() {
        let code = MailCode::generate(Digits::SIX).unwrap();
        let waiting = waiting(&code, 1);
        assert_eq!(
            waiting.check(&mac_ring(), "ticket-a", &format!(" {} ", code.as_str()), now()),
            Outcome::Right
        );
        assert_eq!(waiting.check(&mac_ring(), "ticket-b", code.as_str(), now()), Outcome::Wrong { left: 4 });
    }

    #[test]
    fn the_fifth_try_counts_and_the_sixth_does_not() {
        let code = MailCode(Zeroizing::new("123456".to_owned()));
        assert_eq!(waiting(&code, 5).check(&mac_ring(), "ticket-a", "123456", now()), Outcome::Right);
        assert_eq!(
            waiting(&code, 5).check(&mac_ring(), "ticket-a", "123457", now()),
            Outcome::Wrong { left: 0 }
        );
        assert_eq!(waiting(&code, 6).check(&mac_ring(), "ticket-a", "123456", now()), Outcome::Over);
    }

    #[test]
    fn ten_minutes_end_a_code() {
        let code = MailCode(Zeroizing::new("123456".to_owned()));
        assert_eq!(waiting(&code, 1).check(&mac_ring(), "ticket-a", "123456", after(599)), Outcome::Right);
        assert_eq!(waiting(&code, 1).check(&mac_ring(), "ticket-a", "123456", after(600)), Outcome::Over);
    }

    #[test]
    fn codes_have_the_digits_asked_for() {
        for digits in 6..=8 {
            let code = MailCode::generate(Digits::new(digits).unwrap()).unwrap();
            assert_eq!(code.as_str().len(), usize::from(digits));
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_digit()));
        }
        assert!(Digits::new(5).is_err() && Digits::new(9).is_err());
        assert_eq!(format!("{:?}", MailCode::generate(Digits::SIX).unwrap()), "MailCode(..)");
    }
}
