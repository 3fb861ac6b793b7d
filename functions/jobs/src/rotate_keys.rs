//! `rotate_keys`: other keys for what is sealed, found, paged and proven, without anybody noticing.
//!
//! A new key is published before it is used, so that every function can read what the first one writes with it; the
//! one before stays for as long as anything that was made with it lives. What lives how long:
//!
//! - **mac** (cookies, refresh and CSRF tokens, challenges, codes): the cookie by which a device is known lives longest,
//!   half a year. What is kept for good is not made with it;
//! - **index** (addresses): until no account is found under the old key any more, which `rewrite_index` sees to;
//! - **cursor**: a page's end has no date. Nobody goes on with a list after a week;
//! - **lasting** (recovery codes, checkpoints and keyed hashes of the trail): for good. A key that is replaced stays, and
//!   the ring grows by one a year.
//!
//! Run with `{"now": "mac"}`, or another ring's name, it does not wait for the year to pass: the first run publishes, a
//! second one ten minutes later changes over.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use screensort_auth::browser::DEVICE_LIFETIME;
use screensort_auth::event::Event;
use screensort_crypto::{KeyRing, MacKey, RotationRule, RotationStep};
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{JobError, Stack, cursor_ring};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;
use crate::rewrite_index::FOUND;

/// The job's name, which is also who did it in the trail.
const NAME: &str = "rotate_keys";
/// How long a key is used.
const ROTATE_EVERY: SignedDuration = SignedDuration::from_hours(24 * 365);
/// How long a key is published before it is used: longer than a letter waits in the outbox with the terms under which
/// its address was looked for.
const PUBLISH_BEFORE: SignedDuration = SignedDuration::from_hours(48);
/// As short as it may be: twice as long as functions keep a ring.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(10);
/// What comes on top of a life: functions may use their copy of a ring while it is fresh.
const SPARE: SignedDuration = SignedDuration::from_hours(24);
/// How long a page's end is taken.
const CURSORS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A ring that this job turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Of cookies, refresh and CSRF tokens, challenges, codes.
    Mac,
    /// Of the blind index over addresses.
    Index,
    /// Of cursors.
    Cursor,
    /// Of what is kept for good.
    Lasting,
}

impl Ring {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mac, Self::Index, Self::Cursor, Self::Lasting];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Index => "index",
            Self::Cursor => "cursor",
            Self::Lasting => "lasting",
        }
    }

    fn secret(self, stack: &Stack) -> &str {
        let settings = stack.settings();
        match self {
            Self::Mac => &settings.mac_secret,
            Self::Index => &settings.index_secret,
            Self::Cursor => &settings.cursor_secret,
            Self::Lasting => &settings.lasting_secret,
        }
    }

    /// How long a key stays after another one has taken over; `None` while it has to.
    async fn keep_after(self, stack: &Stack, current: &str) -> Result<Option<SignedDuration>, Error> {
        Ok(match self {
            Self::Mac => Some(DEVICE_LIFETIME + SPARE),
            Self::Cursor => Some(CURSORS + SPARE),
            Self::Lasting => None,
            Self::Index => {
                let walk = stack.accounts().walk().await?.filter(|walk| walk.key == current);
                let clean_since = walk.and_then(|walk| walk.clean_since);
                // Of a key that was replaced long enough before that walk began, nothing is left.
                clean_since.map(|since| FOUND + stack.clock().now().duration_since(since))
            }
        })
    }
}

impl FromStr for Ring {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|ring| ring.name() == text);
        known
            .ok_or_else(|| Error::Keys("there is no ring of this name: mac, index, cursor or lasting".into()))
    }
}

/// As a scheduled job.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let work = async {
            match event["now"].as_str() {
                Some(name) => at_once(&stack, name.parse()?).await,
                None => run(&stack).await,
            }
        };
        noted(&stack, NAME, work).await
    })
}

/// Takes every step that is due, in every ring.
///
/// # Errors
/// If a secret cannot be read or written; running it again goes on.
pub async fn run(stack: &Stack) -> Result<Value, Error> {
    let mut steps = Vec::new();
    for ring in Ring::ALL {
        while let Some(step) = turn(stack, ring, ROTATE_EVERY, PUBLISH_BEFORE).await? {
            steps.push(step);
        }
    }
    Ok(json!({"steps": steps}))
}

/// Takes the next step towards another key of `ring`, if ten minutes lie between it and the one before.
///
/// # Errors
/// As [`run`].
pub async fn at_once(stack: &Stack, ring: Ring) -> Result<Value, Error> {
    let step = turn(stack, ring, AT_ONCE, AT_ONCE).await?;
    Ok(json!({"steps": step.into_iter().collect::<Vec<_>>()}))
}

/// Takes one step, if one is due: it is written before it is recorded, so that a record says what is so. Two runs at
/// once may each publish a key, of which one is lost before anything is made with it; nothing else can be.
async fn turn(
    stack: &Stack,
    ring: Ring,
    rotate_every: SignedDuration,
    publish_before: SignedDuration,
) -> Result<Option<Value>, Error> {
    let (now, secret) = (stack.clock().now(), ring.secret(stack));
    let text = stack.secret(secret).await?;
    let mut keys = read(ring, &text, now)?;
    let keep_after = ring.keep_after(stack, keys.current().id.as_str()).await?;
    let rule = RotationRule { rotate_every, publish_before, keep_after };
    let step = keys.rotate(&rule, now).map_err(broken)?;
    let (event, key) = match &step {
        RotationStep::Nothing => {
            // A text that was drawn becomes a ring, so that there is a day from which on it is in use.
            let kept = keys.to_json().map_err(broken)?;
            if ring == Ring::Cursor && KeyRing::<MacKey>::from_json(&text).is_err() {
                stack.put_secret(secret, &kept).await?;
            }
            return Ok(None);
        }
        RotationStep::Publish => {
            let newest = keys.iter().last().map(|key| key.id.to_string());
            (Event::RingKeyPublished, newest.unwrap_or_default())
        }
        RotationStep::Promote(id) => (Event::RingKeyRotated, id.to_string()),
        RotationStep::Remove(id) => (Event::RingKeyRetired, id.to_string()),
    };
    stack.put_secret(secret, &keys.to_json().map_err(broken)?).await?;
    let trail = trail_of(event, NAME, &format!("{} {key}", ring.name()), NAME, now)?;
    stack.audit().keep(&trail).await?;
    log(&trail);
    Ok(Some(json!({"ring": ring.name(), "event": event.name(), "key": key})))
}

fn read(ring: Ring, text: &str, now: Timestamp) -> Result<KeyRing<MacKey>, Error> {
    match ring {
        Ring::Cursor => Ok(cursor_ring(text, now)?),
        Ring::Mac | Ring::Index | Ring::Lasting => KeyRing::from_json(text).map_err(broken),
    }
}

fn broken(error: screensort_crypto::Error) -> Error {
    Error::Keys(error.to_string())
}
