//! Reading JSON that drifts: a field of another type than documented is a missing field, not a broken film.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{error::Category, value::RawValue};

use crate::Error;

/// A field that may be absent, null, or of a type nobody expects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Soft<T>(pub(crate) Option<T>);

// Derived, it would ask for `T: Default`.
impl<T> Default for Soft<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Soft<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The raw text is skipped over first, then read: an error in it stays in it. Skipping does not recurse, so
        // depth is no danger either.
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// A list whose bad elements are left out; anything that is no list is an empty one.
#[derive(Debug)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Soft(list) = Soft::<Vec<Soft<T>>>::deserialize(deserializer)?;
        Ok(Self(list.unwrap_or_default().into_iter().filter_map(|item| item.0).collect()))
    }
}

/// Reads a whole answer.
///
/// # Errors
/// [`Error::Truncated`] when it ends too early, [`Error::BadAnswer`] when it is not JSON or lacks what must be there.
/// The parser's own message is not passed on: it may quote the answer.
pub(crate) fn answer<T: DeserializeOwned>(route: &'static str, body: &[u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(body).map_err(|error| match error.error_len() {
        None => Error::Truncated { route, source: None },
        Some(_) => Error::BadAnswer { route, why: "it is not UTF-8".to_owned() },
    })?;
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            Category::Eof => return Error::Truncated { route, source: None },
            Category::Syntax if cut_in_a_number(text, &error) => {
                return Error::Truncated { route, source: None };
            }
            Category::Data => "a field that must be there is missing or of another type",
            Category::Syntax | Category::Io => "it is not JSON",
        };
        Error::BadAnswer { route, why: format!("{what} (line {}, column {})", error.line(), error.column()) }
    })
}

/// Whether the text ends within a number, as in `7.` or `1e-`: the parser calls that an invalid number, not an end.
fn cut_in_a_number(text: &str, error: &serde_json::Error) -> bool {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    error.line() == text.matches('\n').count() + 1
        && error.column() >= last_line.len()
        && text.ends_with(['.', 'e', 'E', '+', '-'])
}

/// A count or measure: not negative and finite, else 0.
pub(crate) fn measure(value: Soft<f64>, most: f64) -> f64 {
    value.0.filter(|number| number.is_finite()).map_or(0.0, |number| number.clamp(0.0, most))
}

/// A whole number from 0 to `most`; a negative one, a fraction or a larger one is none.
pub(crate) fn whole(value: Soft<f64>, most: u32) -> Option<u32> {
    let number = value.0.filter(|n| n.fract() == 0.0 && (0.0..=f64::from(most)).contains(n))?;
    // In range and whole: the cast is exact.
    Some(number as u32)
}

/// A day written `2026-11-22`; what follows it (TMDb adds a time to some) is ignored. "" and nonsense are none.
pub(crate) fn day(text: Soft<String>) -> Option<jiff::civil::Date> {
    let text = text.0?;
    let day = text.get(..10).filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'))?;
    let date = jiff::civil::Date::strptime("%Y-%m-%d", day).ok()?;
    (1870..=2200).contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft(json: &str) -> Soft<f64> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_field_of_another_type_is_a_missing_field() {
        for odd in ["null", "\"7\"", "[]", "{}", "1e999", "true"] {
            assert_eq!(soft(odd).0, None, "{odd}");
        }
        assert_eq!(soft("7").0, Some(7.0));
        let list: Many<u32> = serde_json::from_str(r#"[1, "x", null, {"a": 1e999}, 2]"#).unwrap();
        assert_eq!(list.0, [1, 2]);
        let none: Many<u32> = serde_json::from_str("\"no list\"").unwrap();
        assert!(none.0.is_empty());
    }

    #[test]
    fn numbers_out_of_range_are_clamped_or_refused() {
        assert_eq!(measure(soft("-3"), 10.0), 0.0);
        assert_eq!(measure(soft("1e300"), 10.0), 10.0);
        assert_eq!(measure(soft("null"), 10.0), 0.0);
        assert_eq!((whole(soft("139.0"), 999), whole(soft("139.5"), 999)), (Some(139), None));
        assert_eq!((whole(soft("-1"), 999), whole(soft("1000"), 999)), (None, None));
    }

    #[test]
    fn only_plausible_days_are_days() {
        let read = |text: &str| day(Soft(Some(text.to_owned()))).map(|date| date.to_string());
        assert_eq!(read("1999-10-15"), Some("1999-10-15".to_owned()));
        assert_eq!(read("2009-11-23T00:00:00.000Z"), Some("2009-11-23".to_owned()));
        for bad in [
            "",
            "1999",
            "1999-13-01",
            "1999-02-30",
            "0001-01-01",
            "9999-01-01",
            "1999-10-155",
            "1999-1-1",
            "äääääää",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_early_end_is_told_from_nonsense() {
        assert!(matches!(answer::<Vec<u32>>("/x", b"[1, 2"), Err(Error::Truncated { .. })));
        assert!(matches!(answer::<Vec<u32>>("/x", b""), Err(Error::Truncated { .. })));
        assert!(matches!(answer::<String>("/x", b"\"caf\xc3"), Err(Error::Truncated { .. })));
        for bad in [&b"[1, ]"[..], b"<html>", b"\"\xff\"", b"[1] 2"] {
            assert!(matches!(answer::<Vec<u32>>("/x", bad), Err(Error::BadAnswer { .. })));
        }
    }
}
