//! From exec to the first answer.
//!
//! This crate reads the environment and the clock (nothing else does), builds AWS clients when they are first
//! needed, keeps the catalogue in memory, and serves an endpoint or a job as a Lambda function. It must never
//! decide anything about films or people.

mod after;
mod artifact;
mod blocklist;
#[cfg(feature = "calls")]
mod calls;
mod client;
mod config;
mod cursors;
mod deed;
mod directory;
mod edge;
mod firewall;
mod gate;
mod gateway;
mod leases;
mod logged;
mod objects;
mod otlp;
mod outside;
mod parcels;
mod people;
mod private;
mod protection;
mod record;
mod secrets;
mod serve;
mod shelf;
mod spans;
mod stack;
mod tally;

pub use artifact::{Artifacts, Current, Error as ArtifactError};
#[cfg(feature = "calls")]
pub use calls::{Calls, within};
pub use config::{
    ChallengeVerifier, Credentials, Dormancy, Error as ConfigError, Settings, TMDB_RATE, Texts,
};
pub use cursors::cursor_ring;
pub use deed::deed;
pub use firewall::{AddressSet, AddressSets, Error as FirewallError, Firewall, Mirrored};
pub use gateway::{Event, event, request};
pub use objects::{ACCESS_REVIEW, Error as ObjectsError, Objects};
pub use otlp::Otlp;
pub use outside::OutsideError;
pub use parcels::Parcels;
pub use people::Mail;
pub use private::Private;
pub use protection::Protection;
pub use record::Record;
pub use serve::{Job, JobError, Run, handle, job, serve, watched};
pub use spans::called;
pub use stack::Stack;

/// The system's clock, to the millisecond.
pub fn clock() -> screensort_model::Clock {
    screensort_model::Clock::system(|| {
        #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
        let now = jiff::Timestamp::now();
        jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    })
}
