//! The one table of routes: method, path, binary, who may call, quota class and caching class.
//!
//! The local server routes by it; the OpenAPI document, the template, the events and the coverage tests are
//! checked against it. It knows nothing of what an endpoint does and must never depend on one.

use http::Method;
use screensort_auth::Permission;

mod table;
pub use table::*;

/// One method of one path.
#[derive(Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path under the stage, with `{name}` for a parameter.
    pub path: &'static str,
    /// The Lambda binary that serves it; also the name of its source file, event and metric.
    pub binary: &'static str,
    /// The group in the reference.
    pub area: Area,
    /// Who may call it.
    pub access: Access,
    /// Which counter a call draws on.
    pub quota: Quota,
    /// How an answer may be kept.
    pub caching: Caching,
    /// What it does, in one sentence of the reference.
    pub summary: &'static str,
}

/// The package under `functions/` that an endpoint lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Registration, sessions, credentials.
    Accounts,
    /// What administrators do.
    Admin,
    /// What a person does with films: thumbs, ratings, history, watchlist, imports.
    Library,
    /// Account links: what one person lets another read.
    Links,
    /// Films, lists, people and search.
    Movies,
    /// Operators, service clients and their keys.
    Operators,
    /// Profile, preferences, export and deletion.
    Profile,
    /// Recommendations and their reasons.
    Recommendations,
    /// Reviews and their moderation.
    Reviews,
    /// Health, documents, attribution.
    System,
}

impl Area {
    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Admin => "admin",
            Self::Library => "library",
            Self::Links => "links",
            Self::Movies => "movies",
            Self::Operators => "operators",
            Self::Profile => "profile",
            Self::Recommendations => "recommendations",
            Self::Reviews => "reviews",
            Self::System => "system",
        }
    }
}

/// Who may call a route. What a handler's actor type demands is compared with it in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Anyone,
    /// Somebody signed in who has the permission.
    Member(Permission),
    /// The same, and who they are was proven in the last ten minutes.
    Recent(Permission),
    /// Somebody signed in and verified, or a service client, who has the permission.
    Caller(Permission),
}

/// Which counter a call draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Never counted: liveness and documents.
    Free,
    /// Reads, counted approximately in memory.
    Read,
    /// Calls about credentials: each has attempt counters of its own.
    Attempts,
    /// Changes of what is one's own, counted exactly per person and day in the table.
    Write,
}

/// How an answer may be kept by caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Never.
    NoStore,
    /// By anyone for a minute with a strong `ETag`; but `private, no-store` when the request had credentials.
    Catalogue,
    /// By anyone for an hour, with a strong `ETag`: documents that change with a release only.
    Document,
}

impl Route {
    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        match self.area {
            _ if self.method == Method::GET => 0,
            Area::Accounts | Area::Admin => 16 << 10,
            // What a function can be given at most; the file in it may have 5 MiB.
            Area::Library if self.path == "/imports" => 6 << 20,
            _ => 64 << 10,
        }
    }

    /// The names of the path's parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The parameters' values if `path` is of this route's shape. Values are still percent-encoded.
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let mut values = Vec::new();
        let mut theirs = path.split('/');
        for ours in self.path.split('/') {
            let segment = theirs.next()?;
            match ours.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => values.push((name, segment)),
                Some(_) => return None,
                None if ours == segment => {}
                None => return None,
            }
        }
        theirs.next().is_none().then_some(values)
    }
}

/// What a method and a path lead to.
#[derive(Debug)]
pub enum Found<'p> {
    /// A route, and its parameters' values, still percent-encoded.
    Route(&'static Route, Vec<(&'static str, &'p str)>),
    /// A path that other methods exist for: these.
    Methods(Vec<&'static Method>),
    /// Nothing.
    Nothing,
}

/// Looks `path` (under the stage) up. A literal segment wins over a parameter, as at the gateway.
pub fn find<'p>(method: &Method, path: &'p str) -> Found<'p> {
    let mut matching: Vec<(&'static Route, Vec<(&'static str, &'p str)>)> =
        TABLE.iter().filter_map(|route| Some((*route, route.matches(path)?))).collect();
    let Some(fewest) = matching.iter().map(|(_, values)| values.len()).min() else {
        return Found::Nothing;
    };
    matching.retain(|(_, values)| values.len() == fewest);
    let methods = matching.iter().map(|(route, _)| &route.method).collect();
    match matching.into_iter().find(|(route, _)| route.method == *method) {
        Some((route, values)) => Found::Route(route, values),
        None => Found::Methods(methods),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        let Found::Route(route, _) = find(&Method::GET, "/search/suggest") else { panic!("not found") };
        assert_eq!(route.binary, "suggest");
        let Found::Route(route, values) = find(&Method::GET, "/movies/550/similar") else {
            panic!("not found")
        };
        assert_eq!((route.binary, values.as_slice()), ("similar", [("id", "550")].as_slice()));
    }

    #[test]
    fn a_known_path_with_another_method_names_the_methods() {
        assert!(matches!(find(&Method::POST, "/movies"), Found::Methods(m) if m == [&Method::GET]));
        assert!(matches!(find(&Method::GET, "/movies/"), Found::Nothing));
        assert!(matches!(find(&Method::GET, "/nope"), Found::Nothing));
        assert!(matches!(find(&Method::GET, ""), Found::Nothing));
    }

    #[test]
    fn each_method_of_a_path_stands_once_and_a_binary_has_one_area() {
        for (at, one) in TABLE.iter().enumerate() {
            for other in &TABLE[at + 1..] {
                assert!(!(one.method == other.method && one.path == other.path), "{} twice", one.path);
                assert!(one.binary != other.binary || one.area == other.area, "{}", one.binary);
            }
        }
    }
}
