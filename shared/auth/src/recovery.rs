//! Recovery codes: ten, each good for one login when the authenticator is lost.
//!
//! A code has 24 letters and digits in four groups, 120 bits: enough that a plain keyed hash keeps it (ASVS 5.0,
//! V6.5.2 asks for 112 bits, or a password hash). The alphabet is Crockford's base32, which has no `I`, `L`,
//! `O` and `U`; typed ones are read as `1`, `1` and `0`.

use std::fmt;

use screensort_crypto::{KeyRing, MacKey, TokenHash, constant_time_eq, random_bytes};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// How many codes a set has.
pub const COUNT: usize = 10;
const LENGTH: usize = 24;
const GROUP: usize = 6;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PURPOSE: &str = "recovery-code";

/// One recovery code, in its plain form without hyphens. Wiped when dropped.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// Draws a set of [`COUNT`] codes.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn generate_set() -> Result<Vec<Self>> {
        (0..COUNT).map(|_| Self::generate()).collect()
    }

    fn generate() -> Result<Self> {
        let bytes = Zeroizing::new(random_bytes::<LENGTH>()?);
        // 256 is a multiple of 32, so the five low bits of a random byte are fair.
        Ok(Self(Zeroizing::new(bytes.iter().map(|byte| ALPHABET[usize::from(byte & 31)] as char).collect())))
    }

    /// Reads what a person typed: any case, with or without hyphens and spaces.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`]; answered like a wrong code.
    pub fn parse(text: &str) -> Result<Self> {
        const WHAT: Error = Error::Malformed("recovery code");
        if text.len() > 64 {
            return Err(WHAT);
        }
        let mut plain = Zeroizing::new(String::with_capacity(LENGTH));
        for character in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let character = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            if !character.is_ascii() || !ALPHABET.contains(&(character as u8)) || plain.len() == LENGTH {
                return Err(WHAT);
            }
            plain.push(character);
        }
        if plain.len() == LENGTH { Ok(Self(plain)) } else { Err(WHAT) }
    }

    /// The code as it is shown: `ABCDEF-…`, four groups of six.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + 3));
        for (at, character) in self.0.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }

    /// What is stored: a tag over account and code, under the key that the ring now writes with.
    pub fn hash(&self, ring: &KeyRing<MacKey>, account: &str) -> TokenHash {
        let (id, tag) = ring.tag(PURPOSE, &self.parts(account));
        TokenHash::from_stored(format!("{id}.{}", tag.to_text()))
    }

    /// The one of the `stored` hashes that this code makes, for the store to remove on the condition that it
    /// is still there. All are compared, so the time doesn't tell which one it was.
    pub fn find<'a>(
        &self,
        ring: &KeyRing<MacKey>,
        account: &str,
        stored: &'a [TokenHash],
    ) -> Option<&'a TokenHash> {
        let fits = |hash: &TokenHash| {
            let id = hash.as_str().split_once('.').map_or("", |(id, _)| id);
            ring.get(id).is_some_and(|entry| {
                let tag = entry.key.tag(PURPOSE, &self.parts(account)).to_text();
                constant_time_eq(hash.as_str().as_bytes(), format!("{id}.{tag}").as_bytes())
            })
        };
        stored.iter().fold(None, |found, hash| if fits(hash) { Some(hash) } else { found })
    }

    fn parts<'a>(&'a self, account: &'a str) -> [&'a [u8]; 2] {
        [account.as_bytes(), self.0.as_bytes()]
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixed::mac_ring;

    #[test]
    fn a_set_has_ten_different_codes_in_four_groups() {
        let set = RecoveryCode::generate_set().unwrap();
        let texts: std::collections::HashSet<String> =
            set.iter().map(|code| code.to_text().to_string()).collect();
        assert_eq!(texts.len(), COUNT);
        assert!(texts.iter().all(|text| text.split('-').all(|group| group.len() == GROUP)));
    }

    #[test]
    fn a_code_is_found_once_among_the_stored_hashes_of_its_own_account() {
        let ring = mac_ring();
        let set = RecoveryCode::generate_set().unwrap();
        let mut stored: Vec<_> = set.iter().map(|code| code.hash(&ring, "01ANN")).collect();
        let typed = RecoveryCode::parse(&set[3].to_text().to_lowercase().replace('-', " ")).unwrap();
        assert_eq!(typed.find(&ring, "01ANN", &stored), Some(&stored[3]));
        assert_eq!(typed.find(&ring, "01BOB", &stored), None);
        stored.remove(3);
        assert_eq!(typed.find(&ring, "01ANN", &stored), None);
    }

    #[test]
    fn look_alikes_are_read_as_digits() {
        let code = RecoveryCode::parse("0O1ILo-000000-000000-000000").unwrap();
        assert_eq!(code.to_text().as_str(), "001110-000000-000000-000000");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "000000", "000000-000000-000000-00000U", "000000-000000-000000-0000000", &"0".repeat(999)]
        {
            assert!(RecoveryCode::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_shows_and_parses_again(text in "[0-9A-Za-z\u{e9} -]{20,32}") {
            if let Ok(code) = RecoveryCode::parse(&text) {
                let again = RecoveryCode::parse(&code.to_text()).unwrap();
                prop_assert_eq!(again.to_text(), code.to_text());
            }
        }
    }
}
