//! Services that forget everything at the end of the process, made to remember.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{RwLock, RwLockWriteGuard};
use tokio::task::block_in_place;
use winterbaume_core::{MockRequest, MockResponse, MockService, StatefulService};
use winterbaume_kms::{KmsService, KmsStateView};
use winterbaume_secretsmanager::{SecretsManagerService, SecretsmanagerStateView};

use crate::seal::Sealer;
use crate::{ACCOUNT, Error, REGION, files};

/// A service whose whole state can be taken and put back.
///
/// The emulator's own trait returns futures that generic code cannot send between threads.
pub(crate) trait Remembering: MockService {
    /// The whole state.
    type State: Serialize + DeserializeOwned + Send + Sync;

    /// Actions that leave the state as it is. Any other one is taken for a change.
    const READING: &'static [&'static str];

    /// Takes the state.
    fn state(&self) -> Pin<Box<dyn Future<Output = Self::State> + Send + '_>>;

    /// Puts the state back; the text says what is wrong with it.
    fn put_back(&self, state: Self::State) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

macro_rules! remembering {
    ($service:ty, $state:ty, $reading:expr) => {
        impl Remembering for $service {
            type State = $state;
            const READING: &'static [&'static str] = &$reading;

            fn state(&self) -> Pin<Box<dyn Future<Output = Self::State> + Send + '_>> {
                Box::pin(self.snapshot(ACCOUNT, REGION))
            }

            fn put_back(
                &self,
                state: Self::State,
            ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
                Box::pin(async move {
                    self.restore(ACCOUNT, REGION, state).await.map_err(|error| error.to_string())
                })
            }
        }
    };
}

remembering!(
    KmsService,
    KmsStateView,
    [
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    ]
);

remembering!(
    SecretsManagerService,
    SecretsmanagerStateView,
    [
        "BatchGetSecretValue",
        "DescribeSecret",
        "GetRandomPassword",
        "GetResourcePolicy",
        "GetSecretValue",
        "ListSecretVersionIds",
        "ListSecrets",
        "ValidateResourcePolicy",
    ]
);

/// A service and the file its state is in.
pub(crate) struct Kept<S> {
    service: S,
    /// `None` in memory.
    file: Option<File>,
    /// Held shared by requests that read and alone by one that changes, until the change is on disk: nobody
    /// sees a state that a crash could take back.
    gate: RwLock<()>,
}

struct File {
    path: PathBuf,
    /// What the content is bound to; the folder may move, so it is the name only.
    place: &'static str,
    sealer: Arc<Sealer>,
}

impl<S: Remembering> Kept<S> {
    /// A service without a file.
    pub(crate) fn in_memory(service: S) -> Self {
        Self { service, file: None, gate: RwLock::new(()) }
    }

    /// A service with the state in `path`, which must be there unless `fresh`.
    pub(crate) async fn open(
        service: S,
        path: PathBuf,
        place: &'static str,
        sealer: Arc<Sealer>,
        fresh: bool,
    ) -> Result<Self, Error> {
        if !fresh {
            let sealed = block_in_place(|| files::read(&path))?;
            let sealed = sealed.ok_or_else(|| Error::Missing { file: path.clone() })?;
            let damaged = |cause: String| Error::Damaged { file: path.clone(), cause };
            let text = sealer.open(place, sealed).map_err(|error| damaged(error.reason().to_owned()))?;
            let state = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
            service.put_back(state).await.map_err(damaged)?;
        }
        Ok(Self { service, file: Some(File { path, place, sealer }), gate: RwLock::new(()) })
    }

    /// Answers a request. The answer to a change is given once the change is on disk.
    pub(crate) async fn handle(&self, request: MockRequest) -> Result<MockResponse, Error> {
        if S::READING.contains(&action(&request)) {
            let _shared = self.gate.read().await;
            return Ok(self.service.handle(request).await);
        }
        let _alone = self.gate.write().await;
        let response = self.service.handle(request).await;
        // A refused request may have changed something before it was refused.
        self.save().await?;
        Ok(response)
    }

    /// Waits until nobody else uses the service, and keeps it so.
    pub(crate) async fn alone(&self) -> Alone<'_, S> {
        Alone { kept: self, _gate: self.gate.write().await }
    }

    async fn save(&self) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_vec(&self.service.state().await)
            .map_err(|error| Error::Damaged { file: file.path.clone(), cause: error.to_string() })?;
        block_in_place(|| files::replace(&file.path, &file.sealer.seal(file.place, &text)?))
    }
}

/// Several things done to a service as one change.
pub(crate) struct Alone<'a, S> {
    kept: &'a Kept<S>,
    _gate: RwLockWriteGuard<'a, ()>,
}

impl<S: Remembering> Alone<'_, S> {
    /// Answers a request; what it changes is not on disk before [`Self::save`].
    pub(crate) async fn call(&self, request: MockRequest) -> MockResponse {
        self.kept.service.handle(request).await
    }

    /// The whole state.
    pub(crate) async fn state(&self) -> S::State {
        self.kept.service.state().await
    }

    /// Puts everything on disk.
    pub(crate) async fn save(self) -> Result<(), Error> {
        self.kept.save().await
    }
}

/// The action a JSON request names, empty if none.
fn action(request: &MockRequest) -> &str {
    let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}
