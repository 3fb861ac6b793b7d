//! What everybody is shown who has not said anything yet: what people in general like, spread over genres.

use std::collections::HashMap;

use screensort_catalog::{Catalog, FilmRef};
use screensort_model::GenreId;
use screensort_recommend::{Model, Reason, Scored};

/// Films among which a page is spread, at least.
const POOL: usize = 200;
/// What a genre that was already shown takes from a film, per time and share of the film's genres.
const SPREAD: f32 = 0.35;

/// How much people in general like films, in standard deviations: by the model's prior, or by popularity where no
/// model or no opinion is there to go by.
pub(crate) struct Esteem<'m> {
    model: Option<&'m Model>,
    mean: f32,
    spread: f32,
}

impl<'m> Esteem<'m> {
    pub(crate) fn new(catalog: &Catalog, model: Option<&'m Model>) -> Self {
        let model = model.filter(|model| model.has_prior());
        if model.is_some() || catalog.is_empty() {
            return Self { model, mean: 0.0, spread: 1.0 };
        }
        let films = catalog.len() as f32;
        let all = || films_of(catalog).map(looked_at);
        let mean = all().sum::<f32>() / films;
        let spread = (all().map(|x| (x - mean).powi(2)).sum::<f32>() / films).sqrt();
        Self { model, mean, spread: if spread > 1e-6 { spread } else { 1.0 } }
    }

    pub(crate) fn of(&self, film: FilmRef<'_>) -> f32 {
        match self.model {
            // The model may be older than the film.
            Some(model) => model.prior_of(film.id().get()).unwrap_or(0.0),
            None => (looked_at(film) - self.mean) / self.spread,
        }
    }
}

fn looked_at(film: FilmRef<'_>) -> f32 {
    film.popularity().max(0.0).ln_1p()
}

/// The films, the most popular first.
pub(crate) fn films_of(catalog: &Catalog) -> impl Iterator<Item = FilmRef<'_>> {
    (0..u32::try_from(catalog.len()).unwrap_or(u32::MAX)).map(|ordinal| catalog.at(ordinal))
}

/// The `limit` best films that `lets` lets through, each genre's later films put back a little each time the genre
/// comes up. `lift` is what the person asked for.
pub(crate) fn page(
    catalog: &Catalog,
    esteem: &Esteem<'_>,
    limit: usize,
    lets: impl Fn(FilmRef<'_>) -> bool,
    lift: impl Fn(FilmRef<'_>) -> f32,
) -> Vec<Scored> {
    let mut pool: Vec<(f32, FilmRef<'_>)> = films_of(catalog)
        .filter(|film| lets(*film))
        .map(|film| (esteem.of(film) + lift(film), film))
        .collect();
    pool.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.ordinal.cmp(&b.1.ordinal)));
    pool.truncate(POOL.max(limit));
    let mut shown: HashMap<GenreId, u32> = HashMap::new();
    let mut page = Vec::with_capacity(limit.min(pool.len()));
    while page.len() < limit && !pool.is_empty() {
        let value = |(score, film): &(f32, FilmRef<'_>)| {
            let times: Vec<u32> =
                film.genres().map(|genre| shown.get(&genre.id).copied().unwrap_or(0)).collect();
            score - SPREAD * times.iter().sum::<u32>() as f32 / times.len().max(1) as f32
        };
        let values: Vec<f32> = pool.iter().map(value).collect();
        let next = (1..pool.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best });
        let (_, film) = pool.remove(next);
        film.genres().for_each(|genre| *shown.entry(genre.id).or_default() += 1);
        page.push(scored(esteem, film, lift(film)));
    }
    page
}

/// One film's score as everybody has it, and what the person asked for on top.
pub(crate) fn scored(esteem: &Esteem<'_>, film: FilmRef<'_>, lift: f32) -> Scored {
    let share = esteem.of(film);
    Scored {
        movie_id: film.id().get(),
        score: share + lift,
        reasons: vec![Reason::Popular { share }, Reason::Lifted { share: lift }],
        explored: false,
    }
}
