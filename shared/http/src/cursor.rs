//! Cursors: where a page ends, opaque, authenticated, and bound to the query and the person.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Code, Problem};

/// Bytes of the tag in front of a cursor's position.
const TAG: usize = 16;

/// The query that a cursor belongs to.
#[derive(Debug, Clone)]
pub struct Binding([u8; 32]);

impl Binding {
    /// Of a path and the sorted parameters that choose what is listed.
    pub fn new(path: &str, parameters: &[(&str, &str)]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut add = |text: &str| {
            context.update(&(text.len() as u64).to_le_bytes());
            context.update(text.as_bytes());
        };
        add(path);
        for (name, value) in parameters {
            add(name);
            add(value);
        }
        let mut bytes = [0_u8; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

/// Seals and opens cursors. The first key seals; all keys open, so that a rotation breaks no page.
#[derive(Debug)]
pub struct Cursors(Vec<hmac::Key>);

impl Cursors {
    /// With keys of 32 random bytes each, the current one first; `None` without any key.
    pub fn new(keys: &[[u8; 32]]) -> Option<Self> {
        let keys: Vec<_> = keys.iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key)).collect();
        if keys.is_empty() { None } else { Some(Self(keys)) }
    }

    /// `position` as a cursor for `subject`'s query.
    ///
    /// # Errors
    /// Only if the position refuses to be serialised, which is a bug.
    pub fn seal<P: Serialize>(
        &self,
        binding: &Binding,
        subject: &str,
        position: &P,
    ) -> Result<String, Problem> {
        let position = serde_json::to_vec(position)
            .map_err(|e| Problem::internal("a cursor's position is not serialisable").caused_by(e))?;
        let Some(key) = self.0.first() else { return Err(Problem::internal("there is no cursor key")) };
        let tag = hmac::sign(key, &authenticated(binding, subject, &position));
        let mut bytes = tag.as_ref()[..TAG].to_vec();
        bytes.extend_from_slice(&position);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a cursor that `subject` was given for the same query.
    ///
    /// # Errors
    /// `bad_cursor` for anything else.
    pub fn open<P: DeserializeOwned>(
        &self,
        binding: &Binding,
        subject: &str,
        text: &str,
    ) -> Result<P, Problem> {
        let bad = || Problem::new(Code::BadCursor);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        let (given, position) = bytes.split_at_checked(TAG).ok_or_else(bad)?;
        let message = authenticated(binding, subject, position);
        let genuine = self.0.iter().any(|key| {
            let tag = hmac::sign(key, &message);
            // Compared in constant time: each byte is looked at whatever the others are.
            tag.as_ref()[..TAG].iter().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
        });
        if !genuine {
            return Err(bad());
        }
        serde_json::from_slice(position).map_err(|_| bad())
    }
}

fn authenticated(binding: &Binding, subject: &str, position: &[u8]) -> Vec<u8> {
    let mut message = b"cursor\0".to_vec();
    message.extend_from_slice(&binding.0);
    message.extend_from_slice(&(subject.len() as u64).to_le_bytes());
    message.extend_from_slice(subject.as_bytes());
    message.extend_from_slice(position);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursors(first: u8) -> Cursors {
        Cursors::new(&[[first; 32]]).unwrap()
    }

    #[test]
    fn a_cursor_belongs_to_its_query_its_person_and_its_key() {
        let query = Binding::new("/movies", &[("genre", "18")]);
        let text = cursors(1).seal(&query, "", &("x", 5)).unwrap();
        assert_eq!(cursors(1).open::<(String, u32)>(&query, "", &text).unwrap(), ("x".into(), 5));
        let other = Binding::new("/movies", &[("genre", "1"), ("8", "")]);
        for refused in [
            cursors(1).open::<(String, u32)>(&other, "", &text),
            cursors(1).open(&query, "someone", &text),
            cursors(2).open(&query, "", &text),
            cursors(1).open(&query, "", &text[1..]),
            cursors(1).open(&query, "", ""),
        ] {
            assert_eq!(refused.unwrap_err().code(), Code::BadCursor);
        }
        let rotated = Cursors::new(&[[2; 32], [1; 32]]).unwrap();
        assert!(rotated.open::<(String, u32)>(&query, "", &text).is_ok());
    }

    proptest! {
        #[test]
        fn no_edited_cursor_opens(at in 0_usize..30, bit in 0_u8..8, garbage in "[A-Za-z0-9_-]{0,60}") {
            let query = Binding::new("/movies", &[]);
            let text = cursors(1).seal(&query, "", &[1_u32, 2, 3, 4, 5]).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let edited = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert!(cursors(1).open::<Vec<u32>>(&query, "", &edited).is_err());
            prop_assert!(cursors(1).open::<Vec<u32>>(&query, "", &garbage).is_err());
        }
    }
}
