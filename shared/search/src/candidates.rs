//! The first pass: which titles are worth a close look.

use crate::entry::KindSet;
use crate::layout::File;
use crate::query::Slot;
use std::cmp::Ordering;

/// Titles that get a close look. Fixed, so that the order of hits does not depend on how many are asked
/// for and pages fit together.
pub(crate) const CLOSE_LOOKS: usize = 512;

/// Titles whose promise is worked out: those with most points, the heavier ones where points are equal.
const LOOKS: usize = 4096;

/// Titles one query word may reach before the rest of its matches are cut to their heaviest titles.
const WORD_BUDGET: usize = 20_000;

/// Titles still taken from every match past the budget.
const PAST_BUDGET: usize = 16;

/// Points of a fully matched query. With the 16-bit mask below them they fill 32 bits.
const POINTS: f32 = 60_000.0;

/// Points are compared this coarsely when there are too many titles.
const BUCKETS: usize = 64;

/// What titles have in common with the query's words.
struct Board {
    /// Per title. High half: points. Low half: the query words that gave them, so that each gives once.
    cells: Vec<u32>,
    /// Titles with points, in the order they were reached.
    touched: Vec<u32>,
}

/// The titles of `kinds` that match most of the query, best first, at most [`CLOSE_LOOKS`]. `chars` is
/// the query's length.
pub(crate) fn gather(file: &File, slots: &[Slot], chars: u32, kinds: KindSet) -> Vec<u32> {
    let mut board = Board { cells: vec![0; file.counts.titles as usize], touched: Vec::new() };
    for (i, slot) in slots.iter().enumerate() {
        board.mark(file, slot, 1 << i, kinds);
    }
    board.keep_best();
    let promise = |title: u32| {
        let matched = (board.cells[title as usize] >> 16) as f32 / POINTS;
        let length = u32::from(file.u8(file.at.title_chars, title)).max(chars).max(1);
        let complete = if chars > 1 { chars as f32 / length as f32 } else { 0.0 };
        let weight = file.owner(title).map_or(0.0, |owner| file.weight(owner));
        matched * (0.75 + 0.25 * complete) + 0.1 * weight
    };
    let mut looks: Vec<(f32, u32)> = board.touched.iter().map(|title| (promise(*title), *title)).collect();
    if looks.len() > CLOSE_LOOKS {
        looks.select_nth_unstable_by(CLOSE_LOOKS, by_promise);
        looks.truncate(CLOSE_LOOKS);
    }
    looks.into_iter().map(|(_, title)| title).collect()
}

fn by_promise(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

impl Board {
    fn mark(&mut self, file: &File, slot: &Slot, bit: u32, kinds: KindSet) {
        let mut left = WORD_BUDGET;
        for m in &slot.matches {
            let gain = (((POINTS * slot.share * m.likeness) as u32) << 16) | bit;
            let mut reach = if left > 0 { left.max(PAST_BUDGET) } else { PAST_BUDGET };
            for title in file.postings(m.word) {
                let Some(cell) = self.cells.get_mut(title as usize) else { continue };
                if *cell == 0 {
                    if !kinds.has(file.u8(file.at.kinds, title)) {
                        continue;
                    }
                    self.touched.push(title);
                }
                if *cell & bit == 0 {
                    *cell = cell.saturating_add(gain);
                }
                left = left.saturating_sub(1);
                reach -= 1;
                if reach == 0 {
                    break;
                }
            }
        }
    }

    /// Leaves at most about twice [`LOOKS`] titles.
    fn keep_best(&mut self) {
        if self.touched.len() <= LOOKS {
            return;
        }
        let cells = &self.cells;
        let bucket = |title: u32| (cells[title as usize] >> 16) as usize * BUCKETS / 65_536;
        let mut sizes = [0usize; BUCKETS];
        self.touched.iter().for_each(|title| sizes[bucket(*title)] += 1);
        let mut better = 0;
        let mut edge = BUCKETS - 1;
        while edge > 0 && better + sizes[edge] < LOOKS {
            better += sizes[edge];
            edge -= 1;
        }
        let mut at_edge: Vec<u32> = self.touched.iter().copied().filter(|t| bucket(*t) == edge).collect();
        if at_edge.len() > LOOKS {
            // Title numbers rise as weights fall.
            at_edge.select_nth_unstable(LOOKS);
            at_edge.truncate(LOOKS);
        }
        self.touched.retain(|title| bucket(*title) > edge);
        self.touched.append(&mut at_edge);
    }
}

/// Titles that are exactly `words`, heaviest first.
pub(crate) fn same(file: &File, words: &[u32]) -> impl Iterator<Item = u32> {
    let low = sorted_bound(file, |title| file.tokens(title).lt(words.iter().copied()));
    let high = sorted_bound(file, |title| file.tokens(title).le(words.iter().copied()));
    file.u32s(file.at.sorted, low as usize..high.max(low) as usize)
}

/// Where in the order of word sequences the titles stop being `before`.
fn sorted_bound(file: &File, before: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, file.counts.titles);
    while low < high {
        let middle = low + (high - low) / 2;
        let title = file.u32(file.at.sorted, middle).unwrap_or(u32::MAX);
        if before(title) { low = middle + 1 } else { high = middle }
    }
    low
}
