use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Error, Result, decode_base64url, encode, encode_base64url, random_bytes, sha256};

/// A secret of 256 random bits that is shown once: mail links, session cookies, API key secrets.
///
/// Only its [`TokenHash`] is stored. A plain SHA-256 is enough, because nothing with 256 bits of entropy can
/// be guessed; the purpose goes into the hash, so a token for one purpose isn't found by another.
#[derive(Clone)]
pub struct OneTimeToken(Zeroizing<[u8; 32]>);

impl OneTimeToken {
    /// Draws a new one.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn generate() -> Result<Self> {
        Ok(Self(Zeroizing::new(random_bytes()?)))
    }

    /// Parses the text that [`to_text`](Self::to_text) gave.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`]; the caller answers exactly as for an unknown token.
    pub fn parse(text: &str) -> Result<Self> {
        // The length is checked first: nobody decodes a megabyte to learn that it isn't a token.
        if text.len() != 43 {
            return Err(Error::Malformed("token"));
        }
        let bytes = Zeroizing::new(decode_base64url(text).map_err(|_| Error::Malformed("token"))?);
        let bytes = bytes.as_slice().try_into().map_err(|_| Error::Malformed("token"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The 43 URL-safe characters to hand out.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(encode_base64url(self.0.as_slice()))
    }

    /// What is stored and looked up, for one purpose such as `password.reset`.
    pub fn hash(&self, purpose: &str) -> TokenHash {
        let joined = Zeroizing::new(encode::join(&[purpose.as_bytes(), self.0.as_slice()]));
        TokenHash(encode_base64url(sha256(&joined)))
    }
}

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeToken(..)")
    }
}

/// The SHA-256 of a token for a purpose, as base64url text. Compared in constant time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// Takes over a hash as it was stored.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store, and to look up by.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        crate::constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for TokenHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_from_its_text_and_hashes_alike() {
        let token = OneTimeToken::generate().unwrap();
        let text = token.to_text();
        assert_eq!(text.len(), 43);
        let again = OneTimeToken::parse(&text).unwrap();
        assert_eq!(again.hash("email.verify"), token.hash("email.verify"));
        assert_ne!(again.hash("email.verify"), token.hash("password.reset"));
        assert!(!token.hash("email.verify").as_str().contains(text.as_str()));
    }

    #[test]
    fn the_stored_hash_never_changes() {
        // A stored hash outlives a release: this text, computed by another implementation, pins the format.
        let token = OneTimeToken(Zeroizing::new([9; 32]));
        assert_eq!(token.hash("email.verify").as_str(), "wG3laeWoRzsk-H-3u-GPhDnoKzn5y4HU-RNp00md9T4");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "a", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43), &"é".repeat(21)] {
            assert!(OneTimeToken::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn two_tokens_differ_and_neither_shows_in_debug() {
        let (a, b) = (OneTimeToken::generate().unwrap(), OneTimeToken::generate().unwrap());
        assert_ne!(a.to_text(), b.to_text());
        assert_eq!(format!("{a:?}"), "OneTimeToken(..)");
    }
}
