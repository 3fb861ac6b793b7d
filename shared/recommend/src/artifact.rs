//! The artifact: one little-endian file that is read where it lies.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `SCRSRECO` |
//! | 8..12 | format version |
//! | 12..16 | CRC-32 of everything after byte 16 |
//! | 16..24 | length of the file |
//! | 24..28 | films |
//! | 28..32 | numbers in a film's vector |
//! | 32..36 | entries in the table of sections |
//! | 36..64 | zero |
//! | 64.. | table of sections: kind, bytes per element, offset, length in bytes |
//! | ... | the sections, each on a multiple of 64 bytes |
//!
//! The CRC finds accidents. Against intent, the caller compares a SHA-256 that it got from elsewhere. Whoever trains
//! with other tools (Spark, say) writes this file and everything downstream stays as it is.

mod card;
mod read;
mod write;

pub use card::{Card, Settings, Weights};
pub(crate) use read::Sections;
pub(crate) use write::Parts;

pub(crate) const MAGIC: [u8; 8] = *b"SCRSRECO";
/// The format that this code writes and reads.
pub const FORMAT: u32 = 1;
pub(crate) const HEADER: usize = 64;
pub(crate) const ENTRY: usize = 24;
pub(crate) const ALIGNMENT: usize = 64;
/// A file longer than this is refused before it is read.
pub(crate) const LONGEST: u64 = 2 << 30;

/// What a section holds. The numbers are the file's; they are never used again for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// [`Card`] as JSON.
    Card = 1,
    /// Film ids, ascending: `u32` each.
    Ids = 2,
    /// Popularity prior: `f32` each.
    Prior = 3,
    /// Likes that trained each film: `u32` each.
    Likes = 4,
    /// Genres of each film as bits over [`Kind::GenreIds`]: `u32` each.
    Genres = 5,
    /// Genre ids by bit: `u32`, at most 32.
    GenreIds = 6,
    /// Film vectors: `i8`, films × dims.
    Factors = 7,
    /// Scale of each film's vector: `f32` each.
    FactorScales = 8,
    /// `HᵀH` over the trained films, of the vectors as stored: `f32`, dims × dims.
    Gram = 9,
    /// Sum of all vectors over the number of films: `f32`, dims.
    FactorMean = 10,
    /// Item-item rows: `u32` offsets, films + 1.
    ItemOffsets = 11,
    /// Scale of each item-item row: `f32` each.
    ItemScales = 12,
    /// Entries of the item-item rows: distance and level, two bytes each.
    ItemCells = 13,
    /// Mean of each item-item row over all films: `f32` each.
    ItemMeans = 14,
    /// Content rows, as the item-item rows.
    ContentOffsets = 15,
    /// Scale of each content row.
    ContentScales = 16,
    /// Entries of the content rows.
    ContentCells = 17,
    /// Mean of each content row.
    ContentMeans = 18,
    /// For each film the trained films that stand in for it: `u32` offsets, films + 1.
    StandInOffsets = 19,
    /// Indexes of the stand-ins: `u32`.
    StandIns = 20,
}

impl Kind {
    pub(crate) const ALL: [(Self, usize); 20] = [
        (Self::Card, 1),
        (Self::Ids, 4),
        (Self::Prior, 4),
        (Self::Likes, 4),
        (Self::Genres, 4),
        (Self::GenreIds, 4),
        (Self::Factors, 1),
        (Self::FactorScales, 4),
        (Self::Gram, 4),
        (Self::FactorMean, 4),
        (Self::ItemOffsets, 4),
        (Self::ItemScales, 4),
        (Self::ItemCells, 2),
        (Self::ItemMeans, 4),
        (Self::ContentOffsets, 4),
        (Self::ContentScales, 4),
        (Self::ContentCells, 2),
        (Self::ContentMeans, 4),
        (Self::StandInOffsets, 4),
        (Self::StandIns, 4),
    ];
}
