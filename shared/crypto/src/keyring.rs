use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Result, decode_base64url, encode_base64url, random_bytes};

/// A kind of key that a [`KeyRing`] can hold.
pub trait RingKey: Sized {
    /// Draws a new key.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    fn generate() -> Result<Self>;
    /// Reads the key from its stored bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
    /// The bytes to store.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
}

/// The name of a key: 1 to 32 of `a-z`, `0-9` and `-`.
///
/// So narrow that a name can never be a path, a query or a header, whatever it is pasted into.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// Takes `text` as a name.
    ///
    /// # Errors
    ///
    /// [`Error::BadKeyId`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text)) } else { Err(Error::BadKeyId) }
    }

    /// A new name from the day and 32 random bits, such as `20261122-9f31c2aa`.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn generate(now: Timestamp) -> Result<Self> {
        let suffix = u32::from_le_bytes(random_bytes()?);
        Self::new(format!("{}-{suffix:08x}", now.strftime("%Y%m%d")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

/// A key with its name and its dates. `Debug` leaves the key out.
#[derive(Clone)]
pub struct VersionedKey<K> {
    /// The name that whatever was made with the key carries.
    pub id: KeyId,
    /// The key.
    pub key: K,
    /// When it came into the ring: published, readable, not yet used for writing.
    pub published_at: Timestamp,
    /// When it became the current key; `None` before.
    pub current_since: Option<Timestamp>,
    /// When another key took over; `None` before.
    pub replaced_at: Option<Timestamp>,
}

impl<K> fmt::Debug for VersionedKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VersionedKey")
            .field("id", &self.id)
            .field("published_at", &self.published_at)
            .field("current_since", &self.current_since)
            .field("replaced_at", &self.replaced_at)
            .finish_non_exhaustive()
    }
}

/// Named versions of one key: one is current and writes, all can read.
///
/// The ring is one JSON document in Secrets Manager:
/// `{"current":"…","keys":[{"id","secret","published_at","current_since","replaced_at"}]}`.
#[derive(Debug, Clone)]
pub struct KeyRing<K> {
    current: usize,
    keys: Vec<VersionedKey<K>>,
}

impl<K> KeyRing<K> {
    /// A ring of one key.
    pub fn new(id: KeyId, key: K, now: Timestamp) -> Self {
        let first = VersionedKey { id, key, published_at: now, current_since: Some(now), replaced_at: None };
        Self { current: 0, keys: vec![first] }
    }

    /// The key that writes.
    pub fn current(&self) -> &VersionedKey<K> {
        &self.keys[self.current]
    }

    /// The key named `id`; names of any form may be asked for.
    pub fn get(&self, id: &str) -> Option<&VersionedKey<K>> {
        self.keys.iter().find(|entry| entry.id.0 == id)
    }

    /// Every key, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &VersionedKey<K>> {
        self.keys.iter()
    }

    /// Adds a key that can read but doesn't write yet.
    ///
    /// # Errors
    ///
    /// [`Error::BadRing`] when the name is taken.
    pub fn publish(&mut self, id: KeyId, key: K, now: Timestamp) -> Result<()> {
        if self.get(&id.0).is_some() {
            return Err(Error::BadRing("a key's name is taken"));
        }
        self.keys.push(VersionedKey { id, key, published_at: now, current_since: None, replaced_at: None });
        Ok(())
    }

    /// Makes the published key `id` the current one.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`]; [`Error::BadRing`] when it is or was current already.
    pub fn promote(&mut self, id: &str, now: Timestamp) -> Result<()> {
        let index = self.keys.iter().position(|entry| entry.id.0 == id).ok_or(Error::UnknownKey)?;
        if self.keys[index].current_since.is_some() {
            return Err(Error::BadRing("a key becomes current once"));
        }
        self.keys[self.current].replaced_at = Some(now);
        self.keys[index].current_since = Some(now);
        self.current = index;
        Ok(())
    }

    /// Takes the key `id` out: whatever it made can't be read any more.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`]; [`Error::BadRing`] for the current key.
    pub fn remove(&mut self, id: &str) -> Result<()> {
        let index = self.keys.iter().position(|entry| entry.id.0 == id).ok_or(Error::UnknownKey)?;
        if index == self.current {
            return Err(Error::BadRing("the current key stays"));
        }
        self.keys.remove(index);
        if index < self.current {
            self.current -= 1;
        }
        Ok(())
    }

    /// What a rotation job should do now under `rule`. One step at a time; [`rotate`](Self::rotate) takes it.
    pub fn next_step(&self, rule: &RotationRule, now: Timestamp) -> RotationStep {
        let age = |since: Timestamp| now.duration_since(since);
        let ended = self.keys.iter().find(|entry| {
            let over = entry.replaced_at.zip(rule.keep_after);
            over.is_some_and(|(replaced, keep)| age(replaced) >= keep)
        });
        if let Some(entry) = ended {
            return RotationStep::Remove(entry.id.clone());
        }
        let due = self.current().current_since.is_some_and(|since| age(since) >= rule.rotate_every);
        let waiting = self.keys.iter().find(|entry| entry.current_since.is_none());
        match waiting {
            Some(entry) if due && age(entry.published_at) >= rule.publish_before => {
                RotationStep::Promote(entry.id.clone())
            }
            Some(_) => RotationStep::Nothing,
            None if due
                || self
                    .current()
                    .current_since
                    .is_some_and(|since| age(since) + rule.publish_before >= rule.rotate_every) =>
            {
                RotationStep::Publish
            }
            None => RotationStep::Nothing,
        }
    }
}

impl<K: RingKey> KeyRing<K> {
    /// A ring of one new key.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn generate(now: Timestamp) -> Result<Self> {
        Ok(Self::new(KeyId::generate(now)?, K::generate()?, now))
    }

    /// Takes the step that [`next_step`](Self::next_step) names and says which it was.
    ///
    /// # Errors
    ///
    /// [`Error::RandomUnavailable`].
    pub fn rotate(&mut self, rule: &RotationRule, now: Timestamp) -> Result<RotationStep> {
        let step = self.next_step(rule, now);
        match &step {
            RotationStep::Nothing => {}
            RotationStep::Publish => self.publish(KeyId::generate(now)?, K::generate()?, now)?,
            RotationStep::Promote(id) => self.promote(id.as_str(), now)?,
            RotationStep::Remove(id) => self.remove(id.as_str())?,
        }
        Ok(step)
    }

    /// The ring as the JSON document to keep in Secrets Manager.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], which no ring of this type causes.
    pub fn to_json(&self) -> Result<Zeroizing<String>> {
        let stored = StoredRing {
            current: self.current().id.clone(),
            keys: self.keys.iter().map(StoredKey::from_entry).collect(),
        };
        serde_json::to_string(&stored).map(Zeroizing::new).map_err(|_| Error::Malformed("key ring"))
    }

    /// Reads the document that [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] (never with a piece of the document), [`Error::BadRing`].
    pub fn from_json(json: &str) -> Result<Self> {
        // The parser's own message may quote the document, that is, a secret: it is dropped.
        let stored: StoredRing = serde_json::from_str(json).map_err(|_| Error::Malformed("key ring"))?;
        let mut keys: Vec<VersionedKey<K>> = Vec::with_capacity(stored.keys.len());
        for key in &stored.keys {
            if keys.iter().any(|entry| entry.id == key.id) {
                return Err(Error::BadRing("a key's name is there twice"));
            }
            keys.push(key.to_entry()?);
        }
        let current = keys
            .iter()
            .position(|entry| entry.id == stored.current)
            .ok_or(Error::BadRing("the current key is missing"))?;
        Ok(Self { current, keys })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRing {
    current: KeyId,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: KeyId,
    secret: String,
    published_at: Timestamp,
    #[serde(default)]
    current_since: Option<Timestamp>,
    #[serde(default)]
    replaced_at: Option<Timestamp>,
}

impl StoredKey {
    fn from_entry<K: RingKey>(entry: &VersionedKey<K>) -> Self {
        Self {
            id: entry.id.clone(),
            secret: encode_base64url(entry.key.to_bytes().as_slice()),
            published_at: entry.published_at,
            current_since: entry.current_since,
            replaced_at: entry.replaced_at,
        }
    }

    fn to_entry<K: RingKey>(&self) -> Result<VersionedKey<K>> {
        let bytes = Zeroizing::new(decode_base64url(&self.secret).map_err(|_| Error::Malformed("key ring"))?);
        Ok(VersionedKey {
            id: self.id.clone(),
            key: K::from_bytes(&bytes)?,
            published_at: self.published_at,
            current_since: self.current_since,
            replaced_at: self.replaced_at,
        })
    }
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// How a ring turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationRule {
    /// How long a key is current.
    pub rotate_every: SignedDuration,
    /// How long a key must have been published before it may become current: longer than any reader keeps an
    /// old copy of the ring or of the key set made from it.
    pub publish_before: SignedDuration,
    /// How long a replaced key stays readable: longer than anything it made lives. `None`: until a person
    /// removes it, for keys whose products are stored.
    pub keep_after: Option<SignedDuration>,
}

/// One step of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationStep {
    /// Nothing is due.
    Nothing,
    /// Add a new key, which doesn't write yet.
    Publish,
    /// Make this key current.
    Promote(KeyId),
    /// Take this key out.
    Remove(KeyId),
}
