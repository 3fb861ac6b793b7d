/// Why a cryptographic operation was refused. No variant carries key material, plaintext or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system gave no random bytes. Nothing may go on without them.
    #[error("the system's random source failed")]
    RandomUnavailable,
    /// The bytes are not in the format that this crate writes, or of an unknown version.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Decryption or a tag check failed: wrong key, wrong context, or changed bytes. Which one isn't said.
    #[error("authentication of the ciphertext or tag failed")]
    NotAuthentic,
    /// The text was authentic once but its time is over.
    #[error("the signed text has expired")]
    Expired,
    /// The ring holds no key of that name.
    #[error("unknown key version")]
    UnknownKey,
    /// A name for a key that breaks the rule of [`KeyId`](crate::KeyId).
    #[error("a key id has 1 to 32 characters of a-z, 0-9 and '-'")]
    BadKeyId,
    /// A ring without its current key, with a name twice, or a step that the rotation rule forbids.
    #[error("key ring: {0}")]
    BadRing(&'static str),
    /// The plaintext is longer than a sealed field may be.
    #[error("plaintext of {0} bytes is too long to seal")]
    TooLong(usize),
    /// The key service refused: the wrapped key is damaged, or belongs to another context or key.
    #[error("the key service refused to unwrap the key")]
    UnwrapRefused,
    /// The key service couldn't be reached or answered with an error; trying again may help.
    #[error("key service: {operation} failed")]
    KeyService {
        /// The operation that failed, such as `GenerateDataKey`.
        operation: &'static str,
        /// What the client library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
