use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an access token says (RFC 9068). Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// Which API it is for.
    pub aud: String,
    /// Whose it is: the account's id.
    pub sub: String,
    /// The session it belongs to.
    pub sid: String,
    /// When it was issued.
    pub iat: i64,
    /// From when it is valid.
    pub nbf: i64,
    /// Until when it is valid.
    pub exp: i64,
    /// Its own id.
    pub jti: String,
    /// What it is good for, separated by spaces.
    pub scope: String,
    /// How strongly its owner proved who they are.
    pub acr: String,
    /// By which means (RFC 8176), such as `pwd` and `otp`.
    pub amr: Vec<String>,
    /// When its owner last proved it.
    pub auth_time: i64,
}

impl AccessClaims {
    /// When its owner last proved who they are; the epoch for a number that is no time.
    pub fn authenticated_at(&self) -> Timestamp {
        Timestamp::from_second(self.auth_time).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// What a service client's token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceClaims {
    /// Who issued it.
    pub iss: String,
    /// Which API it is for.
    pub aud: String,
    /// Whose it is: the client's id.
    pub sub: String,
    /// Which client asked for it: the same id, where readers of OAuth tokens look for it.
    pub azp: String,
    /// When it was issued.
    pub iat: i64,
    /// From when it is valid.
    pub nbf: i64,
    /// Until when it is valid.
    pub exp: i64,
    /// Its own id.
    pub jti: String,
    /// What it is good for, separated by spaces.
    pub scope: String,
    /// Calls that the client has in a minute, if it has fewer than its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_minute: Option<u32>,
    /// Calls that it has in a day, if it has fewer than its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_day: Option<u32>,
}

/// What goes into an access token besides what every token has.
#[derive(Debug, Clone, Copy)]
pub struct AccessGrant<'a> {
    /// The account's id.
    pub subject: &'a str,
    /// The session's id.
    pub session: &'a str,
    /// What the token is good for, separated by spaces.
    pub scope: &'a str,
    /// How strongly its owner proved who they are.
    pub acr: &'a str,
    /// By which means.
    pub amr: &'a [&'a str],
    /// When.
    pub authenticated_at: Timestamp,
}

/// What goes into a service token besides what every token has.
#[derive(Debug, Clone, Copy)]
pub struct ServiceGrant<'a> {
    /// The client's id.
    pub client: &'a str,
    /// What the token is good for, separated by spaces.
    pub scope: &'a str,
    /// Calls that the client has in a minute, if it has fewer than its account.
    pub calls_per_minute: Option<u32>,
    /// Calls that it has in a day, if it has fewer than its account.
    pub calls_per_day: Option<u32>,
}

/// The claims that the verifier looks at in both kinds.
pub(crate) trait Timed {
    fn issued(&self) -> i64;
    fn not_before(&self) -> i64;
    fn expires(&self) -> i64;
}

macro_rules! timed {
    ($($claims:ty),*) => {$(
        impl Timed for $claims {
            fn issued(&self) -> i64 { self.iat }
            fn not_before(&self) -> i64 { self.nbf }
            fn expires(&self) -> i64 { self.exp }
        }
    )*};
}

timed!(AccessClaims, ServiceClaims);
