//! The rules of who may do what, and of how they prove it: passwords, tokens, sessions, second factors, roles
//! and attempts.
//!
//! This crate knows policy. It must never know HTTP, a table, or what time it is: every rule is a pure
//! function of what it is given, the time included, so that it can be tested in microseconds. What must be
//! atomic (count an attempt, burn a token, rotate a refresh token) is decided here and made to stick by the
//! store's conditional writes.
//!
//! | question | module |
//! |---|---|
//! | Is this a password we accept, and is it theirs? | [`password`] |
//! | May this attempt go on, wait, or solve a challenge first? | [`attempts`], [`challenge`] |
//! | Is this second factor right, and was it used before? | [`totp`], [`recovery`], [`mail_code`] |
//! | Did we make this token, for this purpose, and is it in time? | [`token`], [`refresh`], [`browser`] |
//! | Does this session still live? | [`session`] |
//! | Is this an attack? | [`rules`], [`detect`], [`suspects`], [`probe`] |
//! | What may this person do? | [`permission`], [`role`] |
//! | Is this a name we can look up? | [`Email`], [`Username`] |

pub mod attempts;
pub mod browser;
pub mod challenge;
pub mod detect;
mod email;
mod error;
pub mod event;
pub mod mail_code;
pub mod password;
pub mod permission;
mod phone;
pub mod probe;
pub mod recovery;
pub mod refresh;
pub mod role;
pub mod rules;
pub mod session;
pub mod suspects;
pub mod token;
pub mod totp;
mod username;

pub use email::{Email, EmailFault};
pub use error::Error;
pub use permission::{Demand, Permission, Permissions, may};
pub use phone::{Phone, PhoneFault};
pub use role::Role;
pub use username::{Username, UsernameFault};

/// What `?` gives in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod fixed {
    //! Fixed keys and times for the tests of this crate.

    use jiff::{SignedDuration, Timestamp};
    use screensort_crypto::{KeyId, KeyRing, MacKey};

    pub(crate) fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    pub(crate) fn after(seconds: i64) -> Timestamp {
        now() + SignedDuration::from_secs(seconds)
    }

    pub(crate) fn mac_ring() -> KeyRing<MacKey> {
        KeyRing::new(KeyId::new("m1").unwrap(), MacKey::new([3; 32]), now())
    }
}
