//! What a call passes on its way to its handler and back, in this order (docs/limits.md).

use bytes::Bytes;
use http::{Method, StatusCode};
use screensort_routes::Route;

use crate::endpoint::Rendered;
use crate::idempotency::{self, Keeping, Once};
use crate::quota::{Counted, Standing};
use crate::{Actor, Code, Gate, Incoming, Input, Opening, Problem};

/// What can be said of a request before anything else is looked at.
pub(crate) fn fits(route: &Route, request: &Incoming) -> Result<(), Problem> {
    if request.body.len() > route.body_limit() {
        let none = route.body_limit() == 0;
        return Err(Problem::new(if none { Code::BodyNotAllowed } else { Code::TooLarge }));
    }
    request.check_single_headers()
}

pub(crate) fn open<I: Input>(request: &Incoming) -> Result<I, Problem> {
    let mut opening = Opening::new(request);
    let input = I::open(&mut opening);
    opening.finish(input)
}

/// Proves the actor and counts the call, side by side, and `begin`s beside them with whoever is known `ahead`. A read
/// waits for its count, which is made in memory, and begins only within its quota; a change is counted in the table, and
/// what it looks at is read at the same time.
pub(crate) async fn proven<A: Actor<C>, C: Gate, B, E, F: Future<Output = Option<E>>>(
    route: &'static Route,
    request: &Incoming,
    context: &C,
    ahead: Option<B>,
    begin: impl FnOnce(B) -> F,
) -> (Result<A, Problem>, Result<Counted, Problem>, Option<E>) {
    // Boxed, like all that talks to the store: side by side these futures would fill a stack.
    let counting = Box::pin(context.count(route, request));
    let proving = Box::pin(A::prove(request, context));
    let Some(ahead) = ahead else {
        let (actor, counted) = futures::join!(proving, counting);
        return (actor, counted, None);
    };
    if route.method != Method::GET {
        return futures::join!(proving, counting, Box::pin(begin(ahead)));
    }
    let counted = counting.await;
    let early = Box::pin(async {
        counted.as_ref().ok()?.standing.clone().admitted().ok()?;
        begin(ahead).await
    });
    let (actor, early) = futures::join!(proving, early);
    (actor, counted, early)
}

pub(crate) fn standing_of(counted: &Result<Counted, Problem>) -> Standing {
    counted.as_ref().map(|counted| counted.standing.clone()).unwrap_or_default()
}

/// The actor, once they are proven and within their quota.
pub(crate) async fn let_in<A, C: Gate>(
    actor: Result<A, Problem>,
    counted: Result<Counted, Problem>,
    context: &C,
) -> Result<(A, Counted), Problem> {
    let actor = match actor {
        Ok(actor) => actor,
        Err(problem) => {
            // A token outlives its session by minutes: who has it draws on nobody's quota.
            if let (StatusCode::UNAUTHORIZED, Ok(counted)) = (problem.code().status(), &counted) {
                context.uncount(counted).await;
            }
            return Err(problem);
        }
    };
    let counted = counted?;
    counted.standing.clone().admitted()?;
    Ok((actor, counted))
}

/// Does what `handling` does, or answers again what it answered to the same idempotency key.
pub(crate) async fn once<C: Gate>(
    (route, keeping, success): (&'static Route, Keeping, StatusCode),
    request: Incoming,
    account: Option<&str>,
    context: &C,
    handling: impl Future<Output = Result<Rendered, Problem>>,
) -> Result<Rendered, Problem> {
    let begun = Box::pin(idempotency::begin(keeping, route, &request, account, context));
    let first = match begun.await? {
        Once::Plain => None,
        Once::First(call) => Some(call),
        Once::Again(rendered) => return Ok(rendered),
    };
    drop(request);
    let result = handling.await.map(|rendered| match rendered.status {
        StatusCode::OK => Rendered { status: success, ..rendered },
        _ => rendered,
    });
    if let Some(call) = first {
        Box::pin(idempotency::end(keeping, &call, &result, context)).await;
    }
    result
}

/// An answer with what is left of the caller's quotas.
pub(crate) fn told(answered: Result<Rendered, Problem>, standing: &Standing) -> Result<Rendered, Problem> {
    match answered {
        Ok(mut rendered) => {
            if rendered.status == StatusCode::NO_CONTENT {
                rendered.bytes = Bytes::new();
            }
            rendered.headers.extend(standing.headers());
            Ok(rendered)
        }
        // Nobody was proven: there is nobody's standing to speak of.
        Err(problem) if problem.code().status() == StatusCode::UNAUTHORIZED => Err(problem),
        Err(problem) => Err(standing.marked(problem)),
    }
}
