use std::fmt::Write as _;

use screensort_crypto::{decode_base64url, encode_base64url, sha256};
use zeroize::Zeroizing;

use super::Password;
use crate::{Error, Result};

/// Highest bcrypt cost that is imported: 2^14 rounds, about a second. A higher one in an import file would
/// make every login of that person a denial of service.
const MAX_BCRYPT_COST: u32 = 14;
/// Longest salt of a salted SHA-256 hash, in bytes.
const MAX_SALT: usize = 64;

/// A password hash of another system, to be imported.
///
/// Such a hash isn't kept. It becomes the *input* of Argon2id (`argon2id(bcrypt(password))`), so a stolen
/// table never holds a weak hash, and the next login replaces the construction by a plain Argon2id hash.
#[derive(Clone)]
pub struct LegacyHash {
    pub(crate) recipe: Recipe,
    /// What the recipe gave for the password: the text that Argon2id wraps.
    pub(crate) digest: Zeroizing<String>,
}

/// Where the salt went when a salted SHA-256 hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaltPlace {
    /// `sha256(salt + password)`.
    Before,
    /// `sha256(password + salt)`.
    After,
}

/// How to get from a password to the wrapped text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipe {
    Bcrypt { cost: u32, salt: [u8; 16] },
    Sha256 { place: SaltPlace, salt: Vec<u8> },
}

impl LegacyHash {
    /// A bcrypt hash in its usual text form (`$2a$`, `$2b$` or `$2y$`), cost 4 to 14.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedHash`], also for `$2x$`, which marks hashes of a broken implementation.
    pub fn bcrypt(text: &str) -> Result<Self> {
        if text.starts_with("$2x$") {
            return Err(Error::MalformedHash);
        }
        let parts: bcrypt::HashParts = text.parse().map_err(|_| Error::MalformedHash)?;
        let (cost, salt) = (parts.get_cost(), parts.get_salt_raw());
        if !(4..=MAX_BCRYPT_COST).contains(&cost) {
            return Err(Error::MalformedHash);
        }
        let digest = Zeroizing::new(parts.format_for_version(bcrypt::Version::TwoB));
        Ok(Self { recipe: Recipe::Bcrypt { cost, salt }, digest })
    }

    /// A salted SHA-256 hash in hexadecimal, either case.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedHash`] unless `hex` has 64 hexadecimal digits and `salt` at most 64 bytes.
    pub fn salted_sha256(hex: &str, salt: &[u8], place: SaltPlace) -> Result<Self> {
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) || salt.len() > MAX_SALT {
            return Err(Error::MalformedHash);
        }
        let digest = Zeroizing::new(hex.to_ascii_lowercase());
        Ok(Self { recipe: Recipe::Sha256 { place, salt: salt.to_vec() }, digest })
    }
}

impl std::str::FromStr for LegacyHash {
    type Err = Error;

    /// A hash as an import file has it: bcrypt's text form, or `sha256-before$SALT$DIGEST` and
    /// `sha256-after$SALT$DIGEST` with salt and digest in hexadecimal.
    fn from_str(text: &str) -> Result<Self> {
        let place = match text.split_once('$') {
            Some(("sha256-before", _)) => SaltPlace::Before,
            Some(("sha256-after", _)) => SaltPlace::After,
            _ => return Self::bcrypt(text),
        };
        let mut parts = text.split('$').skip(1);
        let (Some(salt), Some(digest), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::MalformedHash);
        };
        if salt.len() % 2 != 0 || salt.len() > 2 * MAX_SALT || !salt.is_ascii() {
            return Err(Error::MalformedHash);
        }
        let bytes = (0..salt.len()).step_by(2).map(|at| u8::from_str_radix(&salt[at..at + 2], 16));
        let salt: Vec<u8> = bytes.collect::<std::result::Result<_, _>>().map_err(|_| Error::MalformedHash)?;
        Self::salted_sha256(digest, &salt, place)
    }
}

impl std::fmt::Debug for LegacyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LegacyHash").field("recipe", &self.recipe).finish_non_exhaustive()
    }
}

impl Recipe {
    /// What the other system would have stored for `password`.
    pub(crate) fn digest(&self, password: &Password) -> Result<Zeroizing<String>> {
        // The other system didn't normalise: it hashed what was typed.
        let typed = password.expose_typed().as_bytes();
        match self {
            // Cuts at 72 bytes as every bcrypt does; the wrapped hash was made that way.
            Self::Bcrypt { cost, salt } => bcrypt::hash_with_salt(typed, *cost, *salt)
                .map(|parts| Zeroizing::new(parts.format_for_version(bcrypt::Version::TwoB)))
                .map_err(|_| Error::MalformedHash),
            Self::Sha256 { place, salt } => {
                let (first, second) = match place {
                    SaltPlace::Before => (salt.as_slice(), typed),
                    SaltPlace::After => (typed, salt.as_slice()),
                };
                let mut message = Zeroizing::new(Vec::with_capacity(first.len() + second.len()));
                message.extend_from_slice(first);
                message.extend_from_slice(second);
                let mut hex = Zeroizing::new(String::with_capacity(64));
                for byte in sha256(&message) {
                    write!(hex, "{byte:02x}").map_err(|_| Error::MalformedHash)?;
                }
                Ok(hex)
            }
        }
    }

    /// The stored form: `bcrypt:12:<salt>`, `sha256-before:<salt>` or `sha256-after:<salt>`.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Bcrypt { cost, salt } => format!("bcrypt:{cost}:{}", encode_base64url(salt)),
            Self::Sha256 { place: SaltPlace::Before, salt } => {
                format!("sha256-before:{}", encode_base64url(salt))
            }
            Self::Sha256 { place: SaltPlace::After, salt } => {
                format!("sha256-after:{}", encode_base64url(salt))
            }
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (kind, rest) = text.split_once(':').ok_or(Error::MalformedHash)?;
        if kind == "bcrypt" {
            let (cost, salt) = rest.split_once(':').ok_or(Error::MalformedHash)?;
            let cost: u32 = cost.parse().map_err(|_| Error::MalformedHash)?;
            let salt = decode_base64url(salt)?.try_into().map_err(|_| Error::MalformedHash)?;
            let bounded = (4..=MAX_BCRYPT_COST).contains(&cost);
            return if bounded { Ok(Self::Bcrypt { cost, salt }) } else { Err(Error::MalformedHash) };
        }
        let place = match kind {
            "sha256-before" => SaltPlace::Before,
            "sha256-after" => SaltPlace::After,
            _ => return Err(Error::MalformedHash),
        };
        let salt = decode_base64url(rest)?;
        if salt.len() <= MAX_SALT { Ok(Self::Sha256 { place, salt }) } else { Err(Error::MalformedHash) }
    }
}
