//! `DELETE /sessions/{id}`: end one of one's own sessions.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Authority, Code, Endpoint, Input, Member, Opening, Problem, Reply, Text, Whence, log};
use screensort_routes::SESSION_END;
use screensort_runtime::Stack;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("session_end").route(SESSION_END, end)
}

struct Ask {
    id: String,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { id: o.path::<Text<40>>("id", "The session, by its id in /sessions.")?.0, whence })
    }
}

async fn end(
    Member { who, .. }: Member<may::SessionsEndOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    // The key is under the caller's own: another person's session is not found.
    let trail = ask.whence.own(Event::SessionRevoked, who.id(), stack.clock().now())?;
    if !stack.sessions().end(who.id(), &ask.id, None, &trail).await? {
        return Err(Problem::new(Code::NotFound).with_detail("You have no session with this id."));
    }
    log(&trail);
    Ok(Reply::done())
}
