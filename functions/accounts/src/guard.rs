//! Attempts: reserved before anything is verified, so that many at once are no more than many in a row.

use jiff::Timestamp;
use screensort_auth::attempts::{
    ACCOUNT_CHALLENGE, ACCOUNT_WAIT, Answer, Counter, Facts, Limit, Tally, Thresholds, WINDOW,
    address_prefix, decide, window,
};
use screensort_auth::event::Event;
use screensort_http::{Code, Problem, Spent, Whence};
use screensort_runtime::Stack;
use screensort_store::{Bucket, Count, Trail};

/// How often a reservation that met others is tried again. Each meeting lets one of them through, and at most
/// five get through.
const MEETINGS: usize = 12;

/// The counter of codes that somebody signed in shows. It is not that of logins: who knows the password and guesses codes
/// there cannot hold the owner up here, and what the owner gets right here gives nobody new tries there.
pub(crate) const MFA_AGAIN: &str = "mfa.again";

/// What is known before an attempt: where its handles lead, and how things stand where it comes from.
pub(crate) struct Seen {
    /// The account that the handles lead to, if any.
    pub account: Option<String>,
    /// The account that was registered for the same address after that one, if any.
    pub rival: Option<String>,
    prefix: Tally,
    global: Tally,
}

/// Whose attempts are counted, and in which of their counters.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    /// The account's id; for a handle that leads nowhere, its blind term.
    pub subject: String,
    /// The counter's name.
    pub name: String,
}

fn counter(count: Count) -> Counter {
    Counter { failures: count.failures, last_at: count.last_at, blocked_until: count.blocked_until }
}

fn count(counter: Counter) -> Count {
    // To the millisecond, as it is stored: what is compared must be what is written.
    let whole = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    Count {
        failures: counter.failures,
        last_at: counter.last_at.map(whole),
        blocked_until: counter.blocked_until.map(whole),
    }
}

/// Looks where `handles` lead and how many attempts have failed of late, in one request.
pub(crate) async fn survey(stack: &Stack, handles: &[String], whence: &Whence) -> Result<Seen, Problem> {
    let prefix = address_prefix(whence.source);
    let (number, ends_at) = window(stack.clock().now());
    let bucket = Bucket { prefix: &prefix, window: number, ends_at };
    let read = stack.attempts().survey(&bucket, handles).await?;
    Ok(Seen {
        account: read.account,
        rival: read.rival,
        prefix: Tally { failures: read.prefix, ends_at },
        global: Tally { failures: read.global, ends_at },
    })
}

/// Reserves an attempt. Most are reserved by one request, whoever is meant.
pub(crate) async fn reserve(
    stack: &Stack,
    seen: &Seen,
    counted: &Counted,
    challenge_passed: bool,
    whence: &Whence,
) -> Result<(), Problem> {
    let (now, thresholds) = (stack.clock().now(), Thresholds::default());
    let (attempts, subject, name) = (stack.attempts(), &counted.subject, &counted.name);
    let mut facts =
        Facts { account: Counter::default(), prefix: seen.prefix, global: seen.global, challenge_passed };
    if facts.may_reserve_unread(&thresholds) {
        let times = (now, now + WINDOW);
        if attempts.reserve_unread(subject, name, ACCOUNT_CHALLENGE, now - WINDOW, times).await? {
            return Ok(());
        }
    }
    for _ in 0..MEETINGS {
        let old = attempts.count(subject, name).await?;
        facts.account = counter(old);
        let reserved = match decide(&facts, &thresholds, now) {
            Answer::Allow { reserved } => reserved,
            Answer::ChallengeRequired => {
                let account = seen.account.as_deref();
                stack.witness(&whence.trail(Event::LoginChallenged, None, account, now)?).await;
                return Err(screensort_http::member::unauthenticated(Code::ChallengeRequired));
            }
            Answer::Wait { seconds } => {
                let account = seen.account.as_deref();
                stack.witness(&whence.trail(Event::LoginThrottled, None, account, now)?).await;
                return Err(held_back(seconds));
            }
        };
        let expires = reserved.expires_at().unwrap_or(now);
        if attempts.reserve(subject, name, &old, &count(reserved), expires).await? {
            return Ok(());
        }
    }
    Err(held_back(1))
}

/// Reserves an attempt of somebody known, who solves no challenges.
pub(crate) async fn attempt(
    stack: &Stack,
    account: &str,
    name: &str,
    whence: &Whence,
) -> Result<Counted, Problem> {
    let mut seen = survey(stack, &[], whence).await?;
    seen.account = Some(account.to_owned());
    let counted = Counted { subject: account.to_owned(), name: name.to_owned() };
    reserve(stack, &seen, &counted, true, whence).await?;
    Ok(counted)
}

/// Counts a failed attempt where it came from and keeps its record, both at once. The account's counter has it
/// already.
pub(crate) async fn failed(stack: &Stack, whence: &Whence, trail: &Trail) -> Result<(), Problem> {
    let (number, ends_at) = window(stack.clock().now());
    let prefix = address_prefix(whence.source);
    let bucket = Bucket { prefix: &prefix, window: number, ends_at };
    let attempts = stack.attempts();
    let counting = attempts.tally(&bucket, spread(&whence.request_id));
    let (counted, ()) = futures::future::join(counting, stack.witness(trail)).await;
    Ok(counted?)
}

/// Forgets what a success has shown to be its owner's attempts.
pub(crate) async fn forgive(stack: &Stack, counted: &Counted) -> Result<(), Problem> {
    Ok(stack.attempts().forget(&counted.subject, &counted.name).await?)
}

/// Which shard a request counts in: any function of its id that spreads.
fn spread(request_id: &str) -> u32 {
    request_id.bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

pub(crate) fn wait(spent: Spent) -> Problem {
    spent.refused(Code::TooManyAttempts)
}

/// What an account's attempts that were used up ask for.
fn held_back(seconds: u32) -> Problem {
    wait(Spent { limit: Limit { max: ACCOUNT_WAIT, per: WINDOW }, seconds })
}

/// Draws one from a plain limit; how long to wait if it is used up.
pub(crate) async fn draw(stack: &Stack, name: &str, limit: Limit) -> Result<Result<(), Spent>, Problem> {
    stack.draw(name, limit).await
}

/// Draws one from a limit on what an address prefix may cause; 429 if it is used up.
pub(crate) async fn draw_by_prefix(
    stack: &Stack,
    what: &str,
    limit: Limit,
    whence: &Whence,
) -> Result<(), Problem> {
    let name = format!("{what}#{}", address_prefix(whence.source));
    draw(stack, &name, limit).await?.map_err(wait)
}
