//! Security events: one list for logs, metrics, alarms and documents.
//!
//! A name never changes its meaning. No event carries a secret, a name or an address; who it concerns is an
//! account's id, and where it came from is a field of its own.

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $alarming:literal;)*) => {
        /// Something that happened and matters to security.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($(#[$doc])* $name),* }

        impl Event {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Area, thing, past participle.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Whether many of them in a short time are a reason to look.
            pub const fn is_alarming(self) -> bool {
                match self { $(Self::$name => $alarming),* }
            }
        }
    };
}

events! {
    /// An account was made.
    AccountCreated = "auth.account.created", false;
    /// Somebody tried to register an address that has an account.
    AccountDuplicated = "auth.account.duplicated", true;
    /// An address was verified.
    AccountVerified = "auth.account.verified", false;
    /// An administrator closed an account.
    AccountDisabled = "auth.account.disabled", true;
    /// An administrator opened an account again.
    AccountEnabled = "auth.account.enabled", true;
    /// Somebody signed in.
    LoginSucceeded = "auth.login.succeeded", false;
    /// Somebody did not.
    LoginFailed = "auth.login.failed", true;
    /// An attempt was refused before anything was verified: too many.
    LoginThrottled = "auth.login.throttled", true;
    /// An attempt was asked to solve a challenge.
    LoginChallenged = "auth.login.challenged", true;
    /// Somebody signed out.
    LoggedOut = "auth.logout", false;
    /// A session was ended from another one.
    SessionRevoked = "auth.session.revoked", false;
    /// A refresh token came a second time; its session was ended.
    TokenReused = "auth.token.reused", true;
    /// Credentials that are no good were shown.
    TokenRefused = "auth.token.refused", true;
    /// A password was changed by who knew it.
    PasswordChanged = "auth.password.changed", false;
    /// A mail to set a new password was asked for.
    PasswordForgotten = "auth.password.forgotten", true;
    /// A password was set by a mailed token.
    PasswordReset = "auth.password.reset", true;
    /// A new address was named.
    EmailNamed = "auth.email.named", false;
    /// A new address was confirmed.
    EmailChanged = "auth.email.changed", true;
    /// A second factor was turned on.
    MfaEnabled = "auth.mfa.enabled", false;
    /// A second factor was turned off.
    MfaDisabled = "auth.mfa.disabled", true;
    /// A code was wrong.
    MfaFailed = "auth.mfa.failed", true;
    /// A recovery code was used.
    RecoveryUsed = "auth.recovery.used", true;
    /// Recovery codes were renewed.
    RecoveryRenewed = "auth.recovery.renewed", false;
    /// Somebody signed in proved again who they are.
    Reauthenticated = "auth.reauthenticated", false;
    /// Roles, grants or denials were changed.
    RoleChanged = "auth.role.changed", true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_of_one_form() {
        let mut names: Vec<&str> = Event::ALL.iter().map(|event| event.name()).collect();
        assert!(names.iter().all(|name| name.starts_with("auth.")
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
    }
}
