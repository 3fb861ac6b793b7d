//! Conditional changes (RFC 9110, 13.1.1): "change it only if it is still what I saw".

use std::fmt::Display;

use crate::{Code, Input, Opening, Problem, Reply};

/// The longest header that is looked at, in bytes, and the most tags in it.
const LONGEST: usize = 1_000;

/// What `If-Match` says. Without it every version is the right one: nobody is made to send it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IfMatch(Given);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Given {
    #[default]
    Nothing,
    Any,
    Tags(Vec<String>),
}

impl IfMatch {
    /// Whether the header was sent.
    pub fn is_given(&self) -> bool {
        self.0 != Given::Nothing
    }

    /// Goes on if what is there, in this version (`None`: nothing is), is what the caller saw. The write itself
    /// must be conditional on the same version, and answer [`stale`] if it is not met.
    ///
    /// # Errors
    /// 412 `precondition_failed`.
    pub fn check<V: Display>(&self, current: Option<V>) -> Result<(), Problem> {
        let met = match (&self.0, current) {
            (Given::Nothing, _) | (Given::Any, Some(_)) => true,
            (Given::Tags(tags), Some(current)) => tags.contains(&tag(current)),
            (_, None) => false,
        };
        if met { Ok(()) } else { Err(stale()) }
    }
}

/// 412: somebody else changed it meanwhile.
pub fn stale() -> Problem {
    Problem::new(Code::PreconditionFailed)
}

/// The strong entity tag of a version: a number or a word of ours.
pub fn tag(version: impl Display) -> String {
    let plain = |c: &char| c.is_ascii_graphic() && *c != '"';
    format!("\"v{}\"", version.to_string().chars().filter(plain).collect::<String>())
}

impl Input for IfMatch {
    fn open(opening: &mut Opening<'_>) -> Option<Self> {
        opening.describe_header("If-Match", "Change it only if it still has this entity tag.");
        let values: Vec<_> = opening.request().headers.get_all(http::header::IF_MATCH).iter().collect();
        if values.is_empty() {
            return Some(Self::default());
        }
        let texts: Option<Vec<&str>> = values.into_iter().map(|value| value.to_str().ok()).collect();
        let read =
            texts.map(|texts| texts.join(",")).filter(|text| text.len() <= LONGEST).and_then(|t| read(&t));
        if read.is_none() {
            opening.fault("If-Match", "invalid", "Entity tags in double quotes, joined by commas, or *.");
        }
        read.map(Self)
    }
}

/// A weak tag is read and meets nothing: the comparison is strong.
fn read(text: &str) -> Option<Given> {
    if text.trim() == "*" {
        return Some(Given::Any);
    }
    let mut tags = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let strong = part.strip_prefix("W/").unwrap_or(part);
        let inner = strong.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('"') || inner.chars().any(|c| !c.is_ascii_graphic()) {
            return None;
        }
        tags.push(part.to_owned());
    }
    if tags.is_empty() { None } else { Some(Given::Tags(tags)) }
}

impl<T> Reply<T> {
    /// Says which version this is, as a strong `ETag` to be given back in `If-Match`.
    #[must_use]
    pub fn with_tag(self, version: impl Display) -> Self {
        self.with_header(http::header::ETAG, &tag(version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::get;

    fn open(headers: &[&str]) -> Result<IfMatch, Problem> {
        let mut request = get("/profile", &[]);
        for header in headers {
            request.headers.append("if-match", header.parse().unwrap());
        }
        let mut opening = Opening::new(&request);
        let input = IfMatch::open(&mut opening);
        opening.finish(input)
    }

    #[test]
    fn only_what_the_caller_saw_is_changed() {
        let met = |headers: &[&str], current: Option<u64>| open(headers).unwrap().check(current).is_ok();
        assert!(met(&[], None) && met(&[], Some(1)));
        assert!(met(&["*"], Some(1)) && !met(&["*"], None));
        assert!(met(&["\"v1\""], Some(1)) && !met(&["\"v1\""], Some(2)) && !met(&["\"v1\""], None));
        assert!(met(&["\"v0\", \"v1\""], Some(1)) && met(&["\"v0\"", "\"v1\""], Some(1)));
        assert!(!met(&["W/\"v1\""], Some(1)), "a weak tag never matches");
        let problem = open(&["\"v1\""]).unwrap().check(Some(2)).unwrap_err();
        assert_eq!(problem.code(), Code::PreconditionFailed);
    }

    #[test]
    fn what_is_no_entity_tag_is_refused() {
        for bad in ["v1", "\"v1", "\"a\"b\"", "", ",", "\"v1\" \"v2\"", "*, \"v1\""] {
            assert_eq!(open(&[bad]).unwrap_err().code(), Code::BadParameter, "{bad:?}");
        }
    }
}
