//! The popularity prior: what to show when nothing is known about a person.
//!
//! A Bayesian average with time decay: each opinion counts `2^(-age / half-life)`, a like is 1, a dislike 0, seen
//! without either ½; `(C·m + Σ w v) / (C + Σ w)` with `m` the mean over everything and `C` the votes it takes for a
//! film to speak for itself. `C` is high on purpose (the mean weight of the films that have any): a good film that
//! many people saw goes before a perfect one that two people saw.

use crate::film::Film;
use crate::signal::Table;

/// How the prior is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorSettings {
    /// Age at which an opinion counts half, in seconds.
    pub half_life: f64,
    /// Votes from outside count as at most this many opinions of a film.
    pub outside_votes: f32,
}

impl Default for PriorSettings {
    fn default() -> Self {
        Self { half_life: 2.0 * 365.25 * 86_400.0, outside_votes: 20.0 }
    }
}

/// The prior of each film in standard deviations from the mean. `films` are ascending by id. Ages count from the
/// newest opinion, not from a clock. Only `people` have a say.
pub(crate) fn prior(table: &Table, people: &[usize], films: &[Film], settings: PriorSettings) -> Vec<f32> {
    let now = table.signals().iter().map(|s| s.at).max().unwrap_or(0);
    let mut votes = vec![0.0f64; films.len()];
    let mut good = vec![0.0f64; films.len()];
    for person in people {
        let own = table.of(*person);
        let total: f32 = own.iter().map(|s| s.value.abs().max(0.25)).sum();
        let cap = f64::from((table.limits().prior_votes / total.max(f32::MIN_POSITIVE)).min(1.0));
        for signal in own {
            let Ok(film) = films.binary_search_by_key(&signal.film, |f| f.movie_id) else { continue };
            let age = now.saturating_sub(signal.at) as f64;
            let weight = cap * f64::from(signal.value.abs().max(0.25)) * (-age / settings.half_life).exp2();
            votes[film] += weight;
            good[film] += weight
                * (0.5 + 0.5 * f64::from(signal.value.signum()) * f64::from(u8::from(signal.value != 0.0)));
        }
    }
    for (k, film) in films.iter().enumerate() {
        if let Some(outside) = film.votes.filter(|v| v.average.is_finite()) {
            // A thousand votes elsewhere are worth half of what a film can get from them.
            let count = f64::from(outside.count);
            let weight = f64::from(settings.outside_votes) * count / (count + 1_000.0);
            votes[k] += weight;
            good[k] += weight * f64::from(outside.average.clamp(0.0, 1.0));
        }
    }
    let all: f64 = votes.iter().sum();
    let voted = votes.iter().filter(|v| **v > 0.0).count();
    if voted == 0 || all <= 0.0 {
        return vec![0.0; films.len()];
    }
    let mean = good.iter().sum::<f64>() / all;
    let patience = all / voted as f64;
    let average = |k: usize| (patience * mean + good[k]) / (patience + votes[k]);
    standardised((0..films.len()).map(average).collect())
}

/// Values in standard deviations from their mean; all zero when they are all the same.
fn standardised(values: Vec<f64>) -> Vec<f32> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    if !(spread > 1e-9) {
        return vec![0.0; values.len()];
    }
    values.into_iter().map(|v| ((v - mean) / spread) as f32).collect()
}
