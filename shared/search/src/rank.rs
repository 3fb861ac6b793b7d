//! The second pass: how like a title is to the query.

use crate::distance::{Distances, Pattern};
use crate::fold::is_article;
use crate::layout::File;
use crate::query::{MAX_WORDS, Slot};

/// Share of a likeness that depends on how much of the title the query covers.
const COMPLETENESS: f32 = 0.25;

/// Of the two measures, what the better one counts.
const BETTER: f32 = 0.8;

/// What a title that is only like the query without its leading article keeps.
const WITHOUT_ARTICLE: f32 = 0.98;

/// A query to compare titles with.
pub(crate) struct Ranker<'a> {
    file: &'a File,
    shares: Vec<f32>,
    /// Per dictionary word: 0, or one more than its row in `likenesses`.
    row_of: Vec<u32>,
    /// A row per matched word, a column per query word.
    likenesses: Vec<f32>,
    /// The query's words in one string.
    pattern: Pattern,
}

impl<'a> Ranker<'a> {
    pub(crate) fn new(file: &'a File, text: &str, slots: &[Slot]) -> Self {
        let mut row_of = vec![0u32; file.counts.words as usize];
        let mut likenesses: Vec<f32> = Vec::new();
        let columns = slots.len();
        let mut rows = 0;
        for (column, slot) in slots.iter().enumerate() {
            for m in &slot.matches {
                let Some(row) = row_of.get_mut(m.word as usize) else { continue };
                if *row == 0 {
                    rows += 1;
                    *row = rows;
                    likenesses.resize(likenesses.len() + columns, 0.0);
                }
                let cell = &mut likenesses[(*row as usize - 1) * columns + column];
                *cell = cell.max(m.likeness);
            }
        }
        let shares = slots.iter().map(|s| s.share).collect();
        Ranker { file, shares, row_of, likenesses, pattern: Pattern::new(text.chars()) }
    }

    /// From 0, nothing in common, to 1, the same.
    pub(crate) fn likeness(&self, title: u32) -> f32 {
        let by_words = self.by_words(title);
        let by_text = self.by_text(title);
        by_words.max(by_text) * BETTER + by_words.min(by_text) * (1.0 - BETTER)
    }

    /// Words in any order: the matched share of the query, and of the title.
    fn by_words(&self, title: u32) -> f32 {
        let columns = self.shares.len();
        let mut best = [0.0f32; MAX_WORDS];
        let (mut covered, mut letters) = (0.0f32, 0.0f32);
        for (i, word) in self.file.tokens(title).enumerate() {
            let mut here = 0.0f32;
            let row = self.row_of.get(word as usize).copied().unwrap_or(0) as usize;
            if row > 0 {
                let row = &self.likenesses[(row - 1) * columns..row * columns];
                for (best, likeness) in best.iter_mut().zip(row) {
                    *best = best.max(*likeness);
                    here = here.max(*likeness);
                }
            }
            let left_out = i == 0 && here == 0.0 && is_article(self.file.word(word));
            let size = self.file.word_chars(word) as f32 * if left_out { 0.25 } else { 1.0 };
            covered += here * size;
            letters += size;
        }
        let matched: f32 = best.iter().zip(&self.shares).map(|(best, share)| best * share).sum();
        matched * self.completed(covered / letters.max(1.0))
    }

    /// The whole text, typos and misplaced spaces counted.
    fn by_text(&self, title: u32) -> f32 {
        let words = || self.file.tokens(title);
        let whole = self.closeness(self.pattern.compare(spelled(self.file, words())));
        let mut rest = words();
        let article = rest.next().is_some_and(|word| is_article(self.file.word(word)));
        if !article || rest.len() == 0 {
            return whole;
        }
        whole.max(WITHOUT_ARTICLE * self.closeness(self.pattern.compare(spelled(self.file, rest))))
    }

    fn closeness(&self, d: Distances) -> f32 {
        let chars = self.pattern.chars().max(1);
        let longer = chars.max(d.chars) as f32;
        let whole = 1.0 - d.whole as f32 / longer;
        let begun = (1.0 - d.prefix as f32 / chars as f32) * self.completed(chars as f32 / longer);
        // One letter of three says nothing; that it is where the title begins does.
        if chars == 1 { begun } else { whole.max(begun) }
    }

    /// What covering this much of a title is worth. Of a single letter it is worth nothing, so that the
    /// weight alone decides among the titles that begin with it.
    fn completed(&self, share: f32) -> f32 {
        let most = if self.pattern.chars() > 1 { COMPLETENESS } else { 0.0 };
        1.0 - COMPLETENESS + most * share
    }
}

/// The characters of words with a space between each.
fn spelled<'f>(file: &'f File, words: impl Iterator<Item = u32> + 'f) -> impl Iterator<Item = char> + 'f {
    words.enumerate().flat_map(|(i, word)| (i > 0).then_some(' ').into_iter().chain(file.word(word).chars()))
}
