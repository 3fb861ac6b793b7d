//! `rotate_signing_key`: another key for access tokens, without anybody noticing.
//!
//! A new key is published a day before it signs, because functions keep the public keys for some minutes; the one
//! before stays public until the last token that it signed has ended. So two or three keys are public at a time.
//! Run with `{"now": true}` it does not wait for the month to pass: the first run publishes, a second one ten minutes
//! later lets the new key sign. The old one goes with the next usual run that finds its last token ended.

use std::future::Future;
use std::pin::Pin;

use jiff::SignedDuration;
use screensort_auth::event::Event;
use screensort_auth::token::{Jwks, LIFETIME};
use screensort_crypto::{KeyRing, RotationRule, RotationStep, SigningKey};
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{JobError, Stack};
use serde_json::{Value, json};

use crate::Error;
use crate::note::noted;

/// The job's name, which is also who did it in the trail.
const NAME: &str = "rotate_signing_key";
/// How long a key signs.
const ROTATE_EVERY: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a key is public before it signs.
const PUBLISH_BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// As short as it may be: twice as long as functions keep the public keys.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(10);

/// As a scheduled job.
pub fn job(event: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move {
        let now = event["now"].as_bool().unwrap_or(false);
        noted(&stack, NAME, run(&stack, now)).await
    })
}

/// The rule: tokens live five minutes, and functions may sign with their copy of the ring for as long as it is
/// fresh, which the spare time covers.
fn rule(at_once: bool) -> RotationRule {
    let keep_after = Some(LIFETIME + AT_ONCE);
    if at_once {
        RotationRule { rotate_every: AT_ONCE, publish_before: AT_ONCE, keep_after }
    } else {
        RotationRule { rotate_every: ROTATE_EVERY, publish_before: PUBLISH_BEFORE, keep_after }
    }
}

/// Takes every step that is due.
///
/// # Errors
/// If a secret cannot be read or written; running it again goes on.
pub async fn run(stack: &Stack, at_once: bool) -> Result<Value, Error> {
    let now = stack.clock().now();
    let settings = stack.settings();
    let text = stack.secret(&settings.signing_secret).await?;
    let mut ring = KeyRing::<SigningKey>::from_json(&text).map_err(keys)?;
    // A run that broke off may have left the public keys a step ahead or behind.
    publish(stack, &ring).await?;
    let mut steps = Vec::new();
    let rule = rule(at_once);
    loop {
        let step = ring.rotate(&rule, now).map_err(keys)?;
        let (event, key) = match &step {
            RotationStep::Nothing => break,
            RotationStep::Publish => {
                let newest = ring.iter().last().map(|key| key.id.to_string());
                (Event::SigningKeyPublished, newest.unwrap_or_default())
            }
            RotationStep::Promote(id) => (Event::SigningKeyRotated, id.to_string()),
            RotationStep::Remove(id) => (Event::SigningKeyRetired, id.to_string()),
        };
        let stored = ring.to_json().map_err(keys)?;
        // Nothing signs with a key that is not public yet, and nothing public goes while it may still sign.
        if matches!(step, RotationStep::Remove(_)) {
            stack.put_secret(&settings.signing_secret, &stored).await?;
            publish(stack, &ring).await?;
        } else {
            publish(stack, &ring).await?;
            stack.put_secret(&settings.signing_secret, &stored).await?;
        }
        let trail = trail_of(event, NAME, &key, NAME, now)?;
        stack.audit().keep(&trail).await?;
        log(&trail);
        steps.push(json!({"event": event.name(), "key": key}));
        if at_once {
            // Ten minutes lie between two steps; the next one would be another rotation.
            break;
        }
    }
    let public: Vec<&str> = ring.iter().map(|key| key.id.as_str()).collect();
    Ok(json!({"steps": steps, "signs": ring.current().id.as_str(), "public": public}))
}

/// Makes the public keys those of `ring`, if they are not.
async fn publish(stack: &Stack, ring: &KeyRing<SigningKey>) -> Result<(), Error> {
    let name = &stack.settings().jwks_secret;
    let wanted = Jwks::of(ring);
    let there = stack.secret_if_any(name).await?;
    if there.and_then(|text| serde_json::from_str::<Jwks>(&text).ok()).as_ref() != Some(&wanted) {
        stack.put_secret(name, &json!(wanted).to_string()).await?;
    }
    Ok(())
}

fn keys(error: screensort_crypto::Error) -> Error {
    Error::Keys(error.to_string())
}
