//! Registration, sessions, credentials: one module per endpoint, each read as *who, what, act, answer*.
//!
//! What is common to several of them: what callers send (`ask`), a person's secrets (`person`), attempts
//! (`guard`), forms of pages (`form`), beginning a session (`start`), mail and what comes back from it (`mailed`).

mod ask;
mod form;
mod guard;
mod invitation;
mod letters;
mod mailed;
mod start;

pub mod deletion_worker;
mod first_admin;
pub mod import;
pub mod mailer;
pub mod person;

pub mod csrf;
pub mod email;
pub mod email_confirm;
pub mod jwks;
pub mod login;
pub mod login_challenge;
pub mod login_mfa;
pub mod login_mfa_send;
pub mod logins;
pub mod logout;
pub mod mfa_email;
pub mod mfa_recovery_codes;
pub mod mfa_sms;
pub mod mfa_totp;
pub mod password;
pub mod password_forgot;
pub mod password_reset;
pub mod profile_delete;
pub mod reauthenticate;
pub mod register;
pub mod register_resend;
pub mod register_verify;
pub mod security;
pub mod session;
pub mod session_end;
pub mod sessions;
pub mod token_refresh;

pub use first_admin::{FirstAdmin, first_admin};

use screensort_http::Endpoint;
use screensort_runtime::Stack;

/// The endpoints of this area.
pub fn endpoints() -> Vec<Endpoint<Stack>> {
    vec![
        csrf::endpoint(),
        email::endpoint(),
        email_confirm::endpoint(),
        jwks::endpoint(),
        login::endpoint(),
        login_challenge::endpoint(),
        login_mfa::endpoint(),
        login_mfa_send::endpoint(),
        logins::endpoint(),
        logout::endpoint(),
        mfa_email::endpoint(),
        mfa_recovery_codes::endpoint(),
        mfa_sms::endpoint(),
        mfa_totp::endpoint(),
        password::endpoint(),
        password_forgot::endpoint(),
        password_reset::endpoint(),
        profile_delete::endpoint(),
        reauthenticate::endpoint(),
        register::endpoint(),
        register_resend::endpoint(),
        register_verify::endpoint(),
        security::endpoint(),
        session::endpoint(),
        session_end::endpoint(),
        sessions::endpoint(),
        token_refresh::endpoint(),
    ]
}
