//! Choosing the length of the vectors, ridges and blend on validation people.
//!
//! A validation set is a sample, and the best of many settings on a small sample is often the luckiest. So few people
//! are asked several times with other likes hidden, and a setting replaces the one before only when the mean of the
//! paired differences in NDCG@100, person by person, is above two of its own standard errors.

use rayon::prelude::*;

use crate::artifact::{Settings, Weights};
use crate::edlae::Workspace;
use crate::error::Error;
use crate::fit::Likes;
use crate::fold::FoldIn;
use crate::ials::{self, Factors, gram};
use crate::lanes::{dot, widest};
use crate::metrics::{DEPTH, best, judge};
use crate::split::Held;
use crate::train::Step;

/// Validation people that are asked; more make no difference to the choice.
const PEOPLE: usize = 1_000;

/// Settings tried along one axis at most.
const TRIES: usize = 7;

/// Numbers in a vector at least.
const SHORTEST: usize = 8;

/// Standard errors that a gain must have.
const CONVINCING: f64 = 2.0;

/// NDCG@100 of each validation person, mean over the draws.
type Verdict = Vec<f64>;

pub(crate) fn mean(verdict: &[f64]) -> f64 {
    verdict.iter().sum::<f64>() / verdict.len().max(1) as f64
}

/// Whether `new` is better than `old` by more than [`CONVINCING`] standard errors of the paired difference.
pub(crate) fn is_better(new: &[f64], old: &[f64]) -> bool {
    let count = new.len() as f64;
    let gain = new.iter().zip(old).map(|(a, b)| a - b).sum::<f64>() / count;
    let spread = new.iter().zip(old).map(|(a, b)| (a - b - gain).powi(2)).sum::<f64>() / count;
    gain > CONVINCING * (spread / count).sqrt() && gain > 0.0
}

/// Judges every validation person; `rank` gives a ranking, best first.
pub(crate) fn verdict(people: &[Vec<Held>], rank: impl Fn(&Held) -> Vec<u32> + Sync) -> Verdict {
    let people = &people[..people.len().min(PEOPLE)];
    let ndcg = |held: &Held| judge(&rank(held), &held.hidden).ndcg100;
    people.par_iter().map(|draws| draws.iter().map(ndcg).sum::<f64>() / draws.len() as f64).collect()
}

/// The films that a person did not fold in, best first.
fn ranked(person: &Held, scores: &[f32]) -> Vec<u32> {
    best(scores, DEPTH, |film| person.likes.binary_search_by_key(&film, |(film, _)| *film).is_err())
}

/// Climbs from `start` by `factor` up and down, as long as it gets better.
fn climb(
    start: (f32, Verdict),
    factor: f32,
    mut judge: impl FnMut(f32) -> Result<Verdict, Error>,
) -> Result<(f32, Verdict), Error> {
    let mut chosen = start;
    let mut tries = 1;
    for direction in [factor, 1.0 / factor] {
        let mut here = chosen.0;
        let before = chosen.0;
        while tries < TRIES {
            here *= direction;
            let verdict = judge(here)?;
            tries += 1;
            if !is_better(&verdict, &chosen.1) {
                break;
            }
            chosen = (here, verdict);
        }
        if chosen.0 != before {
            break;
        }
    }
    Ok(chosen)
}

/// Chooses the ridge of the item-item model.
pub(crate) fn item(
    workspace: &mut Workspace,
    validation: &[Vec<Held>],
    settings: &mut Settings,
    progress: &mut dyn FnMut(Step),
) -> Result<(), Error> {
    let start = *settings;
    let mut judge = |lambda| {
        let solved = workspace.solve(Settings { item_lambda: lambda, ..start }.ridge())?;
        let verdict =
            verdict(validation, |person| ranked(person, &solved.scores(person.likes.iter().copied())));
        progress(Step::Item { lambda, ndcg: mean(&verdict) });
        Ok(verdict)
    };
    let first = judge(start.item_lambda)?;
    settings.item_lambda = climb((start.item_lambda, first), 2.5, judge)?.0;
    Ok(())
}

/// A latent model that was tried.
pub(crate) struct Tried {
    pub settings: Settings,
    pub factors: Factors,
    pub verdict: Verdict,
}

/// Trains a latent model and asks the validation people.
pub(crate) fn try_latent(
    likes: &Likes,
    validation: &[Vec<Held>],
    settings: Settings,
    seed: u32,
    progress: &mut dyn FnMut(Step),
) -> Result<Tried, Error> {
    let factors = ials::train(&likes.by_person, &likes.by_film, settings.latent(), seed, |_| {})?;
    let verdict = judge_factors(&factors, validation, &settings);
    let Settings { dims, lambda, background, seen, .. } = settings;
    progress(Step::Latent { dims, lambda, background, seen, ndcg: mean(&verdict) });
    Ok(Tried { settings, factors, verdict })
}

/// Halves the vectors of a latent model that was tried, as long as it gets better. Where tastes are few, the rest of a
/// long vector is noise, and a ridge that takes it out harms what is not. Each half costs half the time of the one
/// before.
pub(crate) fn halve(
    first: Tried,
    mut try_other: impl FnMut(Settings) -> Result<Tried, Error>,
) -> Result<Tried, Error> {
    let mut chosen = first;
    while chosen.settings.dims >= 2 * SHORTEST {
        let half = try_other(Settings { dims: chosen.settings.dims / 2, ..chosen.settings })?;
        if !is_better(&half.verdict, &chosen.verdict) {
            break;
        }
        chosen = half;
    }
    Ok(chosen)
}

/// Chooses ridge and background of the latent model, starting from one that was tried.
pub(crate) fn latent(
    likes: &Likes,
    validation: &[Vec<Held>],
    first: Tried,
    seed: u32,
    progress: &mut dyn FnMut(Step),
) -> Result<(Settings, Factors), Error> {
    let Tried { settings: start, factors, verdict } = first;
    let mut last = (start, factors);
    let mut judge = |settings| {
        let tried = try_latent(likes, validation, settings, seed, progress)?;
        last = (settings, tried.factors);
        Ok(tried.verdict)
    };
    let (lambda, verdict) =
        climb((start.lambda, verdict), 1.5, |lambda| judge(Settings { lambda, ..start }))?;
    let ridged = Settings { lambda, ..start };
    // The ridge of what nobody said anything about is λ·α₀: it stays while α₀ moves.
    let with = |background: f32| Settings {
        background,
        lambda: ridged.lambda * ridged.background / background,
        ..ridged
    };
    let (background, _) = climb((start.background, verdict), 1.6, |background| judge(with(background)))?;
    let chosen = if background == start.background { ridged } else { with(background) };
    if last.0 == chosen {
        return Ok(last);
    }
    drop(last);
    Ok((chosen, ials::train(&likes.by_person, &likes.by_film, chosen.latent(), seed, |_| {})?))
}

fn judge_factors(factors: &Factors, validation: &[Vec<Held>], settings: &Settings) -> Verdict {
    let dims = factors.dims;
    let products = gram(&factors.rows, dims);
    let products: Vec<f32> = (0..dims * dims).map(|k| products[(k / dims, k % dims)]).collect();
    let films = factors.rows.len() / dims;
    verdict(validation, |person| {
        let dislikes = person.dislikes.iter().map(|film| (*film, -settings.dislike));
        let (mut rows, mut weights) = (Vec::new(), Vec::new());
        for (film, weight) in person.likes.iter().copied().chain(dislikes) {
            rows.extend_from_slice(factors.row(film as usize));
            weights.push(weight);
        }
        let own = person.likes.iter().map(|(_, w)| w).sum();
        let ridge = settings.latent().ridge(own, films);
        let Some(fold) = FoldIn::solve(&products, settings.background, ridge, rows, weights) else {
            return Vec::new();
        };
        let mut scores = vec![0.0f32; films];
        widest(
            #[inline(always)]
            || {
                for (score, row) in scores.iter_mut().zip(factors.rows.chunks_exact(dims)) {
                    *score = dot(row, &fold.taste);
                }
            },
        );
        ranked(person, &scores)
    })
}

/// Chooses the weights of the blend; `judge` asks the artifact as it would be served.
pub(crate) fn weights(
    with_content: bool,
    start: Weights,
    mut judge: impl FnMut(Weights) -> Verdict,
    progress: &mut dyn FnMut(Step),
) -> Weights {
    let mut chosen = (start, judge(start));
    let mut consider = |weights: Weights, chosen: &mut (Weights, Verdict)| {
        let verdict = judge(weights);
        progress(Step::Blend { weights, ndcg: mean(&verdict) });
        if is_better(&verdict, &chosen.1) {
            *chosen = (weights, verdict);
        }
    };
    for tenths in [0u8, 1, 2, 4, 5, 6, 8, 10] {
        let item = f32::from(tenths) / 10.0;
        consider(Weights { item, latent: 1.0 - item, content: start.content }, &mut chosen);
    }
    if with_content {
        let base = chosen.0;
        for content in [0.0, 0.2, 0.4] {
            consider(Weights { content, ..base }, &mut chosen);
        }
    }
    chosen.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_within_its_standard_error_does_not_count() {
        assert!(is_better(&[0.5, 0.6, 0.7, 0.6], &[0.4, 0.5, 0.6, 0.5]));
        assert!(!is_better(&[0.9, 0.1, 0.7, 0.2], &[0.1, 0.9, 0.2, 0.6]));
        assert!(!is_better(&[0.5, 0.5], &[0.5, 0.5]));
    }

    #[test]
    fn vectors_are_halved_while_that_is_better_and_never_below_the_shortest() {
        let halved = |from: usize, best: usize| {
            let tried = |settings: Settings| {
                let off = (settings.dims as f64 / best as f64).ln().abs() / 10.0;
                let factors = Factors { dims: settings.dims, rows: Vec::new() };
                Ok(Tried { settings, factors, verdict: vec![0.9 - off, 0.91 - off] })
            };
            let first = tried(Settings { dims: from, ..Settings::default() }).unwrap();
            halve(first, tried).unwrap().settings.dims
        };
        assert_eq!(halved(128, 32), 32);
        assert_eq!(halved(128, 128), 128);
        assert_eq!(halved(128, 1), SHORTEST);
        assert_eq!(halved(SHORTEST, 1), SHORTEST);
    }

    #[test]
    fn the_blend_reaches_either_model_alone() {
        let chosen = |by: fn(Weights) -> f32| {
            let judge = |weights| vec![f64::from(by(weights)); 3];
            weights(false, Weights::default(), judge, &mut |_| {})
        };
        assert_eq!(chosen(|w| w.latent - w.item), Weights { item: 0.0, latent: 1.0, content: 0.0 });
        assert_eq!(chosen(|w| w.item - w.latent), Weights { item: 1.0, latent: 0.0, content: 0.0 });
        assert_eq!(chosen(|w| -(w.item - 0.5).abs()), Weights { item: 0.5, latent: 0.5, content: 0.0 });
    }

    #[test]
    fn climbing_stops_on_the_hill() {
        let hill =
            |x: f32| Ok(vec![1.0 - f64::from((x / 9.0).ln().abs()), 1.01 - f64::from((x / 9.0).ln().abs())]);
        let (chosen, _) = climb((1.0, hill(1.0).unwrap()), 3.0, hill).unwrap();
        assert!((chosen - 9.0).abs() < 1e-4);
        let (chosen, _) = climb((81.0, hill(81.0).unwrap()), 3.0, hill).unwrap();
        assert!((chosen - 9.0).abs() < 1e-4);
    }
}
