//! What the catalogue knows about a film, as far as the model cares: content vectors and genres.

use rayon::prelude::*;

use crate::error::Error;
use crate::metrics::best;
use crate::packed::PackedRows;
use crate::sparse::Sparse;

/// A film of the catalogue. Genres, keywords and people are ids of any kind; order does not matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Film {
    /// The film's id.
    pub movie_id: u32,
    /// Genre ids.
    pub genres: Vec<u32>,
    /// Keyword ids.
    pub keywords: Vec<u32>,
    /// Ids of the director and the first few of the cast.
    pub people: Vec<u32>,
    /// Year of release.
    pub year: Option<u16>,
    /// Votes from outside, for the popularity prior.
    pub votes: Option<Votes>,
}

/// Votes that a film got elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Votes {
    /// Mean vote, 0 to 1.
    pub average: f32,
    /// Number of votes.
    pub count: u32,
}

/// Films near by content that are stored for each film.
const NEAR: usize = 50;

/// Feature groups and what a feature of each weighs before its rarity.
const GROUPS: [(u8, f32); 4] = [(0, 1.0), (1, 1.0), (2, 0.8), (3, 0.4)];

/// Normalised content vectors: a row per film, a column per feature, and the transpose.
///
/// A feature weighs its group's weight times `ln(1 + films / films with it)`, so that a shared rare keyword says more
/// than a shared genre; features of one film alone are left out.
pub(crate) struct Content {
    rows: Sparse,
    columns: Sparse,
}

impl Content {
    pub(crate) fn new(films: &[Film]) -> Self {
        let named: Vec<Vec<(u8, u32)>> = films.iter().map(features).collect();
        let mut names: Vec<(u8, u32)> = named.iter().flatten().copied().collect();
        names.sort_unstable();
        let frequent: Vec<((u8, u32), usize)> = names
            .chunk_by(|a, b| a == b)
            .filter(|same| same.len() > 1)
            .map(|same| (same[0], same.len()))
            .collect();
        let mut rows = Sparse::new(frequent.len());
        for own in &named {
            let weighted: Vec<(u32, f32)> = own
                .iter()
                .filter_map(|name| {
                    let k = frequent.binary_search_by_key(name, |(name, _)| *name).ok()?;
                    let rarity = (1.0 + films.len() as f32 / frequent[k].1 as f32).ln();
                    Some((k as u32, GROUPS[usize::from(name.0)].1 * rarity))
                })
                .collect();
            let length = weighted.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            rows.push(weighted.into_iter().map(|(k, w)| (k, w / length)));
        }
        let columns = rows.transposed();
        Self { rows, columns }
    }

    /// Whether no film shares anything with another.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// Cosines of one film with all others; zero with itself.
    fn cosines_into(&self, film: usize, out: &mut [f32]) {
        out.fill(0.0);
        for (feature, weight) in self.rows.entries(film) {
            for (other, other_weight) in self.columns.entries(feature as usize) {
                out[other as usize] += weight * other_weight;
            }
        }
        out[film] = 0.0;
    }

    /// The [`NEAR`] nearest films of each film with their cosines.
    pub(crate) fn nearest_rows(&self) -> Result<PackedRows, Error> {
        let films = self.rows.rows();
        let near: Vec<Vec<(u32, f32)>> = (0..films)
            .into_par_iter()
            .map_init(
                || vec![0.0f32; films],
                |cosines, film| {
                    self.cosines_into(film, cosines);
                    let mut near: Vec<(u32, f32)> = best(cosines, NEAR, |k| cosines[k as usize] > 0.05)
                        .into_iter()
                        .map(|k| (k, cosines[k as usize]))
                        .collect();
                    near.sort_unstable_by_key(|(k, _)| *k);
                    near
                },
            )
            .collect();
        let mut rows = PackedRows::new(films);
        near.iter().try_for_each(|row| rows.push(row.iter().copied()))?;
        Ok(rows)
    }

    /// For every film that `wants` it, the `count` nearest films that are `known`, ascending.
    pub(crate) fn nearest_known(
        &self,
        count: usize,
        wants: impl Fn(usize) -> bool + Sync,
        known: impl Fn(u32) -> bool + Sync,
    ) -> Vec<Vec<u32>> {
        let films = self.rows.rows();
        let of = |cosines: &mut Vec<f32>, film| {
            if !wants(film) {
                return Vec::new();
            }
            self.cosines_into(film, cosines);
            let mut near = best(cosines, count, |k| cosines[k as usize] > 0.0 && known(k));
            near.sort_unstable();
            near
        };
        (0..films).into_par_iter().map_init(|| vec![0.0f32; films], of).collect()
    }
}

fn features(film: &Film) -> Vec<(u8, u32)> {
    let [genre, keyword, person, decade] = GROUPS.map(|(group, _)| group);
    let mut features: Vec<(u8, u32)> = film.genres.iter().map(|id| (genre, *id)).collect();
    features.extend(film.keywords.iter().map(|id| (keyword, *id)));
    features.extend(film.people.iter().map(|id| (person, *id)));
    features.extend(film.year.map(|year| (decade, u32::from(year) / 10)));
    features.sort_unstable();
    features.dedup();
    features
}

/// Genres as bits: the ids of the 32 most frequent genres, and each film's mask over them.
pub(crate) fn genre_masks(films: &[Film]) -> (Vec<u32>, Vec<u32>) {
    let mut ids: Vec<u32> = films.iter().flat_map(|film| film.genres.iter().copied()).collect();
    ids.sort_unstable();
    let mut counted: Vec<(usize, u32)> =
        ids.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counted.sort_unstable_by_key(|(count, id)| (std::cmp::Reverse(*count), *id));
    let ids: Vec<u32> = counted.into_iter().take(32).map(|(_, id)| id).collect();
    let bit = |genre: &u32| ids.iter().position(|id| id == genre).map_or(0, |bit| 1u32 << bit);
    let masks = films.iter().map(|film| film.genres.iter().map(bit).fold(0, |a, b| a | b)).collect();
    (ids, masks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(movie_id: u32, genres: &[u32], keywords: &[u32]) -> Film {
        Film { movie_id, genres: genres.to_vec(), keywords: keywords.to_vec(), ..Film::default() }
    }

    #[test]
    fn a_shared_rare_keyword_is_nearer_than_a_shared_common_genre() {
        let mut films: Vec<Film> = (0..20).map(|id| film(id, &[1], &[])).collect();
        films.push(film(20, &[1], &[7]));
        films.push(film(21, &[2], &[7]));
        let near = Content::new(&films).nearest_known(1, |film| film == 20, |_| true);
        assert_eq!(near[20], [21]);
        assert!(near[0].is_empty());
    }

    #[test]
    fn a_film_is_never_its_own_neighbour_and_a_film_without_features_has_none() {
        let films = [film(0, &[1], &[]), film(1, &[1], &[]), film(2, &[], &[])];
        let rows = Content::new(&films).nearest_rows().unwrap();
        let columns = |row| rows.view().entries(row).map(|(c, _)| c).collect::<Vec<_>>();
        assert_eq!((columns(0), columns(1), columns(2)), (vec![1], vec![0], vec![]));
    }

    #[test]
    fn genres_become_bits_by_frequency() {
        let (ids, masks) = genre_masks(&[film(0, &[9, 5], &[]), film(1, &[5], &[]), film(2, &[], &[])]);
        assert_eq!((ids, masks), (vec![5, 9], vec![0b11, 0b01, 0]));
    }
}
