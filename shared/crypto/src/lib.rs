//! Primitives that keep secrets secret: field encryption, key rings, blind indexes, MACs, one-time tokens,
//! signatures and the key service behind them.
//!
//! This crate knows bytes, keys and purposes. It must never know what a person, a session or a password
//! policy is, what HTTP or a table looks like, nor what time it is: times come in as arguments.
//!
//! There is one cryptographic back end, [`ring`]: the same one that serves TLS, so that there is one thing to
//! audit and to patch. Amazon's KMS stands behind the [`KeyService`] trait; no type of its SDK appears in a
//! signature except in [`kms::Kms::new`].
//!
//! | need | type |
//! |---|---|
//! | encrypt a field of a record | [`DataKey`], [`Aad`], [`Sealed`] |
//! | wrap a person's data key, pepper a password | [`KeyService`], [`kms::Kms`] |
//! | keep several versions of a key | [`KeyRing`] |
//! | find a record by a value kept secret | [`BlindIndex`] |
//! | derive or check a tag | [`MacKey`], [`KeyRing<MacKey>`] |
//! | hand out text that only we can have made | [`signed`] |
//! | hand out a secret once and store its hash | [`OneTimeToken`] |
//! | sign and verify ES256 | [`SigningKey`] |

mod blind;
mod encode;
mod error;
mod keyring;
pub mod kms;
mod mac;
#[cfg(any(test, feature = "memory-keys"))]
mod memory;
mod random;
mod sealed;
mod service;
pub mod signed;
mod signing;
mod token;

pub use blind::{BlindIndex, IndexTerm};
pub use encode::{decode_base64url, encode_base64url};
pub use error::Error;
pub use keyring::{KeyId, KeyRing, RingKey, RotationRule, RotationStep, VersionedKey};
pub use mac::{MacKey, Tag};
#[cfg(any(test, feature = "memory-keys"))]
pub use memory::MemoryKeys;
pub use random::{random_below, random_bytes};
pub use sealed::{Aad, DataKey, Sealed};
pub use service::{BoxFuture, KeyContext, KeyService, NewDataKey, WrappedKey};
pub use signing::{PublicKey, SigningKey, verify_es256};
pub use token::{OneTimeToken, TokenHash};

/// What `?` gives in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// SHA-256 of `bytes`.
///
/// For values of full entropy and for integrity only: a password or a code of a few digits needs
/// [`MacKey`] or a password hash.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}
