//! Two-letter codes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Refused;

macro_rules! two_letters {
    ($(#[$doc:meta])* $name:ident, $is:ident, $why:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 2]);

        impl $name {
            /// The two letters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }

            /// The two letters as bytes.
            pub fn bytes(self) -> [u8; 2] {
                self.0
            }

            /// From two letters, checked.
            pub fn from_bytes(bytes: [u8; 2]) -> Result<Self, Refused> {
                if bytes.iter().all(u8::$is) { Ok(Self(bytes)) } else { Err(Refused($why)) }
            }
        }

        impl FromStr for $name {
            type Err = Refused;

            fn from_str(text: &str) -> Result<Self, Refused> {
                <[u8; 2]>::try_from(text.as_bytes()).map_err(|_| Refused($why)).and_then(Self::from_bytes)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refused;

            fn try_from(text: String) -> Result<Self, Refused> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
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
                schemars::json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    };
}

two_letters!(
    /// A language: an ISO 639-1 code in lower case (TMDb's `xx` and `cn` are of that form too).
    Language,
    is_ascii_lowercase,
    "a language is an ISO 639-1 code of two lower-case letters, such as en",
    "^[a-z]{2}$"
);
two_letters!(
    /// A region: an ISO 3166-1 alpha-2 code in upper case.
    Region,
    is_ascii_uppercase,
    "a region is an ISO 3166-1 code of two capital letters, such as US",
    "^[A-Z]{2}$"
);
