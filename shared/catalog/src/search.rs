//! Finding films, people and operators by name.

use screensort_model::{Found, Operator, PersonName};
use screensort_search::{Kind, KindSet};

use crate::{Catalog, FilmRef};

/// Something found.
#[derive(Debug)]
pub enum Match<'c> {
    /// A film.
    Film(FilmRef<'c>),
    /// A person.
    Person(PersonName),
    /// An operator.
    Operator(&'c Operator),
}

impl Catalog {
    /// The best `limit` matches of `query` with their scores, best first; of one kind, or of all.
    pub fn search(&self, query: &str, kind: Option<Found>, limit: usize) -> Vec<(Match<'_>, f32)> {
        let kinds = match kind {
            None => KindSet::ALL,
            Some(Found::Movie) => KindSet::from(Kind::Movie),
            Some(Found::Person) => KindSet::from(Kind::Person),
            Some(Found::Operator) => KindSet::from(Kind::Operator),
        };
        let hits = self.index.search(query, kinds, limit);
        hits.into_iter().filter_map(|hit| Some((self.entry(hit.entry)?, hit.score))).collect()
    }

    /// Completions of what is being typed, best first.
    pub fn suggest(&self, query: &str, limit: usize) -> Vec<Match<'_>> {
        let hits = self.index.suggest(query, limit);
        hits.into_iter().filter_map(|hit| self.entry(hit.entry)).collect()
    }

    /// The search index lists films, then people, then operators.
    fn entry(&self, entry: u32) -> Option<Match<'_>> {
        let films = u32::try_from(self.len()).ok()?;
        let people = u32::try_from(self.columns.person_ids.len()).ok()?;
        if entry < films {
            return Some(Match::Film(self.at(entry)));
        }
        let entry = entry - films;
        if entry < people {
            return self.person_at(entry).map(Match::Person);
        }
        self.columns.operators.get((entry - people) as usize).map(Match::Operator)
    }
}
