//! The stand-in for S3, with every changing request one transaction on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::RwLock;
use winterbaume_core::{MockRequest, MockResponse, MockService, VfsError};
use winterbaume_s3::S3Service;

use crate::Error;
use crate::blobs::Blobs;

/// S3 over [`Blobs`].
pub(crate) struct Objects {
    service: S3Service,
    blobs: Arc<Blobs>,
    /// Held alone by a request that changes something. The emulator checks a condition (`If-Match`,
    /// `If-None-Match`) and writes in separate steps; alone, the two are one.
    gate: RwLock<()>,
    /// What the emulator has in memory may differ from the disk: a change failed half way.
    stale: AtomicBool,
}

impl Objects {
    /// Recovers everything that `blobs` holds. `file` names it in errors.
    pub(crate) async fn open(blobs: Blobs, file: &std::path::Path) -> Result<Self, Error> {
        let blobs = Arc::new(blobs);
        let damaged = |cause: String| Error::Damaged { file: file.into(), cause };
        let service = S3Service::recover_with_vfs(blobs.clone()).await;
        let service = service.map_err(|error| damaged(error.to_string()))?;
        // Recovery skips what it cannot read; skipping is losing.
        if blobs.take_failure() {
            return Err(damaged("some of the objects in it cannot be read".to_owned()));
        }
        Ok(Self { service, blobs, gate: RwLock::new(()), stale: AtomicBool::new(false) })
    }

    /// Answers a request. The answer to a change is given once the change is on disk.
    pub(crate) async fn handle(&self, request: MockRequest) -> Result<MockResponse, Error> {
        if matches!(request.method.as_str(), "GET" | "HEAD") && !self.stale.load(Ordering::Acquire) {
            let _shared = self.gate.read().await;
            return Ok(self.service.handle(request).await);
        }
        let _alone = self.gate.write().await;
        if self.stale.load(Ordering::Acquire) {
            self.service.recover().await.map_err(unreadable)?;
            self.stale.store(false, Ordering::Release);
        }
        self.blobs.take_failure();
        self.blobs.begin()?;
        // Rolls back if the emulator panics or the caller gives up.
        let undo = Undo(self);
        let response = self.service.handle(request).await;
        if self.blobs.take_failure() {
            return Err(unreadable(VfsError::Io(std::io::Error::other("the disk refused a change"))));
        }
        if (200..300).contains(&response.status) {
            self.blobs.commit()?;
        } else {
            // A refused request can have written an object before it was refused.
            self.blobs.roll_back();
        }
        undo.defuse();
        Ok(response)
    }

    /// Moves everything into the one file.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let _alone = self.gate.write().await;
        Ok(self.blobs.flush()?)
    }
}

fn unreadable(error: VfsError) -> Error {
    Error::Files {
        action: "use",
        path: "objects.sqlite".into(),
        source: std::io::Error::other(error.to_string()),
    }
}

struct Undo<'a>(&'a Objects);

impl Undo<'_> {
    fn defuse(self) {
        std::mem::forget(self);
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.0.blobs.roll_back();
        self.0.stale.store(true, Ordering::Release);
    }
}
