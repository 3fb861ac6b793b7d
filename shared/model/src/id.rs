//! Identifiers. Films, genres, keywords and people keep TMDb's integer ids; the rest are ULIDs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Refused;

/// The smallest id of what was added by hand (or by the sample catalogue) and TMDb knows nothing of.
pub const FIRST_LOCAL_ID: u32 = 2_000_000_000;

/// The largest integer id that any part of the product accepts: a positive `i32`, as TMDb's are.
pub const LAST_ID: u32 = i32::MAX as u32;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// The id of that number, if it is 1 to 2,147,483,647.
            pub const fn new(value: u32) -> Option<Self> {
                if value >= 1 && value <= LAST_ID { Some(Self(value)) } else { None }
            }

            /// The id as a number, 1 to 2,147,483,647.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $name {
            type Error = Refused;

            fn try_from(value: u32) -> Result<Self, Refused> {
                Self::new(value).ok_or(Refused(concat!($what, " is a whole number from 1 to 2147483647")))
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> u32 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = Refused;

            /// Plain decimal digits only: no sign, no leading zero, no blank.
            fn from_str(text: &str) -> Result<Self, Refused> {
                let refused = Refused(concat!($what, " is a whole number from 1 to 2147483647"));
                let plain = !text.is_empty()
                    && text.len() <= 10
                    && text.bytes().all(|b| b.is_ascii_digit())
                    && !text.starts_with('0');
                let value = if plain { text.parse::<u32>().ok() } else { None };
                value.and_then(|v| Self::try_from(v).ok()).ok_or(refused)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "integer", "minimum": 1, "maximum": LAST_ID})
            }
        }
    };
}

integer_id!(
    /// A film: TMDb's id, or one from [`FIRST_LOCAL_ID`] up for a film added by hand.
    MovieId,
    "a film's id"
);
integer_id!(
    /// A genre: TMDb's id.
    GenreId,
    "a genre's id"
);
integer_id!(
    /// A keyword: TMDb's id.
    KeywordId,
    "a keyword's id"
);
integer_id!(
    /// A person who made films: TMDb's id, or one from [`FIRST_LOCAL_ID`] up where TMDb's is not known.
    PersonId,
    "a person's id"
);

/// An operator: a ULID derived from its kind and its source's own id, so that loading it twice makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorId(ulid::Ulid);

impl OperatorId {
    /// The id of the operator that `source` (say `tmdb` or `open-transport`) calls `key`.
    pub fn derived(source: &str, key: &str) -> Self {
        let digest =
            ring::digest::digest(&ring::digest::SHA256, format!("operator\0{source}\0{key}").as_bytes());
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        // A ULID's first 48 bits are a time: zero ones keep derived ids apart from those made by the clock.
        bytes[..6].fill(0);
        Self(ulid::Ulid::from_bytes(bytes))
    }
}

impl FromStr for OperatorId {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        ulid::Ulid::from_string(text)
            .ok()
            .filter(|id| id.to_string() == text)
            .map(Self)
            .ok_or(Refused("an operator's id is a ULID of 26 characters"))
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl schemars::JsonSchema for OperatorId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OperatorId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_decimal_numbers() {
        assert_eq!("550".parse::<MovieId>().map(MovieId::get), Ok(550));
        for bad in
            ["", "0", "-1", "+5", "05", " 5", "5 ", "5.0", "1e3", "2147483648", "99999999999", "٣", "0x10"]
        {
            assert!(bad.parse::<MovieId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_operator_keeps_its_id_over_loads_and_shares_it_with_nobody() {
        let one = OperatorId::derived("tmdb", "8");
        assert_eq!(one, OperatorId::derived("tmdb", "8"));
        assert_ne!(one, OperatorId::derived("tmdb", "9"));
        assert_ne!(one, OperatorId::derived("open-transport", "8"));
        assert_eq!(one.to_string().parse::<OperatorId>(), Ok(one));
        assert!("0000000000".parse::<OperatorId>().is_err());
        assert!(one.to_string().to_lowercase().parse::<OperatorId>().is_err());
    }
}
