//! `GET /health`: whether the product is up, and for administrators whether what it depends on is.

mod parts;

use schemars::JsonSchema;
use screensort_auth::Permission;
use screensort_http::member::{identify, unauthenticated};
use screensort_http::{Actor, Code, Endpoint, Incoming, Input, Opening, Problem, Reply, SignedIn};
use screensort_routes::{Access, HEALTH};
use screensort_runtime::Stack;
use serde::Serialize;

use parts::{Part, State};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("health").route(HEALTH, health)
}

/// The parameter that asks for more.
const DEEP: &str = "deep";

/// Anybody; an administrator, if they ask for more. Whoever does not is asked for nothing, whatever they send along: that
/// the product is up can be seen while nobody can be known.
struct Looker(Option<SignedIn>);

impl Actor<Stack> for Looker {
    const ACCESS: Access = Access::Anyone;

    async fn prove(request: &Incoming, stack: &Stack) -> Result<Self, Problem> {
        let mut said = request.query.iter().filter(|(name, _)| name == DEEP).map(|(_, value)| value.as_str());
        // Said twice or in another way it is refused for that, whoever asks.
        if !matches!((said.next(), said.next()), (Some("true" | "1"), None)) {
            return Ok(Self(None));
        }
        let who = identify(request, stack).await?;
        let who = who.ok_or_else(|| unauthenticated(Code::Unauthorized))?;
        // Nothing is kept of who was refused: no quota holds back whoever asks on here, and a trail can be filled.
        if !who.permissions.contains(Permission::HealthReadDeep) {
            return Err(Problem::new(Code::Forbidden));
        }
        Ok(Self(Some(who)))
    }
}

struct Ask {
    deep: bool,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let deep = o.query(DEEP, "Also look at what the product depends on; for administrators.");
        Some(Self { deep: deep.unwrap_or(false) })
    }
}

/// It answers, so it is up.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
struct Answer {
    /// `ok`: a product that is down does not answer. For who asked for more `degraded` if one of the parts is not `ok`.
    status: &'static str,
    /// This release.
    version: &'static str,
    /// What the product depends on; only for who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<Part>>,
}

async fn health(Looker(who): Looker, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    if !ask.deep {
        return Ok(Reply::ok(Answer { status: "ok", version: crate::VERSION, parts: None }));
    }
    // What was taken for yes above is all that is taken for yes here; if that ever changes, nobody gets in by it.
    if who.is_none() {
        return Err(unauthenticated(Code::Unauthorized));
    }
    let parts = parts::all(&stack).await;
    let status = if parts.iter().all(|part| part.state == State::Ok) { "ok" } else { "degraded" };
    Ok(Reply::ok(Answer { status, version: crate::VERSION, parts: Some(parts) }))
}
