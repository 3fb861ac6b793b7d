//! Artifacts: read-only files in S3, and the pointer that says which one is current.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use screensort_catalog::Catalog;
use serde::{Deserialize, Serialize};

use crate::Stack;

/// The pointer's key.
const POINTER: &str = "catalog/current.json";
/// The largest artifact that is loaded: what fits into a function's memory with room to build the next.
const LARGEST: usize = 512 << 20;
/// How long a catalogue is served before a newer one is looked for.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How many versions are kept.
const KEPT: usize = 5;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an artifact cannot be used or published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was published yet.
    #[error("no catalogue has been published yet")]
    Nothing,
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
    Unusable(#[source] screensort_catalog::Error),
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
}

/// The artifacts' bucket.
#[derive(Debug, Clone)]
pub struct Artifacts {
    s3: Client,
    bucket: String,
}

impl Artifacts {
    pub(crate) fn new(s3: Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// The pointer, or `None` before the first publication.
    ///
    /// # Errors
    /// If the bucket or the pointer is unusable.
    pub async fn current(&self) -> Result<Option<Current>, Error> {
        match self.fetch(POINTER, 64 << 10).await? {
            Some(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(Error::Pointer),
            None => Ok(None),
        }
    }

    /// The artifact that `current` announces, its length and checksum checked.
    ///
    /// # Errors
    /// If it is missing or not as announced.
    pub async fn load(&self, current: &Current) -> Result<Bytes, Error> {
        let bytes = self.fetch(&current.key, LARGEST).await?.ok_or(Error::NotAsAnnounced("key"))?;
        if bytes.len() as u64 != current.bytes {
            return Err(Error::NotAsAnnounced("length"));
        }
        if sha256(&bytes) != current.sha256 {
            return Err(Error::NotAsAnnounced("checksum"));
        }
        Ok(bytes)
    }

    /// Publishes a catalogue: first the file, then the pointer, so that a reader never sees one without the
    /// other. The last few versions stay for a way back.
    ///
    /// # Errors
    /// If the bucket refuses; the version before stays current.
    pub async fn publish(&self, version: &str, file: Vec<u8>, made_at: Timestamp) -> Result<Current, Error> {
        let before = match self.current().await {
            // A pointer that leads nowhere must not keep a good one from taking its place.
            Err(error @ Error::Pointer(_)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(name: "catalog.pointer_replaced", error, "the pointer is damaged and is replaced");
                None
            }
            before => before?,
        };
        let key = format!("catalog/{version}.bin");
        let mut previous = Vec::new();
        if let Some(before) = before.filter(|before| before.key != key) {
            previous.push(before.key);
            previous.extend(before.previous);
        }
        let dropped = previous.split_off(previous.len().min(KEPT - 1));
        let bytes = file.len() as u64;
        let current =
            Current { version: version.to_owned(), key, bytes, sha256: sha256(&file), made_at, previous };
        self.put(&current.key, file.into()).await?;
        let pointer = serde_json::to_vec(&current).map_err(Error::Pointer)?;
        self.put(POINTER, pointer.into()).await?;
        for old in dropped {
            // The new version is current: an old one that stays costs a little room, no more.
            if let Err(error) = self.s3.delete_object().bucket(&self.bucket).key(&old).send().await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(name: "catalog.left_behind", key = old, error, "an old version could not be deleted");
            }
        }
        Ok(current)
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

/// The catalogue that is served, and when a newer one was last looked for.
#[derive(Default)]
pub(crate) struct Shelf {
    held: Mutex<Held>,
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone)]
struct Held {
    catalog: Option<Arc<Catalog>>,
    looked_at: Option<Timestamp>,
}

impl Shelf {
    pub(crate) fn look_again(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).looked_at = None;
    }

    pub(crate) async fn catalog(&self, stack: &Stack) -> Result<Arc<Catalog>, Error> {
        let now = stack.clock().now();
        if let (Some(catalog), true) = self.held(now) {
            return Ok(catalog);
        }
        // One caller looks; the others are served what there is, or wait if there is nothing.
        let _turn = match self.held(now).0 {
            Some(catalog) => match self.loading.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(catalog),
            },
            None => self.loading.lock().await,
        };
        if let (Some(catalog), true) = self.held(now) {
            return Ok(catalog);
        }
        let held = self.held(now).0;
        let newer = self.newer(stack, held.as_deref()).await;
        let mut shelf = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (newer, held) {
            (Ok(Some(catalog)), _) => {
                tracing::info!(name: "catalog.loaded", version = catalog.version(), films = catalog.len(),
                    "catalogue {} loaded with {} films", catalog.version(), catalog.len());
                *shelf = Held { catalog: Some(Arc::clone(&catalog)), looked_at: Some(now) };
                Ok(catalog)
            }
            (Ok(None), Some(old)) => {
                shelf.looked_at = Some(now);
                Ok(old)
            }
            (Ok(None), None) => Err(Error::Nothing),
            (Err(error), Some(old)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(name: "catalog.refused", error, held = old.version(),
                    "a newer catalogue cannot be used, {} is kept", old.version());
                shelf.looked_at = Some(now);
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The catalogue held, and whether it is fresh.
    fn held(&self, now: Timestamp) -> (Option<Arc<Catalog>>, bool) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = held.looked_at.is_some_and(|at| now.duration_since(at).abs() < FRESH);
        (held.catalog.clone(), fresh)
    }

    async fn newer(&self, stack: &Stack, held: Option<&Catalog>) -> Result<Option<Arc<Catalog>>, Error> {
        let artifacts = stack.artifacts();
        let Some(current) = artifacts.current().await? else { return Ok(None) };
        if held.is_some_and(|held| held.version() == current.version) {
            return Ok(None);
        }
        let file = artifacts.load(&current).await?;
        let read =
            tokio::task::spawn_blocking(move || Catalog::read(file)).await.map_err(|_| Error::Stopped)?;
        read.map(|catalog| Some(Arc::new(catalog))).map_err(Error::Unusable)
    }
}
