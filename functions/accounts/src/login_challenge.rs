//! `GET /login/challenge`: a proof-of-work challenge.

use schemars::JsonSchema;
use screensort_auth::challenge::{Difficulty, issue};
use screensort_http::{Anyone, Code, Endpoint, Problem, Reply};
use screensort_routes::LOGIN_CHALLENGE;
use screensort_runtime::{ChallengeVerifier, Stack};
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("login_challenge").route(LOGIN_CHALLENGE, challenge)
}

/// What a challenge is solved for.
pub(crate) const ACTION: &str = "login";

/// Find the number from 0 to `maxnumber` for which SHA-256 of `salt` and the number, in hexadecimal, is
/// `challenge`; send `{algorithm, challenge, number, salt, signature}` back as base64 of JSON.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Challenge")]
struct Answer {
    algorithm: String,
    challenge: String,
    maxnumber: u64,
    salt: String,
    signature: String,
}

async fn challenge(_: Anyone, (): (), stack: Stack) -> Result<Reply<Answer>, Problem> {
    if stack.settings().challenge != ChallengeVerifier::Work {
        return Err(
            Problem::new(Code::NotFound).with_detail("Challenges are solved on the page, by its widget.")
        );
    }
    let macs = stack.mac_ring().await?;
    let made = issue(&macs, ACTION, Difficulty::default(), stack.clock().now())?;
    Ok(Reply::ok(Answer {
        algorithm: made.algorithm,
        challenge: made.challenge,
        maxnumber: made.maxnumber,
        salt: made.salt,
        signature: made.signature,
    }))
}
