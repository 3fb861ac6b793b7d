//! `DELETE /links/{id}`: end a link, from either side, at once.

use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Member, Opening, Problem, Reply, Text, Whence, log};
use screensort_routes::LINK_END;
use screensort_runtime::Stack;
use screensort_store::{Hand, LinkChange, Stage, To};

use crate::shown::letter;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("link").route(LINK_END, end)
}

struct Ask {
    id: String,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("id", "The link.");
        let whence = Whence::open(o)?;
        Some(Self { id: id?.0, whence })
    }
}

/// No recent proof is asked for: taking a right away must never wait.
async fn end(
    Member { who, .. }: Member<may::LinksWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let now = stack.clock().now();
    let links = stack.links();
    let record = |event| ask.whence.trail(event, Some(who.id()), Some(&ask.id), now);
    let unknown = || Problem::new(Code::NotFound).with_detail("You have no link with this id.");
    let Some(link) = links.get(who.id(), &ask.id).await? else {
        // Not yet confirmed: only who was asked has an invitation of that id. Who asked is not told.
        let trail = record(Event::LinkDeclined)?;
        if !links.decline(who.id(), &ask.id, &trail).await? {
            return Err(unknown());
        }
        log(&trail);
        return Ok(Reply::done());
    };
    if link.stage_at(now) == Stage::Ended {
        return Err(unknown());
    }
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    let mut letters = vec![letter(&stack, "link_ended", To::Account(who.id().to_owned()), None, now)?];
    if let Some(other) = &link.other {
        letters.push(letter(&stack, "link_ended", To::Account(other.clone()), None, now)?);
    }
    let trail = record(Event::LinkEnded)?;
    let change = LinkChange { hand, at: now, letters: &letters, trail: &trail };
    if !links.end(who.id(), &link, &change).await? {
        return Err(Problem::new(Code::Conflict));
    }
    log(&trail);
    Ok(Reply::done())
}
