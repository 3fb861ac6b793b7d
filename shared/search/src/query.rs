//! A query made ready: its words, and for each the dictionary words that may stand for it.

use crate::dictionary::{Match, PREFIX_FLOOR, prefix_likeness};
use crate::layout::File;

/// Words of a query that are looked up. The matched set of a title is a 16-bit mask.
pub(crate) const MAX_WORDS: usize = 16;

/// How hard to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// No typos.
    Literal,
    /// One typo a word, words run together or pulled apart.
    Near,
    /// Two typos a word, and parts of words.
    Far,
}

/// A word of the query and what may stand for it in a title.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Likest first, then by word number; a word may occur more than once, its first place counts.
    pub(crate) matches: Vec<Match>,
    /// Share of this word in the query, by rarity; the shares of a query sum to 1.
    pub(crate) share: f32,
}

/// The words to look up: all, or the first ones and the last, which may be unfinished.
fn capped(words: &[String]) -> Vec<&str> {
    let skipped = words.len().saturating_sub(MAX_WORDS);
    let kept = |(i, _): &(usize, &String)| *i < MAX_WORDS - 1 || *i >= MAX_WORDS - 1 + skipped;
    words.iter().enumerate().filter(kept).map(|(_, word)| word.as_str()).collect()
}

/// Looks up every word, at most [`MAX_WORDS`] of them. The last one may be the beginning of a word.
pub(crate) fn slots(file: &File, words: &[String], effort: Effort) -> Vec<Slot> {
    let words = capped(words);
    let last = words.len().saturating_sub(1);
    let mut found: Vec<Vec<Match>> = vec![Vec::new(); words.len()];
    for (i, word) in words.iter().enumerate() {
        let lookup = Lookup { file, word, unfinished: i == last, effort };
        if i == 0 && lookup.single_letter() {
            lookup.first_letter(&mut found[i]);
            break;
        }
        lookup.alone(&mut found[i]);
        if effort > Effort::Literal {
            lookup.pulled_apart(&mut found[i]);
        }
        if let Some(next) = words.get(i + 1) {
            let joined = format!("{word}{next}");
            let joined = Lookup { file, word: &joined, unfinished: i + 1 == last, effort }.run_together();
            found[i].extend_from_slice(&joined);
            found[i + 1].extend_from_slice(&joined);
        }
    }
    let mut slots: Vec<Slot> = found.into_iter().map(|matches| slot(file, matches)).collect();
    let sum: f32 = slots.iter().map(|s| s.share).sum();
    slots.iter_mut().for_each(|s| s.share /= sum.max(f32::MIN_POSITIVE));
    slots
}

fn slot(file: &File, mut matches: Vec<Match>) -> Slot {
    matches.sort_unstable_by(|a, b| b.likeness.total_cmp(&a.likeness).then(a.word.cmp(&b.word)));
    let best = matches.first().map_or(0.0, |m| m.likeness);
    let titles = file.counts.titles as usize;
    let with = matches.iter().take_while(|m| m.likeness >= best).map(|m| file.frequency(m.word)).max();
    // What is not in the dictionary is taken to be as common as one title in fifty.
    let with = with.unwrap_or(titles / 50 + 1).max(1);
    Slot { matches, share: (1.0 + titles as f32 / with as f32).ln() }
}

struct Lookup<'a> {
    file: &'a File,
    word: &'a str,
    /// The last word: more of it may be to come.
    unfinished: bool,
    effort: Effort,
}

impl Lookup<'_> {
    fn chars(&self) -> u32 {
        self.word.chars().count() as u32
    }

    /// The whole query is one letter.
    fn single_letter(&self) -> bool {
        self.unfinished && self.chars() == 1
    }

    /// A single letter says nothing about which of the words that begin with it is meant.
    fn first_letter(&self, out: &mut Vec<Match>) {
        let words = self.file.beginning(self.word);
        out.extend(words.map(|word| Match { word, likeness: PREFIX_FLOOR }));
    }

    /// The word itself, longer ones, misspelt ones.
    fn alone(&self, out: &mut Vec<Match>) {
        let chars = self.chars();
        let known = match self.unfinished {
            true => self.file.beginning(self.word),
            false => self.file.exact(self.word).map_or(0..0, |word| word..word + 1),
        };
        out.extend(known.clone().map(|word| Match { word, likeness: self.longer(word) }));
        let (edits, prefix_edits) = match (self.effort, chars) {
            (Effort::Literal, _) | (_, 0 | 1) => return,
            (_, 2 | 3) => (1, None),
            (Effort::Near, _) => (1, Some(1)),
            (Effort::Far, 4..=6) => (2, Some(1)),
            (Effort::Far, _) => (2, Some(2)),
        };
        self.file.near(self.word, edits, prefix_edits.filter(|_| self.unfinished), &known, out);
    }

    fn longer(&self, word: u32) -> f32 {
        let (typed, whole) = (self.chars(), self.file.word_chars(word));
        if typed == whole { 1.0 } else { prefix_likeness(typed, whole) }
    }

    /// "spider man" typed for "Spiderman": two query words, here joined, that are one in the title.
    fn run_together(&self) -> Vec<Match> {
        const LIKENESS: f32 = 0.95;
        let mut matches: Vec<Match> = Vec::new();
        if let Some(word) = self.file.exact(self.word) {
            matches.push(Match { word, likeness: LIKENESS });
        } else if self.unfinished && self.word.len() >= 4 {
            let words = self.file.beginning(self.word).take(64);
            matches.extend(words.map(|word| Match { word, likeness: LIKENESS * self.longer(word) }));
        }
        if matches.is_empty() && self.effort == Effort::Far && self.word.len() >= 5 {
            self.file.near(self.word, 1, None, &(0..0), &mut matches);
        }
        matches
    }

    /// "starwars" typed for "Star Wars": one query word that is two in the title. With effort also with
    /// another character where the space should be, or with only one of the two spelt right.
    fn pulled_apart(&self, out: &mut Vec<Match>) {
        let known = out.iter().any(|m| m.likeness >= 1.0);
        let chars = self.chars() as f32;
        for (at, _) in self.word.char_indices().skip(1) {
            let (left, right) = self.word.split_at(at);
            let share = left.chars().count() as f32 / chars;
            let first = self.file.exact(left).map(|word| Match { word, likeness: share });
            let second = self.second(right).map(|word| Match { word, likeness: 1.0 - share });
            if self.effort == Effort::Far && !known {
                // The other part, misspelt, is seen when the whole texts are compared.
                out.extend(first.filter(|_| left.len() >= 3));
                out.extend(second.filter(|_| right.len() >= 3));
            }
            if first.is_some() && second.is_some() && self.word.len() >= 4 {
                out.extend(first);
                out.extend(second);
            }
        }
    }

    /// The second of two words; of those that it may begin, the first.
    fn second(&self, part: &str) -> Option<u32> {
        self.file.exact(part).or_else(|| {
            let begun = self.unfinished && part.len() > 1;
            begun.then(|| self.file.beginning(part).next()).flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORDS, capped};

    #[test]
    fn a_long_query_keeps_its_beginning_and_its_last_word() {
        let words: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let kept = capped(&words);
        assert_eq!(kept.len(), MAX_WORDS);
        assert_eq!((kept[0], kept[14], kept[15]), ("0", "14", "39"));
        assert_eq!(capped(&words[..3]), ["0", "1", "2"]);
    }
}
