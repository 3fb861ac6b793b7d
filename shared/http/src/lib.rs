//! What every endpoint has in common between the gateway and its own few lines.
//!
//! A request is opened into an actor and typed input, the handler is called, and whatever comes back (a
//! reply, a problem or a panic) leaves with the same headers. This crate knows HTTP and the product's error
//! types; it must never know what an endpoint does, and it does no I/O of its own.

mod actor;
mod ask;
mod bearer;
pub mod caller;
mod condition;
pub mod cursor;
mod endpoint;
mod gate;
mod headers;
mod idempotency;
mod json;
pub mod member;
#[cfg(feature = "describe")]
pub mod openapi;
mod opening;
mod owner;
mod page;
mod param;
mod passing;
mod preflight;
mod problem;
pub mod quota;
mod reply;
mod request;
mod trail;
mod whence;

pub use actor::{Actor, Anyone};
pub use ask::Ask;
pub use bearer::Checked;
pub use caller::{Caller, Client, Who};
pub use condition::{IfMatch, stale, tag};
pub use cursor::{Binding, Cursors};
pub use endpoint::{Answers, Endpoint, Operation};
pub use gate::Gate;
pub use headers::{CONTENT_SECURITY_POLICY, allow_origin, secure};
pub use idempotency::{KEY_HEADER, Keeping};
pub use json::given;
pub use member::{Authority, Member, Recent, SignedIn, Visitor};
pub use opening::{FieldError, Input, Opening};
pub use owner::Owner;
pub use page::{Page, PageAsk};
pub use param::{Param, Tenths, Text, Whole};
pub use preflight::{ALLOWED_HEADERS, MAX_AGE, preflight};
pub use problem::{Code, Problem};
pub use quota::{Limits, Spent};
pub use reply::{Answer, File, Reply};
pub use request::Incoming;
pub use trail::{UNKNOWN, blocked, critical, log, new_id, trail_of};
pub use whence::Whence;
