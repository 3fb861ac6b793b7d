//! Films like a film, by what they are made of.

use screensort_model::reference::Genre;
use screensort_model::{Keyword, PersonName};

use crate::columns::Role;
use crate::{Catalog, FilmRef};

/// How many of the best are worth listing.
const MOST: usize = 200;
/// A keyword or person that more films than this share says little; it counts, but finds nobody.
const COMMON: usize = 2_000;

/// A film like the one asked for.
#[derive(Debug)]
pub struct Similar<'c> {
    /// The film.
    pub film: FilmRef<'c>,
    /// 0 to 1: the share of the film's own weight that the other has in common with it.
    pub score: f32,
    /// Genres that both have.
    pub genres: Vec<&'c Genre>,
    /// Keywords that both have.
    pub keywords: Vec<Keyword>,
    /// People who worked on both.
    pub people: Vec<PersonName>,
}

impl Catalog {
    /// The films most like `film`, best first.
    ///
    /// Each keyword and person counts by its rarity, `ln(N / n)` (inverse document frequency; Spärck Jones
    /// 1972), directors double; genres count by their overlap, a near release date and the same language a
    /// little. The score is the cosine-like share `common / sqrt(own * other)` so that films with many
    /// keywords do not win by number.
    pub fn similar(&self, film: FilmRef<'_>) -> Vec<Similar<'_>> {
        let own = film.ordinal as usize;
        let mut common = std::collections::HashMap::<u32, f32>::new();
        for k in self.columns.keywords.get(own) {
            self.collect(&mut common, self.films_of_keyword.get(*k as usize), 1.0);
        }
        for c in self.columns.credits.get(own) {
            let weight = if Role::of(*c) == Role::Director { 2.0 } else { 1.0 };
            self.collect(&mut common, self.films_of_person.get((c >> 2) as usize), weight);
        }
        common.remove(&film.ordinal);
        let genres = self.genre_bits[own];
        if common.len() < MOST {
            // Nothing rare to go by: the most popular films of the same genres.
            let of_genre = (0..).zip(&self.genre_bits).filter(|(_, bits)| *bits & genres != 0);
            for (ordinal, _) in of_genre.filter(|(o, _)| *o != film.ordinal).take(MOST * 2) {
                common.entry(ordinal).or_insert(0.0);
            }
        }
        let weight = self.weight(own);
        let mut scored: Vec<(f32, u32)> = common
            .into_iter()
            .map(|(other, shared)| {
                let apart = shared + self.likeness(own, other as usize);
                (apart / (weight * self.weight(other as usize)).sqrt(), other)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(MOST);
        scored.into_iter().map(|(score, other)| self.explained(own, other, score)).collect()
    }

    /// What two films have in common by name, for a pair that another measure has brought together.
    pub fn between(&self, film: FilmRef<'_>, other: FilmRef<'_>, score: f32) -> Similar<'_> {
        self.explained(film.ordinal as usize, other.ordinal, score)
    }

    fn collect(&self, common: &mut std::collections::HashMap<u32, f32>, films: &[u32], weight: f32) {
        if films.len() > COMMON {
            return;
        }
        for other in films {
            *common.entry(*other).or_insert(0.0) += weight * self.rarity(films.len());
        }
    }

    pub(crate) fn rarity(&self, shared_by: usize) -> f32 {
        (self.len() as f32 / shared_by.max(1) as f32).ln().max(0.1)
    }

    /// What a film's keywords and people weigh in all, and its genres, date and language with them.
    pub(crate) fn weight(&self, film: usize) -> f32 {
        let keywords: f32 = (self.columns.keywords.get(film).iter())
            .map(|k| self.rarity(self.films_of_keyword.get(*k as usize).len()))
            .sum();
        let people: f32 = (self.columns.credits.get(film).iter())
            .map(|c| {
                let weight = if Role::of(*c) == Role::Director { 2.0 } else { 1.0 };
                weight * self.rarity(self.films_of_person.get((c >> 2) as usize).len())
            })
            .sum();
        keywords + people + GENRES + NEAR + LANGUAGE
    }

    fn likeness(&self, one: usize, other: usize) -> f32 {
        let (a, b) = (self.genre_bits[one], self.genre_bits[other]);
        let overlap = (a & b).count_ones() as f32 / (a | b).count_ones().max(1) as f32;
        let years = self.columns.released[one].abs_diff(self.columns.released[other]) as f32 / 365.25;
        let same = self.columns.languages[one] == self.columns.languages[other];
        let known = (1.0 + self.columns.vote_counts[other] as f32).ln() / 11.0;
        GENRES * overlap * (0.7 + 0.3 * known.min(1.0))
            + NEAR / (1.0 + years / 5.0)
            + if same { LANGUAGE } else { 0.0 }
    }

    fn explained(&self, own: usize, other: u32, score: f32) -> Similar<'_> {
        let at = other as usize;
        let genres = self.genre_bits[own] & self.genre_bits[at];
        let list = &self.reference().genres;
        let mut people: Vec<u32> = self.columns.credits.get(own).iter().map(|c| c >> 2).collect();
        let theirs: Vec<u32> = self.columns.credits.get(at).iter().map(|c| c >> 2).collect();
        people.retain(|p| theirs.contains(p));
        people.dedup();
        let keywords =
            self.columns.keywords.get(own).iter().filter(|k| self.columns.keywords.get(at).contains(k));
        let mut seen = std::collections::BTreeSet::new();
        Similar {
            film: self.at(other),
            score: score.clamp(0.0, 1.0),
            genres: list.iter().enumerate().filter(|(g, _)| genres >> g & 1 == 1).map(|(_, g)| g).collect(),
            keywords: keywords.filter_map(|k| self.keyword(*k)).collect(),
            people: people
                .into_iter()
                .filter(|p| seen.insert(*p))
                .filter_map(|p| self.person_at(p))
                .collect(),
        }
    }
}

/// What sharing all genres weighs: about as much as two rare keywords.
pub(crate) const GENRES: f32 = 12.0;
/// What being released on the same day weighs.
const NEAR: f32 = 2.0;
/// What being made in the same language weighs.
const LANGUAGE: f32 = 1.0;
