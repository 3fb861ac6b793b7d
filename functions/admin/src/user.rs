//! An account as administrators see it.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_store::Account;
use serde::Serialize;

/// An account. Addresses and credentials are its owner's.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminUser")]
pub(crate) struct AdminUser {
    id: String,
    username: String,
    roles: Vec<String>,
    /// Permissions besides the roles'.
    grants: Vec<String>,
    /// Permissions taken away whatever the roles.
    denials: Vec<String>,
    disabled: bool,
    verified: bool,
    /// Which version this is: for `If-Match` of a change.
    etag: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
}

impl AdminUser {
    pub(crate) fn of(account: Account) -> Self {
        Self {
            id: account.id,
            username: account.username,
            roles: account.roles,
            grants: account.grants,
            denials: account.denials,
            disabled: account.disabled,
            verified: account.verified_at.is_some(),
            etag: screensort_http::tag(account.generation),
            created_at: account.created_at,
        }
    }
}
