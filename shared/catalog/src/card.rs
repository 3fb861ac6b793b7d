//! The forms in which a film appears in lists.

use jiff::civil::Date;
use schemars::JsonSchema;
use screensort_model::reference::Genre;
use screensort_model::{Language, MovieId, Region, attribution};
use serde::Serialize;

use crate::FilmRef;

/// A film in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MovieCard {
    /// TMDb's id, or from 2,000,000,000 up where TMDb does not know the film.
    pub id: MovieId,
    /// The title in English, or the original one.
    pub title: String,
    /// The title in the language it was made in.
    pub original_title: String,
    /// The language it was made in, ISO 639-1.
    pub original_language: Option<Language>,
    /// First release; null where unknown.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub release_date: Option<Date>,
    /// Its genres.
    pub genres: Vec<Genre>,
    /// Minutes; null where unknown.
    pub runtime: Option<u16>,
    /// Mean of TMDb's votes, 0 to 10.
    pub vote_average: f32,
    /// Number of TMDb's votes.
    pub vote_count: u32,
    /// TMDb's popularity; higher is more looked at.
    pub popularity: f32,
    /// The poster, 500 pixels wide; null where there is none.
    pub poster_url: Option<String>,
    /// The age rating in the region asked for, else in the US; absent where unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certification: Option<String>,
}

impl MovieCard {
    /// The card of `film`, rated for `region`, or for the US where none was asked for.
    pub fn of(film: FilmRef<'_>, region: Option<Region>) -> Self {
        let region = region.or_else(|| Region::from_bytes(*b"US").ok());
        Self {
            id: film.id(),
            title: film.title().to_owned(),
            original_title: film.original_title().to_owned(),
            original_language: film.original_language(),
            release_date: film.release_date(),
            genres: film.genres().cloned().collect(),
            runtime: film.runtime(),
            vote_average: film.vote_average(),
            vote_count: film.vote_count(),
            popularity: film.popularity(),
            poster_url: film.poster_path().map(|path| picture("w500", path)),
            certification: region.and_then(|r| film.certification(r)).map(str::to_owned),
        }
    }
}

/// The address of a picture of TMDb's.
pub fn picture(size: &str, path: &str) -> String {
    format!("{}/{size}{path}", attribution::IMAGES)
}

/// An operator where a film or a search names it. The directory itself says more, to verified callers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorCard {
    /// A ULID.
    pub id: screensort_model::OperatorId,
    /// Its name.
    pub name: String,
    /// Its logo; null where there is none.
    pub logo_url: Option<String>,
}

impl OperatorCard {
    /// The card of `operator`.
    pub fn of(operator: &screensort_model::Operator) -> Self {
        Self {
            id: operator.id,
            name: operator.name.clone(),
            logo_url: operator.logo_path.as_deref().map(|path| picture("w92", path)),
        }
    }
}
