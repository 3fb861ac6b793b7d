//! Who may read what is neither public nor personal: somebody signed in, or a service client.
//!
//! A client's token only says which key it was issued for. The key and the account that answers for it are read
//! on every request, in one request to the store: a key that is revoked opens nothing from then on.

use std::marker::PhantomData;

use screensort_auth::{Demand, Permissions, Role};
use screensort_routes::Access;

use crate::member::{
    Authority, SignedIn, identify, invalid_token, split_session_id, standing, unauthenticated,
};
use crate::{Actor, Code, Incoming, Problem};

/// A program that showed a token of its own.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id: the owner's, a hyphen, the key's.
    pub id: String,
    /// The account that answers for it.
    pub owner: String,
    /// What it may do with this token, now.
    pub permissions: Permissions,
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    /// Somebody signed in, whose address is verified.
    Person(Box<SignedIn>),
    /// A program.
    Service(Client),
}

impl Who {
    /// Whose call it is: an account's id or a client's.
    pub fn id(&self) -> &str {
        match self {
            Self::Person(person) => person.id(),
            Self::Service(client) => &client.id,
        }
    }
}

/// Somebody signed in and verified, or a service client, who has the permission `P`.
#[derive(Debug, Clone)]
pub struct Caller<P> {
    /// Who.
    pub who: Who,
    permission: PhantomData<fn() -> P>,
}

impl<P: Demand, C: Authority> Actor<C> for Caller<P> {
    const ACCESS: Access = Access::Caller(P::PERMISSION);

    async fn prove(request: &Incoming, context: &C) -> Result<Self, Problem> {
        let who = match client(request, context).await? {
            Some(client) => Who::Service(client),
            None => {
                let person = identify(request, context).await?;
                Who::Person(Box::new(person.ok_or_else(|| unauthenticated(Code::Unauthorized))?))
            }
        };
        let permissions = match &who {
            Who::Person(person) if person.account.verified_at.is_none() => {
                return Err(Problem::new(Code::EmailUnverified));
            }
            Who::Person(person) => person.permissions,
            Who::Service(client) => client.permissions,
        };
        if !permissions.contains(P::PERMISSION) {
            return Err(Problem::new(Code::Forbidden));
        }
        Ok(Self { who, permission: PhantomData })
    }
}

/// The client whose token `request` carries; `None` if it carries something else.
async fn client<C: Authority>(request: &Incoming, context: &C) -> Result<Option<Client>, Problem> {
    let Some(token) = request.bearer() else { return Ok(None) };
    let now = context.now();
    // What is no token of a client is a person's to prove: the kinds differ in a header that is signed.
    let Ok(claims) = context.verifier().await?.service(token, now) else { return Ok(None) };
    let (owner, key) = split_session_id(&claims.sub).ok_or_else(invalid_token)?;
    let found = context.api_keys().with_owner(owner, key).await?;
    let (account, key) = found.ok_or_else(invalid_token)?;
    if account.disabled || key.expires_at <= now {
        return Err(invalid_token());
    }
    let allowed = allowed(&key.scopes).intersection(standing(&account)?.permissions());
    let asked = Permissions::from_scope(&claims.scope).map_err(|e| invalid_token().caused_by(e))?;
    Ok(Some(Client { id: claims.sub, owner: account.id, permissions: asked.intersection(allowed) }))
}

/// What a key with these scopes may do. A scope that no program may have, or that this release does not know,
/// gives nothing.
pub fn allowed(scopes: &[String]) -> Permissions {
    let known: Permissions = scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
    known.intersection(Role::Service.permissions())
}
