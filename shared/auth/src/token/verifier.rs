use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::de::DeserializeOwned;

use super::claims::Timed;
use super::{AccessClaims, Identity, Kind, LIFETIME, ServiceClaims, TokenFault, VerificationKeys, provider};
use crate::{Error, Result};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// How far two clocks may differ: 0 to 60 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leeway(i64);

impl Leeway {
    /// `seconds` from 0 to 60; more is taken as 60, less as 0.
    pub fn seconds(seconds: i64) -> Self {
        Self(seconds.clamp(0, 60))
    }
}

impl Default for Leeway {
    /// Five seconds: Lambda's clocks are kept by the same host that signs.
    fn default() -> Self {
        Self(5)
    }
}

/// Verifies tokens.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: VerificationKeys,
    validation: Validation,
    leeway: Leeway,
}

impl Verifier {
    /// Accepts tokens of `identity` under `keys`.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignProvider`].
    pub fn new(keys: VerificationKeys, identity: &Identity, leeway: Leeway) -> Result<Self> {
        provider::install()?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&identity.issuer]);
        validation.set_audience(&[&identity.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The library would ask the system's clock; `check_time` takes the caller's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self { keys, validation, leeway })
    }

    /// The claims of a person's access token.
    ///
    /// # Errors
    ///
    /// [`TokenFault`].
    pub fn access(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        self.verify(Kind::Access, token, now).map_err(Error::Token)
    }

    /// The claims of a service client's token.
    ///
    /// # Errors
    ///
    /// [`TokenFault`].
    pub fn service(&self, token: &str, now: Timestamp) -> Result<ServiceClaims> {
        let claims: ServiceClaims = self.verify(Kind::Service, token, now)?;
        // We issue no token for one client at the request of another.
        if claims.azp == claims.sub { Ok(claims) } else { Err(TokenFault::Malformed.into()) }
    }

    /// How long after its end a token is still accepted.
    pub fn leeway(&self) -> SignedDuration {
        SignedDuration::from_secs(self.leeway.0)
    }

    fn verify<C>(&self, kind: Kind, token: &str, now: Timestamp) -> Result<C, TokenFault>
    where
        C: DeserializeOwned + Timed,
    {
        if token.len() > MAX_TOKEN || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Err(TokenFault::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| header_fault(token))?;
        check_header(&header, kind)?;
        let public = header.kid.as_deref().and_then(|kid| self.keys.get(kid)).ok_or(TokenFault::Key)?;
        let key = DecodingKey::from_ec_der(public);
        let claims = jsonwebtoken::decode::<C>(token, &key, &self.validation).map_err(|e| fault(&e))?.claims;
        self.check_time(&claims, now)?;
        Ok(claims)
    }

    fn check_time(&self, claims: &impl Timed, now: Timestamp) -> Result<(), TokenFault> {
        let (now, leeway) = (now.as_second(), self.leeway.0);
        if claims.expires().saturating_sub(claims.issued()) > LIFETIME.as_secs() {
            return Err(TokenFault::Lifetime);
        }
        if claims.expires().saturating_add(leeway) <= now {
            return Err(TokenFault::Expired);
        }
        if claims.not_before().max(claims.issued()) > now.saturating_add(leeway) {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }
}

/// The header is exactly what we write: `alg`, `typ`, `kid`. Whatever would bring, point to or change a key is
/// refused rather than ignored, since only an attacker sends it.
fn check_header(header: &Header, kind: Kind) -> Result<(), TokenFault> {
    if header.alg != Algorithm::ES256 {
        return Err(TokenFault::Algorithm);
    }
    if header.typ.as_deref() != Some(kind.typ()) {
        return Err(TokenFault::Type);
    }
    let plain = Header { typ: header.typ.clone(), kid: header.kid.clone(), ..Header::new(Algorithm::ES256) };
    if *header == plain { Ok(()) } else { Err(TokenFault::Header) }
}

/// The library doesn't say which header field it couldn't read. An `alg` that it doesn't know is told apart
/// for the log, because `none` is an attack and not a mistake.
fn header_fault(token: &str) -> TokenFault {
    let head = token.split('.').next().unwrap_or_default();
    let json = screensort_crypto::decode_base64url(head).unwrap_or_default();
    let known = |alg: &str| alg.parse::<Algorithm>().is_ok();
    match serde_json::from_slice::<serde_json::Value>(&json) {
        Ok(header) if header["alg"].as_str().is_some_and(|alg| !known(alg)) => TokenFault::Algorithm,
        Ok(header) if ["jwk", "jku", "x5u", "x5c", "crit"].iter().any(|name| !header[name].is_null()) => {
            TokenFault::Header
        }
        _ => TokenFault::Malformed,
    }
}

fn fault(error: &JwtError) -> TokenFault {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenFault::Signature,
        ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
        ErrorKind::InvalidIssuer => TokenFault::Issuer,
        ErrorKind::InvalidAudience => TokenFault::Audience,
        _ => TokenFault::Malformed,
    }
}
