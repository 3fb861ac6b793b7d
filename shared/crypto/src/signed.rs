//! Signed text: something that we hand out and want back unchanged, without storing it.
//!
//! CSRF tokens, device cookies and page cursors are made of it. The payload can be read by whoever holds the
//! text; it can't be changed, used for another purpose, in another context (session, account, query) or after
//! its time.
//!
//! Format: `key.expiry.payload.tag`; the expiry is in seconds since 1970 (empty: never), payload and tag are
//! base64url.

use jiff::Timestamp;

use crate::{Error, KeyRing, MacKey, Result, decode_base64url, encode_base64url};

/// Longest text that [`open`] looks at, in bytes.
pub const MAX_TEXT: usize = 4096;

/// Signs `payload` for `purpose` within `context`, until `expires_at`.
///
/// The context is not in the text: whoever opens it must know it.
pub fn seal(
    ring: &KeyRing<MacKey>,
    purpose: &str,
    context: &[&[u8]],
    payload: &[u8],
    expires_at: Option<Timestamp>,
) -> String {
    let expiry = expires_at.map(|at| at.as_second().to_string()).unwrap_or_default();
    let current = ring.current();
    let tag = current.key.tag(purpose, &message(context, payload, &expiry));
    format!("{}.{expiry}.{}.{}", current.id, encode_base64url(payload), tag.to_text())
}

/// Gives back the payload of a text that [`seal`] made for the same purpose and context.
///
/// # Errors
///
/// [`Error::Malformed`], [`Error::UnknownKey`], [`Error::NotAuthentic`]; [`Error::Expired`] from its last
/// second on, and only when everything else is right.
pub fn open(
    ring: &KeyRing<MacKey>,
    purpose: &str,
    context: &[&[u8]],
    text: &str,
    now: Timestamp,
) -> Result<Vec<u8>> {
    const MALFORMED: Error = Error::Malformed("signed text");
    if text.len() > MAX_TEXT {
        return Err(MALFORMED);
    }
    let mut fields = text.split('.');
    let (Some(id), Some(expiry), Some(payload), Some(tag), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(MALFORMED);
    };
    let payload = decode_base64url(payload).map_err(|_| MALFORMED)?;
    let tag = decode_base64url(tag).map_err(|_| MALFORMED)?;
    ring.verify(id, purpose, &message(context, &payload, expiry), &tag)?;
    if !expiry.is_empty() {
        let expires: i64 = expiry.parse().map_err(|_| MALFORMED)?;
        if now.as_second() >= expires {
            return Err(Error::Expired);
        }
    }
    Ok(payload)
}

fn message<'a>(context: &[&'a [u8]], payload: &'a [u8], expiry: &'a str) -> Vec<&'a [u8]> {
    let mut parts: Vec<&[u8]> = vec![b"signed.1", expiry.as_bytes(), payload];
    parts.extend_from_slice(context);
    parts
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::KeyId;

    fn ring() -> KeyRing<MacKey> {
        KeyRing::new(KeyId::new("k1").unwrap(), MacKey::new([1; 32]), Timestamp::UNIX_EPOCH)
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn a_text_opens_only_for_its_purpose_context_and_time() {
        let ring = ring();
        let until = now() + SignedDuration::from_secs(60);
        let text = seal(&ring, "csrf", &[b"session-a"], b"x", Some(until));
        assert_eq!(open(&ring, "csrf", &[b"session-a"], &text, now()).unwrap(), b"x");
        assert!(matches!(open(&ring, "csrf", &[b"session-b"], &text, now()), Err(Error::NotAuthentic)));
        assert!(matches!(open(&ring, "csrf", &[], &text, now()), Err(Error::NotAuthentic)));
        assert!(matches!(open(&ring, "device", &[b"session-a"], &text, now()), Err(Error::NotAuthentic)));
        assert!(matches!(open(&ring, "csrf", &[b"session-a"], &text, until), Err(Error::Expired)));
        let before = until - SignedDuration::from_secs(1);
        assert!(open(&ring, "csrf", &[b"session-a"], &text, before).is_ok());
    }

    #[test]
    fn a_longer_life_can_not_be_written_into_the_text() {
        let ring = ring();
        let text = seal(&ring, "csrf", &[], b"", Some(now()));
        let seconds = now().as_second().to_string();
        for other in ["1900000000", ""] {
            let edited = text.replace(&seconds, other);
            assert!(matches!(open(&ring, "csrf", &[], &edited, now()), Err(Error::NotAuthentic)));
        }
    }

    #[test]
    fn texts_of_an_old_key_stay_readable_until_it_leaves_the_ring() {
        let mut ring = ring();
        let text = seal(&ring, "cursor", &[], b"page 2", None);
        ring.publish(KeyId::new("k2").unwrap(), MacKey::new([2; 32]), now()).unwrap();
        ring.promote("k2", now()).unwrap();
        assert_eq!(open(&ring, "cursor", &[], &text, now()).unwrap(), b"page 2");
        ring.remove("k1").unwrap();
        assert!(matches!(open(&ring, "cursor", &[], &text, now()), Err(Error::UnknownKey)));
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_panic(text in ".{0,80}") {
            prop_assert!(open(&ring(), "cursor", &[], &text, now()).is_err());
        }

        #[test]
        fn a_payload_comes_back_and_no_edit_of_one_character_passes(
            payload in prop::collection::vec(any::<u8>(), 0..40),
            at in any::<prop::sample::Index>(),
            with in "[A-Za-z0-9._-]",
        ) {
            let text = seal(&ring(), "cursor", &[b"q"], &payload, Some(now() + SignedDuration::from_secs(9)));
            prop_assert_eq!(open(&ring(), "cursor", &[b"q"], &text, now()).unwrap(), payload);
            let index = at.index(text.len());
            let mut edited = text.clone();
            edited.replace_range(index..=index, &with);
            if edited != text {
                prop_assert!(open(&ring(), "cursor", &[b"q"], &edited, now()).is_err());
            }
        }
    }
}
