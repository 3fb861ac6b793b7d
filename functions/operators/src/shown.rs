//! Operators and modes as answers show them.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_model::{Kind, Language, Listing, ModeEntry, OperatorId, Region, attribution};
use serde::Serialize;

/// A mode of an operator.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "OperatorMode")]
pub(crate) struct ModeShown {
    /// Its number in the table of modes, three digits.
    id: String,
    /// A word for it, which filters take too.
    code: &'static str,
    name: &'static str,
    description: &'static str,
}

impl ModeShown {
    pub(crate) fn of(entry: &'static ModeEntry) -> Self {
        Self { id: entry.id.to_string(), code: entry.code, name: entry.name, description: entry.description }
    }
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "OperatorListing")]
pub(crate) struct OperatorShown {
    id: OperatorId,
    /// `streaming` for who shows films, `transport` for who moves people.
    kind: Kind,
    name: String,
    description: String,
    homepage: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    default_language: Option<Language>,
    /// Empty where that is not known.
    regions: Vec<Region>,
    modes: Vec<ModeShown>,
    logo_url: Option<String>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Timestamp,
    /// Whom the data is owed to, where that must be said.
    attribution: Option<&'static str>,
}

impl OperatorShown {
    pub(crate) fn of(listing: &Listing) -> Self {
        Self {
            id: listing.id,
            kind: listing.kind,
            name: listing.name.clone(),
            description: listing.description.clone(),
            homepage: listing.homepage.clone(),
            email: listing.email.clone(),
            phone: listing.phone.clone(),
            default_language: listing.default_language,
            regions: listing.regions.clone(),
            modes: listing.modes.iter().map(|mode| ModeShown::of(mode.entry())).collect(),
            logo_url: listing.logo_path.as_ref().map(|path| format!("{}/w92{path}", attribution::IMAGES)),
            updated_at: listing.updated_at,
            attribution: (listing.kind == Kind::Streaming).then_some(attribution::JUSTWATCH),
        }
    }
}
