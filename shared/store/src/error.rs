//! Why a store request failed.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store request failed, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer: the store is down, or the network is. Try again.
    #[error("the store cannot be reached")]
    Unreachable(#[source] Cause),
    /// The store asks for patience, after the SDK's own retries.
    #[error("the store is throttling {operation}")]
    Throttled {
        /// The operation.
        operation: &'static str,
        /// What the SDK said.
        #[source]
        cause: Cause,
    },
    /// The store refused the request: a bug or a missing permission.
    #[error("the store refused {operation}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// What the SDK said.
        #[source]
        cause: Cause,
    },
    /// An item is not what this release expects.
    #[error("an item of {aggregate} cannot be read: {why}")]
    Corrupt {
        /// The aggregate.
        aggregate: &'static str,
        /// What is wrong with it; no values.
        why: String,
    },
}

impl Error {
    pub(crate) fn corrupt(aggregate: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { aggregate, why: why.to_string() }
    }

    pub(crate) fn of<E, R>(operation: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
        match code.as_deref() {
            None => Self::Unreachable(Box::new(error)),
            Some(
                "ThrottlingException"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "LimitExceededException"
                | "TransactionConflictException"
                | "InternalServerError",
            ) => Self::Throttled { operation, cause: Box::new(error) },
            Some(_) => Self::Refused { operation, cause: Box::new(error) },
        }
    }
}
