//! Changes that must not undo each other: a resource's version as its entity tag, and `If-Match`.

use crate::{Code, Input, Opening, Problem};

/// The entity tag of a resource's version.
pub fn entity_version(version: u64) -> String {
    format!("\"v{version}\"")
}

/// The versions that a change was made for; any if the caller did not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<u64>>);

impl Input for IfMatch {
    fn open(opening: &mut Opening<'_>) -> Option<Self> {
        let request = opening.request();
        if !request.headers.contains_key(http::header::IF_MATCH) {
            return Some(Self(None));
        }
        // A header that is given twice or is no text names no version.
        let header = request.header(http::header::IF_MATCH.as_str()).unwrap_or_default();
        Some(Self::read(header))
    }
}

impl IfMatch {
    fn read(header: &str) -> Self {
        if header.trim() == "*" {
            return Self(None);
        }
        let version = |tag: &str| tag.trim().strip_prefix("\"v")?.strip_suffix('"')?.parse().ok();
        Self(Some(header.split(',').filter_map(version).collect()))
    }

    /// Whether the caller named versions at all.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Checks that the version that is there now is one that the change was made for.
    ///
    /// # Errors
    /// 412 if it is not.
    pub fn check(&self, version: u64) -> Result<(), Problem> {
        match &self.0 {
            Some(versions) if !versions.contains(&version) => Err(Problem::new(Code::Stale)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_versions_that_are_named_match() {
        let of = |header: &str| IfMatch::read(header);
        assert!(of("\"v3\"").check(3).is_ok() && of("\"v2\", \"v3\"").check(3).is_ok());
        assert!(of("*").check(7).is_ok());
        for bad in ["\"v2\"", "", "v3", "W/\"v3\"", "\"3\"", "\"v-3\"", "\"v99999999999999999999\""] {
            assert_eq!(of(bad).check(3).map_err(|p| p.code()), Err(Code::Stale), "{bad}");
        }
    }
}
