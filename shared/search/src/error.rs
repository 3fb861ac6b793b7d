use thiserror::Error;

/// Why an index could not be built or loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin with the index's magic number.
    #[error("not a search index")]
    NotAnIndex,
    /// The file was written by another version of this crate.
    #[error("search index format {found}, this build reads {expected}")]
    Version {
        /// Version in the file.
        found: u32,
        /// Version this build reads.
        expected: u32,
    },
    /// The file's length is not the one its header announces.
    #[error("search index has {actual} bytes, its header says {expected}")]
    Length {
        /// Bytes the header's counts add up to.
        expected: u64,
        /// Bytes there are.
        actual: u64,
    },
    /// The dictionary of words is not UTF-8.
    #[error("search index holds words that are not UTF-8")]
    Words,
    /// An array of offsets does not rise to the length of what it points into.
    #[error("search index has broken offsets")]
    Offsets,
    /// More entries, titles or words than 32-bit numbers can count.
    #[error("too many titles for one search index")]
    TooLarge,
}
