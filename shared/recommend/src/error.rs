//! What can go wrong, named by cause.

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A signal's value is NaN or infinite.
    #[error("the opinion of person {person} on film {film} is not a finite number")]
    NotFinite {
        /// The person.
        person: u64,
        /// The film.
        film: u32,
    },
    /// A matrix that must be positive definite was not.
    #[error("{what}: the matrix is not positive definite")]
    NotPositive {
        /// Which matrix.
        what: &'static str,
    },
    /// Something outgrew the artifact's number types.
    #[error("{what}: too large for the artifact")]
    TooLarge {
        /// What.
        what: &'static str,
    },
    /// Two films of the catalogue have the same id.
    #[error("film {film} is in the catalogue twice")]
    DuplicateFilm {
        /// The id.
        film: u32,
    },
    /// There is nothing to train on.
    #[error("{what}")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// The threads for training could not be started.
    #[error("the threads for training could not be started")]
    Threads {
        /// Why.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// Not an artifact of this product.
    #[error("not a recommendation model: it begins with something else")]
    Foreign,
    /// An artifact of another format.
    #[error("the model has format {found}, this program reads format {known}")]
    Format {
        /// The file's format.
        found: u32,
        /// The format that is understood.
        known: u32,
    },
    /// The artifact ends early.
    #[error("the model is cut short: {found} of {expected} bytes")]
    Truncated {
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The artifact's checksum does not fit its bytes.
    #[error("the model is damaged: its checksum does not fit")]
    Checksum,
    /// The artifact's checksum fits, but its content makes no sense.
    #[error("the model makes no sense: {what}")]
    Absurd {
        /// What is wrong.
        what: &'static str,
    },
    /// The artifact's description of itself could not be read or written.
    #[error("the model's card is not readable")]
    Card {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A row of a CSV file is not what it should be.
    #[error("line {line}: {what}")]
    Row {
        /// Line number in the file, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Reading or writing failed.
    #[error("{what} could not be read or written")]
    Io {
        /// What was read or written.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
