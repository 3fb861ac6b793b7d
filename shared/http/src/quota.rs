//! How often somebody may call, and how an answer says so (draft-ietf-httpapi-ratelimit-headers-10).

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use screensort_auth::attempts::Limit;
use screensort_auth::token::ServiceClaims;
use screensort_store::{Used, Window};

use crate::member::{SESSION_COOKIE, split_session_id};
use crate::{Authority, Code, Incoming, Problem, Whence, bearer};

/// The policies in force, with their numbers.
pub const POLICY_HEADER: HeaderName = HeaderName::from_static("ratelimit-policy");
/// How much of them is left.
pub const LEFT_HEADER: HeaderName = HeaderName::from_static("ratelimit");

/// The quotas of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Changes of one's own data, per person and minute; exact.
    pub writes_per_minute: u32,
    /// The same per day (UTC); exact.
    pub writes_per_day: u32,
    /// Other calls per person and minute; approximate: each function's process counts on its own.
    pub reads_per_minute: u32,
    /// The same per day (UTC); approximate.
    pub reads_per_day: u32,
    /// Calls of an account's service clients, all keys together, per minute; exact.
    pub client_calls_per_minute: u32,
    /// The same per day (UTC); exact.
    pub client_calls_per_day: u32,
    /// Calls of a person to the operator directory per minute; exact.
    pub directory_calls_per_minute: u32,
    /// The same per day (UTC); exact.
    pub directory_calls_per_day: u32,
    /// Other calls per address and minute of callers who are not signed in; approximate.
    pub guest_reads_per_minute: u32,
    /// The same per day (UTC); approximate.
    pub guest_reads_per_day: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            writes_per_minute: 300,
            writes_per_day: 5_000,
            reads_per_minute: 1_200,
            reads_per_day: 100_000,
            client_calls_per_minute: 600,
            client_calls_per_day: 10_000,
            directory_calls_per_minute: 300,
            directory_calls_per_day: 2_000,
            // Many people may share an address.
            guest_reads_per_minute: 6_000,
            guest_reads_per_day: 1_000_000,
        }
    }
}

/// So many calls of somebody in windows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name in answers.
    pub name: &'static str,
    /// Whose calls, such as `client#<account>`.
    pub subject: String,
    /// Calls in a window.
    pub quota: u32,
    /// How long a window is.
    pub window: Window,
}

/// One policy and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Calls in a window.
    pub quota: u32,
    /// The window, in seconds.
    pub window: u32,
    /// Calls left in this one.
    pub left: u32,
    /// Seconds until the next one.
    pub reset: u32,
}

impl Line {
    /// The policy `name` of `quota` calls in a `window`, of which `used` are gone.
    pub fn new(name: &'static str, quota: u32, window: Window, used: u32, now: Timestamp) -> Self {
        let seconds = window.seconds();
        let into = now.as_second().rem_euclid(i64::from(seconds));
        let reset = seconds.saturating_sub(u32::try_from(into).unwrap_or(0)).max(1);
        Self { name, quota, window: seconds, left: quota.saturating_sub(used), reset }
    }
}

/// A plain limit that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// The limit.
    pub limit: Limit,
    /// Seconds until there is more of it.
    pub seconds: u32,
}

impl Spent {
    /// The refusal that `code` says: when to come again, and what was met.
    pub fn refused(self, code: Code) -> Problem {
        let window = u32::try_from(self.limit.per.as_secs()).unwrap_or(u32::MAX);
        let line = Line { name: "attempts", quota: self.limit.max, window, left: 0, reset: self.seconds };
        let problem = Problem::new(code).with_header(RETRY_AFTER, &self.seconds.to_string());
        Standing { lines: vec![line], refused: true }.marked(problem)
    }
}

/// What a call found left of the policies that it draws on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The policies.
    pub lines: Vec<Line>,
    /// Whether the call was one too many.
    pub refused: bool,
}

impl Standing {
    /// What `used` leaves of so many calls in a minute and in a day, each with its name.
    pub fn of(used: Used, minute: (&'static str, u32), day: (&'static str, u32), now: Timestamp) -> Self {
        let lines = vec![
            Line::new(minute.0, minute.1, Window::Minute, used.in_minute, now),
            Line::new(day.0, day.1, Window::Day, used.in_day, now),
        ];
        Self { lines, refused: !used.counted }
    }

    /// Itself if the call is within its quota.
    ///
    /// # Errors
    /// 429 with `Retry-After` and what is left.
    pub fn admitted(self) -> Result<Self, Problem> {
        if !self.refused {
            return Ok(self);
        }
        // A policy that still has room is not what was met.
        let spent = self.lines.iter().filter(|line| line.left == 0).map(|line| line.reset);
        let wait = spent.max().unwrap_or(1).to_string();
        Err(self.marked(Problem::new(Code::TooManyRequests).with_header(RETRY_AFTER, &wait)))
    }

    /// `problem` with the headers that say what is left.
    #[must_use]
    pub fn marked(&self, problem: Problem) -> Problem {
        self.headers().into_iter().fold(problem, |problem, (name, value)| {
            problem.with_header(name, value.to_str().unwrap_or_default())
        })
    }

    /// The headers that say what is left; none without a policy.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        if self.lines.is_empty() {
            return Vec::new();
        }
        let join = |text: fn(&Line) -> String| self.lines.iter().map(text).collect::<Vec<_>>().join(", ");
        let policies = join(|line| format!("\"{}\";q={};w={}", line.name, line.quota, line.window));
        let left = join(|line| format!("\"{}\";r={};t={}", line.name, line.left, line.reset));
        let header = |name, text: String| Some((name, HeaderValue::from_str(&text).ok()?));
        [header(POLICY_HEADER, policies), header(LEFT_HEADER, left)].into_iter().flatten().collect()
    }
}

/// What counting a call has shown.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// The account that the request's credentials name, if a signature of ours vouches for it. Whether the
    /// session lives is for the actor to prove.
    pub account: Option<String>,
    /// What is left.
    pub standing: Standing,
    /// Where the call was counted.
    pub drawn: Drawn,
}

/// Where a call was counted exactly, for when it turns out to be nobody's.
#[derive(Debug, Clone, Default)]
pub enum Drawn {
    /// Nowhere, in memory alone, or it was one too many.
    #[default]
    Nowhere,
    /// Among the account's changes, at this time.
    Changes(Timestamp),
    /// Out of blocks that this process holds for these policies, at this time.
    Blocks(Vec<Policy>, Timestamp),
}

/// Whose request this is as far as a signature can tell, without the store: the subject of an access token, or the
/// owner of the session that a CSRF token was made for. `None` for anything else; the actor says what is wrong.
///
/// # Errors
/// 503 if the keys cannot be read.
pub async fn claimed<C: Authority>(request: &Incoming, context: &C) -> Result<Option<String>, Problem> {
    let now = context.now();
    let owner = |id: &str| split_session_id(id).map(|(account, _)| account.to_owned());
    if request.headers.contains_key(http::header::AUTHORIZATION) {
        let Some(token) = request.bearer() else { return Ok(None) };
        return Ok(bearer::access(request, token, context).await?.ok().map(|claims| claims.sub));
    }
    let whence = Whence::of(request);
    let Some((id, _)) = whence.cookie(SESSION_COOKIE).and_then(|cookie| cookie.split_once('.')) else {
        return Ok(None);
    };
    // A cookie's secret is in the store. A CSRF token of ours was made for one session alone and shown to its
    // page alone: it vouches for the id without a look there.
    let Some(token) = request.header("x-csrf-token") else { return Ok(None) };
    let macs = context.macs().await?;
    let vouched = screensort_auth::browser::check_csrf(&macs, id, token, now).is_ok();
    Ok(owner(id).filter(|_| vouched))
}

/// What the token of a service client says, as far as a signature can tell; `None` for anything else.
///
/// # Errors
/// 503 if the keys cannot be read.
pub async fn claimed_client<C: Authority>(
    request: &Incoming,
    context: &C,
) -> Result<Option<ServiceClaims>, Problem> {
    let Some(token) = request.bearer() else { return Ok(None) };
    Ok(context.verifier().await?.service(token, context.now()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_at_midnight_utc_and_a_minute_with_the_minute() {
        let day = Line::new("day", 10, Window::Day, 4, at("2026-11-22T23:59:58Z"));
        assert_eq!((day.left, day.reset), (6, 2));
        let day = Line::new("day", 10, Window::Day, 0, at("2026-11-23T00:00:00Z"));
        assert_eq!((day.left, day.reset), (10, 86_400));
        assert_eq!(Line::new("minute", 10, Window::Minute, 12, at("2026-11-22T12:00:59Z")).reset, 1);
    }

    #[test]
    fn the_headers_are_lists_of_named_policies() {
        let now = at("2026-11-22T23:59:30Z");
        let lines = vec![Line::new("a", 5, Window::Minute, 5, now), Line::new("b", 9, Window::Day, 2, now)];
        let standing = Standing { lines, refused: false };
        let headers = standing.headers();
        assert_eq!(headers[0].1, "\"a\";q=5;w=60, \"b\";q=9;w=86400");
        assert_eq!(headers[1].1, "\"a\";r=0;t=30, \"b\";r=7;t=30");
        assert!(standing.clone().admitted().is_ok());
        let refused = Standing { refused: true, ..standing }.admitted().unwrap_err();
        assert_eq!(refused.code(), Code::TooManyRequests);
    }
}
