use crate::dictionary::letters;
use crate::fold;
use crate::layout::{Counts, File, LENGTHS};
use crate::{Entry, Error, Index, sane_weight};
use bytes::Bytes;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Words of one title that are kept; the rest can't be searched.
pub(crate) const MAX_TITLE_WORDS: usize = 64;

/// Collects entries and lays them out as an [`Index`].
///
/// The same entries in the same order give the same bytes.
#[derive(Debug, Default)]
pub struct Builder {
    weights: Vec<f32>,
    years: Vec<u16>,
    titles: Vec<Title>,
    words: HashMap<String, u32>,
}

#[derive(Debug)]
struct Title {
    entry: u32,
    kind: u8,
    weight: f32,
    /// Word numbers: in the order met while adding, in byte order once built.
    words: Vec<u32>,
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry and returns its ordinal: 0 for the first, one more for each that follows.
    ///
    /// Titles that fold to the same words count once. An entry without a letter or digit in any title
    /// keeps its ordinal but is never found. Words past the 64th of a title are not searched.
    pub fn add(&mut self, entry: Entry<'_>) -> u32 {
        let ordinal = u32::try_from(self.weights.len()).unwrap_or(u32::MAX);
        let weight = sane_weight(entry.weight);
        self.weights.push(weight);
        self.years.push(entry.year.unwrap_or(0));
        let first = self.titles.len();
        for title in entry.titles {
            let words: Vec<u32> =
                fold::words(title).into_iter().take(MAX_TITLE_WORDS).map(|word| self.intern(word)).collect();
            let known = self.titles[first..].iter().any(|t| t.words == words);
            if !words.is_empty() && !known {
                self.titles.push(Title { entry: ordinal, kind: entry.kind.bit(), weight, words });
            }
        }
        ordinal
    }

    fn intern(&mut self, word: String) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        *self.words.entry(word).or_insert(next)
    }

    /// Lays the index out.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] when a count does not fit 32 bits.
    pub fn build(self) -> Result<Index, Error> {
        let Builder { weights, years, mut titles, words } = self;
        let words = number_in_byte_order(words, &mut titles);
        titles.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.entry.cmp(&b.entry)));
        let postings = postings(words.len(), &titles)?;
        let counts = Counts {
            entries: count(weights.len())?,
            titles: count(titles.len())?,
            words: count(words.len())?,
            tokens: count(titles.iter().map(|t| t.words.len()).sum())?,
            postings: count(postings.iter().map(Vec::len).sum())?,
            text: count(words.iter().map(String::len).sum())?,
        };
        let mut out = File::header(counts);
        weights.iter().for_each(|w| out.extend_from_slice(&w.to_le_bytes()));
        years.iter().for_each(|y| out.extend_from_slice(&y.to_le_bytes()));
        put(&mut out, titles.iter().map(|t| t.entry));
        out.extend(titles.iter().map(|t| t.kind));
        put_starts(&mut out, titles.iter().map(|t| t.words.len()));
        out.extend(titles.iter().map(|t| chars(t, &words)));
        put(&mut out, titles.iter().flat_map(|t| t.words.iter().copied()));
        put(&mut out, in_word_order(&titles));
        put_starts(&mut out, words.iter().map(String::len));
        put_starts(&mut out, postings.iter().map(Vec::len));
        put(&mut out, postings.iter().flatten().copied());
        put_lengths(&mut out, &words);
        words.iter().for_each(|w| out.extend_from_slice(w.as_bytes()));
        Index::from_bytes(Bytes::from(out))
    }
}

fn count(n: usize) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| Error::TooLarge)
}

/// Sorts the dictionary and renumbers the titles' words to match.
fn number_in_byte_order(words: HashMap<String, u32>, titles: &mut [Title]) -> Vec<String> {
    let mut sorted: Vec<(String, u32)> = words.into_iter().collect();
    sorted.sort_unstable();
    let mut renumbered = vec![0u32; sorted.len()];
    for (new, (_, old)) in (0u32..).zip(&sorted) {
        renumbered[*old as usize] = new;
    }
    for word in titles.iter_mut().flat_map(|t| t.words.iter_mut()) {
        *word = renumbered[*word as usize];
    }
    sorted.into_iter().map(|(word, _)| word).collect()
}

/// The titles of every word. Titles must already be in their final order.
fn postings(words: usize, titles: &[Title]) -> Result<Vec<Vec<u32>>, Error> {
    let mut postings: Vec<Vec<u32>> = vec![Vec::new(); words];
    for (number, title) in titles.iter().enumerate() {
        let number = count(number)?;
        for word in &title.words {
            let list = &mut postings[*word as usize];
            if list.last() != Some(&number) {
                list.push(number);
            }
        }
    }
    Ok(postings)
}

/// Titles by their word sequences: equal ones together, the heavier first.
fn in_word_order(titles: &[Title]) -> impl Iterator<Item = u32> {
    let mut order: Vec<(u32, &Title)> = (0u32..).zip(titles).collect();
    order.sort_by(|(a, x), (b, y)| match x.words.cmp(&y.words) {
        Ordering::Equal => a.cmp(b),
        unequal => unequal,
    });
    order.into_iter().map(|(number, _)| number)
}

fn chars(title: &Title, words: &[String]) -> u8 {
    let letters: usize = title.words.iter().map(|w| words[*w as usize].chars().count()).sum();
    u8::try_from(letters + title.words.len() - 1).unwrap_or(u8::MAX)
}

fn put(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    numbers.for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
}

/// Offsets of arrays of these lengths laid end to end; their sum has been checked to fit.
fn put_starts(out: &mut Vec<u8>, lengths: impl Iterator<Item = usize>) {
    let mut at = 0u32;
    let ends = lengths.map(|n| {
        at += n as u32;
        at
    });
    put(out, std::iter::once(0).chain(ends));
}

/// Words by length, their letter sets, and where each length starts.
fn put_lengths(out: &mut Vec<u8>, words: &[String]) {
    let mut order: Vec<(usize, u32)> = words.iter().map(|w| w.chars().count()).zip(0u32..).collect();
    order.sort_unstable();
    put(out, order.iter().map(|(_, word)| *word));
    order.iter().for_each(|(_, w)| out.extend_from_slice(&letters(&words[*w as usize]).to_le_bytes()));
    put(out, (0..=LENGTHS).map(|length| order.partition_point(|(l, _)| *l < length) as u32));
}
