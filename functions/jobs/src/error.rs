//! Why a job failed.

use screensort_http::Problem;

/// Why a job failed. Running it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key: nothing was asked of TMDb.
    #[error(
        "there is no TMDb key: set TMDB_TOKEN to an API read access token (themoviedb.org, Settings, API)"
    )]
    KeyMissing,
    /// The key's secret cannot be read.
    #[error("the secret with the TMDb key cannot be read")]
    Secret(String),
    /// TMDb failed or refused.
    #[error(transparent)]
    Tmdb(#[from] screensort_tmdb::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] screensort_store::Error),
    /// The catalogue cannot be built.
    #[error("the catalogue cannot be built")]
    Catalog(#[from] screensort_catalog::Error),
    /// The catalogue cannot be published.
    #[error("the catalogue cannot be published")]
    Artifact(#[from] screensort_runtime::ArtifactError),
    /// What would be published is much smaller than what is served.
    #[error(
        "{now} films would replace {before}: refused, because nothing explains such a loss; force it if it is meant"
    )]
    Shrunk {
        /// Films served.
        before: usize,
        /// Films that would be.
        now: usize,
    },
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Secret(problem.causes().unwrap_or_default())
    }
}
