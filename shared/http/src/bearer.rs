//! The bearer token of a request, and what its signature vouches for.

use std::sync::OnceLock;

use http::header::AUTHORIZATION;
use screensort_auth::token::AccessClaims;

use crate::member::{Authority, split_session_id};
use crate::{Incoming, Problem};

/// What the access token of a request was found to say. Counting the call, proving the actor and reading ahead all
/// ask; the signature is checked once. The token stands beside the result, so that a request whose headers were
/// changed since is not answered with another's.
#[derive(Debug, Clone, Default)]
pub struct Checked(OnceLock<(String, Result<AccessClaims, String>)>);

impl Incoming {
    /// The bearer token that the request carries, if it carries exactly one `Authorization` header of that scheme.
    pub fn bearer(&self) -> Option<&str> {
        let header = self.header(AUTHORIZATION.as_str())?;
        let (_, token) =
            header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?;
        Some(token.trim())
    }
}

/// What the access token `token` of `request` says, or why it says nothing.
///
/// # Errors
/// 503 if the keys cannot be read.
pub(crate) async fn access<C: Authority>(
    request: &Incoming,
    token: &str,
    context: &C,
) -> Result<Result<AccessClaims, String>, Problem> {
    if let Some((checked, result)) = request.checked.0.get()
        && checked == token
    {
        return Ok(result.clone());
    }
    let verifier = context.verifier().await?;
    let result = verifier.access(token, context.now()).map_err(|e| e.to_string()).and_then(|claims| {
        // A session's id begins with its owner's.
        let of_subject = split_session_id(&claims.sid).is_some_and(|(account, _)| account == claims.sub);
        if of_subject { Ok(claims) } else { Err("the session is not the subject's".to_owned()) }
    });
    // Lost to somebody who asked at the same time: their result is the same.
    let _ = request.checked.0.set((token.to_owned(), result.clone()));
    Ok(result)
}
