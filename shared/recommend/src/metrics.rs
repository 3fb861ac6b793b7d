//! Quality of a ranking on films that were hidden from the model.

use serde::{Deserialize, Serialize};

/// Depth of the ranking that is judged.
pub(crate) const DEPTH: usize = 100;

/// What one held-out person saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub recall20: f64,
    pub recall50: f64,
    pub ndcg100: f64,
}

/// Judges a ranking (best first, at most [`DEPTH`] places count) against the hidden films, sorted ascending.
///
/// Recall is over `min(k, hidden)`; gains are binary and the ideal stops at `min(100, hidden)`.
pub(crate) fn judge(ranking: &[u32], hidden: &[u32]) -> Judged {
    let gain = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let (mut found20, mut found50, mut gained) = (0usize, 0usize, 0.0f64);
    for (place, film) in ranking.iter().take(DEPTH).enumerate() {
        if hidden.binary_search(film).is_ok() {
            found20 += usize::from(place < 20);
            found50 += usize::from(place < 50);
            gained += gain(place);
        }
    }
    let ideal: f64 = (0..hidden.len().min(DEPTH)).map(gain).sum();
    let part = |found: usize, k: usize| found as f64 / hidden.len().min(k).max(1) as f64;
    Judged {
        recall20: part(found20, 20),
        recall50: part(found50, 50),
        ndcg100: if ideal > 0.0 { gained / ideal } else { 0.0 },
    }
}

/// A mean over people and its standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The standard error of the mean, over people.
    pub standard_error: f64,
}

impl Mean {
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        if count == 0.0 {
            return Self::default();
        }
        let mean = values.clone().sum::<f64>() / count;
        let spread = values.map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        Self { mean, standard_error: (spread / count).sqrt() }
    }
}

/// Quality on a set of held-out people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Number of held-out people.
    pub people: usize,
    /// Recall in the first 20 places, over `min(20, hidden films)`.
    pub recall_at_20: Mean,
    /// Recall in the first 50 places, over `min(50, hidden films)`.
    pub recall_at_50: Mean,
    /// Normalised discounted cumulative gain of the first 100 places, binary gains.
    pub ndcg_at_100: Mean,
    /// Share of the films that stand in somebody's first 20 places.
    pub coverage_at_20: f64,
}

/// Collects judgements of one set of people.
#[derive(Debug)]
pub(crate) struct Jury {
    judged: Vec<Judged>,
    seen: Vec<bool>,
}

impl Jury {
    pub(crate) fn new(films: usize) -> Self {
        Self { judged: Vec::new(), seen: vec![false; films] }
    }

    pub(crate) fn hear(&mut self, ranking: &[u32], hidden: &[u32]) {
        self.judged.push(judge(ranking, hidden));
        for &film in ranking.iter().take(20) {
            self.seen[film as usize] = true;
        }
    }

    pub(crate) fn quality(&self) -> Quality {
        let seen = self.seen.iter().filter(|&&s| s).count();
        Quality {
            people: self.judged.len(),
            recall_at_20: Mean::of(self.judged.iter().map(|j| j.recall20)),
            recall_at_50: Mean::of(self.judged.iter().map(|j| j.recall50)),
            ndcg_at_100: Mean::of(self.judged.iter().map(|j| j.ndcg100)),
            coverage_at_20: seen as f64 / self.seen.len().max(1) as f64,
        }
    }
}

/// Places of the `depth` highest scores that `allowed` lets through, best first; ties go to the lower index.
pub(crate) fn best(scores: &[f32], depth: usize, allowed: impl Fn(u32) -> bool) -> Vec<u32> {
    let before =
        |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then_with(|| a.cmp(b));
    if depth == 0 {
        return Vec::new();
    }
    // Kept in batches: a film is asked about only when its score could still matter.
    let mut kept: Vec<u32> = Vec::with_capacity(4 * depth);
    let mut floor = f32::NEG_INFINITY;
    for (film, &score) in scores.iter().enumerate() {
        let film = film as u32;
        if score < floor || score.is_nan() || !allowed(film) {
            continue;
        }
        kept.push(film);
        if kept.len() == 4 * depth {
            kept.select_nth_unstable_by(depth - 1, before);
            kept.truncate(depth);
            floor = scores[kept[depth - 1] as usize];
        }
    }
    kept.sort_unstable_by(before);
    kept.truncate(depth);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_scores_one_and_an_empty_one_zero() {
        let perfect = judge(&[3, 7], &[3, 7]);
        assert_eq!((perfect.recall20, perfect.recall50), (1.0, 1.0));
        assert!((perfect.ndcg100 - 1.0).abs() < 1e-12);
        assert_eq!(judge(&[], &[3]), Judged { recall20: 0.0, recall50: 0.0, ndcg100: 0.0 });
    }

    #[test]
    fn a_hit_in_second_place_is_discounted_by_the_logarithm() {
        assert!((judge(&[1, 3], &[3]).ndcg100 - 1.0 / 3f64.log2()).abs() < 1e-12);
    }

    #[test]
    fn the_best_are_found_in_order_and_ties_go_to_the_lower_index() {
        let scores: Vec<f32> = (0..1000).map(|k| ((k * 37) % 101) as f32).collect();
        let mut slow: Vec<u32> = (0..1000).filter(|k| k % 3 != 0).collect();
        slow.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b)));
        assert_eq!(best(&scores, 10, |k| k % 3 != 0), slow[..10]);
        assert_eq!(best(&[f32::NAN, 1.0], 10, |_| true), [1]);
        assert!(best(&scores, 0, |_| true).is_empty());
    }
}
