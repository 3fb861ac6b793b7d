//! What every endpoint has in common between the gateway and its own few lines.
//!
//! A request is opened into an actor and typed input, the handler is called, and whatever comes back (a
//! reply, a problem or a panic) leaves with the same headers. This crate knows HTTP and the product's error
//! types; it must never know what an endpoint does, and it does no I/O of its own.

mod actor;
pub mod caller;
pub mod cursor;
mod endpoint;
mod headers;
mod json;
pub mod member;
#[cfg(feature = "describe")]
pub mod openapi;
mod opening;
mod page;
mod param;
mod problem;
mod reply;
mod request;
mod version;
mod whence;

pub use actor::{Actor, Anyone};
pub use caller::{Caller, Client, Who};
pub use cursor::{Binding, Cursors};
pub use endpoint::{Answers, Endpoint, Operation};
pub use headers::{CONTENT_SECURITY_POLICY, allow_origin, secure};
pub use json::given;
pub use member::{Authority, Member, Recent, SignedIn, Visitor};
pub use opening::{FieldError, Input, Opening};
pub use page::{Page, PageAsk};
pub use param::{Param, Tenths, Text, Whole};
pub use problem::{Code, Problem};
pub use reply::{Answer, File, Reply};
pub use request::Incoming;
pub use version::{IfMatch, entity_version};
pub use whence::Whence;
