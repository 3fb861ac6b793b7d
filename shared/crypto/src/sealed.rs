use std::fmt;

use ring::aead::{self, AES_256_GCM, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Result, decode_base64url, encode, encode_base64url, random_bytes};

/// The first byte of a sealed field: AES-256-GCM, 96-bit random nonce in front, 128-bit tag at the end, the
/// associated data of [`Aad`].
const VERSION: u8 = 1;
/// Longest plaintext, 256 KiB: more than the table's largest item could hold after encoding.
const MAX_PLAINTEXT: usize = 256 * 1024;

/// Where a sealed field lives: the associated data that ties a ciphertext to its place.
///
/// A ciphertext that is copied to another person's record, another field or another table doesn't open
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aad<'a> {
    /// The table's logical name, such as `Auth`; not the deployed name, which differs between stages.
    pub table: &'a str,
    /// The record's key: partition key and, where there is one, sort key.
    pub key: &'a str,
    /// The attribute's name.
    pub field: &'a str,
}

impl Aad<'_> {
    fn bytes(&self) -> Vec<u8> {
        encode::join(&[
            b"screensort.field",
            &[VERSION],
            self.table.as_bytes(),
            self.key.as_bytes(),
            self.field.as_bytes(),
        ])
    }
}

/// A person's 256-bit data key, wiped from memory when dropped.
///
/// It exists in clear only inside a function that asked the [`KeyService`](crate::KeyService) for it. Random
/// nonces are safe for about 2^32 fields under one key (NIST SP 800-38D, section 8.3); a person has a few
/// dozen.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Takes over 32 bytes that the key service made.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes over the key in `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| Error::Malformed("data key"))
    }

    /// Encrypts `plaintext` for the place `aad`.
    ///
    /// The length of the plaintext stays visible.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] over 256 KiB, [`Error::RandomUnavailable`].
    pub fn seal(&self, aad: &Aad<'_>, plaintext: &[u8]) -> Result<Sealed> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(Error::TooLong(plaintext.len()));
        }
        let nonce: [u8; NONCE_LEN] = random_bytes()?;
        let mut out = Vec::with_capacity(1 + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let body = &mut out[1 + NONCE_LEN..];
        let tag = self
            .cipher()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(aad.bytes()),
                body,
            )
            .map_err(|_| Error::NotAuthentic)?;
        out.extend_from_slice(tag.as_ref());
        Ok(Sealed(out))
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthentic`] under another key, for another place, or when a bit has changed.
    pub fn open(&self, aad: &Aad<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.0[1..].split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::NotAuthentic)?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let length = self
            .cipher()
            .open_in_place(nonce, aead::Aad::from(aad.bytes()), &mut buffer)
            .map_err(|_| Error::NotAuthentic)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("AES-256-GCM takes every 32-byte key"))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// An encrypted field: version byte, nonce (12 bytes), ciphertext, tag (16 bytes).
///
/// Its text is base64url. Holding one says nothing about whether it opens.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes `bytes` as they come from the table.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when too short, too long or of an unknown version.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let overhead = 1 + NONCE_LEN + AES_256_GCM.tag_len();
        if bytes.first() != Some(&VERSION) || !(overhead..=overhead + MAX_PLAINTEXT).contains(&bytes.len()) {
            return Err(Error::Malformed("sealed field"));
        }
        Ok(Self(bytes))
    }

    /// Parses the text form.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn from_text(text: &str) -> Result<Self> {
        Self::from_bytes(decode_base64url(text)?)
    }

    /// The stored bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The stored bytes as base64url text.
    pub fn to_text(&self) -> String {
        encode_base64url(&self.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AAD: Aad<'_> = Aad { table: "Auth", key: "USER#01J", field: "email" };

    fn key() -> DataKey {
        DataKey::new([7; 32])
    }

    #[test]
    fn a_fields_ciphertext_opens_nowhere_else() {
        let sealed = key().seal(&AAD, b"ann@example.org").unwrap();
        assert_eq!(key().open(&AAD, &sealed).unwrap().as_slice(), b"ann@example.org");
        for other in [
            Aad { table: "Library", ..AAD },
            Aad { key: "USER#02K", ..AAD },
            Aad { field: "bio", ..AAD },
            Aad { key: "USER#01Je", field: "mail", ..AAD },
        ] {
            assert!(matches!(key().open(&other, &sealed), Err(Error::NotAuthentic)), "{other:?}");
        }
        assert!(matches!(DataKey::new([8; 32]).open(&AAD, &sealed), Err(Error::NotAuthentic)));
    }

    #[test]
    fn the_same_plaintext_never_seals_to_the_same_bytes() {
        assert_ne!(key().seal(&AAD, b"x").unwrap(), key().seal(&AAD, b"x").unwrap());
    }

    #[test]
    fn a_field_sealed_by_the_first_release_still_opens() {
        // Computed by another implementation from the format's description, with the nonce 1, 2, .. 12.
        let text = "AQECAwQFBgcICQoLDNASh-kE0L3m1cvCU4QjCIk-4or8xA";
        let opened = key().open(&AAD, &Sealed::from_text(text).unwrap()).unwrap();
        assert_eq!(opened.as_slice(), b"known");
    }

    #[test]
    fn the_cipher_agrees_with_the_published_test_vector() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14: zero key, zero nonce.
        let cipher = DataKey::new([0; 32]).cipher();
        let mut block = [0; 16];
        let tag = cipher
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key([0; 12]), aead::Aad::empty(), &mut block)
            .unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&block), "cea7403d4d606b6e074ec5d3baf39d18");
        assert_eq!(hex(tag.as_ref()), "d0d1c8a799996bf0265b98b5d48ab919");
    }

    #[test]
    fn a_foreign_format_is_refused_before_it_is_opened() {
        for bytes in [vec![], vec![1; 28], vec![2; 64], vec![1; MAX_PLAINTEXT + 30]] {
            assert!(Sealed::from_bytes(bytes).is_err());
        }
        assert!(matches!(key().seal(&AAD, &vec![0; MAX_PLAINTEXT + 1]), Err(Error::TooLong(_))));
        assert!(key().seal(&AAD, &vec![0; MAX_PLAINTEXT]).is_ok());
    }

    #[test]
    fn a_data_key_never_shows_itself() {
        assert_eq!(format!("{:?}", key()), "DataKey(..)");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again_and_no_changed_byte_passes(
            plaintext in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let sealed = key().seal(&AAD, &plaintext).unwrap();
            let again = Sealed::from_text(&sealed.to_text()).unwrap();
            let opened = key().open(&AAD, &again).unwrap();
            prop_assert_eq!(opened.as_slice(), plaintext.as_slice());

            let mut bytes = sealed.as_bytes().to_vec();
            let index = at.index(bytes.len());
            bytes[index] ^= flip;
            let opened = Sealed::from_bytes(bytes).and_then(|changed| key().open(&AAD, &changed));
            prop_assert!(opened.is_err());
        }
    }
}
