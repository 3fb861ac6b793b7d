//! Passwords: what one may be, whether it is good enough, how it is kept, and when it is old.

mod age;
mod breached;
mod hash;
mod legacy;
mod policy;
mod stored;

use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfkc};
use zeroize::Zeroizing;

pub use age::{Age, MaxAge};
pub use breached::{BreachedFilter, RangeQuery};
pub use hash::{Cost, Hasher, PendingHash, PendingVerify, Verdict};
pub use legacy::{LegacyHash, SaltPlace};
pub use policy::{Context, Policy, Profile, Violation};
pub use stored::StoredPassword;

/// A password as somebody typed it: at most 128 characters, wiped from memory when dropped, never shown.
///
/// Normalised to NFKC before anything else sees it, as NIST SP 800-63B-4 section 3.1.1.2 asks, so that the
/// same password typed on two keyboards is the same bytes. It is never truncated: a longer one is refused.
/// Whether it is *good* is [`Policy`]'s business; a login must accept what an older policy let in.
#[derive(Clone)]
pub struct Password {
    normalised: Zeroizing<String>,
    /// As typed, where normalising changed it: systems that we import from hashed those bytes.
    typed: Option<Zeroizing<String>>,
}

/// Why a text can't be a password at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// No characters.
    #[error("the password is empty")]
    Empty,
    /// Over 128 characters, before or after normalising.
    #[error("a password has at most 128 characters")]
    TooLong,
    /// A control character such as NUL or a line break: no keyboard types it, and bcrypt stops at NUL.
    #[error("a password has no control characters")]
    ControlCharacter,
}

impl Password {
    /// Most characters (Unicode code points).
    pub const MAX: usize = 128;

    /// Takes `text` as a password.
    ///
    /// # Errors
    ///
    /// [`PasswordFault`]. At login every fault is answered like a wrong password.
    pub fn parse(text: &str) -> Result<Self, PasswordFault> {
        if text.is_empty() {
            return Err(PasswordFault::Empty);
        }
        if text.chars().take(Self::MAX + 1).count() > Self::MAX {
            return Err(PasswordFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordFault::ControlCharacter);
        }
        let changed = !is_nfkc(text);
        // Room for the worst case (18 code points of 4 bytes each for one), so that the buffer never moves and
        // leaves a copy behind.
        let room = if changed { Self::MAX * 18 * 4 } else { text.len() };
        let mut normalised = Zeroizing::new(String::with_capacity(room));
        normalised.extend(text.nfkc());
        if normalised.chars().count() > Self::MAX {
            return Err(PasswordFault::TooLong);
        }
        Ok(Self { normalised, typed: changed.then(|| Zeroizing::new(text.to_owned())) })
    }

    /// The normalised text. Only for hashing and for checking against a policy.
    pub(crate) fn expose(&self) -> &str {
        &self.normalised
    }

    /// The bytes that a system without normalisation would have hashed.
    pub(crate) fn expose_typed(&self) -> &str {
        self.typed.as_ref().unwrap_or(&self.normalised)
    }

    /// How many characters it has, normalised.
    pub fn length(&self) -> usize {
        self.normalised.chars().count()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_spellings_of_the_same_characters_are_one_password() {
        let composed = Password::parse("caf\u{e9} \u{fb01}lm").unwrap();
        let decomposed = Password::parse("cafe\u{301} film").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
        assert_eq!(composed.expose_typed(), "caf\u{e9} \u{fb01}lm");
        assert_eq!(Password::parse("plain").unwrap().expose_typed(), "plain");
    }

    #[test]
    fn a_hundred_and_twenty_eight_characters_fit_and_one_more_does_not() {
        assert_eq!(Password::parse(&"\u{1f3ac}".repeat(128)).unwrap().length(), 128);
        assert_eq!(Password::parse(&"a".repeat(129)).unwrap_err(), PasswordFault::TooLong);
        // One ligature of 18 letters: short as typed, too long once normalised.
        assert_eq!(Password::parse(&"\u{fdfa}".repeat(8)).unwrap_err(), PasswordFault::TooLong);
        assert_eq!(Password::parse(&"a".repeat(1_000_000)).unwrap_err(), PasswordFault::TooLong);
    }

    #[test]
    fn spaces_count_and_control_characters_are_refused() {
        assert_eq!(Password::parse(" a b ").unwrap().expose(), " a b ");
        for text in ["a\0b", "a\nb", "a\u{7f}", "\u{85}"] {
            assert_eq!(Password::parse(text).unwrap_err(), PasswordFault::ControlCharacter);
        }
        assert_eq!(Password::parse("").unwrap_err(), PasswordFault::Empty);
    }

    #[test]
    fn a_password_never_shows_itself() {
        let password = Password::parse("hunter2 hunter2").unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
        let error = serde_json::from_str::<Password>("\"hunter\\u0000\"").unwrap_err();
        assert!(!error.to_string().contains("hunter"));
    }

    proptest! {
        #[test]
        fn normalising_again_changes_nothing(text in any::<String>()) {
            if let Ok(password) = Password::parse(&text) {
                let again = Password::parse(password.expose()).unwrap();
                prop_assert_eq!(again.expose(), password.expose());
                prop_assert!(again.typed.is_none());
            }
        }
    }
}
