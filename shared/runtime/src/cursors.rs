//! The keys of cursors. A template can draw a text and no key ring, so the secret begins as a text; the first run of
//! the job that rotates keys makes a ring of it, with the same key.

use std::sync::Arc;

use jiff::Timestamp;
use screensort_crypto::{KeyId, KeyRing, MacKey, RingKey};
use screensort_http::{Cursors, Problem};
use serde::Deserialize;

use crate::Stack;
use crate::secrets::Fresh;

/// The secret as it is drawn: `current`, and `previous` where a person put another one in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawn {
    current: String,
    previous: Option<String>,
}

/// The name of a key that was drawn.
const DRAWN: &str = "drawn";
/// The name of the one before it.
const BEFORE: &str = "drawn-before";

/// A key out of a secret's random text.
fn key(text: &str) -> MacKey {
    let mut key = [0; 32];
    key.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    MacKey::new(key)
}

/// The ring in the secret's text. Nobody knows since when a drawn key is in use: it counts from `now`.
///
/// # Errors
/// 500 if it is neither a ring nor a text as the template draws it.
pub fn cursor_ring(text: &str, now: Timestamp) -> Result<KeyRing<MacKey>, Problem> {
    let Ok(drawn) = serde_json::from_str::<Drawn>(text) else {
        return Ok(KeyRing::from_json(text)?);
    };
    let Some(previous) = drawn.previous else {
        return Ok(KeyRing::new(KeyId::new(DRAWN)?, key(&drawn.current), now));
    };
    let mut ring = KeyRing::new(KeyId::new(BEFORE)?, key(&previous), now);
    ring.publish(KeyId::new(DRAWN)?, key(&drawn.current), now)?;
    ring.promote(DRAWN, now)?;
    Ok(ring)
}

/// The keys in memory.
#[derive(Default)]
pub(crate) struct Held(Fresh<Cursors>);

impl Stack {
    /// What seals and opens cursors.
    ///
    /// # Errors
    /// 503 if the secret cannot be read, 500 if it is not what it should be.
    pub async fn cursors(&self) -> Result<Arc<Cursors>, Problem> {
        let name = &self.settings().cursor_secret;
        self.needs_secret(name);
        let now = self.clock().now();
        let read = async || {
            let ring = cursor_ring(&self.secret(name).await?, now)?;
            // The key that seals comes first. One that is published opens already: a function that knows of a change
            // earlier than another one may have sealed with it.
            let current = &ring.current().id;
            let (first, rest): (Vec<_>, Vec<_>) = ring.iter().partition(|entry| entry.id == *current);
            let keys = first.into_iter().chain(rest).map(|entry| {
                let mut key = [0; 32];
                key.copy_from_slice(&entry.key.to_bytes());
                key
            });
            let keys: Vec<[u8; 32]> = keys.collect();
            Cursors::new(&keys).ok_or_else(|| Problem::internal("the cursor secret holds no key"))
        };
        self.cursor_keys().0.get(now, read).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(ring: &KeyRing<MacKey>, id: &str) -> Vec<u8> {
        ring.get(id).unwrap().key.to_bytes().to_vec()
    }

    #[test]
    fn a_text_that_was_drawn_is_a_ring_of_the_same_key() {
        let now = Timestamp::UNIX_EPOCH;
        let one = cursor_ring(r#"{"current":"a text"}"#, now).unwrap();
        assert_eq!((one.current().id.as_str(), one.iter().count()), (DRAWN, 1));
        assert_eq!(bytes(&one, DRAWN), key("a text").to_bytes().to_vec());
        let two = cursor_ring(r#"{"current":"another","previous":"a text"}"#, now).unwrap();
        assert_eq!(two.current().id.as_str(), DRAWN);
        assert_eq!(bytes(&two, BEFORE), bytes(&one, DRAWN));
        let again = cursor_ring(&two.to_json().unwrap(), now).unwrap();
        assert_eq!(bytes(&again, BEFORE), bytes(&two, BEFORE));
        assert!(cursor_ring("{}", now).is_err());
        assert!(cursor_ring("", now).is_err());
    }
}
