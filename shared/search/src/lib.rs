//! Finding films, people and operators by title or name, misspelt, unfinished or out of order.
//!
//! The crate knows titles, weights and years. It must never know where an index is kept, what an entry's
//! id is, or what time it is: entries are numbered in the order they are added, and the caller maps the
//! numbers to its own ids.
//!
//! ```
//! use screensort_search::{Builder, Entry, Index, Kind, KindSet};
//!
//! let mut builder = Builder::new();
//! let matrix = Entry { kind: Kind::Movie, titles: &["The Matrix"], weight: 0.97, year: Some(1999) };
//! let amelie =
//!     Entry { kind: Kind::Movie, titles: &["Amélie", "Le Fabuleux Destin d'Amélie Poulain"], weight: 0.9, year: Some(2001) };
//! builder.add(matrix);
//! builder.add(amelie);
//! let stored = builder.build()?.to_bytes();
//!
//! let index = Index::from_bytes(stored)?;
//! assert_eq!(index.search("matirx", KindSet::ALL, 10)[0].entry, 0);
//! assert_eq!(index.suggest("ameli", 8)[0].entry, 1);
//! # Ok::<(), screensort_search::Error>(())
//! ```
//!
//! # What counts as the same
//!
//! Titles and queries are folded alike: compatibility decomposition (Unicode NFKD) without marks, lower
//! case, ß as "ss", æ as "ae", ø as "o" and so on, no apostrophes, `&` as "and", other punctuation as a
//! space, initials ("R.I.P.D.") as one word, Roman numerals from II as digits. Every Han ideograph and
//! kana is a word of its own.
//!
//! # How a query is answered
//!
//! 1. **Words.** Each word of the query is looked up in the dictionary of all titles' words: the word
//!    itself; for the last word also those it begins; those within one edit (words of two letters and
//!    more); two query words that are one in a title, one that is two. Words within some edits are found
//!    by a scan over 64-bit letter sets, which rule out nearly all, and the bit-vector edit distance of
//!    Hyyrö (2003) over the rest; a swap of neighbours is one edit (Damerau, 1964).
//! 2. **Titles.** The postings of the words found give points, by rarity of the query's word (the idf of
//!    Spärck Jones, 1972). Titles are numbered by falling weight, so a list cut short keeps the titles most
//!    likely meant (Long and Suel, 2003, "Optimized query execution in large search engines with global
//!    page ordering"), and that bounds what the commonest words cost.
//! 3. **Close look.** The 512 most promising titles are compared with the query twice, as sets of words
//!    and as whole texts, and the better comparison counts most: the first sees through word order, the
//!    second through misplaced spaces. Both ask how much of the title the query covers. The weight of the
//!    entry is added last.
//! 4. **Again, harder**, when nothing is a good match: with two edits a word, and with parts of words.
//!
//! A title that is exactly the query is looked up directly in the sorted titles and always comes first.
//! A query that ends in a year is also read as a title of that year. Leading articles may be missing.
//!
//! # What it was chosen over
//!
//! Postings of letter trigrams with edit-distance rescoring are the usual way. Their lists are longer, since
//! all titles share the commonest trigrams, and a short title with a typo shares hardly any with what was
//! meant. A general search engine adds megabytes to every binary that searches. `benches/recall.rs` measures
//! recall and speed on a real catalogue, and speed on 200,000 invented films.
//!
//! # Limits
//!
//! Scripts without spaces other than Han and kana (Thai, Khmer, Lao) are only found from where a run of
//! letters begins. Words over 63 characters are cut; of a title the first 64 words are searched, of a
//! query the first 15 and the last.

mod builder;
mod candidates;
mod dictionary;
mod distance;
mod entry;
mod error;
mod fold;
mod layout;
mod query;
mod rank;
mod search;

pub use builder::Builder;
pub use entry::{Entry, Kind, KindSet};
pub use error::Error;
pub use search::{Hit, Index, MAX_HITS, MAX_QUERY_CHARS};

/// A weight as the ranking needs it: a number from 0 to 1.
fn sane_weight(weight: f32) -> f32 {
    if weight.is_nan() { 0.0 } else { weight.clamp(0.0, 1.0) }
}
