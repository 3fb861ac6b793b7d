use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::{DataKey, Error, Result, decode_base64url, encode_base64url};

/// A boxed future, so that [`KeyService`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What holds the keys that never leave their hardware: KMS, or memory in unit tests.
pub trait KeyService: Send + Sync + fmt::Debug {
    /// Makes a new data key: once in clear for use now, once wrapped for storage.
    ///
    /// # Errors
    ///
    /// [`Error::KeyService`].
    fn generate_data_key<'a>(&'a self, context: &'a KeyContext) -> BoxFuture<'a, Result<NewDataKey>>;

    /// Unwraps a stored data key. `context` must be the one it was made with.
    ///
    /// # Errors
    ///
    /// [`Error::UnwrapRefused`] for a damaged key or another context, [`Error::KeyService`] otherwise.
    fn decrypt<'a>(
        &'a self,
        wrapped: &'a WrappedKey,
        context: &'a KeyContext,
    ) -> BoxFuture<'a, Result<DataKey>>;

    /// HMAC-SHA-256 of `message` (at most 4096 bytes) under the service's MAC key: the password pepper.
    ///
    /// # Errors
    ///
    /// [`Error::KeyService`].
    fn generate_mac<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<[u8; 32]>>;
}

/// The encryption context of a data key: what it is for and whose it is.
///
/// KMS authenticates it, writes it to its log in clear and lets key policies test it
/// (`kms:EncryptionContext:purpose`). So it holds ids only, never anything personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyContext {
    purpose: String,
    owner: String,
}

impl KeyContext {
    /// The context of `owner`'s key for `purpose`, such as `person` and an account id.
    pub fn new(purpose: impl Into<String>, owner: impl Into<String>) -> Self {
        Self { purpose: purpose.into(), owner: owner.into() }
    }

    /// The pairs that go to the service.
    pub fn pairs(&self) -> BTreeMap<&'static str, &str> {
        BTreeMap::from([("owner", self.owner.as_str()), ("purpose", self.purpose.as_str())])
    }
}

/// A new data key in both forms.
#[derive(Debug)]
pub struct NewDataKey {
    /// In clear: use it, then drop it.
    pub key: DataKey,
    /// Wrapped: store it. Deleting it makes everything under the key unreadable.
    pub wrapped: WrappedKey,
}

/// A data key encrypted by the key service; safe to store, useless without the service.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(Vec<u8>);

impl WrappedKey {
    /// Takes over stored bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when empty or over 6144 bytes, the most that KMS decrypts.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        if (1..=6144).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(Error::Malformed("wrapped key")) }
    }

    /// Parses the text form.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn from_text(text: &str) -> Result<Self> {
        Self::from_bytes(decode_base64url(text)?)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as base64url text.
    pub fn to_text(&self) -> String {
        encode_base64url(&self.0)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.0.len())
    }
}
