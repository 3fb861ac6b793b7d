//! What every request passes besides its handler. The context of handlers provides it; the rules are in the
//! modules beside this one.

use std::net::IpAddr;

use screensort_routes::Route;
use screensort_store::{Begun, Call, Kept};

use crate::quota::Counted;
use crate::{Incoming, Problem};

/// The context's part in what every request passes. A context that provides nothing lets everything through.
pub trait Gate: Clone + Send + Sync + 'static {
    /// Whether anybody at this address may call at all. Asked before anything else.
    ///
    /// # Errors
    /// 403 `blocked`.
    fn admit(&self, source: IpAddr) -> impl Future<Output = Result<(), Problem>> + Send {
        let _ = source;
        async { Ok(()) }
    }

    /// Counts a call on `route`. Runs while the actor is being proven.
    ///
    /// # Errors
    /// 503 if an exact count cannot be made. That a quota is used up is no error here: see [`Counted`].
    fn count(
        &self,
        route: &'static Route,
        request: &Incoming,
    ) -> impl Future<Output = Result<Counted, Problem>> + Send {
        let _ = (route, request);
        async { Ok(Counted::default()) }
    }

    /// Takes back what [`Gate::count`] counted of a call whose credentials turned out to be good for nothing: whom
    /// they name did not make it. What cannot be taken back stays counted.
    fn uncount(&self, counted: &Counted) -> impl Future<Output = ()> + Send {
        let _ = counted;
        async {}
    }

    /// Begins a call that carries an idempotency key.
    ///
    /// # Errors
    /// 503 if it cannot be noted.
    fn begin(&self, call: &Call) -> impl Future<Output = Result<Begun, Problem>> + Send {
        let _ = call;
        async { Ok(Begun::First) }
    }

    /// Ends a call that was begun: with what was created, and the answer if it may be kept; or with nothing
    /// created. What cannot be noted is logged.
    fn end(&self, call: &Call, created: Option<Option<&Kept>>) -> impl Future<Output = ()> + Send {
        let _ = (call, created);
        async {}
    }
}

impl Gate for () {}
