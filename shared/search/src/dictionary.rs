//! Looking words up: exactly, by their beginning, and with typos.

use crate::distance::Pattern;
use crate::layout::{File, LENGTHS};
use std::ops::Range;

/// A dictionary word that may stand for a query word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) word: u32,
    /// 1 for the same word, less for a longer or a misspelt one.
    pub(crate) likeness: f32,
}

/// A word's letters as a set that edits change little: a bit for each of a-z, a second bit for the second
/// one of the same letter, twelve bits shared by everything else.
///
/// One inserted, deleted or replaced character adds at most one bit and removes at most one; a swap
/// changes none. So words within `k` edits differ by at most `k` bits either way.
pub(crate) fn letters(word: &str) -> u64 {
    let mut set = 0u64;
    for c in word.chars() {
        match c {
            'a'..='z' => {
                let bit = 1u64 << (c as u32 - 'a' as u32);
                set |= if set & bit == 0 { bit } else { bit << 26 };
            }
            _ => set |= 1 << (52 + (c as u32) % 12),
        }
    }
    set
}

/// Words that begin with something are worth at least this much.
pub(crate) const PREFIX_FLOOR: f32 = 0.75;

pub(crate) fn prefix_likeness(typed: u32, whole: u32) -> f32 {
    PREFIX_FLOOR + (1.0 - PREFIX_FLOOR) * typed as f32 / whole.max(1) as f32
}

impl File {
    /// The first word not before `text`.
    fn lower_bound(&self, text: &str) -> u32 {
        self.partition(|word| word < text)
    }

    fn partition(&self, before: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (0, self.counts.words);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.word(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Length of a word in characters.
    #[inline]
    pub(crate) fn word_chars(&self, word: u32) -> u32 {
        let text = self.word(word);
        if text.is_ascii() { text.len() as u32 } else { text.chars().count() as u32 }
    }

    /// The word itself.
    pub(crate) fn exact(&self, text: &str) -> Option<u32> {
        let at = self.lower_bound(text);
        (at < self.counts.words && self.word(at) == text).then_some(at)
    }

    /// The words that begin with `text`, itself included.
    pub(crate) fn beginning(&self, text: &str) -> Range<u32> {
        let low = self.lower_bound(text);
        let high = self.partition(|word| word < text || word.starts_with(text));
        low..high.max(low)
    }

    /// The words within `edits` of `text`; with `prefix`, also those with a beginning that is within
    /// `prefix_edits`. Words of `except` are left out.
    ///
    /// A scan over the letter sets of all words of fitting length: about a nanosecond a word, and most
    /// are ruled out there.
    pub(crate) fn near(
        &self,
        text: &str,
        edits: u32,
        prefix_edits: Option<u32>,
        except: &Range<u32>,
        out: &mut Vec<Match>,
    ) {
        let pattern = Pattern::new(text.chars());
        let (chars, wanted) = (pattern.chars(), letters(text));
        let shortest = chars.saturating_sub(edits);
        let longest = if prefix_edits.is_some() { LENGTHS as u32 - 1 } else { chars + edits };
        let starts = |length: u32| self.u32(self.at.length_starts, length).unwrap_or(0) as usize;
        let whole_until = starts((chars + edits + 1).min(LENGTHS as u32));
        let range = starts(shortest)..starts((longest + 1).min(LENGTHS as u32));
        let first = range.start;
        for (at, set) in (first..).zip(self.u64s(self.at.letters, range)) {
            let missing = (wanted & !set).count_ones();
            let whole = at < whole_until && missing <= edits && (set & !wanted).count_ones() <= edits;
            if !whole && prefix_edits.is_none_or(|k| missing > k) {
                continue;
            }
            let Some(word) = self.u32(self.at.by_length, at as u32) else { continue };
            if except.contains(&word) {
                continue;
            }
            let d = pattern.compare(self.word(word).chars());
            let mut likeness = 0.0f32;
            if whole && d.whole <= edits {
                likeness = 1.0 - d.whole as f32 / chars.max(d.chars) as f32;
            }
            if prefix_edits.is_some_and(|k| d.prefix <= k) {
                let kept = 1.0 - d.prefix as f32 / chars as f32;
                likeness = likeness.max(kept * prefix_likeness(chars, d.chars.max(chars)));
            }
            if likeness > 0.0 {
                out.push(Match { word, likeness });
            }
        }
    }
}
