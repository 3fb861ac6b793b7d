//! `GET /.well-known/jwks.json`: the public keys of access tokens.

use schemars::JsonSchema;
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::JWKS;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("jwks").route(JWKS, jwks)
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Jwks")]
struct Answer {
    keys: Vec<Key>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Jwk")]
struct Key {
    kty: String,
    crv: String,
    alg: String,
    #[serde(rename = "use")]
    usage: String,
    kid: String,
    x: String,
    y: String,
}

async fn jwks(_: Anyone, (): (), stack: Stack) -> Result<Reply<Answer>, Problem> {
    let set = stack.jwks().await?;
    let key = |key: &screensort_auth::token::Jwk| Key {
        kty: key.kty.clone(),
        crv: key.crv.clone(),
        alg: key.alg.clone(),
        usage: key.usage.clone(),
        kid: key.kid.clone(),
        x: key.x.clone(),
        y: key.y.clone(),
    };
    Ok(Reply::ok(Answer { keys: set.keys.iter().map(key).collect() }))
}
