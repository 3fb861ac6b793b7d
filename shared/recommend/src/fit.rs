//! One fit at given settings: from likes and a catalogue to the parts of an artifact.

use crate::artifact::{Card, Parts, Settings};
use crate::edlae::{Ridge, Solved, Workspace, thin};
use crate::error::Error;
use crate::film::{Content, Film, genre_masks};
use crate::ials::{self, Factors, gram};
use crate::packed::PackedRows;
use crate::signal::Limits;
use crate::sparse::Sparse;

/// Films of the item-item model at most: a dense matrix of this size is 3.6 GB. The most liked films are taken;
/// the others keep their vectors, and borrow rows by content.
const DENSEST: usize = 30_000;

/// Films that lend their rows and vectors to a film without likes.
const LENDERS: usize = 20;

/// The catalogue, prepared once per run.
pub(crate) struct Ground {
    /// Ascending by id.
    pub films: Vec<Film>,
    pub content: Content,
    content_rows: PackedRows,
    genre_ids: Vec<u32>,
    genres: Vec<u32>,
}

impl Ground {
    pub(crate) fn new(mut films: Vec<Film>) -> Result<Self, Error> {
        films.sort_by_key(|film| film.movie_id);
        if let Some(pair) = films.windows(2).find(|pair| pair[0].movie_id == pair[1].movie_id) {
            return Err(Error::DuplicateFilm { film: pair[0].movie_id });
        }
        let content = Content::new(&films);
        let content_rows = content.nearest_rows()?;
        let (genre_ids, genres) = genre_masks(&films);
        Ok(Self { films, content, content_rows, genre_ids, genres })
    }

    /// Indexes in the catalogue of film ids that are in it.
    pub(crate) fn places(&self, ids: &[u32]) -> Vec<u32> {
        let place = |id| self.films.binary_search_by_key(id, |film| film.movie_id).ok().map(|k| k as u32);
        ids.iter().filter_map(place).collect()
    }
}

/// The likes that a fit is made from. Every film has at least one.
pub(crate) struct Likes {
    /// A row per person, a column per film.
    pub by_person: Sparse,
    /// Its transpose.
    pub by_film: Sparse,
    /// Number of likes of each film.
    pub counts: Vec<u32>,
    /// Index of each film in the catalogue, ascending.
    pub places: Vec<u32>,
    /// Number of people.
    pub people: usize,
    /// Films of the item-item model, as columns of `by_person`; `None` for all.
    dense: Option<Vec<u32>>,
}

impl Likes {
    pub(crate) fn new(by_person: Sparse, counts: Vec<u32>, places: Vec<u32>) -> Self {
        debug_assert_eq!(by_person.columns(), places.len());
        let (by_film, people) = (by_person.transposed(), by_person.rows());
        let dense = (places.len() > DENSEST).then(|| most_liked(&by_film, DENSEST));
        Self { by_person, by_film, counts, places, people, dense }
    }

    /// Catalogue indexes of the films of the item-item model.
    pub(crate) fn dense_places(&self) -> Vec<u32> {
        match &self.dense {
            None => self.places.clone(),
            Some(films) => films.iter().map(|film| self.places[*film as usize]).collect(),
        }
    }

    /// Hands the rows over to the item-item model: nothing else needs them once the factors are trained. A person with
    /// very many likes counts less per pair there.
    pub(crate) fn hand_over(&mut self, limits: Limits) -> Workspace {
        let by_person = std::mem::replace(&mut self.by_person, Sparse::new(self.places.len()));
        let by_film = std::mem::replace(&mut self.by_film, Sparse::new(0));
        let heavy = |row: usize| by_person.row(row).0.len() > limits.full_pairs;
        if self.dense.is_none() && !(0..by_person.rows()).any(heavy) {
            return Workspace::new(by_person, by_film);
        }
        drop(by_film);
        let places = self.dense_places();
        let mut likes = Sparse::with_room(places.len(), by_person.len());
        for row in 0..by_person.rows() {
            let own = by_person.row(row).0.len() as f32;
            let scale = (limits.full_pairs as f32 / own).min(1.0).sqrt();
            let place = |film: u32| places.binary_search(&self.places[film as usize]).ok().map(|k| k as u32);
            let entries = by_person.entries(row);
            likes.push(entries.filter_map(|(film, weight)| Some((place(film)?, scale * weight))));
        }
        drop(by_person);
        let by_film = likes.transposed();
        Workspace::new(likes, by_film)
    }
}

/// The columns with the most entries, ascending; ties go to the lower column.
fn most_liked(by_film: &Sparse, most: usize) -> Vec<u32> {
    let mut films: Vec<u32> = (0..by_film.rows() as u32).collect();
    films.sort_by_key(|film| std::cmp::Reverse(by_film.row(*film as usize).0.len()));
    films.truncate(most);
    films.sort_unstable();
    films
}

impl Settings {
    pub(crate) fn ridge(&self) -> Ridge {
        Ridge { lambda: self.item_lambda, dropout: self.item_dropout }
    }

    pub(crate) fn latent(&self) -> ials::Settings {
        ials::Settings {
            dims: self.dims,
            background: self.background,
            lambda: self.lambda,
            epochs: self.epochs,
            steps: self.steps,
        }
    }
}

/// Puts the trained models together with the catalogue. `card.settings` are those of the models.
pub(crate) fn assemble(
    ground: &Ground,
    prior: Vec<f32>,
    likes: &Likes,
    solved: Option<&Solved<'_>>,
    factors: Option<&Factors>,
    mut card: Card,
) -> Result<Parts, Error> {
    let films = ground.films.len();
    let dense = likes.dense_places();
    let mut is_dense = vec![false; films];
    dense.iter().for_each(|film| is_dense[*film as usize] = true);
    let lenders =
        ground.content.nearest_known(LENDERS, |film| !is_dense[film], |film| is_dense[film as usize]);
    let item = match solved {
        Some(solved) => thin(solved, card.settings.kept * dense.len(), &dense, films)?,
        None => empty_rows(films)?,
    };
    if factors.is_none() {
        card.settings.dims = 0;
    }
    let stored = store(factors, likes, &lenders, films);
    let mut counts = vec![0u32; films];
    for (place, count) in likes.places.iter().zip(&likes.counts) {
        counts[*place as usize] = *count;
    }
    let mut stand_in_offsets = vec![0u32];
    for own in &lenders {
        stand_in_offsets.push(stand_in_offsets.last().copied().unwrap_or(0) + own.len() as u32);
    }
    let item_means = row_means(&item, &lenders);
    let content_means = row_means(&ground.content_rows, &vec![Vec::new(); films]);
    card.people = likes.people;
    card.liked_films = likes.places.len();
    Ok(Parts {
        card,
        ids: ground.films.iter().map(|film| film.movie_id).collect(),
        prior,
        likes: counts,
        genres: ground.genres.clone(),
        genre_ids: ground.genre_ids.clone(),
        factors: stored.levels,
        factor_scales: stored.scales,
        gram: stored.gram,
        factor_mean: stored.mean,
        item,
        item_means,
        content: ground.content_rows.clone(),
        content_means,
        stand_in_offsets,
        stand_ins: lenders.into_iter().flatten().collect(),
    })
}

fn empty_rows(films: usize) -> Result<PackedRows, Error> {
    let mut rows = PackedRows::new(films);
    (0..films).try_for_each(|_| rows.push(std::iter::empty()))?;
    Ok(rows)
}

/// The vectors as they are stored, and what is derived from them as stored.
struct Stored {
    levels: Vec<i8>,
    scales: Vec<f32>,
    gram: Vec<f32>,
    mean: Vec<f32>,
}

fn store(factors: Option<&Factors>, likes: &Likes, lenders: &[Vec<u32>], films: usize) -> Stored {
    let Some(factors) = factors else {
        return Stored { levels: Vec::new(), scales: vec![0.0; films], gram: Vec::new(), mean: Vec::new() };
    };
    let dims = factors.dims;
    let mut stored = Stored {
        levels: vec![0; films * dims],
        scales: vec![0.0; films],
        gram: Vec::new(),
        mean: vec![0.0; dims],
    };
    let mut trained = Vec::with_capacity(factors.rows.len());
    for (film, lenders) in lenders.iter().enumerate().take(films) {
        let vector = match likes.places.binary_search(&(film as u32)) {
            Ok(own) => factors.row(own).to_vec(),
            Err(_) => mean_of(factors, likes, lenders),
        };
        let scale = vector.iter().fold(0.0f32, |most, x| most.max(x.abs())) / 127.0;
        if scale <= f32::MIN_POSITIVE {
            if likes.places.binary_search(&(film as u32)).is_ok() {
                trained.extend(vec![0.0; dims]);
            }
            continue;
        }
        let levels = &mut stored.levels[film * dims..(film + 1) * dims];
        stored.scales[film] = scale;
        for ((level, x), mean) in levels.iter_mut().zip(&vector).zip(&mut stored.mean) {
            *level = (x / scale).round() as i8;
            *mean += scale * f32::from(*level);
        }
        if likes.places.binary_search(&(film as u32)).is_ok() {
            trained.extend(levels.iter().map(|level| scale * f32::from(*level)));
        }
    }
    stored.mean.iter_mut().for_each(|x| *x /= films as f32);
    let products = gram(&trained, dims);
    stored.gram = (0..dims * dims).map(|k| products[(k / dims, k % dims)]).collect();
    stored
}

fn mean_of(factors: &Factors, likes: &Likes, lenders: &[u32]) -> Vec<f32> {
    let mut mean = vec![0.0f32; factors.dims];
    for lender in lenders {
        if let Ok(own) = likes.places.binary_search(lender) {
            let part = 1.0 / lenders.len() as f32;
            mean.iter_mut().zip(factors.row(own)).for_each(|(mean, x)| *mean += part * x);
        }
    }
    mean
}

/// Mean of each row over all films, where films without rows have the mean of their lenders' columns.
fn row_means(rows: &PackedRows, lenders: &[Vec<u32>]) -> Vec<f32> {
    let films = lenders.len();
    let mut times = vec![1.0f64; films];
    for own in lenders {
        own.iter().for_each(|lender| times[*lender as usize] += 1.0 / own.len() as f64);
    }
    let view = rows.view();
    let mean = |row| {
        let entries = view.entries(row);
        entries.map(|(column, w)| f64::from(w) * times[column as usize]).sum::<f64>() / films.max(1) as f64
    };
    let mut means: Vec<f64> = (0..films).map(mean).collect();
    for (film, own) in lenders.iter().enumerate() {
        if !own.is_empty() {
            means[film] = own.iter().map(|lender| means[*lender as usize]).sum::<f64>() / own.len() as f64;
        }
    }
    means.into_iter().map(|mean| mean as f32).collect()
}
