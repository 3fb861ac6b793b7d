//! What a handler may know of a request besides its parameters: where it came from and through which browser.

use std::net::IpAddr;

use http::header::{COOKIE, ORIGIN, USER_AGENT};

use crate::{Incoming, Input, Opening};

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Whence {
    /// The caller's address as the gateway saw it.
    pub source: IpAddr,
    /// The request's id.
    pub request_id: String,
    /// Browser and system in words, such as `Firefox on Linux`; never the header itself.
    pub device: String,
    /// The `Origin` header, if it was given once.
    pub origin: Option<String>,
    /// The `Sec-Fetch-Site` header, if it was given once.
    pub fetch_site: Option<String>,
    cookies: Vec<(String, String)>,
}

impl Whence {
    /// Where `request` came from.
    pub fn of(request: &Incoming) -> Self {
        Self {
            source: request.source,
            request_id: request.request_id.clone(),
            device: device(request.header(USER_AGENT.as_str()).unwrap_or_default()),
            origin: request.header(ORIGIN.as_str()).map(str::to_owned),
            fetch_site: request.header("sec-fetch-site").map(str::to_owned),
            cookies: cookies(request),
        }
    }

    /// A cookie's value, if the cookie was sent exactly once.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut values = self.cookies.iter().filter(|(theirs, _)| theirs == name).map(|(_, value)| value);
        let first = values.next()?;
        if values.next().is_some() { None } else { Some(first) }
    }

    /// Whether a page of another site may have made a browser send this request. A program sends neither header.
    pub fn is_cross_site(&self, allowed: &[String]) -> bool {
        let allows = |origin: &String| allowed.contains(origin);
        match (&self.fetch_site, &self.origin) {
            (Some(site), origin) => {
                !matches!(site.as_str(), "same-origin" | "none") && !origin.as_ref().is_some_and(allows)
            }
            (None, Some(origin)) => !allows(origin),
            (None, None) => false,
        }
    }
}

impl Input for Whence {
    fn open(opening: &mut Opening<'_>) -> Option<Self> {
        Some(Self::of(opening.request()))
    }
}

fn cookies(request: &Incoming) -> Vec<(String, String)> {
    let headers = request.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    headers
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .take(50)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Browser and system, from a short list of words. What a caller writes into the header never gets further.
fn device(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // Chrome's header names Safari, and Edge's names both: the order decides.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
        ("curl", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("a program on {system}"),
        (None, None) => "a program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::get;

    fn with(headers: &[(&'static str, &str)]) -> Whence {
        let mut request = get("/session", &[]);
        for (name, value) in headers {
            request.headers.append(*name, value.parse().unwrap());
        }
        Whence::of(&request)
    }

    #[test]
    fn a_cookie_sent_twice_is_no_cookie() {
        let whence = with(&[("cookie", "a=1; b=2; a=3"), ("cookie", "c=4")]);
        assert_eq!(
            (whence.cookie("a"), whence.cookie("b"), whence.cookie("c")),
            (None, Some("2"), Some("4"))
        );
    }

    #[test]
    fn only_the_page_itself_allowed_origins_and_programs_are_same_site() {
        let allowed = vec!["https://app.example".to_owned()];
        let crosses = |headers: &[(&'static str, &str)]| with(headers).is_cross_site(&allowed);
        assert!(!crosses(&[]));
        assert!(!crosses(&[("sec-fetch-site", "same-origin"), ("origin", "https://api.example")]));
        assert!(!crosses(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")]));
        assert!(!crosses(&[("origin", "https://app.example")]));
        assert!(crosses(&[("sec-fetch-site", "cross-site")]));
        assert!(crosses(&[("sec-fetch-site", "same-site")]));
        assert!(crosses(&[("origin", "null")]));
        assert!(crosses(&[("origin", "https://app.example.evil.example")]));
    }

    #[test]
    fn what_a_caller_writes_as_its_agent_is_never_repeated() {
        assert_eq!(with(&[("user-agent", "<script>")]).device, "a program");
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(with(&[("user-agent", firefox)]).device, "Firefox on Linux");
    }
}
