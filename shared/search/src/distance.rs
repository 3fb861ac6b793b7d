//! Edit distance: Damerau's four edits (insert, delete, replace, swap neighbours) in the restricted
//! ("optimal string alignment") form, one machine word per column.
//!
//! H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic
//! Journal of Computing 10 (2003). About ten operations per character of the text.

/// Longest pattern that fits the bit vectors; longer ones are cut.
pub(crate) const MAX_PATTERN_CHARS: usize = 64;

/// A string prepared to be compared with many others.
pub(crate) struct Pattern {
    ascii: [u64; 128],
    other: Vec<(char, u64)>,
    chars: u32,
}

/// What one pass over a text yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Distances {
    /// Edits between the pattern and the whole text.
    pub(crate) whole: u32,
    /// Edits between the pattern and the best-fitting beginning of the text.
    pub(crate) prefix: u32,
    /// Characters of the text that were compared.
    pub(crate) chars: u32,
}

impl Pattern {
    pub(crate) fn new(text: impl Iterator<Item = char>) -> Self {
        let mut pattern = Pattern { ascii: [0; 128], other: Vec::new(), chars: 0 };
        for c in text.take(MAX_PATTERN_CHARS) {
            let bit = 1u64 << pattern.chars;
            pattern.chars += 1;
            if let Some(mask) = pattern.ascii.get_mut(c as usize) {
                *mask |= bit;
            } else if let Some((_, mask)) = pattern.other.iter_mut().find(|(o, _)| *o == c) {
                *mask |= bit;
            } else {
                pattern.other.push((c, bit));
            }
        }
        pattern
    }

    pub(crate) fn chars(&self) -> u32 {
        self.chars
    }

    #[inline]
    fn mask(&self, c: char) -> u64 {
        match self.ascii.get(c as usize) {
            Some(mask) => *mask,
            None => self.other.iter().find(|(o, _)| *o == c).map_or(0, |(_, mask)| *mask),
        }
    }

    /// Compares the pattern with the first [`MAX_PATTERN_CHARS`] characters of `text`.
    #[inline]
    pub(crate) fn compare(&self, text: impl Iterator<Item = char>) -> Distances {
        let (mut whole, mut prefix, mut chars) = (self.chars, self.chars, 0);
        if self.chars == 0 {
            let chars = text.take(MAX_PATTERN_CHARS).map(|_| 1).sum();
            return Distances { whole: chars, prefix: 0, chars };
        }
        let last = 1u64 << (self.chars - 1);
        let (mut vp, mut vn, mut d0, mut before) = (!0u64, 0u64, 0u64, 0u64);
        for c in text.take(MAX_PATTERN_CHARS) {
            let eq = self.mask(c);
            let swap = ((!d0 & eq) << 1) & before;
            d0 = ((eq & vp).wrapping_add(vp) ^ vp) | eq | vn | swap;
            let hp = vn | !(d0 | vp);
            let hn = d0 & vp;
            whole = whole + u32::from(hp & last != 0) - u32::from(hn & last != 0);
            let hp = (hp << 1) | 1;
            vp = (hn << 1) | !(d0 | hp);
            vn = hp & d0;
            before = eq;
            chars += 1;
            prefix = prefix.min(whole);
        }
        Distances { whole, prefix, chars }
    }
}

#[cfg(test)]
mod tests {
    use super::{Distances, Pattern};
    use proptest::prelude::*;

    fn compare(a: &str, b: &str) -> Distances {
        Pattern::new(a.chars()).compare(b.chars())
    }

    /// The textbook dynamic programme; last row gives every prefix.
    fn table(a: &[char], b: &[char]) -> Vec<u32> {
        let mut d = vec![vec![0u32; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                d[i][j] = if i == 0 || j == 0 {
                    (i + j) as u32
                } else {
                    let cost = u32::from(a[i - 1] != b[j - 1]);
                    let mut best = (d[i - 1][j] + 1).min(d[i][j - 1] + 1).min(d[i - 1][j - 1] + cost);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(d[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        d[a.len()].clone()
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        assert_eq!(compare("jasw", "jaws").whole, 1);
    }

    #[test]
    fn the_prefix_distance_ignores_the_rest_of_the_text() {
        assert_eq!(compare("incpt", "inception").prefix, 1);
        assert_eq!(compare("", "up"), Distances { whole: 2, prefix: 0, chars: 2 });
    }

    proptest! {
        #[test]
        fn the_bit_vectors_agree_with_the_textbook(a in "[abcé]{0,64}", b in "[abcé]{0,64}") {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let row = table(&x, &y);
            let got = compare(&a, &b);
            prop_assert_eq!(got.whole, row[y.len()]);
            prop_assert_eq!(got.prefix, *row.iter().min().unwrap());
        }
    }
}
