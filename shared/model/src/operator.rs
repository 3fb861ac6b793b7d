//! Operators: companies that show films (or, in the Open Transport directory, that move people).

use serde::{Deserialize, Serialize};

use crate::{Language, OperatorId, Region};

/// The way in which an operator gives access to a film.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By subscription.
    Stream,
    /// Without payment or advertisements.
    Free,
    /// Without payment, with advertisements.
    Ads,
    /// For a time, against payment.
    Rent,
    /// For good, against payment.
    Buy,
    /// On a big screen.
    Cinema,
}

impl Mode {
    /// All modes, in the order in which answers list them.
    pub const ALL: [Self; 6] = [Self::Stream, Self::Free, Self::Ads, Self::Rent, Self::Buy, Self::Cinema];

    /// The word used in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Free => "free",
            Self::Ads => "ads",
            Self::Rent => "rent",
            Self::Buy => "buy",
            Self::Cinema => "cinema",
        }
    }
}

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Shows films.
    Streaming,
    /// Moves people; from an Open Transport directory.
    Transport,
}

impl Kind {
    /// The word used in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Transport => "transport",
        }
    }
}

/// A company in the directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operator {
    /// Derived from the source's own id.
    pub id: OperatorId,
    /// What it does.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// A sentence about it; empty where nothing is known.
    #[serde(default)]
    pub description: String,
    /// Its page, `https` only.
    #[serde(default)]
    pub homepage: Option<String>,
    /// A contact address.
    #[serde(default)]
    pub email: Option<String>,
    /// A contact number.
    #[serde(default)]
    pub phone: Option<String>,
    /// The language it mostly speaks.
    #[serde(default)]
    pub default_language: Option<Language>,
    /// Where it works.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// How it gives access.
    #[serde(default)]
    pub modes: Vec<Mode>,
    /// TMDb's path of its logo.
    #[serde(default)]
    pub logo_path: Option<String>,
    /// When this record was last written.
    pub updated_at: jiff::Timestamp,
}
