//! Bearer tokens: JSON Web Tokens (RFC 7519, profile RFC 9068) signed with ES256.
//!
//! Two kinds, which never pass for each other because `typ` is checked before anything else: access tokens of
//! people (`at+jwt`) and tokens of service clients (`service+jwt`). Both live five minutes, and every request
//! also looks at the session or the client, so a token is never the last word.
//!
//! The library is `jsonwebtoken` on `ring` (module `provider`); algorithm, type, issuer and audience are pinned
//! here, and no header may bring a key. Time is checked here too, because the library reads the system's clock.

mod claims;
mod issuer;
mod keys;
pub(crate) mod provider;
mod verifier;

use jiff::SignedDuration;
use screensort_crypto::RotationRule;

pub use claims::{AccessClaims, AccessGrant, ServiceClaims, ServiceGrant};
pub use issuer::Issuer;
pub use keys::{Jwk, Jwks, VerificationKeys};
pub use verifier::{Leeway, Verifier};

/// How long both kinds of tokens live.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How the signing ring turns: a key signs for 90 days; it is in the key set a day before its first
/// signature, longer than anybody may cache the set; and it stays there for a day after its last one.
pub const ROTATION: RotationRule = RotationRule {
    rotate_every: SignedDuration::from_hours(90 * 24),
    publish_before: SignedDuration::from_hours(24),
    keep_after: Some(SignedDuration::from_hours(24)),
};

/// Who we are to those who read our tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `iss`: the service's base URL.
    pub issuer: String,
    /// `aud`: the API that the token is for.
    pub audience: String,
}

/// The two kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Service,
}

impl Kind {
    pub(crate) const fn typ(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Service => "service+jwt",
        }
    }
}

/// Why a token was refused. The caller answers 401 `invalid_token` to all of them; the difference is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Not three parts of base64url JSON of the expected shape, or too long.
    #[error("malformed token")]
    Malformed,
    /// Another algorithm than ES256, `none` included.
    #[error("wrong token algorithm")]
    Algorithm,
    /// Another kind of token.
    #[error("wrong token type")]
    Type,
    /// A header that would bring or point to a key (`jwk`, `jku`, `x5u`, `x5c`, …), or that we never write.
    #[error("forbidden token header")]
    Header,
    /// No key of that name, or a name that can't be one.
    #[error("unknown token key")]
    Key,
    /// The signature doesn't fit.
    #[error("wrong token signature")]
    Signature,
    /// Another issuer.
    #[error("wrong token issuer")]
    Issuer,
    /// For another audience.
    #[error("wrong token audience")]
    Audience,
    /// Its time is over.
    #[error("expired token")]
    Expired,
    /// Its time hasn't come.
    #[error("token not yet valid")]
    NotYetValid,
    /// It lives longer than we ever let one live.
    #[error("token lives too long")]
    Lifetime,
}
