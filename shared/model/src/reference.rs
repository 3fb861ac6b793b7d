//! The lists that filters refer to: genres, and age ratings in order. TMDb's lists (November 2026) are built
//! in, so that the product works before the first sync; the sync replaces them by what it reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{GenreId, Region};

/// A genre and its English name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Genre {
    /// TMDb's id.
    pub id: GenreId,
    /// Its name in English.
    pub name: String,
}

/// Everything that is listed rather than computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// All genres, by name.
    pub genres: Vec<Genre>,
    /// For each region its age ratings, from the mildest to the strictest. "Not rated" is not among them.
    pub certifications: BTreeMap<Region, Vec<String>>,
}

/// TMDb's names for "nobody has rated this".
const UNRATED: [&str; 3] = ["NR", "", "Unrated"];

impl Reference {
    /// How strict `certification` is in `region`: 1 is the mildest; `None` where the region or the rating is
    /// not known, or where the rating says that there is none.
    pub fn strictness(&self, region: Region, certification: &str) -> Option<u8> {
        let list = self.certifications.get(&region)?;
        let at = list.iter().position(|known| known == certification)?;
        u8::try_from(at + 1).ok()
    }

    /// Takes a region's ratings in TMDb's order, leaving out what says "not rated".
    pub fn set_certifications(&mut self, region: Region, ordered: impl IntoIterator<Item = String>) {
        let list: Vec<String> =
            ordered.into_iter().filter(|c| !UNRATED.contains(&c.as_str())).take(32).collect();
        if !list.is_empty() {
            self.certifications.insert(region, list);
        }
    }

    /// The lists built in.
    pub fn built_in() -> Self {
        let genres = GENRES
            .iter()
            .filter_map(|(id, name)| Some(Genre { id: GenreId::try_from(*id).ok()?, name: (*name).into() }))
            .collect();
        let mut reference = Self { genres, certifications: BTreeMap::new() };
        for (region, list) in CERTIFICATIONS {
            if let Ok(region) = region.parse() {
                reference.set_certifications(region, list.iter().map(|c| (*c).to_owned()));
            }
        }
        reference
    }
}

const GENRES: &[(u32, &str)] = &[
    (28, "Action"),
    (12, "Adventure"),
    (16, "Animation"),
    (35, "Comedy"),
    (80, "Crime"),
    (99, "Documentary"),
    (18, "Drama"),
    (10751, "Family"),
    (14, "Fantasy"),
    (36, "History"),
    (27, "Horror"),
    (10402, "Music"),
    (9648, "Mystery"),
    (10749, "Romance"),
    (878, "Science Fiction"),
    (10770, "TV Movie"),
    (53, "Thriller"),
    (10752, "War"),
    (37, "Western"),
];

const CERTIFICATIONS: &[(&str, &[&str])] = &[
    ("AU", &["E", "G", "PG", "M", "MA 15+", "R 18+", "X 18+", "RC"]),
    ("DE", &["0", "6", "12", "16", "18"]),
    ("FR", &["TP", "12", "16", "18"]),
    ("GB", &["U", "PG", "12A", "12", "15", "18", "R18"]),
    ("JP", &["G", "PG12", "R15+", "R18+"]),
    ("US", &["G", "PG", "PG-13", "R", "NC-17"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_have_an_order_and_unrated_is_not_in_it() {
        let reference = Reference::built_in();
        let us: Region = "US".parse().unwrap();
        assert_eq!(reference.genres.len(), 19);
        assert!(reference.strictness(us, "PG") < reference.strictness(us, "R"));
        assert_eq!(reference.strictness(us, "NR"), None);
        assert_eq!(reference.strictness("ZZ".parse().unwrap(), "PG"), None);
    }
}
