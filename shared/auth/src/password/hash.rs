use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use screensort_crypto::{KeyId, constant_time_eq, random_bytes, sha256};
use zeroize::Zeroizing;

use super::legacy::Recipe;
use super::{LegacyHash, Password, StoredPassword};
use crate::{Error, Result};

/// The cost of Argon2id (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The default: 64 MiB, 3 passes, 1 lane (the second recommendation of RFC 9106, on one lane because a
    /// function has one core).
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// The least that can be configured: 19 MiB, 2 passes, 1 lane (OWASP's minimum).
    pub const FLOOR: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// The cheapest that Argon2 computes, for tests.
    #[cfg(test)]
    pub(crate) const TEST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
    /// The most that is configured or computed for a stored hash: 1 GiB, 16 passes, 4 lanes.
    const CEILING: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 4 };

    /// A cost of `memory_kib` KiB, `passes` and `lanes`.
    ///
    /// # Errors
    ///
    /// [`Error::CostOutOfBounds`] under [`Cost::FLOOR`], or over 1 GiB, 16 passes, 4 lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self> {
        if memory_kib < Self::FLOOR.memory_kib {
            return Err(Error::CostOutOfBounds("at least 19 MiB of memory"));
        }
        if passes < Self::FLOOR.passes {
            return Err(Error::CostOutOfBounds("at least 2 passes"));
        }
        if lanes < 1 {
            return Err(Error::CostOutOfBounds("at least 1 lane"));
        }
        Self::stored(memory_kib, passes, lanes)
            .map_err(|_| Error::CostOutOfBounds("at most 1 GiB, 16 passes and 4 lanes"))
    }

    /// The cost that a stored hash names. Whatever the floor is today, an older hash must still verify; the
    /// ceiling keeps a tampered one from taking the function's whole memory.
    pub(crate) fn stored(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self> {
        let top = Self::CEILING;
        if memory_kib > top.memory_kib || passes > top.passes || lanes > top.lanes {
            return Err(Error::MalformedHash);
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    fn argon2(self) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Error::MalformedHash)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Makes and checks password hashes: Argon2id over a peppered pre-hash.
///
/// In three steps, because the middle one is a call to the key service and the last one takes about 125 ms of
/// processor time, which belongs on a thread of its own in a server:
///
/// 1. The *pre-hash*: SHA-256 over the password and the hash's own random salt. Because of the salt, equal
///    passwords give different pre-hashes, and the key service and its log see nothing that could be
///    searched for across people.
/// 2. The *pepper*: the key service's `GenerateMac` over the pre-hash. The service never sees the password;
///    the table alone, without the service, is worth nothing to a cracker.
/// 3. *Argon2id* over the tag, with the same salt.
///
/// ```
/// # use screensort_auth::password::{Cost, Hasher, Password, Verdict};
/// # use screensort_crypto::{KeyId, KeyService, MemoryKeys};
/// # async fn register(keys: &dyn KeyService) -> screensort_auth::Result<()> {
/// let hasher = Hasher::new(Cost::FLOOR, KeyId::new("p1")?);
/// let password = Password::parse("correct horse battery staple")?;
/// let pending = hasher.hash(&password)?;
/// let pepper = keys.generate_mac(pending.message()).await?;
/// let stored = pending.finish(&pepper)?;
///
/// let pending = hasher.verify(&password, &stored)?;
/// let pepper = keys.generate_mac(pending.message()).await?;
/// assert_eq!(pending.finish(&pepper)?, Verdict::Right { needs_rehash: false });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Hasher {
    cost: Cost,
    pepper: KeyId,
}

impl Hasher {
    /// Hashes at `cost`; `pepper` names the key service's MAC key, so that a hash says which one it needs.
    pub fn new(cost: Cost, pepper: KeyId) -> Self {
        Self { cost, pepper }
    }

    /// Begins to hash a new password.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn hash(&self, password: &Password) -> Result<PendingHash> {
        self.pending(password.expose(), None)
    }

    /// Begins to wrap the hash of another system. The password isn't needed.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn import(&self, legacy: &LegacyHash) -> Result<PendingHash> {
        self.pending(&legacy.digest, Some(legacy.recipe.clone()))
    }

    fn pending(&self, input: &str, recipe: Option<Recipe>) -> Result<PendingHash> {
        let salt: [u8; 16] = random_bytes()?;
        let message = prehash(input, &salt);
        Ok(PendingHash { cost: self.cost, pepper: self.pepper.clone(), recipe, salt, message })
    }

    /// Begins to check `password` against what is stored.
    ///
    /// For an imported hash this computes the other system's hash first, which takes its own time (bcrypt of
    /// cost 12: about 200 ms), until the first login upgrades it.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedHash`].
    pub fn verify(&self, password: &Password, stored: &StoredPassword) -> Result<PendingVerify> {
        let message = match &stored.recipe {
            None => prehash(password.expose(), &stored.salt),
            Some(recipe) => prehash(&recipe.digest(password)?, &stored.salt),
        };
        let outdated = stored.recipe.is_some() || stored.cost != self.cost || stored.pepper != self.pepper;
        Ok(PendingVerify {
            cost: stored.cost,
            salt: stored.salt.clone(),
            expected: Some(stored.hash),
            outdated,
            pepper: stored.pepper.clone(),
            message,
        })
    }

    /// Begins a check that can't succeed, for an account that doesn't exist: the same call to the key service
    /// and the same Argon2id, so that the time says nothing.
    ///
    /// # Errors
    ///
    /// [`screensort_crypto::Error::RandomUnavailable`].
    pub fn verify_unknown(&self, password: &Password) -> Result<PendingVerify> {
        let salt: [u8; 16] = random_bytes()?;
        Ok(PendingVerify {
            cost: self.cost,
            message: prehash(password.expose(), &salt),
            salt: salt.to_vec(),
            expected: None,
            outdated: false,
            pepper: self.pepper.clone(),
        })
    }
}

/// A hash that waits for its pepper.
pub struct PendingHash {
    cost: Cost,
    pepper: KeyId,
    recipe: Option<Recipe>,
    salt: [u8; 16],
    message: Zeroizing<[u8; 32]>,
}

impl PendingHash {
    /// What goes to [`KeyService::generate_mac`](screensort_crypto::KeyService::generate_mac).
    pub fn message(&self) -> &[u8] {
        self.message.as_slice()
    }

    /// Finishes with the pepper's tag. Takes the whole time of Argon2id: call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedHash`] when Argon2 refuses its parameters, which [`Cost`] rules out.
    pub fn finish(self, pepper_tag: &[u8; 32]) -> Result<StoredPassword> {
        let phc = self
            .cost
            .argon2()?
            .hash_password_with_salt(pepper_tag, &self.salt)
            .map_err(|_| Error::MalformedHash)?
            .to_string();
        StoredPassword::new(self.pepper, self.recipe, phc)
    }
}

/// A check that waits for its pepper.
pub struct PendingVerify {
    cost: Cost,
    salt: Vec<u8>,
    /// `None` for an account that doesn't exist.
    expected: Option<[u8; 32]>,
    outdated: bool,
    pepper: KeyId,
    message: Zeroizing<[u8; 32]>,
}

impl PendingVerify {
    /// What goes to [`KeyService::generate_mac`](screensort_crypto::KeyService::generate_mac).
    pub fn message(&self) -> &[u8] {
        self.message.as_slice()
    }

    /// The pepper that the stored hash was made with.
    pub fn pepper(&self) -> &KeyId {
        &self.pepper
    }

    /// Finishes with the pepper's tag. Takes the whole time of Argon2id: call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedHash`] when Argon2 refuses the stored salt.
    pub fn finish(self, pepper_tag: &[u8; 32]) -> Result<Verdict> {
        let mut computed = Zeroizing::new([0; 32]);
        self.cost
            .argon2()?
            .hash_password_into(pepper_tag, &self.salt, computed.as_mut_slice())
            .map_err(|_| Error::MalformedHash)?;
        let same = constant_time_eq(computed.as_slice(), &self.expected.unwrap_or_default());
        if same && self.expected.is_some() {
            Ok(Verdict::Right { needs_rehash: self.outdated })
        } else {
            Ok(Verdict::Wrong)
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another password, or no such account.
    Wrong,
    /// The password.
    Right {
        /// Whether the stored hash was imported, or has another cost or pepper than is configured: hash the
        /// password anew while it is at hand.
        needs_rehash: bool,
    },
}

/// SHA-256 over a label, the salt and the input; the salt's length makes the split unambiguous.
fn prehash(input: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    const LABEL: &[u8] = b"screensort.password.1";
    let mut message = Zeroizing::new(Vec::with_capacity(LABEL.len() + 8 + salt.len() + input.len()));
    message.extend_from_slice(LABEL);
    message.extend_from_slice(&(salt.len() as u64).to_be_bytes());
    message.extend_from_slice(salt);
    message.extend_from_slice(input.as_bytes());
    Zeroizing::new(sha256(&message))
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
