//! What people said about films, cleaned and capped: the input of training.

use crate::error::Error;
use crate::sparse::Sparse;

/// One person's opinion of one film at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// The person, by any stable number.
    pub person: u64,
    /// The film's id.
    pub film: u32,
    /// Above zero a like of that weight, below zero a dislike of that weight, zero seen without either: in
    /// training that counts as a like of less weight. A thumb is
    /// 1 or -1; a film watched to its end may be a like of, say, 0.3. Finite; clipped to [`Limits::weight`].
    pub value: f32,
    /// When, in seconds since 1970. Later opinions of the same film replace earlier ones.
    pub at: i64,
}

/// How much one person can move the model.
///
/// The caller keeps out accounts that are too young or not verified; these limits hold for everybody else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Opinions that count, the latest first. The rest are dropped.
    pub opinions: usize,
    /// Greatest weight of one opinion.
    pub weight: f32,
    /// A person with more likes than this has each pair of them counted less, so that the sum over all the
    /// person's pairs grows no faster than the number of likes.
    pub full_pairs: usize,
    /// Total weight of one person in the popularity prior.
    pub prior_votes: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { opinions: 3_000, weight: 1.0, full_pairs: 1_000, prior_votes: 300.0 }
    }
}

/// How many signals were used, and why the others were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Intake {
    /// Signals that train the model.
    pub kept: usize,
    /// Signals that a later one about the same film by the same person replaced.
    pub replaced: usize,
    /// Signals about films that are not in the catalogue.
    pub unknown_film: usize,
    /// Signals beyond [`Limits::opinions`].
    pub over_limit: usize,
}

/// A [`Signal`] in a table, where the person is known from the place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Opinion {
    pub film: u32,
    pub value: f32,
    /// Seconds since 1970; what is before or after 2106 counts as the nearest.
    pub at: u32,
}

/// Cleaned signals, grouped by person.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By person, then film; one per pair.
    opinions: Vec<Opinion>,
    /// Each person, and where the person's opinions end. Ascending.
    people: Vec<(u64, usize)>,
    intake: Intake,
    limits: Limits,
}

impl Table {
    /// Gathers signals: the latest opinion of a person on a film wins, and of two at the same second the one that
    /// came later in the input. `known` says which films are in the catalogue.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] for a value that is NaN or infinite. An empty input is not an error: it gives an
    /// empty table, and a model of the prior alone.
    pub fn gather(
        signals: impl IntoIterator<Item = Signal>,
        known: impl Fn(u32) -> bool,
        limits: Limits,
    ) -> Result<Self, Error> {
        let mut intake = Intake::default();
        let clipped = |signal: Signal| {
            if !signal.value.is_finite() {
                return Some(Err(Error::NotFinite { person: signal.person, film: signal.film }));
            }
            let value = signal.value.clamp(-limits.weight, limits.weight);
            let is_known = known(signal.film);
            intake.unknown_film += usize::from(!is_known);
            is_known.then_some(Ok(Signal { value, ..signal }))
        };
        let mut kept: Vec<Signal> = signals.into_iter().filter_map(clipped).collect::<Result<_, _>>()?;
        let before = kept.len();
        // Stable: of equal times the later arrival stays last, and the last of each pair is kept.
        kept.sort_by_key(|s| (s.person, s.film, s.at));
        kept.reverse();
        kept.dedup_by_key(|s| (s.person, s.film));
        kept.reverse();
        intake.replaced = before - kept.len();
        let before = kept.len();
        let kept = capped(kept, limits.opinions);
        intake.over_limit = before - kept.len();
        intake.kept = kept.len();
        let mut people: Vec<(u64, usize)> = Vec::new();
        for own in kept.chunk_by(|a, b| a.person == b.person) {
            let end = people.last().map_or(0, |(_, end)| *end) + own.len();
            people.push((own[0].person, end));
        }
        let opinions = kept.into_iter().map(|s| Opinion { film: s.film, value: s.value, at: seconds(s.at) });
        Ok(Self { opinions: opinions.collect(), people, intake, limits })
    }

    /// Number of people.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// What was used and what was not.
    pub fn intake(&self) -> Intake {
        self.intake
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// When the newest opinion was given.
    pub(crate) fn newest(&self) -> u32 {
        self.opinions.iter().map(|o| o.at).max().unwrap_or(0)
    }

    /// The number of the person at a place.
    pub(crate) fn person(&self, place: usize) -> u64 {
        self.people[place].0
    }

    pub(crate) fn of(&self, person: usize) -> &[Opinion] {
        let start = person.checked_sub(1).map_or(0, |before| self.people[before].1);
        &self.opinions[start..self.people[person].1]
    }

    /// Liked films of a person with their weights, ascending.
    pub(crate) fn likes(&self, person: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.of(person).iter().filter(|s| s.value > 0.0).map(|s| (s.film, s.value))
    }

    /// Disliked films of a person with their weights, ascending.
    pub(crate) fn dislikes(&self, person: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.of(person).iter().filter(|s| s.value < 0.0).map(|s| (s.film, -s.value))
    }

    /// Ids of the films that at least one of the people likes, ascending.
    pub(crate) fn liked_films(&self, people: &[usize]) -> Vec<u32> {
        let mut films: Vec<u32> = people.iter().flat_map(|&p| self.likes(p).map(|(film, _)| film)).collect();
        films.sort_unstable();
        films.dedup();
        films
    }

    /// What `people` liked, and with weight `seen` what they saw without an opinion, over `films` (ascending ids): a
    /// row per person, a column per film.
    pub(crate) fn training(&self, people: &[usize], films: &[u32], seen: f32) -> Sparse {
        let weight = |value: f32| if value == 0.0 { seen } else { value };
        let entries = people.iter().map(|person| self.of(*person).len()).sum();
        let mut rows = Sparse::with_room(films.len(), entries);
        for &person in people {
            let used = self.of(person).iter().map(|s| (s.film, weight(s.value))).filter(|(_, w)| *w > 0.0);
            rows.push(used.filter_map(|(film, w)| Some((films.binary_search(&film).ok()? as u32, w))));
        }
        rows
    }

    /// Whether one of `people` saw a film without an opinion.
    pub(crate) fn has_seen(&self, people: &[usize]) -> bool {
        people.iter().any(|person| self.of(*person).iter().any(|o| o.value == 0.0))
    }

    /// How many of `people` like each of `films` (ascending ids).
    pub(crate) fn counts(&self, people: &[usize], films: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; films.len()];
        for (film, _) in people.iter().flat_map(|person| self.likes(*person)) {
            if let Ok(place) = films.binary_search(&film) {
                counts[place] += 1;
            }
        }
        counts
    }
}

fn seconds(at: i64) -> u32 {
    u32::try_from(at.max(0)).unwrap_or(u32::MAX)
}

/// Keeps the latest `most` signals of each person. `signals` is sorted by person and film, and stays so.
fn capped(signals: Vec<Signal>, most: usize) -> Vec<Signal> {
    let longest = signals.chunk_by(|a, b| a.person == b.person).map(<[_]>::len).max();
    if longest.is_none_or(|longest| longest <= most) {
        return signals;
    }
    let mut kept = Vec::with_capacity(signals.len());
    for own in signals.chunk_by(|a, b| a.person == b.person) {
        if own.len() <= most {
            kept.extend_from_slice(own);
            continue;
        }
        let mut latest = own.to_vec();
        latest.sort_by_key(|s| (std::cmp::Reverse(s.at), s.film));
        latest.truncate(most);
        latest.sort_by_key(|s| s.film);
        kept.extend(latest);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(person: u64, film: u32, value: f32, at: i64) -> Signal {
        Signal { person, film, value, at }
    }

    fn gather(signals: &[Signal]) -> Table {
        Table::gather(signals.iter().copied(), |film| film != 99, Limits::default()).unwrap()
    }

    #[test]
    fn the_latest_opinion_of_a_film_wins_and_of_two_at_once_the_later_row() {
        let table = gather(&[
            signal(1, 5, 1.0, 20),
            signal(1, 5, -1.0, 10),
            signal(2, 5, 1.0, 3),
            signal(2, 5, -1.0, 3),
        ]);
        assert_eq!(table.of(0), [Opinion { film: 5, value: 1.0, at: 20 }]);
        assert_eq!(table.of(1), [Opinion { film: 5, value: -1.0, at: 3 }]);
        assert_eq!(table.intake(), Intake { kept: 2, replaced: 2, ..Intake::default() });
    }

    #[test]
    fn unknown_films_are_counted_and_left_out() {
        let table = gather(&[signal(1, 99, 1.0, 0), signal(1, 2, 1.0, 0)]);
        assert_eq!((table.people(), table.intake().unknown_film), (1, 1));
    }

    #[test]
    fn a_value_that_is_no_number_is_refused() {
        for value in [f32::NAN, f32::INFINITY] {
            let refused = Table::gather([signal(7, 3, value, 0)], |_| true, Limits::default());
            assert!(matches!(refused, Err(Error::NotFinite { person: 7, film: 3 })));
        }
    }

    #[test]
    fn no_signals_make_an_empty_table() {
        assert_eq!(gather(&[]).people(), 0);
    }

    #[test]
    fn a_person_counts_with_the_latest_opinions_up_to_the_limit_and_no_weight_above_it() {
        let limits = Limits { opinions: 2, ..Limits::default() };
        let rows = [signal(1, 1, 9.0, 5), signal(1, 2, 1.0, 9), signal(1, 3, 1.0, 7), signal(2, 1, 1.0, 0)];
        let table = Table::gather(rows, |_| true, limits).unwrap();
        assert_eq!(table.likes(0).collect::<Vec<_>>(), [(2, 1.0), (3, 1.0)]);
        assert_eq!(table.intake().over_limit, 1);
        let heavy = Table::gather([signal(1, 1, 9.0, 5)], |_| true, limits).unwrap();
        assert_eq!(heavy.of(0)[0].value, 1.0);
    }
}
