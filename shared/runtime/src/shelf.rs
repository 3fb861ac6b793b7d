//! What functions keep in memory of the artifacts: the current one of each kind, looked at again now and then.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use screensort_catalog::Catalog;
use screensort_recommend::Model;

use crate::artifact::{Artifacts, Cause, Current, Error};

/// How long an artifact is served before a newer one is looked for.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// A kind of artifact that is kept in memory.
pub(crate) trait Kept: Sized + Send + Sync + 'static {
    /// What the log calls it.
    const NAME: &'static str;

    fn read(file: Bytes) -> Result<Self, Cause>;

    fn version(&self) -> &str;

    fn films(&self) -> usize;
}

impl Kept for Catalog {
    const NAME: &'static str = "catalogue";

    fn read(file: Bytes) -> Result<Self, Cause> {
        Ok(Self::read(file)?)
    }

    fn version(&self) -> &str {
        self.version()
    }

    fn films(&self) -> usize {
        self.len()
    }
}

impl Kept for Model {
    const NAME: &'static str = "model";

    fn read(file: Bytes) -> Result<Self, Cause> {
        Ok(Self::read(file.as_ref())?)
    }

    fn version(&self) -> &str {
        &self.card().model_version
    }

    fn films(&self) -> usize {
        self.len()
    }
}

/// The artifact that is served, and when a newer one was last looked for.
pub(crate) struct Shelf<T> {
    held: Mutex<Held<T>>,
    loading: tokio::sync::Mutex<()>,
}

struct Held<T> {
    artifact: Option<Arc<T>>,
    looked_at: Option<Timestamp>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            held: Mutex::new(Held { artifact: None, looked_at: None }),
            loading: tokio::sync::Mutex::default(),
        }
    }
}

impl<T: Kept> Shelf<T> {
    /// Makes the next call look for a newer version at once.
    pub(crate) fn look_again(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).looked_at = None;
    }

    /// What is served. One that cannot be used does not replace one that can.
    ///
    /// # Errors
    /// If there is none that can be used.
    pub(crate) async fn get(
        &self,
        artifacts: impl Fn() -> Artifacts,
        now: Timestamp,
    ) -> Result<Arc<T>, Error> {
        if let (Some(artifact), true) = self.held(now) {
            return Ok(artifact);
        }
        // One caller looks; the others are served what there is, or wait if there is nothing.
        let _turn = match self.held(now).0 {
            Some(artifact) => match self.loading.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(artifact),
            },
            None => self.loading.lock().await,
        };
        if let (Some(artifact), true) = self.held(now) {
            return Ok(artifact);
        }
        let before = self.held(now).0;
        let newer = newer(&artifacts(), before.as_deref()).await;
        let mut shelf = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (newer, before) {
            (Ok(Some(artifact)), _) => {
                let (version, films) = (artifact.version(), artifact.films());
                tracing::info!(name: "artifact.loaded", kind = T::NAME, version, films,
                    "{} {version} loaded with {films} films", T::NAME);
                *shelf = Held { artifact: Some(Arc::clone(&artifact)), looked_at: Some(now) };
                Ok(artifact)
            }
            (Ok(None), Some(old)) => {
                shelf.looked_at = Some(now);
                Ok(old)
            }
            (Ok(None), None) => Err(Error::Nothing),
            (Err(error), Some(old)) => {
                let (error, held): (&dyn std::error::Error, _) = (&error, old.version());
                tracing::error!(name: "artifact.refused", kind = T::NAME, error, held,
                    "a newer {} cannot be used, {held} is kept", T::NAME);
                shelf.looked_at = Some(now);
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// As [`Shelf::get`], for what a function can do without: that there is none is remembered as long as what
    /// there is.
    pub(crate) async fn get_if_any(
        &self,
        artifacts: impl Fn() -> Artifacts,
        now: Timestamp,
    ) -> Option<Arc<T>> {
        if let (held, true) = self.held(now) {
            return held;
        }
        let error = match self.get(artifacts, now).await {
            Ok(artifact) => return Some(artifact),
            Err(error) => error,
        };
        if !matches!(error, Error::Nothing) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(name: "artifact.missing", kind = T::NAME, error, "there is no {} that can be used", T::NAME);
        }
        self.held.lock().unwrap_or_else(PoisonError::into_inner).looked_at = Some(now);
        None
    }

    /// What is held, and whether it is fresh.
    fn held(&self, now: Timestamp) -> (Option<Arc<T>>, bool) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = held.looked_at.is_some_and(|at| now.duration_since(at).abs() < FRESH);
        (held.artifact.clone(), fresh)
    }
}

async fn newer<T: Kept>(artifacts: &Artifacts, held: Option<&T>) -> Result<Option<Arc<T>>, Error> {
    let Some(current) = artifacts.current().await? else { return Ok(None) };
    if held.is_some_and(|held| held.version() == current.version) {
        return Ok(None);
    }
    read(artifacts, &current).await.map(|artifact| Some(Arc::new(artifact)))
}

async fn read<T: Kept>(artifacts: &Artifacts, current: &Current) -> Result<T, Error> {
    let file = artifacts.load(current).await?;
    let read = tokio::task::spawn_blocking(move || T::read(file)).await.map_err(|_| Error::Stopped)?;
    read.map_err(Error::Unusable)
}
