//! The file: fixed-width little-endian arrays one after another, read where they lie.
//!
//! The header holds six counts, from which every array's place follows; there are no offsets between
//! arrays to get wrong. Nothing is parsed at load but the dictionary's UTF-8 and the order of the three
//! offset arrays. Numbers inside the arrays are not trusted: every read is checked, and a number that
//! points nowhere reads as nothing.

use crate::Error;
use crate::builder::MAX_TITLE_WORDS;
use crate::fold::MAX_WORD_CHARS;
use bytes::Bytes;
use std::ops::Range;

const MAGIC: [u8; 8] = *b"SSTITLES";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 8 + 4 + 6 * 4;

/// How many of each there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) entries: u32,
    pub(crate) titles: u32,
    pub(crate) words: u32,
    /// Words over all titles.
    pub(crate) tokens: u32,
    /// Distinct words over all titles.
    pub(crate) postings: u32,
    /// Bytes of the dictionary.
    pub(crate) text: u32,
}

/// One array: where it starts and how many elements it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array {
    start: usize,
    len: usize,
}

/// Where every array lies, in file order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// `f32` per entry.
    pub(crate) weights: Array,
    /// `u16` per entry, 0 for none.
    pub(crate) years: Array,
    /// `u32` per title: its entry. Titles are numbered by falling weight.
    pub(crate) owners: Array,
    /// `u8` per title: the kind of its entry.
    pub(crate) kinds: Array,
    /// `u32` per title and one more: where its words start in `tokens`.
    pub(crate) title_starts: Array,
    /// `u8` per title: characters of its folded text, spaces included.
    pub(crate) title_chars: Array,
    /// `u32` each: a word number.
    pub(crate) tokens: Array,
    /// `u32` per title: titles in the order of their word sequences.
    pub(crate) sorted: Array,
    /// `u32` per word and one more: where it starts in `text`. Words are numbered in byte order.
    pub(crate) word_starts: Array,
    /// `u32` per word and one more: where its titles start in `postings`.
    pub(crate) posting_starts: Array,
    /// `u32` each: a title; rising within a word, so the heaviest come first.
    pub(crate) postings: Array,
    /// `u32` per word: words by rising length.
    pub(crate) by_length: Array,
    /// `u64` per word, in the order of `by_length`: the letters in it.
    pub(crate) letters: Array,
    /// `u32` per length (0 to [`LENGTHS`]): where it starts in `by_length`.
    pub(crate) length_starts: Array,
    text: Array,
    total: u64,
}

/// Word lengths told apart, in characters: one more than the longest word.
pub(crate) const LENGTHS: usize = MAX_WORD_CHARS + 1;

const MAX_WORD_BYTES: u32 = 4 * MAX_WORD_CHARS as u32;

impl Layout {
    /// `None` when the arrays would not fit this machine's address space.
    fn new(counts: Counts) -> Option<Layout> {
        let mut at = HEADER_BYTES;
        let mut array = |len: u64, width: u64| -> Option<Array> {
            let start = usize::try_from(at).ok()?;
            at = at.checked_add(len.checked_mul(width)?)?;
            usize::try_from(at).ok()?;
            Some(Array { start, len: usize::try_from(len).ok()? })
        };
        let Counts { entries, titles, words, tokens, postings, text } = counts;
        let (entries, titles, words) = (u64::from(entries), u64::from(titles), u64::from(words));
        let mut layout = Layout {
            weights: array(entries, 4)?,
            years: array(entries, 2)?,
            owners: array(titles, 4)?,
            kinds: array(titles, 1)?,
            title_starts: array(titles + 1, 4)?,
            title_chars: array(titles, 1)?,
            tokens: array(u64::from(tokens), 4)?,
            sorted: array(titles, 4)?,
            word_starts: array(words + 1, 4)?,
            posting_starts: array(words + 1, 4)?,
            postings: array(u64::from(postings), 4)?,
            by_length: array(words, 4)?,
            letters: array(words, 8)?,
            length_starts: array(LENGTHS as u64 + 1, 4)?,
            text: array(u64::from(text), 1)?,
            total: 0,
        };
        layout.total = at;
        Some(layout)
    }
}

/// The file in memory.
#[derive(Clone, Debug)]
pub(crate) struct File {
    bytes: Bytes,
    pub(crate) at: Layout,
    pub(crate) counts: Counts,
    /// The dictionary, copied out once so that a slice of it is known to be UTF-8.
    text: Box<str>,
}

impl File {
    /// The header of a file with these counts, to be followed by the arrays.
    pub(crate) fn header(counts: Counts) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let Counts { entries, titles, words, tokens, postings, text } = counts;
        for number in [VERSION, entries, titles, words, tokens, postings, text] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out
    }

    pub(crate) fn open(bytes: Bytes) -> Result<File, Error> {
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(Error::NotAnIndex);
        }
        let header = |i: usize| {
            let number = bytes.get(8 + i * 4..).and_then(|rest| rest.first_chunk());
            number.map(|b| u32::from_le_bytes(*b)).ok_or(Error::NotAnIndex)
        };
        let found = header(0)?;
        if found != VERSION {
            return Err(Error::Version { found, expected: VERSION });
        }
        let counts = Counts {
            entries: header(1)?,
            titles: header(2)?,
            words: header(3)?,
            tokens: header(4)?,
            postings: header(5)?,
            text: header(6)?,
        };
        let at = Layout::new(counts).ok_or(Error::TooLarge)?;
        let actual = bytes.len() as u64;
        if at.total != actual {
            return Err(Error::Length { expected: at.total, actual });
        }
        let text =
            bytes.get(at.text.start..).and_then(|b| std::str::from_utf8(b).ok()).ok_or(Error::Words)?;
        let file = File { text: text.into(), bytes, at, counts };
        for (array, end, step) in [
            (at.title_starts, counts.tokens, MAX_TITLE_WORDS as u32),
            (at.posting_starts, counts.postings, counts.titles),
            (at.word_starts, counts.text, MAX_WORD_BYTES),
            (at.length_starts, counts.words, counts.words),
        ] {
            if !file.rises_to(array, end, step) {
                return Err(Error::Offsets);
            }
        }
        Ok(file)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the offsets go from 0 to `end` in steps of at most `step`, which bounds what a query does.
    fn rises_to(&self, array: Array, end: u32, step: u32) -> bool {
        let mut last = 0;
        let mut rises = |n: u32| n.checked_sub(std::mem::replace(&mut last, n)).is_some_and(|by| by <= step);
        self.u32s(array, 0..array.len).all(&mut rises) && last == end
    }

    #[inline]
    fn chunk<const N: usize>(&self, array: Array, i: usize) -> Option<[u8; N]> {
        if i >= array.len {
            return None;
        }
        self.bytes.get(array.start + i * N..).and_then(|rest| rest.first_chunk()).copied()
    }

    #[inline]
    fn chunks<const N: usize>(&self, array: Array, range: Range<usize>) -> &[[u8; N]] {
        let end = range.end.min(array.len);
        let start = range.start.min(end);
        let bytes = self.bytes.get(array.start + start * N..array.start + end * N).unwrap_or(&[]);
        bytes.as_chunks().0
    }

    #[inline]
    pub(crate) fn u8(&self, array: Array, i: u32) -> u8 {
        self.chunk::<1>(array, i as usize).map_or(0, |[b]| b)
    }

    #[inline]
    pub(crate) fn u16(&self, array: Array, i: u32) -> u16 {
        self.chunk(array, i as usize).map_or(0, u16::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u32(&self, array: Array, i: u32) -> Option<u32> {
        self.chunk(array, i as usize).map(u32::from_le_bytes)
    }

    /// A weight: 0 to 1 whatever the file says.
    #[inline]
    pub(crate) fn weight(&self, entry: u32) -> f32 {
        crate::sane_weight(self.chunk(self.at.weights, entry as usize).map_or(0.0, f32::from_le_bytes))
    }

    #[inline]
    pub(crate) fn u32s(&self, array: Array, range: Range<usize>) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.chunks(array, range).iter().map(|b| u32::from_le_bytes(*b))
    }

    #[inline]
    pub(crate) fn u64s(&self, array: Array, range: Range<usize>) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.chunks(array, range).iter().map(|b| u64::from_le_bytes(*b))
    }

    /// From element `i` of an offset array to the next.
    #[inline]
    pub(crate) fn span(&self, starts: Array, i: u32) -> Range<usize> {
        match (self.u32(starts, i), self.u32(starts, i.saturating_add(1))) {
            (Some(start), Some(end)) if start <= end => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The text of a word; empty when there is no such word.
    #[inline]
    pub(crate) fn word(&self, word: u32) -> &str {
        self.text.get(self.span(self.at.word_starts, word)).unwrap_or("")
    }

    /// The entry a title belongs to: always one there is.
    #[inline]
    pub(crate) fn owner(&self, title: u32) -> Option<u32> {
        self.u32(self.at.owners, title).filter(|entry| *entry < self.counts.entries)
    }

    /// The words of a title, in order.
    #[inline]
    pub(crate) fn tokens(&self, title: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.u32s(self.at.tokens, self.span(self.at.title_starts, title))
    }

    /// The titles with a word, heaviest first.
    #[inline]
    pub(crate) fn postings(&self, word: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.u32s(self.at.postings, self.span(self.at.posting_starts, word))
    }

    /// How many titles have the word.
    #[inline]
    pub(crate) fn frequency(&self, word: u32) -> usize {
        self.span(self.at.posting_starts, word).len()
    }
}
