//! What a person wants to see: read by recommendations and by what filters "for me".

use serde::{Deserialize, Serialize};

use crate::reference::Reference;
use crate::{GenreId, Language, Mode, OperatorId, Refused, Region};

/// Everything that a person can ask for. Empty and absent mean: no matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// More of these; at most 20.
    pub genres: Vec<GenreWeight>,
    /// None of these; at most 20.
    pub avoid_genres: Vec<GenreId>,
    /// TMDb's mean vote at least this, 0 to 10.
    pub min_rating: Option<f32>,
    /// Rated at most as strictly as this.
    pub max_certification: Option<Certification>,
    /// Made in one of these; at most 20.
    pub languages: Vec<Language>,
    /// At most so many minutes, 1 to 1000.
    pub max_runtime: Option<u16>,
    /// Where films are watched.
    pub region: Option<Region>,
    /// Whom there is access to; at most 100.
    pub operators: Vec<OperatorId>,
    /// In which ways.
    pub modes: Vec<Mode>,
    /// Whether films that were watched already may be recommended.
    pub include_seen: bool,
}

/// A genre and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenreWeight {
    /// The genre.
    pub id: GenreId,
    /// 0 to 1.
    pub weight: f32,
}

/// An age rating of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    /// The region.
    pub region: Region,
    /// The rating, as the region writes it.
    pub value: String,
}

impl Preferences {
    /// What is wrong with them, each with the field that it is about.
    pub fn faults(&self) -> Vec<(&'static str, Refused)> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, field: &'static str, why: &'static str| {
            if !holds {
                faults.push((field, Refused(why)));
            }
        };
        check(self.genres.len() <= 20, "genres", "at most 20 genres");
        check(self.genres.iter().all(|g| (0.0..=1.0).contains(&g.weight)), "genres", "a weight is 0 to 1");
        let twice = (1..self.genres.len())
            .any(|at| self.genres[..at].iter().any(|other| other.id == self.genres[at].id));
        check(!twice, "genres", "a genre is named once");
        check(self.avoid_genres.len() <= 20, "avoid_genres", "at most 20 genres");
        let both = self.genres.iter().any(|genre| self.avoid_genres.contains(&genre.id));
        check(!both, "avoid_genres", "a genre cannot be wanted and avoided");
        let rating = self.min_rating.is_none_or(|rating| (0.0..=10.0).contains(&rating));
        check(rating, "min_rating", "a rating is 0 to 10");
        check(self.languages.len() <= 20, "languages", "at most 20 languages");
        let runtime = self.max_runtime.is_none_or(|minutes| (1..=1_000).contains(&minutes));
        check(runtime, "max_runtime", "minutes are 1 to 1000");
        check(self.operators.len() <= 100, "operators", "at most 100 operators");
        check(self.modes.len() <= Mode::ALL.len(), "modes", "each mode is named once");
        faults
    }

    /// What they name that `reference` does not know, each with the field that it is about.
    pub fn unknown(&self, reference: &Reference) -> Vec<(&'static str, Refused)> {
        let exists = |id| reference.genres.iter().any(|genre| genre.id == id);
        let mut unknown = Vec::new();
        if !self.genres.iter().all(|genre| exists(genre.id)) {
            unknown.push(("genres", Refused("There is no such genre: /genres lists them.")));
        }
        if !self.avoid_genres.iter().all(|id| exists(*id)) {
            unknown.push(("avoid_genres", Refused("There is no such genre: /genres lists them.")));
        }
        let rating = self.max_certification.as_ref();
        if rating.is_some_and(|rating| reference.strictness(rating.region, &rating.value).is_none()) {
            let why = "No such rating in this region: /genres lists them.";
            unknown.push(("max_certification", Refused(why)));
        }
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_named() {
        let genre = |id| GenreId::new(id).unwrap();
        let good = Preferences {
            genres: vec![GenreWeight { id: genre(18), weight: 1.0 }],
            avoid_genres: vec![genre(27)],
            min_rating: Some(6.5),
            ..Preferences::default()
        };
        assert!(good.faults().is_empty());
        let bad = Preferences {
            genres: vec![
                GenreWeight { id: genre(27), weight: f32::NAN },
                GenreWeight { id: genre(27), weight: 0.1 },
            ],
            min_rating: Some(11.0),
            max_runtime: Some(0),
            ..good
        };
        let fields: Vec<&str> = bad.faults().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["genres", "genres", "avoid_genres", "min_rating", "max_runtime"]);
    }
}
