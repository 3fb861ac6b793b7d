//! `DELETE /api_keys/{id}`: revoke an API key, at once.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Authority, Code, Endpoint, Input, Member, Opening, Problem, Reply, Text, Whence, log};
use screensort_routes::API_KEY_REVOKE;
use screensort_runtime::Stack;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("api_key").route(API_KEY_REVOKE, revoke)
}

struct Ask {
    id: String,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("id", "The key.");
        let whence = Whence::open(o)?;
        Some(Self { id: id?.0, whence })
    }
}

/// No recent proof is asked for: taking a right away must never wait.
async fn revoke(
    Member { who, .. }: Member<may::ApiKeysWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let trail = ask.whence.trail(Event::KeyRevoked, Some(who.id()), Some(&ask.id), stack.clock().now())?;
    if !stack.api_keys().revoke(who.id(), &ask.id, &trail).await? {
        return Err(Problem::new(Code::NotFound).with_detail("You have no key with this id."));
    }
    log(&trail);
    Ok(Reply::done())
}
