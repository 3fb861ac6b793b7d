use crate::candidates::{CLOSE_LOOKS, gather, same};
use crate::entry::KindSet;
use crate::layout::File;
use crate::query::{Effort, slots};
use crate::rank::Ranker;
use crate::{Error, fold};
use bytes::Bytes;

/// Characters of a query that are read; what follows is ignored. An endpoint that would rather refuse
/// longer queries compares with this first.
pub const MAX_QUERY_CHARS: usize = 200;

/// Hits one search yields at most, however many are asked for.
pub const MAX_HITS: usize = CLOSE_LOOKS;

/// Likeness from which on nobody needs to look further.
const GOOD_ENOUGH: f32 = 0.86;

/// Likeness under which a title is not a hit.
const TOO_UNLIKE: f32 = 0.42;

/// What an entry's weight counts beside the likeness of its title.
const WEIGHT_SHARE: f32 = 0.13;

/// Scores of exact titles start here.
const EXACT_FLOOR: f32 = 0.9;

/// Scores of all others end here.
const OTHERS_CEILING: f32 = 0.89;

/// One entry found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The entry's ordinal: how many were added before it.
    pub entry: u32,
    /// 0 to 1, falling along an answer; from 0.9 up, one of the entry's titles is exactly the query.
    pub score: f32,
}

/// A title index, ready to search. A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct Index {
    file: File,
}

/// One way to understand a query.
struct Reading<'q> {
    words: &'q [String],
    /// The year of release that the query ended in.
    year: Option<u16>,
}

/// How an entry fits the query.
#[derive(Clone, Copy, PartialEq)]
enum Fit {
    Exact,
    Like(f32),
}

impl Index {
    /// Opens an index that [`Index::to_bytes`] wrote. `Bytes` and `Vec<u8>` are taken over, not copied,
    /// and apart from the dictionary's text nothing is read until it is needed.
    ///
    /// # Errors
    ///
    /// When the bytes are no index, of another version, cut short, or inconsistent. An index damaged in a
    /// way that none of this shows is accepted and finds the wrong things, but never panics or takes more
    /// memory than its size justifies: whoever stores it keeps a checksum.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Index, Error> {
        File::open(bytes.into()).map(|file| Index { file })
    }

    /// The index as one block of bytes, the same on every machine.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.file.bytes().to_vec()
    }

    /// Number of entries; their ordinals are below it.
    pub fn len(&self) -> usize {
        self.file.counts.entries as usize
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries of `kinds` with a title like `query`, best first, at most `limit` and at most
    /// [`MAX_HITS`].
    ///
    /// Exact titles come first, the heavier before the lighter; then the others by likeness and weight.
    /// The order is total (score, then weight, then ordinal) and does not depend on `limit`: a page is a
    /// slice of a longer answer. A query without letters or digits finds nothing; a single letter finds
    /// what begins with it, the heaviest first. Only the first [`MAX_QUERY_CHARS`] characters are read.
    pub fn search(&self, query: &str, kinds: KindSet, limit: usize) -> Vec<Hit> {
        let mut hits = self.ranked(query, kinds, &[Effort::Near, Effort::Far], usize::MAX);
        hits.truncate(limit);
        hits
    }

    /// What a person who has typed `query` so far may be after, best first, at most `limit`.
    ///
    /// As [`Index::search`] among all kinds, but typos are only considered when there are fewer than
    /// `limit` hits without; so answers of different `limit` are not slices of one another.
    pub fn suggest(&self, query: &str, limit: usize) -> Vec<Hit> {
        let efforts = [Effort::Literal, Effort::Near, Effort::Far];
        let mut hits = self.ranked(query, KindSet::ALL, &efforts, limit);
        hits.truncate(limit);
        hits
    }

    /// Looks harder until something is good enough, or `enough` is found.
    fn ranked(&self, query: &str, kinds: KindSet, efforts: &[Effort], enough: usize) -> Vec<Hit> {
        let cut = query.char_indices().nth(MAX_QUERY_CHARS).map_or(query, |(end, _)| &query[..end]);
        let words = fold::words(cut);
        let readings = readings(&words);
        let mut found: Vec<(u32, Fit)> = Vec::new();
        for reading in &readings {
            self.exact(reading, kinds, &mut found);
        }
        let mut best = if found.is_empty() { 0.0 } else { 1.0f32 };
        for effort in efforts {
            for reading in &readings {
                best = best.max(self.close(reading, kinds, *effort, &mut found));
            }
            best_of_each(&mut found);
            if found.len() >= enough || (best >= GOOD_ENOUGH && *effort > Effort::Literal) {
                break;
            }
        }
        self.in_order(&found)
    }

    /// Adds the entries with a title that is exactly the reading's words.
    fn exact(&self, reading: &Reading<'_>, kinds: KindSet, found: &mut Vec<(u32, Fit)>) {
        let file = &self.file;
        let words: Option<Vec<u32>> = reading.words.iter().map(|word| file.exact(word)).collect();
        for title in same(file, &words.unwrap_or_default()) {
            if let Some(entry) = file.owner(title)
                && kinds.has(file.u8(file.at.kinds, title))
            {
                found.push((
                    entry,
                    if reading.year.is_none() { Fit::Exact } else { self.like(1.0, reading, entry) },
                ));
            }
        }
    }

    /// Adds the entries with a title like the reading's words and returns the likeness of the likest.
    fn close(
        &self,
        reading: &Reading<'_>,
        kinds: KindSet,
        effort: Effort,
        found: &mut Vec<(u32, Fit)>,
    ) -> f32 {
        let file = &self.file;
        let slots = slots(file, reading.words, effort);
        let text = reading.words.join(" ");
        let ranker = Ranker::new(file, &text, &slots);
        let mut best = 0.0f32;
        for title in gather(file, &slots, text.chars().count() as u32, kinds) {
            let likeness = ranker.likeness(title);
            best = best.max(likeness);
            if let Some(entry) = file.owner(title)
                && likeness >= TOO_UNLIKE
            {
                found.push((entry, self.like(likeness, reading, entry)));
            }
        }
        best
    }

    /// A likeness, less where the reading's year is not the entry's.
    fn like(&self, likeness: f32, reading: &Reading<'_>, entry: u32) -> Fit {
        let off = reading.year.map_or(0, |year| year.abs_diff(self.file.u16(self.file.at.years, entry)));
        Fit::Like(likeness * [1.0, 0.9].get(usize::from(off)).unwrap_or(&0.7))
    }

    fn in_order(&self, found: &[(u32, Fit)]) -> Vec<Hit> {
        let score = |(entry, fit): &(u32, Fit)| {
            let weight = self.file.weight(*entry);
            let score = match fit {
                Fit::Exact => EXACT_FLOOR + (1.0 - EXACT_FLOOR) * weight,
                Fit::Like(likeness) => {
                    OTHERS_CEILING * (likeness + WEIGHT_SHARE * weight) / (1.0 + WEIGHT_SHARE)
                }
            };
            (Hit { entry: *entry, score }, weight)
        };
        let mut hits: Vec<(Hit, f32)> = found.iter().map(score).collect();
        hits.sort_unstable_by(|(a, x), (b, y)| {
            b.score.total_cmp(&a.score).then(y.total_cmp(x)).then(a.entry.cmp(&b.entry))
        });
        hits.truncate(MAX_HITS);
        hits.into_iter().map(|(hit, _)| hit).collect()
    }
}

/// The query as it stands and, when it ends in a year, as a title of that year.
fn readings(words: &[String]) -> Vec<Reading<'_>> {
    let mut readings = Vec::new();
    if !words.is_empty() {
        readings.push(Reading { words, year: None });
    }
    if let Some((last, title)) = words.split_last()
        && !title.is_empty()
        && last.len() == 4
        && let Ok(year @ 1870..=2100) = last.parse()
    {
        readings.push(Reading { words: title, year: Some(year) });
    }
    readings
}

/// Keeps the best fit of every entry.
fn best_of_each(found: &mut Vec<(u32, Fit)>) {
    let rank = |fit: &Fit| match fit {
        Fit::Exact => f32::INFINITY,
        Fit::Like(likeness) => *likeness,
    };
    found.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then(rank(y).total_cmp(&rank(x))));
    found.dedup_by_key(|(entry, _)| *entry);
}
