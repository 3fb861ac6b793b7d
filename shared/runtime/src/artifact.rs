//! Artifacts: read-only files in S3, and for each kind the pointer that says which one is current.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest artifact that is loaded: what fits into a function's memory with room to build the next.
const LARGEST: usize = 512 << 20;
/// The largest pointer or note.
const LARGEST_NOTE: usize = 64 << 10;
/// How many versions are kept.
const KEPT: usize = 5;

pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an artifact cannot be used or published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was published yet.
    #[error("nothing has been published yet")]
    Nothing,
    /// There is no such version, or no longer.
    #[error("there is no version {0}")]
    NoVersion(String),
    /// The bucket does not answer or refuses.
    #[error("the artifacts' bucket cannot be used")]
    Bucket(#[source] Cause),
    /// The pointer is not what it should be.
    #[error("the pointer to the current artifact cannot be read")]
    Pointer(#[source] serde_json::Error),
    /// The artifact is not the one that the pointer promises.
    #[error("the artifact's {0} is not the one announced")]
    NotAsAnnounced(&'static str),
    /// The artifact has the right checksum and the wrong contents.
    #[error("the artifact cannot be read")]
    Unusable(#[source] Cause),
    /// The loading task was stopped.
    #[error("loading was stopped")]
    Stopped,
}

/// The pointer to the current artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The version's name.
    pub version: String,
    /// Its key in the bucket.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The versions before, newest first.
    #[serde(default)]
    pub previous: Vec<String>,
    /// What its maker says about it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub about: Value,
}

impl Current {
    /// The file's length and checksum are those announced.
    fn check(&self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() as u64 != self.bytes {
            return Err(Error::NotAsAnnounced("length"));
        }
        if sha256(bytes) != self.sha256 {
            return Err(Error::NotAsAnnounced("checksum"));
        }
        Ok(())
    }
}

/// The artifacts of one kind: a folder of the bucket.
#[derive(Debug, Clone)]
pub struct Artifacts {
    s3: Client,
    bucket: String,
    folder: &'static str,
}

impl Artifacts {
    pub(crate) fn new(s3: Client, bucket: String, folder: &'static str) -> Self {
        Self { s3, bucket, folder }
    }

    fn pointer(&self) -> String {
        format!("{}/current.json", self.folder)
    }

    /// The key of a version's file.
    fn key(&self, version: &str) -> String {
        format!("{}/{version}.bin", self.folder)
    }

    /// The pointer, or `None` before the first publication.
    ///
    /// # Errors
    /// If the bucket or the pointer is unusable.
    pub async fn current(&self) -> Result<Option<Current>, Error> {
        self.note(&self.pointer()).await
    }

    async fn note(&self, key: &str) -> Result<Option<Current>, Error> {
        match self.fetch(key, LARGEST_NOTE).await? {
            Some(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(Error::Pointer),
            None => Ok(None),
        }
    }

    /// The versions that are kept, the current one first, as they were published.
    ///
    /// # Errors
    /// If the bucket or a note in it is unusable.
    pub async fn versions(&self) -> Result<Vec<Current>, Error> {
        let Some(current) = self.current().await? else { return Ok(Vec::new()) };
        let mut versions = vec![current.clone()];
        for key in &current.previous {
            versions.extend(self.note(&note_of(key)).await?);
        }
        Ok(versions)
    }

    /// Makes an earlier version current again; the one before the current one unless `version` names another.
    /// Its file is checked first. No version is lost.
    ///
    /// # Errors
    /// [`Error::NoVersion`] if there is none to go back to; otherwise if the bucket or the file is unusable. The
    /// current version stays current then.
    pub async fn roll_back(&self, version: Option<&str>) -> Result<Current, Error> {
        let current = self.current().await?.ok_or(Error::Nothing)?;
        let wanted = match version {
            Some(version) => Some(self.key(version)),
            None => current.previous.first().cloned(),
        };
        let none = || Error::NoVersion(version.unwrap_or("before this one").to_owned());
        let key = wanted.filter(|key| current.previous.contains(key)).ok_or_else(none)?;
        let mut chosen = self.note(&note_of(&key)).await?.ok_or_else(none)?;
        self.load(&chosen).await?;
        chosen.previous =
            std::iter::once(current.key).chain(current.previous).filter(|other| *other != key).collect();
        self.point_to(&chosen).await?;
        Ok(chosen)
    }

    /// The artifact that `current` announces, its length and checksum checked.
    ///
    /// # Errors
    /// If it is missing or not as announced.
    pub async fn load(&self, current: &Current) -> Result<Bytes, Error> {
        let bytes = self.fetch(&current.key, LARGEST).await?.ok_or(Error::NotAsAnnounced("key"))?;
        current.check(&bytes)?;
        Ok(bytes)
    }

    /// Publishes a version: first the file, then the pointer, so that a reader never sees one without the other.
    /// The last few versions stay for a way back.
    ///
    /// # Errors
    /// If the bucket refuses; the version before stays current.
    pub async fn publish(&self, version: &str, file: Vec<u8>, made_at: Timestamp) -> Result<Current, Error> {
        self.publish_with(version, file, made_at, Value::Null).await
    }

    /// As [`Artifacts::publish`], with what its maker says about it.
    ///
    /// # Errors
    /// As [`Artifacts::publish`].
    pub async fn publish_with(
        &self,
        version: &str,
        file: Vec<u8>,
        made_at: Timestamp,
        about: Value,
    ) -> Result<Current, Error> {
        let before = match self.current().await {
            // A pointer that leads nowhere must not keep a good one from taking its place.
            Err(error @ Error::Pointer(_)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(name: "artifact.pointer_replaced", kind = self.folder, error,
                    "the pointer is damaged and is replaced");
                None
            }
            before => before?,
        };
        let key = self.key(version);
        let mut previous = Vec::new();
        if let Some(before) = before.filter(|before| before.key != key) {
            previous.push(before.key);
            previous.extend(before.previous);
        }
        let dropped = previous.split_off(previous.len().min(KEPT - 1));
        let bytes = file.len() as u64;
        let sha256 = sha256(&file);
        let version = version.to_owned();
        let current = Current { version, key, bytes, sha256, made_at, previous, about };
        self.put(&current.key, file.into()).await?;
        let note = Current { previous: Vec::new(), ..current.clone() };
        let note = serde_json::to_vec(&note).map_err(Error::Pointer)?;
        self.put(&note_of(&current.key), note.into()).await?;
        self.point_to(&current).await?;
        for old in dropped.iter().flat_map(|key| [key.clone(), note_of(key)]) {
            // The new version is current: an old one that stays costs a little room, no more.
            if let Err(error) = self.s3.delete_object().bucket(&self.bucket).key(&old).send().await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(name: "artifact.left_behind", key = old, error, "an old version could not be deleted");
            }
        }
        Ok(current)
    }

    async fn point_to(&self, current: &Current) -> Result<(), Error> {
        let pointer = serde_json::to_vec(current).map_err(Error::Pointer)?;
        self.put(&self.pointer(), pointer.into()).await
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<(), Error> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body));
        put.send().await.map(drop).map_err(bucket)
    }

    async fn fetch(&self, key: &str, most: usize) -> Result<Option<Bytes>, Error> {
        let out = match self.s3.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(out) => out,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(bucket(error)),
        };
        if usize::try_from(out.content_length().unwrap_or(0)).map_or(true, |length| length > most) {
            return Err(Error::NotAsAnnounced("length"));
        }
        let body = out.body.collect().await.map_err(|e| Error::Bucket(Box::new(e)))?;
        Ok(Some(body.into_bytes()))
    }
}

/// The key of the note beside a file: what the pointer said of it.
fn note_of(key: &str) -> String {
    format!("{}.json", key.trim_end_matches(".bin"))
}

fn bucket<E, R>(error: SdkError<E, R>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    Error::Bucket(Box::new(error))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
