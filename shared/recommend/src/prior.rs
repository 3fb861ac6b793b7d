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
        Self { half_life: 8.0 * 365.25 * 86_400.0, outside_votes: 20.0 }
    }
}

/// The prior of each film in standard deviations from the mean. `films` are ascending by id. Ages count from the
/// newest opinion, not from a clock. Only `people` have a say.
pub(crate) fn prior(table: &Table, people: &[usize], films: &[Film], settings: PriorSettings) -> Vec<f32> {
    let now = table.newest();
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
            good[film] += weight * goodness(signal.value);
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

fn goodness(value: f32) -> f64 {
    if value == 0.0 { 0.5 } else { f64::from(u8::from(value > 0.0)) }
}

/// Values in standard deviations from their mean; all zero when they are all the same.
fn standardised(values: Vec<f64>) -> Vec<f32> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    if spread.is_nan() || spread <= 1e-9 {
        return vec![0.0; values.len()];
    }
    values.into_iter().map(|v| ((v - mean) / spread) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::film::Votes;
    use crate::signal::{Limits, Signal};

    const YEAR: i64 = 31_557_600;

    fn films(count: u32) -> Vec<Film> {
        (0..count).map(|movie_id| Film { movie_id, ..Film::default() }).collect()
    }

    /// Opinions as (person, film, value, at).
    fn priors(opinions: &[(u64, u32, f32, i64)], films: &[Film]) -> Vec<f32> {
        let signals = opinions.iter().map(|&(person, film, value, at)| Signal { person, film, value, at });
        let limits = Limits { prior_votes: 2.0, ..Limits::default() };
        let table = Table::gather(signals, |_| true, limits).unwrap();
        let people: Vec<usize> = (0..table.people()).collect();
        prior(&table, &people, films, PriorSettings::default())
    }

    #[test]
    fn many_good_opinions_go_before_one_perfect_and_that_before_bad_ones() {
        let mut opinions = vec![(1, 1, 1.0, 0), (2, 2, -1.0, 0), (3, 2, -1.0, 0), (4, 0, -1.0, 0)];
        opinions.extend((10..19).map(|person| (person, 0, 1.0, 0)));
        let priors = priors(&opinions, &films(3));
        assert!(priors[0] > priors[1] && priors[1] > priors[2], "{priors:?}");
    }

    #[test]
    fn old_opinions_count_less() {
        let opinions = [
            (1, 0, 1.0, 0),
            (2, 0, 1.0, 0),
            (3, 1, 1.0, 40 * YEAR),
            (4, 1, 1.0, 40 * YEAR),
            (5, 2, -1.0, 40 * YEAR),
        ];
        let priors = priors(&opinions, &films(3));
        assert!(priors[1] > priors[0], "{priors:?}");
    }

    #[test]
    fn who_likes_everything_says_less_about_each_film() {
        let mut opinions: Vec<(u64, u32, f32, i64)> = (0..40).map(|film| (1, film, 1.0, 0)).collect();
        opinions.extend([(2, 41, 1.0, 0), (3, 42, -1.0, 0), (4, 42, -1.0, 0)]);
        let priors = priors(&opinions, &films(50));
        assert!(priors[41] > priors[0] && priors[0] > priors[42], "{priors:?}");
    }

    #[test]
    fn votes_from_outside_order_films_that_nobody_rated_and_absurd_ones_are_passed_over() {
        let mut films = films(3);
        films[0].votes = Some(Votes { average: 0.9, count: 5_000 });
        films[1].votes = Some(Votes { average: 0.3, count: 5_000 });
        films[2].votes = Some(Votes { average: f32::NAN, count: u32::MAX });
        let priors = priors(&[], &films);
        assert!(priors[0] > priors[2] && priors[2] > priors[1], "{priors:?}");
    }

    #[test]
    fn without_any_opinion_all_films_are_equal() {
        assert_eq!(priors(&[], &films(4)), [0.0; 4]);
    }
}
