//! Why a call failed, by cause. Nothing here holds the key, a raw URL, or a byte TMDb sent.

use std::time::Duration;

/// Why a call failed.
///
/// Routes are templates (`/movie/{id}`), so that an error can be logged and counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token is empty or could not be sent in a header.
    #[error("no usable TMDb token")]
    KeyMissing,
    /// TMDb refused the token: it is wrong, revoked or suspended. Never retried.
    #[error("TMDb refused the key with status {status}")]
    KeyRejected {
        /// 401 or 403.
        status: u16,
    },
    /// An address in the configuration is not acceptable.
    #[error("the address is refused: {why}")]
    BadAddress {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller asked for something TMDb does not offer; nothing was sent.
    #[error("the question breaks a rule of TMDb's: {0}")]
    BadQuestion(Rule),
    /// TMDb asked to slow down and went on asking, or asked for a longer pause than configured.
    #[error("TMDb asks for a pause of {} s", retry_after.as_secs())]
    Throttled {
        /// How long it wants to be left alone; at least one second.
        retry_after: Duration,
    },
    /// TMDb had an error of its own, on the last try too.
    #[error("TMDb answered {route} with status {status}")]
    Unavailable {
        /// The route's template.
        route: &'static str,
        /// 408 or 500 to 599.
        status: u16,
    },
    /// No complete answer in time, on the last try too.
    #[error("TMDb did not answer {route} in time")]
    TimedOut {
        /// The route's template.
        route: &'static str,
    },
    /// The request could not be sent or the connection broke, on the last try too.
    #[error("the connection to TMDb failed for {route}")]
    Transport {
        /// The route's template.
        route: &'static str,
        /// What the HTTP client says, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The answer ended too early, on the last try too.
    #[error("TMDb's answer to {route} is incomplete")]
    Truncated {
        /// The route's template.
        route: &'static str,
        /// What the HTTP client says, where it noticed.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Too many consecutive failures: nothing was sent.
    #[error("TMDb failed too often; the next try is in {} s", retry_in.as_secs())]
    BreakerOpen {
        /// Time until a probe is let through; zero while one is under way.
        retry_in: Duration,
    },
    /// This run has sent all the requests it may send.
    #[error("the run's budget of {budget} requests is spent")]
    BudgetExhausted {
        /// The budget at the run's start.
        budget: u32,
    },
    /// The answer is larger than its cap. It was not read further.
    #[error("TMDb's answer to {route} has more than {limit} bytes")]
    TooLarge {
        /// The route's template.
        route: &'static str,
        /// The cap, in bytes.
        limit: u64,
    },
    /// The answer is complete but is not what was asked for.
    #[error("TMDb's answer to {route} is not acceptable: {why}")]
    BadAnswer {
        /// The route's template.
        route: &'static str,
        /// What is wrong. Never holds text from the answer.
        why: String,
    },
    /// TMDb refused the question.
    #[error("TMDb refused {route} with status {status} (TMDb's code: {code:?})")]
    Refused {
        /// The route's template.
        route: &'static str,
        /// The HTTP status.
        status: u16,
        /// `status_code` in TMDb's body, where there is one.
        code: Option<u32>,
    },
    /// There is no export for that day: not ready yet (08:00 UTC), or older than three months.
    #[error("there is no export for {date}")]
    ExportMissing {
        /// The day asked for.
        date: jiff::civil::Date,
    },
}

/// A rule of TMDb's that a question can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Pages go from 1 to 500.
    #[error("pages go from 1 to 500")]
    Page,
    /// A range of days ends after it starts and spans at most 14 days.
    #[error("a range has at most 14 days and does not end before it starts")]
    Range,
    /// Ids are positive.
    #[error("an id is positive")]
    Id,
}

impl Error {
    /// Whether another try may help.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unavailable { .. }
                | Self::TimedOut { .. }
                | Self::Transport { .. }
                | Self::Truncated { .. }
        )
    }

    /// Whether it says that the server, not the question, is unwell: what the breaker counts.
    pub(crate) fn is_ill_health(&self) -> bool {
        match self {
            Self::Throttled { .. } => false,
            // A wrong content type or a flood comes from something that is not TMDb.
            Self::TooLarge { .. } => true,
            other => other.is_transient(),
        }
    }

    /// A short constant for the log's `outcome` field.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::KeyMissing => "key_missing",
            Self::KeyRejected { .. } => "key_rejected",
            Self::BadAddress { .. } | Self::Setup(_) => "setup",
            Self::BadQuestion(_) => "bad_question",
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::Transport { .. } => "transport",
            Self::Truncated { .. } => "truncated",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::BudgetExhausted { .. } => "budget_exhausted",
            Self::TooLarge { .. } => "too_large",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Refused { .. } => "refused",
            Self::ExportMissing { .. } => "export_missing",
        }
    }
}
