use std::fmt;
use std::str::FromStr;

use argon2::PasswordHash;
use screensort_crypto::KeyId;

use super::hash::Cost;
use super::legacy::Recipe;
use crate::{Error, Result};

/// A password as it is stored: which pepper, which recipe before it (imported hashes only), and the PHC string
/// of Argon2id.
///
/// Text form: `pepper|recipe|$argon2id$v=19$m=…,t=…,p=…$salt$hash`, the recipe `-` for a password of our own.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    pub(crate) pepper: KeyId,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) phc: String,
    pub(crate) cost: Cost,
    pub(crate) salt: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

impl StoredPassword {
    pub(crate) fn new(pepper: KeyId, recipe: Option<Recipe>, phc: String) -> Result<Self> {
        if phc.len() > 256 {
            return Err(Error::MalformedHash);
        }
        let parsed = PasswordHash::new(&phc).map_err(|_| Error::MalformedHash)?;
        let params = argon2::Params::try_from(&parsed).map_err(|_| Error::MalformedHash)?;
        if parsed.algorithm.as_str() != "argon2id" || parsed.version != Some(0x13) {
            return Err(Error::MalformedHash);
        }
        let cost = Cost::stored(params.m_cost(), params.t_cost(), params.p_cost())?;
        let salt = parsed.salt.ok_or(Error::MalformedHash)?.to_vec();
        let hash = parsed.hash.ok_or(Error::MalformedHash)?;
        let hash = hash.as_ref().try_into().map_err(|_| Error::MalformedHash)?;
        Ok(Self { pepper, recipe, phc, cost, salt, hash })
    }

    /// The PHC string of Argon2id (its input is peppered, so no other program can verify it).
    pub fn phc(&self) -> &str {
        &self.phc
    }

    /// Whether an imported hash is wrapped inside.
    pub fn is_imported(&self) -> bool {
        self.recipe.is_some()
    }
}

impl fmt::Display for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipe = self.recipe.as_ref().map_or_else(|| "-".to_owned(), Recipe::to_text);
        write!(f, "{}|{recipe}|{}", self.pepper, self.phc)
    }
}

/// Hides salt and hash: a log is no place for them.
impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredPassword")
            .field("pepper", &self.pepper)
            .field("imported", &self.is_imported())
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

impl FromStr for StoredPassword {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut fields = text.splitn(3, '|');
        let (Some(pepper), Some(recipe), Some(phc)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(Error::MalformedHash);
        };
        let pepper = KeyId::new(pepper).map_err(|_| Error::MalformedHash)?;
        let recipe = if recipe == "-" { None } else { Some(Recipe::parse(recipe)?) };
        Self::new(pepper, recipe, phc.to_owned())
    }
}
