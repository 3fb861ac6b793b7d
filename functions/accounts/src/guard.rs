//! Attempts: reserved before anything is verified, so that many at once are no more than many in a row.

use http::header::RETRY_AFTER;
use jiff::{SignedDuration, Timestamp};
use screensort_auth::attempts::{
    Answer, Counter, Facts, Limit, Tally, Thresholds, address_prefix, decide, window,
};
use screensort_auth::event::Event;
use screensort_http::{Code, Problem, Whence};
use screensort_runtime::Stack;
use screensort_store::{Attempts, Bucket, Count, Person};

/// How often a reservation that met others is tried again. Each meeting lets one of them through, and at most
/// five get through.
const MEETINGS: usize = 12;

/// A reserved attempt.
pub(crate) struct Reserved {
    /// The account that the handle leads to, if any.
    pub account: Option<String>,
    /// Everything of that person.
    pub person: Option<Person>,
    /// The counter that the attempt is reserved in.
    pub counter: String,
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

/// Reserves an attempt in `name` and reads the person that `handles` lead to. The person of an unknown handle
/// costs the same.
pub(crate) async fn reserve(
    stack: &Stack,
    name: &str,
    handles: &[String],
    challenge_passed: bool,
    whence: &Whence,
) -> Result<Reserved, Problem> {
    let now = stack.clock().now();
    let attempts = stack.attempts();
    let prefix = address_prefix(whence.source);
    let (number, ends_at) = window(now);
    let bucket = Bucket { prefix: &prefix, window: number, ends_at };
    for _ in 0..MEETINGS {
        let names = [name.to_owned()];
        let read = attempts.survey(&names, &bucket, handles).await?;
        let facts = Facts {
            account: counter(read.counts[0]),
            prefix: Tally { failures: read.prefix, ends_at },
            global: Tally { failures: read.global, ends_at },
            challenge_passed,
        };
        let reserved = match decide(&facts, &Thresholds::default(), now) {
            Answer::Allow { reserved } => reserved,
            Answer::ChallengeRequired => {
                let account = read.account.as_deref();
                stack.witness(&whence.trail(Event::LoginChallenged, None, account, now)?).await;
                return Err(screensort_http::member::unauthenticated(Code::ChallengeRequired));
            }
            Answer::Wait { seconds } => {
                let account = read.account.as_deref();
                stack.witness(&whence.trail(Event::LoginThrottled, None, account, now)?).await;
                return Err(wait(seconds));
            }
        };
        let expires = reserved.expires_at().unwrap_or(now);
        let accounts = stack.accounts();
        let new = count(reserved);
        let reserving = attempts.reserve(name, &read.counts[0], &new, expires);
        let owner = read.account.clone().unwrap_or_else(|| "-".to_owned());
        let (done, person) = futures::future::try_join(reserving, accounts.person(&owner)).await?;
        if done {
            attempts.tally(&bucket, 1, spread(&whence.request_id)).await?;
            return Ok(Reserved { account: read.account, person, counter: name.to_owned() });
        }
    }
    Err(wait(1))
}

/// Forgets what a success has shown to be its owner's attempts.
pub(crate) async fn forgive(stack: &Stack, reserved: &Reserved, whence: &Whence) -> Result<(), Problem> {
    stack.attempts().forget(&reserved.counter).await?;
    give_back(stack, whence).await
}

/// Takes a success out of the approximate counters.
pub(crate) async fn give_back(stack: &Stack, whence: &Whence) -> Result<(), Problem> {
    let (number, ends_at) = window(stack.clock().now());
    let prefix = address_prefix(whence.source);
    let bucket = Bucket { prefix: &prefix, window: number, ends_at };
    Ok(stack.attempts().tally(&bucket, -1, spread(&whence.request_id)).await?)
}

/// Which shard a request counts in: any function of its id that spreads.
fn spread(request_id: &str) -> u32 {
    request_id.bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

/// The name under which a transaction deletes a counter.
pub(crate) fn forgiving(name: &str) -> String {
    Attempts::forgiving(name)
}

pub(crate) fn wait(seconds: u32) -> Problem {
    Problem::new(Code::TooManyAttempts).with_header(RETRY_AFTER, &seconds.to_string())
}

/// Draws one from a plain limit; the seconds to wait if it is used up.
pub(crate) async fn draw(stack: &Stack, name: &str, limit: Limit) -> Result<Result<(), u32>, Problem> {
    let now = stack.clock().now();
    let per = limit.per.as_secs().max(1);
    let end = (now.as_second().div_euclid(per) + 1) * per;
    let ends_at = Timestamp::from_second(end).unwrap_or(now + SignedDuration::from_secs(per));
    if stack.attempts().draw(name, limit.max, ends_at).await? {
        return Ok(Ok(()));
    }
    Ok(Err(u32::try_from(end - now.as_second()).unwrap_or(1).max(1)))
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
