//! Authenticated encryption of everything the stand-ins for KMS, Secrets Manager and S3 put on disk.
//!
//! The point is twofold: nothing personal lies on disk in clear, and a damaged file is noticed instead of
//! being taken for a different key or secret. It does not protect against somebody who can read the root key,
//! which lies beside the data.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

use crate::Error;

/// Marks a sealed value and its format.
const MAGIC: &[u8; 8] = b"SSSEAL\x00\x01";

/// The secret of a data directory, from which all its other keys are derived.
pub(crate) struct RootKey([u8; 32]);

/// The credentials that requests to the stand-ins are signed with.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// Access key id.
    pub(crate) access_key: String,
    /// Secret access key.
    pub(crate) secret_key: String,
}

/// Seals and opens values.
pub(crate) struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

/// Why a value could not be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// Too short, or without the mark.
    NotSealed,
    /// Changed since it was sealed, sealed with another key, or moved from another place.
    NotAuthentic,
}

impl OpenError {
    /// Says what is wrong, to a person.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NotSealed => "it is not a sealed file, or it was cut short",
            Self::NotAuthentic => "it was changed, or it belongs to another root key",
        }
    }
}

impl RootKey {
    /// Makes a new one.
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Randomness)?;
        Ok(Self(bytes))
    }

    /// Reads what [`Self::to_text`] wrote: the key and a checksum, each in hexadecimal.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (key, sum) = text.trim_end().split_once(' ')?;
        let bytes: [u8; 32] = unhex(key)?.try_into().ok()?;
        (checksum(&bytes) == sum).then_some(Self(bytes))
    }

    /// Writes the key with a checksum, so that a damaged one is told from a wrong one.
    pub(crate) fn to_text(&self) -> String {
        format!("{} {}\n", hex(&self.0), checksum(&self.0))
    }

    /// The sealer of this directory.
    pub(crate) fn sealer(&self) -> Sealer {
        let key = UnboundKey::new(&AES_256_GCM, &self.derive("seal"))
            .expect("an HMAC-SHA256 tag is as long as an AES-256 key");
        Sealer { key: LessSafeKey::new(key), random: SystemRandom::new() }
    }

    /// The credentials of this directory: the same at every start, different from every other directory's.
    pub(crate) fn credentials(&self) -> Credentials {
        let id = hex(&self.derive("access key id"));
        Credentials {
            access_key: format!("LOCAL{}", id[..15].to_ascii_uppercase()),
            secret_key: hex(&self.derive("secret access key")),
        }
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, purpose.as_bytes());
        tag.as_ref().try_into().expect("an HMAC-SHA256 tag has 32 bytes")
    }
}

impl Sealer {
    /// Seals `value`; `place` (a file name, a path) is authenticated, so that values cannot be swapped.
    pub(crate) fn seal(&self, place: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Error::Randomness)?;
        let head = MAGIC.len() + NONCE_LEN;
        let mut sealed = Vec::with_capacity(head + value.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut sealed[head..],
            )
            .map_err(|_| Error::Randomness)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same `place`.
    pub(crate) fn open(&self, place: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>, OpenError> {
        let head = MAGIC.len() + NONCE_LEN;
        if sealed.len() < head || &sealed[..MAGIC.len()] != MAGIC {
            return Err(OpenError::NotSealed);
        }
        let nonce =
            Nonce::try_assume_unique_for_key(&sealed[MAGIC.len()..head]).map_err(|_| OpenError::NotSealed)?;
        let length = self
            .key
            .open_within(nonce, Aad::from(place), &mut sealed, head..)
            .map_err(|_| OpenError::NotAuthentic)?
            .len();
        sealed.truncate(length);
        Ok(sealed)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads hexadecimal of either case.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks_exact(2).map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok()).collect()
}

fn checksum(bytes: &[u8]) -> String {
    hex(&digest::digest(&digest::SHA256, bytes).as_ref()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let sealer = RootKey::generate().unwrap().sealer();
        let sealed = sealer.seal("here", b"value").unwrap();
        assert_eq!(sealer.open("here", sealed.clone()).unwrap(), b"value");
        assert_eq!(sealer.open("there", sealed), Err(OpenError::NotAuthentic));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealer = RootKey::generate().unwrap().sealer();
        let sealed = sealer.seal("here", b"value").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer.open("here", changed).is_err());
            assert!(sealer.open("here", sealed[..index].to_vec()).is_err());
        }
    }

    #[test]
    fn a_root_key_is_read_back_and_a_damaged_one_refused() {
        let key = RootKey::generate().unwrap();
        let text = key.to_text();
        assert_eq!(RootKey::from_text(&text).unwrap().0, key.0);
        let flipped = if text.starts_with('0') { '1' } else { '0' };
        assert!(RootKey::from_text(&format!("{flipped}{}", &text[1..])).is_none());
        assert!(RootKey::from_text(&text[..40]).is_none());
        assert!(RootKey::from_text("").is_none());
    }

    #[test]
    fn hexadecimal_is_read_strictly() {
        assert_eq!(unhex("00fFa1"), Some(vec![0x00, 0xff, 0xa1]));
        assert_eq!(unhex("+1"), None);
        assert_eq!(unhex("1"), None);
    }
}
