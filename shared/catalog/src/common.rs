//! What films have in common, feature by feature, and which films have a feature.

use screensort_model::{GenreId, KeywordId, MovieId, PersonId};

use crate::columns::Role;
use crate::similar::GENRES;
use crate::{Catalog, FilmRef};

/// Something that films can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// A genre.
    Genre(GenreId),
    /// A keyword.
    Keyword(KeywordId),
    /// Somebody who worked on it.
    Person(PersonId),
}

/// What two films have in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Common {
    /// Each feature once, with what it weighs by its rarity.
    pub features: Vec<(Feature, f32)>,
    /// 0 to 1: how much of the films' own weight that is.
    pub likeness: f32,
}

impl Catalog {
    /// What two films have in common, weighed as [`Catalog::similar`] does.
    pub fn common(&self, one: FilmRef<'_>, other: FilmRef<'_>) -> Common {
        let (a, b) = (one.ordinal as usize, other.ordinal as usize);
        let mut features = Vec::new();
        let both = self.genre_bits[a] & self.genre_bits[b];
        let either = self.genre_bits[a] | self.genre_bits[b];
        if both != 0 {
            let each = GENRES / either.count_ones() as f32;
            let genres = self.reference().genres.iter().enumerate().filter(|(at, _)| both >> at & 1 == 1);
            features.extend(genres.map(|(_, genre)| (Feature::Genre(genre.id), each)));
        }
        let theirs = self.columns.keywords.get(b);
        for k in self.columns.keywords.get(a).iter().filter(|k| theirs.contains(k)) {
            if let Ok(id) = KeywordId::try_from(self.columns.keyword_ids[*k as usize]) {
                let films = self.films_of_keyword.get(*k as usize).len();
                features.push((Feature::Keyword(id), self.rarity(films)));
            }
        }
        let theirs = self.columns.credits.get(b);
        for credit in self.columns.credits.get(a) {
            let person = credit >> 2;
            let Some(other) = theirs.iter().find(|other| **other >> 2 == person) else { continue };
            let Ok(id) = PersonId::try_from(self.columns.person_ids[person as usize]) else { continue };
            // Somebody may have two parts in a film.
            if features.iter().all(|(feature, _)| *feature != Feature::Person(id)) {
                let directs = [credit, other].iter().all(|c| Role::of(**c) == Role::Director);
                let rarity = self.rarity(self.films_of_person.get(person as usize).len());
                features.push((Feature::Person(id), if directs { 2.0 * rarity } else { rarity }));
            }
        }
        let weight: f32 = features.iter().map(|(_, weight)| weight).sum();
        let likeness = (weight / (self.weight(a) * self.weight(b)).sqrt()).clamp(0.0, 1.0);
        Common { features, likeness }
    }

    /// The films that have `feature`, in the order of popularity; none for one that no film has.
    pub fn films_with(&self, feature: Feature) -> Vec<MovieId> {
        let of = |ordinals: &[u32]| {
            let mut films: Vec<u32> = ordinals.to_vec();
            films.sort_unstable();
            films.dedup();
            films.into_iter().map(|ordinal| self.at(ordinal).id()).collect()
        };
        match feature {
            Feature::Genre(id) => {
                let Some(place) = self.genre_place(id) else { return Vec::new() };
                let with = (0..).zip(&self.genre_bits).filter(|(_, bits)| *bits >> place & 1 == 1);
                with.map(|(ordinal, _)| self.at(ordinal).id()).collect()
            }
            Feature::Keyword(id) => match self.columns.keyword_ids.binary_search(&id.get()) {
                Ok(at) => of(self.films_of_keyword.get(at)),
                Err(_) => Vec::new(),
            },
            Feature::Person(id) => match self.columns.person_ids.binary_search(&id.get()) {
                Ok(at) => of(self.films_of_person.get(at)),
                Err(_) => Vec::new(),
            },
        }
    }

    /// What a feature is called; `None` for one that no film has.
    pub fn name_of(&self, feature: Feature) -> Option<String> {
        match feature {
            Feature::Genre(id) => {
                self.reference().genres.iter().find(|genre| genre.id == id).map(|genre| genre.name.clone())
            }
            Feature::Keyword(id) => {
                let at = self.columns.keyword_ids.binary_search(&id.get()).ok()?;
                self.keyword(u32::try_from(at).ok()?).map(|keyword| keyword.name)
            }
            Feature::Person(id) => self.person(id).map(|person| person.name),
        }
    }
}
