//! Somebody signed in who reads what is their own.

use std::marker::PhantomData;

use screensort_auth::Demand;
use screensort_routes::Access;

use crate::member::Authority;
use crate::{Actor, Incoming, Member, Problem, Recent, bearer};

/// A [`Member`] of whom a handler, or the part of it that looks first, needs the id alone, because it only reads what is
/// theirs.
///
/// The data is read while the session is: a signed token names the account before the store has said whether the
/// session lives and whether its owner may. Until it has, nothing of the answer leaves (docs/decisions/0013). A
/// handler that changes anything takes [`Member`].
#[derive(Debug, Clone)]
pub struct Owner<P> {
    account: String,
    permission: PhantomData<fn() -> P>,
}

impl<P> Owner<P> {
    /// The account's id.
    pub fn id(&self) -> &str {
        &self.account
    }

    fn of(account: String) -> Self {
        Self { account, permission: PhantomData }
    }
}

impl<P> From<&Member<P>> for Owner<P> {
    fn from(member: &Member<P>) -> Self {
        Self::of(member.who.account.id.clone())
    }
}

impl<P> From<&Recent<P>> for Owner<P> {
    fn from(recent: &Recent<P>) -> Self {
        Self::of(recent.who.account.id.clone())
    }
}

impl<P: Demand, C: Authority> Actor<C> for Owner<P> {
    const ACCESS: Access = Access::Member(P::PERMISSION);

    async fn prove(request: &Incoming, context: &C) -> Result<Self, Problem> {
        Ok(Self::from(&Member::<P>::prove(request, context).await?))
    }

    /// A cookie names a session without a signature: who sends one waits for the proof.
    async fn ahead(request: &Incoming, context: &C) -> Option<Self> {
        let claims = bearer::access(request, request.bearer()?, context).await.ok()?;
        Some(Self::of(claims.ok()?.sub))
    }
}
