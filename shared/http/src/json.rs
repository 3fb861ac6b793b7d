//! JSON in and out: strict on the way in, safe to be mistaken for HTML on the way out.

use std::io;

use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::opening::FieldError;
use crate::{Code, Incoming, Problem};

/// The deepest nesting of a body.
const DEEPEST: usize = 16;

/// Reads the request's JSON body.
///
/// # Errors
/// 415 for another media type; 400 for bytes that are not one JSON document of a sane depth; 422 naming the
/// field that has the wrong type, is missing, unknown or given twice.
pub(crate) fn read_body<T: DeserializeOwned>(request: &Incoming) -> Result<T, Problem> {
    if !is_json(request.header(CONTENT_TYPE.as_str())) {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    if std::str::from_utf8(&request.body).is_err() {
        return Err(bad_json("The body is not UTF-8; neither Latin-1 nor UTF-16 is taken."));
    }
    check_depth(&request.body)?;
    // Serde would take an array for a struct; the contract knows objects only.
    if request.body.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(bad_json("A JSON object is expected."));
    }
    let mut reader = serde_json::Deserializer::from_slice(&request.body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| refused(&error))?;
    reader.end().map_err(|_| bad_json("Something follows the JSON document."))?;
    Ok(value)
}

/// `application/json`, with no charset but UTF-8.
fn is_json(content_type: Option<&str>) -> bool {
    let Some(text) = content_type else { return false };
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| {
        let part = part.to_ascii_lowercase();
        matches!(part.as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"")
    })
}

/// Refuses documents nested deeper than [`DEEPEST`] before anything recurses into them.
fn check_depth(body: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(bad_json("The document is nested deeper than 16 levels."));
        }
    }
    Ok(())
}

fn bad_json(why: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::BadJson).with_detail(why)
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    use serde_json::error::Category;
    let inner = error.inner();
    match inner.classify() {
        Category::Data => {
            let path = error.path().to_string();
            let (code, field, detail) = explain(&inner.to_string());
            let mut pointer =
                if path == "." { String::new() } else { format!("/{}", path.replace('.', "/")) };
            if let Some(field) = field {
                pointer = format!("{pointer}/{field}");
            }
            Problem::new(Code::InvalidBody).with_errors(vec![FieldError { pointer, code, detail }])
        }
        _ => bad_json(format!("Not JSON at line {}, column {}.", inner.line(), inner.column())),
    }
}

/// What serde says, without any value of the caller's in it.
fn explain(text: &str) -> (&'static str, Option<String>, String) {
    let quoted = |prefix: &str| -> Option<String> {
        text.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(|name| {
            name.chars().take(40).filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
        })
    };
    if text.starts_with("unknown field") {
        ("unknown_field", None, "There is no such field.".into())
    } else if let Some(name) = quoted("missing field `") {
        ("missing_field", Some(name), "This field is needed.".into())
    } else if let Some(name) = quoted("duplicate field `") {
        ("duplicate_field", Some(name), "This field is given twice.".into())
    } else {
        let expected = text.rsplit_once("expected ").map_or("another value", |(_, what)| what);
        let expected = expected.split(" at line").next().unwrap_or("another value");
        ("invalid", None, format!("Expected {expected}."))
    }
}

/// Reads a field that may be left out, null or a value, and tells the three apart: with `default`, left out is
/// `None`, and null is `Some(None)`.
///
/// # Errors
/// If it is neither null nor a value of the type.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// `value` as JSON in which no text can be taken for markup: `<`, `>`, `&` and the line separators that
/// JavaScript knows are escaped.
///
/// # Errors
/// Only if a value refuses to be serialised, which is a bug.
pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(4_096);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Guarded))?;
    Ok(out)
}

struct Guarded;

impl serde_json::ser::Formatter for Guarded {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let Some(found) = rest[at..].chars().next() else { break };
            write!(writer, "\\u{:04x}", u32::from(found))?;
            rest = &rest[at + found.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rate {
        movie_id: u32,
        inner: Option<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        value: f32,
    }

    fn sent(body: &str, content_type: &str) -> Incoming {
        let mut request = crate::endpoint::tests::get("/thumbs_action", &[]);
        request.body = Bytes::from(body.to_owned());
        request.headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        request
    }

    fn read(body: &str) -> Result<Rate, Problem> {
        read_body(&sent(body, "application/json"))
    }

    #[test]
    fn a_field_at_fault_is_named() {
        assert_eq!(read(r#"{"movie_id": 5}"#).unwrap().movie_id, 5);
        for (body, pointer, code) in [
            (r#"{"movie_id": 5, "user_id": 1}"#, "/user_id", "unknown_field"),
            (r#"{}"#, "/movie_id", "missing_field"),
            (r#"{"movie_id": 5, "movie_id": 6}"#, "/movie_id", "duplicate_field"),
            (r#"{"movie_id": {"$ne": null}}"#, "/movie_id", "invalid"),
            (r#"{"movie_id": null}"#, "/movie_id", "invalid"),
            (r#"{"movie_id": "5"}"#, "/movie_id", "invalid"),
            (r#"{"movie_id": 5, "inner": {"value": "x"}}"#, "/inner/value", "invalid"),
        ] {
            let problem = read(body).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidBody, "{body}");
            assert_eq!(
                (problem.errors()[0].pointer.as_str(), problem.errors()[0].code),
                (pointer, code),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_not_one_json_document_is_refused() {
        let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
        for body in ["", "{", "[5]", "5", "{\"movie_id\": 5} x", "\u{feff}{}", "NaN", deep.as_str()] {
            assert_eq!(read(body).unwrap_err().code(), Code::BadJson, "{body}");
        }
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]
        {
            let problem = read_body::<Rate>(&sent("{\"movie_id\": 5}", kind)).unwrap_err();
            assert_eq!(problem.code(), Code::UnsupportedMediaType, "{kind}");
        }
    }

    #[test]
    fn json_never_looks_like_markup() {
        let bytes = to_bytes(&"<script>&\u{2028}\"é</script>").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, r#""\u003cscript\u003e\u0026\u2028\"é\u003c/script\u003e""#);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(text in "\\PC*") {
            let bytes = to_bytes(&text).unwrap();
            prop_assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
        }

        #[test]
        fn no_body_panics(body in "\\PC*") {
            let _ = read(&body);
        }
    }
}
