use std::fmt;

use serde::Serialize;

/// A public name of 2 to 20 characters: ASCII letters, digits, `_`, `.` and `-`, at least one letter or digit.
///
/// ASCII only, on purpose: with one script there are no look-alikes from another (the confusables of Unicode
/// UTS #39), so nobody can register a name that looks like somebody else's. A name has no `@`, so the login
/// form can tell a name from an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Username(String);

/// Why a text can't be a user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameFault {
    /// Not 2 to 20 characters.
    #[error("a user name has 2 to 20 characters")]
    Length,
    /// Another character than ASCII letters, digits, `_`, `.` and `-`.
    #[error("a user name has letters a-z, digits, '_', '.' and '-' only")]
    Character,
    /// Punctuation only.
    #[error("a user name has at least one letter or digit")]
    NoLetter,
}

impl Username {
    /// Takes `text` as a name, as it is: nothing is trimmed or replaced, so people get the name they see.
    ///
    /// # Errors
    ///
    /// [`UsernameFault`].
    pub fn parse(text: &str) -> Result<Self, UsernameFault> {
        if text.len() > 200 || !(2..=20).contains(&text.chars().count()) {
            return Err(UsernameFault::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
            return Err(UsernameFault::Character);
        }
        if !text.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            return Err(UsernameFault::NoLetter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are unique: lower case. On ASCII this is NFKC with full case folding.
    pub fn unique_form(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_case_and_are_unique_without_it() {
        let name = Username::parse("Ann_O.ther-1").unwrap();
        assert_eq!(name.as_str(), "Ann_O.ther-1");
        assert_eq!(name.unique_form(), Username::parse("ANN_o.THER-1").unwrap().unique_form());
    }

    #[test]
    fn length_and_characters_are_limited() {
        for (text, fault) in [
            ("", UsernameFault::Length),
            ("a", UsernameFault::Length),
            (&"a".repeat(21), UsernameFault::Length),
            ("a b", UsernameFault::Character),
            (" ab", UsernameFault::Character),
            ("a@b", UsernameFault::Character),
            ("\u{430}dmin", UsernameFault::Character),
            ("\u{ff41}\u{ff42}", UsernameFault::Character),
            ("a\u{200d}b", UsernameFault::Character),
            ("<b>", UsernameFault::Character),
            ("._", UsernameFault::NoLetter),
        ] {
            assert_eq!(Username::parse(text), Err(fault), "{text:?}");
        }
        for text in ["ab", "42", &"a".repeat(20), "-a"] {
            assert!(Username::parse(text).is_ok(), "{text:?}");
        }
    }
}
