use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{BreachedFilter, Password};
use crate::{Email, Username};

/// Shortest word of the context that a password may not contain, in characters. Two letters are in every
/// other password by chance.
const SHORTEST_WORD: usize = 3;

/// Which of the two sets of rules applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 8 characters and more, with an upper-case letter, a lower-case letter, a digit and a special
    /// character, and hard to guess.
    Classic,
    /// 15 characters and more of any kind (NIST SP 800-63B-4, section 3.1.1.2; OWASP ASVS 5.0, V6.2).
    Nist,
}

/// What a new password must be like.
///
/// Only new passwords are measured: what an older policy let in stays valid until it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    profile: Profile,
    waive_at: usize,
}

/// What the password's owner and the service are called. A password may not contain any of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The owner's address.
    pub email: Option<&'a Email>,
    /// The owner's user name.
    pub username: Option<&'a Username>,
}

/// The service's own name: the first guess of whoever attacks it.
const SERVICE: &str = "screensort";

impl Policy {
    /// The classic rules. From `waive_at` characters on, the four kinds of characters are no longer asked
    /// for, so that a passphrase is welcome; 0 asks for them at any length.
    pub const fn classic(waive_at: usize) -> Self {
        Self { profile: Profile::Classic, waive_at }
    }

    /// NIST's rules.
    pub const fn nist() -> Self {
        Self { profile: Profile::Nist, waive_at: 0 }
    }

    /// Which set of rules this is.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Fewest characters.
    pub const fn min_length(&self) -> usize {
        match self.profile {
            Profile::Classic => 8,
            Profile::Nist => 15,
        }
    }

    /// Every rule that `password` breaks, in a fixed order; none when it is good.
    pub fn violations(
        &self,
        password: &Password,
        context: &Context<'_>,
        breached: &BreachedFilter,
    ) -> Vec<Violation> {
        let text = password.expose();
        let mut found = Vec::new();
        let mut check = |broken: bool, violation| {
            if broken {
                found.push(violation);
            }
        };
        let short = password.length() < self.min_length();
        check(short, Violation::TooShort { min: self.min_length() });
        if self.asks_for_kinds(password.length()) {
            check(!text.chars().any(char::is_uppercase), Violation::NoUpper);
            check(!text.chars().any(char::is_lowercase), Violation::NoLower);
            check(!text.chars().any(char::is_numeric), Violation::NoDigit);
            check(!text.chars().any(|c| !c.is_alphanumeric()), Violation::NoSpecial);
        }
        let folded = fold(text);
        check(contains_email(&folded, context), Violation::ContainsEmail);
        check(contains_username(&folded, context), Violation::ContainsUsername);
        check(folded.contains(SERVICE), Violation::ContainsServiceName);
        check(breached.contains(text), Violation::Breached);
        // A short one is guessable because it is short: one reason, one entry.
        check(!short && guesses(text, context) < self.min_guesses(), Violation::TooGuessable);
        found
    }

    fn asks_for_kinds(&self, length: usize) -> bool {
        self.profile == Profile::Classic && (self.waive_at == 0 || length < self.waive_at)
    }

    /// Fewest guesses, by zxcvbn's estimate (Wheeler 2016).
    ///
    /// Classic asks for 10^8, where score 2 ends and score 3 begins. Not for the score itself: its border lies
    /// at 10^8 + 5, and since a random character counts as ten guesses, that would refuse every random password
    /// of exactly eight characters and quietly make the minimum nine.
    ///
    /// Length carries NIST's profile. There the estimate only stands in for the part of the blocklist that no
    /// list can hold: repetitions, runs and keyboard walks of any length; 10^6 is where score 2 begins.
    const fn min_guesses(&self) -> u64 {
        match self.profile {
            Profile::Classic => 100_000_000,
            Profile::Nist => 1_000_000,
        }
    }
}

impl Default for Policy {
    /// Classic, with the kinds waived from 15 characters on.
    fn default() -> Self {
        Self::classic(15)
    }
}

/// Why a password isn't good enough. Each has a stable code for programs and a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Violation {
    /// Fewer characters than the policy asks for.
    TooShort {
        /// Fewest characters.
        min: usize,
    },
    /// No upper-case letter.
    NoUpper,
    /// No lower-case letter.
    NoLower,
    /// No digit.
    NoDigit,
    /// No character besides letters and digits.
    NoSpecial,
    /// The owner's address, or the part before its sign, is inside.
    ContainsEmail,
    /// The owner's user name is inside.
    ContainsUsername,
    /// The service's name is inside.
    ContainsServiceName,
    /// It is among the most common passwords of known breaches.
    Breached,
    /// It follows a pattern that guessing programs try early.
    TooGuessable,
}

impl Violation {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::NoUpper => "no_upper",
            Self::NoLower => "no_lower",
            Self::NoDigit => "no_digit",
            Self::NoSpecial => "no_special",
            Self::ContainsEmail => "contains_email",
            Self::ContainsUsername => "contains_username",
            Self::ContainsServiceName => "contains_service_name",
            Self::Breached => "breached",
            Self::TooGuessable => "too_guessable",
        }
    }

    /// One sentence that says what to change.
    pub fn sentence(&self) -> String {
        let text = match self {
            Self::TooShort { min } => return format!("The password must have at least {min} characters."),
            Self::NoUpper => "The password must have an upper-case letter.",
            Self::NoLower => "The password must have a lower-case letter.",
            Self::NoDigit => "The password must have a digit.",
            Self::NoSpecial => "The password must have a character that is neither a letter nor a digit.",
            Self::ContainsEmail => "The password must not contain your e-mail address.",
            Self::ContainsUsername => "The password must not contain your user name.",
            Self::ContainsServiceName => "The password must not contain the name of this service.",
            Self::Breached => "The password is among the most common ones in known data breaches.",
            Self::TooGuessable => {
                "The password is too easy to guess: avoid common words, names, dates and patterns."
            }
        };
        text.to_owned()
    }
}

/// Lower case, composed: the form in which words are looked for.
fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

fn holds(folded: &str, word: &str) -> bool {
    let word = fold(word);
    word.chars().count() >= SHORTEST_WORD && folded.contains(&word)
}

fn contains_email(folded: &str, context: &Context<'_>) -> bool {
    context.email.is_some_and(|email| {
        // The local part without its `+tag`, too: `ann+films@…` is still Ann.
        let local = email.local_part();
        let name = local.split('+').next().unwrap_or(local);
        holds(folded, email.as_str()) || holds(folded, local) || holds(folded, name)
    })
}

fn contains_username(folded: &str, context: &Context<'_>) -> bool {
    context.username.is_some_and(|username| holds(folded, username.as_str()))
}

/// zxcvbn's estimate of how many guesses it takes. It looks at the first 100 characters.
fn guesses(text: &str, context: &Context<'_>) -> u64 {
    let mut words = vec![SERVICE];
    words.extend(context.email.map(Email::as_str));
    words.extend(context.email.map(Email::local_part));
    words.extend(context.email.and_then(|email| email.domain().split('.').next()));
    words.extend(context.username.map(Username::as_str));
    zxcvbn::zxcvbn(text, &words).guesses()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
