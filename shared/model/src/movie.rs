//! Films as the product keeps them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{GenreId, KeywordId, Language, Mode, MovieId, OperatorId, PersonId, Region};

/// A film with everything the product knows of it. One record in the catalogue table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Movie {
    /// TMDb's id, or a local one.
    pub id: MovieId,
    /// The title in English, or the original one where there is none.
    pub title: String,
    /// The title in the language it was made in.
    pub original_title: String,
    /// The language it was made in.
    pub original_language: Language,
    /// First release; unknown for films announced only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<Date>,
    /// In the source's order.
    #[serde(default)]
    pub genres: Vec<GenreId>,
    /// Minutes; never zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<u16>,
    /// Mean of TMDb's votes, 0 to 10.
    #[serde(default)]
    pub vote_average: f32,
    /// Number of TMDb's votes.
    #[serde(default)]
    pub vote_count: u32,
    /// TMDb's popularity: a score without a unit, higher is more looked at.
    #[serde(default)]
    pub popularity: f32,
    /// What it is about; empty where unknown.
    #[serde(default)]
    pub overview: String,
    /// Its advertising line; empty where unknown.
    #[serde(default)]
    pub tagline: String,
    /// TMDb's path of the poster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster_path: Option<String>,
    /// TMDb's path of the backdrop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backdrop_path: Option<String>,
    /// IMDb's id, `tt` and seven to nine digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imdb_id: Option<String>,
    /// What it deals with.
    #[serde(default)]
    pub keywords: Vec<Keyword>,
    /// At most fifteen, in billing order.
    #[serde(default)]
    pub cast: Vec<Cast>,
    /// Who directed it.
    #[serde(default)]
    pub directors: Vec<PersonName>,
    /// Who wrote it.
    #[serde(default)]
    pub writers: Vec<PersonName>,
    /// On YouTube.
    #[serde(default)]
    pub trailers: Vec<Trailer>,
    /// Age ratings, by region.
    #[serde(default)]
    pub certifications: BTreeMap<Region, String>,
    /// Who shows it where, and how.
    #[serde(default)]
    pub offers: BTreeMap<Region, BTreeMap<Mode, Vec<OperatorId>>>,
    /// Other titles that people may search for; at most twenty.
    #[serde(default)]
    pub alternative_titles: Vec<String>,
    /// When these facts were read from their source.
    pub synced_at: Timestamp,
}

impl Movie {
    /// The year of first release.
    pub fn year(&self) -> Option<i16> {
        self.release_date.map(Date::year)
    }

    /// The operators that show the film in `region`, by mode; empty where nobody does.
    pub fn offers_in(&self, region: Region) -> impl Iterator<Item = (Mode, &[OperatorId])> {
        self.offers.get(&region).into_iter().flatten().map(|(mode, ids)| (*mode, ids.as_slice()))
    }
}

/// A keyword of TMDb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Keyword {
    /// TMDb's id.
    pub id: KeywordId,
    /// The word or phrase.
    pub name: String,
}

/// A person, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PersonName {
    /// TMDb's id, or a local one.
    pub id: PersonId,
    /// As credited.
    pub name: String,
}

/// A part in a film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cast {
    /// TMDb's id, or a local one.
    pub id: PersonId,
    /// The actor's name.
    pub name: String,
    /// Whom they play; empty where unknown.
    #[serde(default)]
    pub character: String,
}

/// A trailer on YouTube.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trailer {
    /// YouTube's key.
    pub key: String,
    /// Its title.
    pub name: String,
}
