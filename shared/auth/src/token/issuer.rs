use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use screensort_crypto::{KeyRing, SigningKey, encode_base64url, random_bytes};
use serde::Serialize;

use super::{AccessClaims, AccessGrant, Identity, Kind, LIFETIME, ServiceClaims, ServiceGrant, provider};
use crate::{Error, Result};

/// Signs tokens with the current key of the ring.
#[derive(Debug, Clone)]
pub struct Issuer {
    ring: KeyRing<SigningKey>,
    identity: Identity,
}

impl Issuer {
    /// Signs as `identity` with `ring`.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignProvider`].
    pub fn new(ring: KeyRing<SigningKey>, identity: Identity) -> Result<Self> {
        provider::install()?;
        Ok(Self { ring, identity })
    }

    /// An access token for a person's session, valid from `now` for [`LIFETIME`], and its claims.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn access(&self, grant: &AccessGrant<'_>, now: Timestamp) -> Result<(String, AccessClaims)> {
        let now = now.as_second();
        let claims = AccessClaims {
            iss: self.identity.issuer.clone(),
            aud: self.identity.audience.clone(),
            sub: grant.subject.to_owned(),
            sid: grant.session.to_owned(),
            iat: now,
            nbf: now,
            exp: now + LIFETIME.as_secs(),
            jti: token_id()?,
            scope: grant.scope.to_owned(),
            acr: grant.acr.to_owned(),
            amr: grant.amr.iter().map(|&means| means.to_owned()).collect(),
            auth_time: grant.authenticated_at.as_second(),
        };
        Ok((self.sign(Kind::Access, &claims)?, claims))
    }

    /// A token for a service client, valid from `now` for [`LIFETIME`], and its claims.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn service(&self, grant: &ServiceGrant<'_>, now: Timestamp) -> Result<(String, ServiceClaims)> {
        let now = now.as_second();
        let claims = ServiceClaims {
            iss: self.identity.issuer.clone(),
            aud: self.identity.audience.clone(),
            sub: grant.client.to_owned(),
            azp: grant.client.to_owned(),
            iat: now,
            nbf: now,
            exp: now + LIFETIME.as_secs(),
            jti: token_id()?,
            scope: grant.scope.to_owned(),
            calls_per_minute: grant.calls_per_minute,
            calls_per_day: grant.calls_per_day,
        };
        Ok((self.sign(Kind::Service, &claims)?, claims))
    }

    fn sign(&self, kind: Kind, claims: &impl Serialize) -> Result<String> {
        let current = self.ring.current();
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(kind.typ().to_owned());
        header.kid = Some(current.id.to_string());
        let key = EncodingKey::from_ec_der(current.key.pkcs8());
        jsonwebtoken::encode(&header, claims, &key).map_err(|_| Error::Malformed("claims"))
    }
}

/// 128 random bits: enough never to meet twice.
fn token_id() -> Result<String> {
    Ok(encode_base64url(random_bytes::<16>()?))
}
