//! Whom the model does not see: validation and test people, and which of their likes are hidden.
//!
//! The protocol is the usual one for strong generalisation (Liang et al., *Variational autoencoders for
//! collaborative filtering*, WWW 2018): people with at least five likes are shuffled, a tenth become validation
//! people, a tenth test people, the rest train. Films are those that a training person likes. A held-out person
//! gives four fifths of the likes and is judged on the rest. The shuffles are those of numpy's `RandomState`, so
//! that a split is the same, person for person and film for film, as that of a reference in Python.

use rand_mt::Mt;

use crate::signal::Table;

/// Likes that a person needs to take part in an evaluation.
pub(crate) const FEWEST_LIKES: usize = 5;

/// numpy's legacy shuffle: Fisher and Yates from the end, draws rejected under a mask.
struct Shuffle(Mt);

impl Shuffle {
    fn permutation(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for last in (1..len).rev() {
            let drawn = self.up_to(last as u32);
            order.swap(last, drawn as usize);
        }
        order
    }

    fn up_to(&mut self, highest: u32) -> u32 {
        let mask = u32::MAX >> highest.leading_zeros();
        loop {
            let drawn = self.0.next_u32() & mask;
            if drawn <= highest {
                return drawn;
            }
        }
    }
}

/// A person who was held out. Films are places in [`Split::films`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// Likes that are folded in, ascending.
    pub likes: Vec<(u32, f32)>,
    /// Dislikes, ascending.
    pub dislikes: Vec<u32>,
    /// Likes that were hidden, ascending.
    pub hidden: Vec<u32>,
}

/// One split of the people.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    /// Ids of the films, ascending.
    pub films: Vec<u32>,
    /// Indexes of the training people in the table.
    pub people: Vec<usize>,
    pub validation: Vec<Held>,
    pub test: Vec<Held>,
    /// More draws of hidden likes for the validation people, so that settings are chosen on more than chance: each
    /// inner vector is one person, the first draw that of [`Split::validation`].
    pub tuning: Vec<Vec<Held>>,
}

/// Draws that tuning makes for few people; many people need fewer.
const MOST_DRAWS: usize = 5;
/// Draws that tuning is content with, over all people.
const ENOUGH_DRAWS: usize = 1_000;

impl Split {
    /// Splits by `seed`; a table with too few people gives an empty validation or test set.
    pub(crate) fn draw(table: &Table, seed: u32) -> Self {
        let mut shuffle = Shuffle(Mt::new(seed));
        let active: Vec<usize> =
            (0..table.people()).filter(|&p| table.likes(p).count() >= FEWEST_LIKES).collect();
        let order = shuffle.permutation(active.len());
        let held = ((active.len() as f64 * 0.1).round_ties_even() as usize).max(1);
        let chosen = |range: std::ops::Range<usize>| {
            let end = range.end.min(order.len());
            order[range.start.min(end)..end].iter().map(|&k| active[k]).collect::<Vec<_>>()
        };
        let validation = chosen(0..held);
        let test = chosen(held..2 * held);
        let people = chosen(2 * held..usize::MAX);
        let films = table.liked_films(&people);
        let mut hide = |people: &[usize]| {
            people.iter().filter_map(|&p| hold(table, p, &films, &mut shuffle)).collect::<Vec<_>>()
        };
        let validated = hide(&validation);
        let test = hide(&test);
        // After the protocol's own draws, which they must not disturb.
        let mut tuning: Vec<Vec<Held>> = validated.iter().map(|held| vec![held.clone()]).collect();
        for _ in 1..(ENOUGH_DRAWS / validated.len().max(1)).clamp(1, MOST_DRAWS) {
            tuning.iter_mut().zip(hide(&validation)).for_each(|(draws, held)| draws.push(held));
        }
        Self { films, people, validation: validated, test, tuning }
    }
}

fn hold(table: &Table, person: usize, films: &[u32], shuffle: &mut Shuffle) -> Option<Held> {
    let place = |film: u32| films.binary_search(&film).ok().map(|k| k as u32);
    let liked: Vec<(u32, f32)> =
        table.likes(person).filter_map(|(film, weight)| Some((place(film)?, weight))).collect();
    if liked.len() < 2 {
        return None;
    }
    let order = shuffle.permutation(liked.len());
    let hidden_count = ((0.2 * liked.len() as f64) as usize).max(1);
    let mut hidden: Vec<u32> = order[..hidden_count].iter().map(|&k| liked[k].0).collect();
    let mut likes: Vec<(u32, f32)> = order[hidden_count..].iter().map(|&k| liked[k]).collect();
    hidden.sort_unstable();
    likes.sort_unstable_by_key(|(film, _)| *film);
    let dislikes = table.dislikes(person).filter_map(|(film, _)| place(film)).collect();
    Some(Held { likes, dislikes, hidden })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_are_those_of_numpy() {
        // numpy.random.RandomState(1).permutation(10), then .permutation(5) of the same generator.
        let mut shuffle = Shuffle(Mt::new(1));
        assert_eq!(shuffle.permutation(10), [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]);
        assert_eq!(shuffle.permutation(5), [3, 0, 1, 2, 4]);
    }
}
