//! Types that a path or query parameter may have.

use std::str::FromStr;

use screensort_model::text::is_deceptive;
use screensort_model::{
    GenreId, KeywordId, Language, Mode, ModeId, MovieId, OperatorId, PersonId, Refused, Region, Window,
};
use serde_json::{Value, json};

/// The longest value that any parameter may have, in bytes.
pub(crate) const LONGEST: usize = 1_000;

/// A parameter's type: how its text is read, and its JSON schema.
pub trait Param: Sized {
    /// Reads the percent-decoded text.
    ///
    /// # Errors
    /// A sentence that says what is allowed; it never repeats the value.
    fn read(text: &str) -> Result<Self, Refused>;

    /// Its JSON schema.
    fn schema() -> Value;
}

macro_rules! by_from_str {
    ($($type:ty => $schema:expr),* $(,)?) => {$(
        impl Param for $type {
            fn read(text: &str) -> Result<Self, Refused> {
                <$type>::from_str(text)
            }

            fn schema() -> Value {
                $schema
            }
        }
    )*};
}

by_from_str! {
    MovieId => json!({"type": "integer", "minimum": 1, "maximum": 2_147_483_647}),
    GenreId => json!({"type": "integer", "minimum": 1, "maximum": 2_147_483_647}),
    KeywordId => json!({"type": "integer", "minimum": 1, "maximum": 2_147_483_647}),
    PersonId => json!({"type": "integer", "minimum": 1, "maximum": 2_147_483_647}),
    OperatorId => json!({"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}),
    ModeId => json!({"type": "string", "maxLength": 20}),
    Language => json!({"type": "string", "pattern": "^[a-z]{2}$"}),
    Region => json!({"type": "string", "pattern": "^[A-Z]{2}$"}),
}

/// One of a closed set of words.
macro_rules! by_word {
    ($($type:ty, $all:expr, $why:literal);* $(;)?) => {$(
        impl Param for $type {
            fn read(text: &str) -> Result<Self, Refused> {
                $all.into_iter().find(|one| one.name() == text).ok_or(Refused($why))
            }

            fn schema() -> Value {
                json!({"type": "string", "enum": $all.map(|one| one.name())})
            }
        }
    )*};
}

by_word! {
    Mode, Mode::ALL, "a mode is one of stream, free, ads, rent, buy, cinema";
    screensort_model::Kind, [screensort_model::Kind::Streaming, screensort_model::Kind::Transport],
        "a kind is one of streaming, transport";
    Window, Window::ALL, "a window is one of day, week";
    screensort_model::Sort, screensort_model::Sort::ALL,
        "a sort is one of popularity, rating, newest, title, trending";
    screensort_model::Thumb, screensort_model::Thumb::ALL, "a thumb is one of up, down";
    screensort_model::Found, screensort_model::Found::ALL, "a type is one of movie, person, operator";
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> Param for Whole<MIN, MAX> {
    fn read(text: &str) -> Result<Self, Refused> {
        let refused = Refused("not a whole number in the range allowed");
        let plain = !text.is_empty()
            && text.len() <= 10
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        let value = if plain { text.parse::<u32>().ok() } else { None };
        value.filter(|v| (MIN..=MAX).contains(v)).map(Self).ok_or(refused)
    }

    fn schema() -> Value {
        json!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A number from 0 to 10 with at most one decimal place, kept as tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenths(pub u8);

impl Tenths {
    /// The number itself.
    pub fn get(self) -> f32 {
        f32::from(self.0) / 10.0
    }
}

impl Param for Tenths {
    fn read(text: &str) -> Result<Self, Refused> {
        let refused = Refused("not a number from 0 to 10 with at most one decimal place");
        let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |t: &str, most: usize| !t.is_empty() && t.len() <= most && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole, 2) || !digits(tenth, 1) || (whole.len() == 2 && whole.starts_with('0')) {
            return Err(refused);
        }
        let tenths = whole.parse::<u8>().ok().zip(tenth.parse::<u8>().ok());
        tenths.map(|(w, t)| w * 10 + t).filter(|v| *v <= 100).map(Self).ok_or(refused)
    }

    fn schema() -> Value {
        json!({"type": "number", "minimum": 0, "maximum": 10, "multipleOf": 0.1})
    }
}

/// Text of 1 to `MOST` characters, without control or bidirectional characters, not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MOST: usize>(pub String);

impl<const MOST: usize> Param for Text<MOST> {
    fn read(text: &str) -> Result<Self, Refused> {
        let count = text.chars().count();
        if count == 0 || text.trim().is_empty() {
            Err(Refused("blank"))
        } else if count > MOST {
            Err(Refused("too long"))
        } else if text.chars().any(is_deceptive) {
            Err(Refused("holds control or bidirectional characters"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    fn schema() -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": MOST})
    }
}

/// `true` or `1`, `false` or `0`.
impl Param for bool {
    fn read(text: &str) -> Result<Self, Refused> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Refused("neither true (or 1) nor false (or 0)")),
        }
    }

    fn schema() -> Value {
        json!({"type": "string", "enum": ["true", "false", "1", "0"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_plain_and_in_range() {
        type Limit = Whole<1, 100>;
        assert_eq!(Limit::read("20"), Ok(Whole(20)));
        for bad in ["0", "101", "-1", "1e1", " 5", "05", "", "٢", "5.0", "99999999999999"] {
            assert!(Limit::read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Tenths::read("7.5").map(|t| t.0), Ok(75));
        assert_eq!(Tenths::read("10").map(|t| t.0), Ok(100));
        for bad in ["10.1", "7.55", "-1", "NaN", "inf", "1e1", ".5", "5.", "07", ""] {
            assert!(Tenths::read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn text_shows_what_it_says() {
        assert!(Text::<5>::read("abc").is_ok());
        for bad in ["", "  ", "abcdef", "a\u{202E}b", "a\u{0}b", "a\nb"] {
            assert!(Text::<5>::read(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parameter_panic(text in "\\PC*") {
            let _ = (Whole::<1, 5>::read(&text), Tenths::read(&text), Text::<9>::read(&text), bool::read(&text));
            let _ = (MovieId::read(&text), OperatorId::read(&text), Region::read(&text), Mode::read(&text));
        }
    }
}
