//! Who asks. The actor is a handler's first parameter, so that what it demands is in its type.

use screensort_routes::Access;

use crate::{Incoming, Problem};

/// Somebody who may call a route. `C` is the endpoint's context, from which an actor that has to be proven
/// takes what proves it.
pub trait Actor<C>: Sized + Send {
    /// What the actor demands; a test compares it with the route's entry in the table.
    const ACCESS: Access;

    /// Proves the actor.
    ///
    /// # Errors
    /// 401 or 403 if they are not who the route is for.
    fn prove(request: &Incoming, context: &C) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// The actor as a signature alone names them, for a handler that may begin to read before they are proven.
    /// Its answer is thrown away unless [`Actor::prove`] agrees. `None`: the handler waits.
    fn ahead(request: &Incoming, context: &C) -> impl Future<Output = Option<Self>> + Send {
        let _ = (request, context);
        async { None }
    }
}

/// Anybody, signed in or not.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

impl Anyone {
    /// Whom a cursor is bound to: nobody in particular.
    pub fn subject(&self) -> &str {
        ""
    }
}

impl<C: Sync> Actor<C> for Anyone {
    const ACCESS: Access = Access::Anyone;

    async fn prove(_: &Incoming, _: &C) -> Result<Self, Problem> {
        Ok(Self)
    }
}
