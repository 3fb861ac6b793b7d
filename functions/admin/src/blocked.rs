//! A network that is shut out, as administrators see it.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_store::Blocked;
use serde::Serialize;

/// A network from which nothing is answered but 403 `blocked`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BlockedNetwork")]
pub(crate) struct BlockedNetwork {
    /// In CIDR notation.
    cidr: String,
    reason: String,
    /// Who put it here: an account's id, or `feed_blocklist` for the job.
    author: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
    /// Null: until somebody takes it off.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    expires_at: Option<Timestamp>,
}

impl BlockedNetwork {
    pub(crate) fn of(blocked: Blocked) -> Self {
        let Blocked { cidr, reason, author, created_at, expires_at } = blocked;
        Self { cidr: cidr.to_string(), reason, author, created_at, expires_at }
    }
}
