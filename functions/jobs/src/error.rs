//! Why a job failed.

/// Why a job failed. Running it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key: nothing was asked of TMDb.
    #[error(
        "there is no TMDb key: set TMDB_TOKEN to an API read access token (themoviedb.org, Settings, API)"
    )]
    KeyMissing,
    /// The key's secret cannot be read.
    #[error("the secret with the TMDb key cannot be read: {0}")]
    Secret(String),
    /// TMDb does not take the key.
    #[error(
        "TMDb refuses the key (status {status}): TMDB_TOKEN is to be an API read access token, not the shorter API key, \
         and neither revoked nor suspended (themoviedb.org, Settings, API)"
    )]
    KeyRefused {
        /// TMDb's status, 401 or 403.
        status: u16,
    },
    /// An address that was set in TMDb's place is not acceptable.
    #[error("TMDB_BASE_URL or TMDB_EXPORTS_URL is refused: {why}")]
    Address {
        /// What is wrong with it.
        why: &'static str,
    },
    /// TMDb failed or refused.
    #[error(transparent)]
    Tmdb(screensort_tmdb::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] screensort_store::Error),
    /// A key, a secret or the randomness that the job needs is not to be had.
    #[error("a key or a secret cannot be used: {0}")]
    Keys(String),
    /// A bucket failed.
    #[error(transparent)]
    Objects(#[from] screensort_runtime::ObjectsError),
    /// The trail's chain does not hold.
    #[error("the trail is broken: {0}")]
    Broken(String),
    /// The catalogue cannot be built.
    #[error("the catalogue cannot be built")]
    Catalog(#[from] screensort_catalog::Error),
    /// The catalogue cannot be published.
    #[error("the catalogue cannot be published")]
    Artifact(#[from] screensort_runtime::ArtifactError),
    /// The model cannot be trained.
    #[error("the recommendation model cannot be trained")]
    Model(#[from] screensort_recommend::Error),
    /// What was done could not be written down.
    #[error("there is no randomness for a record: {0}")]
    Untraced(String),
    /// The training was stopped half way.
    #[error("the training was stopped")]
    Interrupted,
    /// A moment lies outside what a clock can show.
    #[error("the clock is off")]
    Clock(#[from] jiff::Error),
    /// The catalogue that is served cannot be read, so that nobody can say what it lacks.
    #[error("the published catalogue cannot be read: {0}; publishing it again mends it")]
    Unreadable(String),
    /// The firewall does not hold what the blocklist says; the list itself stands.
    #[error("the blocklist cannot be mirrored to the firewall")]
    Firewall(#[from] screensort_runtime::FirewallError),
    /// No record can be made of what is about to be done.
    #[error("no record can be made: {0}")]
    Trail(String),
    /// What would be published is much smaller than what is served.
    #[error(
        "{now} films would replace {before}: refused, because nothing explains such a loss; \
         `screensort publish` publishes them nevertheless"
    )]
    Shrunk {
        /// Films served.
        before: usize,
        /// Films that would be.
        now: usize,
    },
}

impl From<screensort_tmdb::Error> for Error {
    fn from(error: screensort_tmdb::Error) -> Self {
        match error {
            screensort_tmdb::Error::KeyMissing => Self::KeyMissing,
            screensort_tmdb::Error::KeyRejected { status } => Self::KeyRefused { status },
            screensort_tmdb::Error::BadAddress { why } => Self::Address { why },
            error => Self::Tmdb(error),
        }
    }
}

impl From<screensort_http::Problem> for Error {
    fn from(problem: screensort_http::Problem) -> Self {
        Self::Keys(problem.causes().unwrap_or_else(|| problem.code().word().to_owned()))
    }
}

impl Error {
    /// Whether the run's requests are used up, which is no failure.
    pub(crate) fn is_budget(&self) -> bool {
        matches!(self, Self::Tmdb(screensort_tmdb::Error::BudgetExhausted { .. }))
    }
}
