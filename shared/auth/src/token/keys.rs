use std::collections::BTreeMap;

use screensort_crypto::{KeyId, KeyRing, SigningKey, decode_base64url};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A JSON Web Key Set (RFC 7517): what `/.well-known/jwks.json` serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys, the one that signs among them.
    pub keys: Vec<Jwk>,
}

/// A public key for ES256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Always `EC`.
    pub kty: String,
    /// Always `P-256`.
    pub crv: String,
    /// Always `ES256`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The key's name.
    pub kid: String,
    /// The x coordinate, base64url.
    pub x: String,
    /// The y coordinate, base64url.
    pub y: String,
}

impl Jwks {
    /// The public halves of every key in the ring: the one that signs, the next one, and those whose tokens
    /// still live.
    pub fn of(ring: &KeyRing<SigningKey>) -> Self {
        let jwk = |entry: &screensort_crypto::VersionedKey<SigningKey>| Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            alg: "ES256".to_owned(),
            usage: "sig".to_owned(),
            kid: entry.id.to_string(),
            x: entry.key.public().x(),
            y: entry.key.public().y(),
        };
        Self { keys: ring.iter().map(jwk).collect() }
    }
}

/// The public keys that a function needs to verify tokens. It needs no more: only the functions that sign
/// may read the ring.
#[derive(Debug, Clone)]
pub struct VerificationKeys(BTreeMap<KeyId, [u8; 65]>);

impl VerificationKeys {
    /// Takes the keys of a set that came from our own storage.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when the set is empty, has a name twice, or has a key that isn't ours in form.
    pub fn from_jwks(set: &Jwks) -> Result<Self> {
        const WHAT: Error = Error::Malformed("key set");
        let mut keys = BTreeMap::new();
        for jwk in &set.keys {
            let ours = jwk.kty == "EC" && jwk.crv == "P-256" && jwk.alg == "ES256" && jwk.usage == "sig";
            let (x, y) = (decode_base64url(&jwk.x)?, decode_base64url(&jwk.y)?);
            if !ours || x.len() != 32 || y.len() != 32 {
                return Err(WHAT);
            }
            let mut point = [4; 65];
            point[1..33].copy_from_slice(&x);
            point[33..].copy_from_slice(&y);
            if keys.insert(KeyId::new(jwk.kid.as_str())?, point).is_some() {
                return Err(WHAT);
            }
        }
        if keys.is_empty() { Err(WHAT) } else { Ok(Self(keys)) }
    }

    /// The public halves of a ring.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], which no ring causes.
    pub fn of(ring: &KeyRing<SigningKey>) -> Result<Self> {
        Self::from_jwks(&Jwks::of(ring))
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&[u8; 65]> {
        // A name that can't be a key's is never looked up, whatever it looks like.
        self.0.get(&KeyId::new(kid).ok()?)
    }
}
