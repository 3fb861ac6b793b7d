use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use crate::{Error, Result, RingKey, encode_base64url};

/// A private key for ES256: ECDSA over P-256 with SHA-256 (FIPS 186-5, RFC 7518 section 3.4).
///
/// Kept as PKCS #8, which is also its form in the key ring, and wiped when dropped.
#[derive(Clone)]
pub struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl SigningKey {
    /// The PKCS #8 document (DER), for a library that signs with it.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`: 64 bytes, r then s.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        let random = SystemRandom::new();
        let signature = pair(&self.pkcs8)?.sign(&random, message).map_err(|_| Error::RandomUnavailable)?;
        signature.as_ref().try_into().map_err(|_| Error::Malformed("signature"))
    }
}

fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
        .map_err(|_| Error::Malformed("signing key"))
}

impl RingKey for SigningKey {
    fn generate() -> Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Error::RandomUnavailable)?;
        Self::from_bytes(document.as_ref())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let pair = pair(bytes)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| Error::Malformed("signing key"))?;
        Ok(Self { pkcs8: Zeroizing::new(bytes.to_vec()), public: PublicKey(public) })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A P-256 public key: an uncompressed point (SEC 1), 0x04 then x and y of 32 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// The 65 bytes.
    pub fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The x coordinate as a JSON Web Key writes it.
    pub fn x(&self) -> String {
        encode_base64url(&self.0[1..33])
    }

    /// The y coordinate as a JSON Web Key writes it.
    pub fn y(&self) -> String {
        encode_base64url(&self.0[33..])
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.x(), self.y())
    }
}

/// Checks an ES256 signature (64 bytes, r then s) of `message` under the uncompressed point `public`.
///
/// # Errors
///
/// [`Error::NotAuthentic`] for every cause: wrong key, wrong length, a point that isn't on the curve.
pub fn verify_es256(public: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
        .verify(message, signature)
        .map_err(|_| Error::NotAuthentic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode_base64url;

    #[test]
    fn the_example_of_rfc_7515_verifies() {
        // Appendix A.3.
        let mut public = vec![4];
        public.extend(decode_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap());
        public.extend(decode_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").unwrap());
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                       cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = decode_base64url(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        )
        .unwrap();
        verify_es256(&public, message.as_bytes(), &signature).unwrap();
        assert!(verify_es256(&public, b"another message", &signature).is_err());
        assert!(verify_es256(&public, message.as_bytes(), &[0; 64]).is_err());
        assert!(verify_es256(&public[1..], message.as_bytes(), &signature).is_err());
    }

    #[test]
    fn a_generated_key_signs_and_comes_back_from_its_bytes() {
        let key = SigningKey::generate().unwrap();
        let signature = key.sign(b"message").unwrap();
        verify_es256(key.public().as_bytes(), b"message", &signature).unwrap();
        let again = SigningKey::from_bytes(&key.to_bytes()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(SigningKey::from_bytes(&[0; 138]).is_err());
        assert!(
            verify_es256(SigningKey::generate().unwrap().public().as_bytes(), b"message", &signature)
                .is_err()
        );
    }
}
