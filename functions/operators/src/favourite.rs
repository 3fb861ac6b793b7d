//! `PUT` and `DELETE /favourites/{operator_id}`.

use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Member, Opening, Problem, Reply, Whence};
use screensort_model::OperatorId;
use screensort_routes::{FAVOURITE_ADD, FAVOURITE_REMOVE};
use screensort_runtime::Stack;
use screensort_store::{Favourite, Hand};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("favourite").route(FAVOURITE_ADD, add).route(FAVOURITE_REMOVE, remove)
}

struct Ask {
    operator: OperatorId,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let operator = o.path("operator_id", "The operator.");
        let whence = Whence::open(o)?;
        Some(Self { operator: operator?, whence })
    }
}

async fn add(
    Member { who, .. }: Member<may::FavouritesWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    if stack.directory().await?.get(ask.operator).is_none() {
        return Err(unknown());
    }
    let favourite = Favourite { operator: ask.operator, added_at: stack.clock().now() };
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    stack.favourites().add(who.id(), &favourite, &hand).await?;
    Ok(Reply::done())
}

async fn remove(
    Member { who, .. }: Member<may::FavouritesWriteOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let hand = Hand { by: who.id(), rid: &ask.whence.request_id };
    let now = stack.clock().now();
    if stack.favourites().remove(who.id(), ask.operator, now, &hand).await? {
        Ok(Reply::done())
    } else {
        Err(Problem::new(Code::NotFound).with_detail("It is none of your favourites."))
    }
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is no operator with this id.")
}
