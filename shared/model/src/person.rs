//! What somebody may say of themselves: the rules, for whoever takes it from them.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use crate::text::prose;

/// Characters of the name that somebody wants to be called by.
const DISPLAY_NAME: RangeInclusive<usize> = 1..=40;
/// Characters of what they say of themselves.
const BIO: RangeInclusive<usize> = 1..=500;
/// Characters of a review.
const REVIEW: RangeInclusive<usize> = 20..=10_000;
/// Nobody alive was born before.
const FIRST_YEAR: i16 = 1900;
/// The first day of 1896: nobody watched a film before.
const CINEMA: Timestamp = Timestamp::constant(-2_335_219_200, 0);

/// The name that somebody wants to be called by, as it is kept.
///
/// # Errors
/// A sentence's end that says what is expected.
pub fn display_name(text: &str) -> Result<String, String> {
    prose(text, DISPLAY_NAME, false)
}

/// What somebody says of themselves, as it is kept.
///
/// # Errors
/// As [`display_name`].
pub fn bio(text: &str) -> Result<String, String> {
    prose(text, BIO, true)
}

/// A review, as it is kept.
///
/// # Errors
/// As [`display_name`].
pub fn review(text: &str) -> Result<String, String> {
    prose(text, REVIEW, true)
}

/// Whether there was cinema at a time that somebody says they did something with a film. Times are kept as texts, whose
/// order is that of times only within years of four digits.
pub fn is_since_cinema(at: Timestamp) -> bool {
    at >= CINEMA
}

/// Whether somebody alive in `this_year` can have been born in `year`.
pub fn is_birth_year(year: i16, this_year: i16) -> bool {
    (FIRST_YEAR..=this_year).contains(&year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_composed_and_of_a_sane_length() {
        assert_eq!(display_name(" Ame\u{301}lie ").as_deref(), Ok("Am\u{e9}lie"));
        assert!(display_name("two\nlines").is_err() && bio("two\nlines").is_ok());
        assert!(review("too short").is_err() && review(&"long enough ".repeat(2)).is_ok());
        let at = |text: &str| text.parse().unwrap_or_default();
        assert!(
            is_since_cinema(at("1896-01-01T00:00:00Z")) && !is_since_cinema(at("1895-12-31T23:59:59.999Z"))
        );
        assert!(is_birth_year(1900, 2026) && !is_birth_year(1899, 2026) && !is_birth_year(2027, 2026));
    }
}
