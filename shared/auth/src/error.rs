use crate::challenge::ChallengeFault;
use crate::password::PasswordFault;
use crate::role::RoleChangeFault;
use crate::token::TokenFault;
use crate::{EmailFault, UsernameFault};

/// Why something was refused. No variant carries a secret, a name or an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A primitive failed: no randomness, a damaged key, a key service that doesn't answer.
    #[error(transparent)]
    Crypto(#[from] screensort_crypto::Error),
    /// The text can't be a password at all (policy comes later).
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The text isn't an e-mail address that we can send to.
    #[error(transparent)]
    Email(#[from] EmailFault),
    /// The text can't be a user name.
    #[error(transparent)]
    Username(#[from] UsernameFault),
    /// A bearer token was refused.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// An answer to a proof-of-work challenge was refused.
    #[error(transparent)]
    Challenge(#[from] ChallengeFault),
    /// A change of roles, grants or state was refused.
    #[error(transparent)]
    RoleChange(#[from] RoleChangeFault),
    /// A stored or imported password hash isn't in a format that we know, or asks for more than we compute.
    #[error("malformed password hash")]
    MalformedHash,
    /// The configured Argon2 cost is under the floor or over the ceiling.
    #[error("the Argon2 cost is outside of its bounds: {0}")]
    CostOutOfBounds(&'static str),
    /// No role has this name.
    #[error("unknown role")]
    UnknownRole,
    /// No permission has this name.
    #[error("unknown permission")]
    UnknownPermission,
    /// The text isn't of the form it should have.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Another cryptography provider for tokens was installed in this process before ours.
    #[error("another token cryptography provider is installed in this process")]
    ForeignProvider,
}
