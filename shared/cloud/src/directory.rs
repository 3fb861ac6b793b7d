//! Opening a data directory: what must be there, what may be missing, and in which order it is made.

use std::path::Path;
use std::sync::Arc;

use dynoxide::Database;
use tokio::task::{block_in_place, spawn_blocking};
use winterbaume_kms::KmsService;
use winterbaume_secretsmanager::SecretsManagerService;

use crate::blobs::Blobs;
use crate::files::Lock;
use crate::kept::Kept;
use crate::objects::Objects;
use crate::seal::RootKey;
use crate::services::{Services, Shared};
use crate::{Clock, Error, files, tables};

const ROOT_KEY: &str = "root.key";
const KEYS: &str = "keys.sealed";
const SECRETS: &str = "secrets.sealed";
const OBJECTS: &str = "objects.sqlite";
const TABLES: &str = "tables.sqlite";

/// Everything open, and nothing served yet.
pub(crate) struct Opened {
    pub(crate) services: Shared,
    pub(crate) database: Database,
    pub(crate) lock: Option<Arc<Lock>>,
}

/// Opens everything in memory.
pub(crate) async fn nowhere(clock: Clock) -> Result<Opened, Error> {
    let root = RootKey::generate()?;
    let blobs = block_in_place(|| Blobs::open(None, Arc::new(root.sealer())))?;
    let services = Services::in_memory(blobs, root.credentials(), clock).await?;
    services.furnish(true).await?;
    Ok(Opened { services: Arc::new(services), database: block_in_place(|| tables::open(None))?, lock: None })
}

/// Opens a directory, or furnishes a new one.
///
/// A new one gets its root key last but for the tables, so the key says that the rest is complete: a first
/// start that was killed is simply begun again, and afterwards anything missing is a loss, which is an error.
pub(crate) async fn open(folder: &Path, clock: Clock) -> Result<Opened, Error> {
    files::make_folder(folder)?;
    let lock = Arc::new(Lock::take(folder)?);
    let (key_file, table_file) = (folder.join(ROOT_KEY), folder.join(TABLES));
    let (services, database) = match block_in_place(|| files::read(&key_file))? {
        Some(text) => {
            let root = String::from_utf8(text).ok().and_then(|text| RootKey::from_text(&text));
            let cause = "its checksum does not fit".to_owned();
            let root = root.ok_or(Error::Damaged { file: key_file, cause })?;
            // The slowest part goes beside the others.
            let database = spawn_blocking(move || tables::open(Some(&table_file)));
            let services = furnish(folder, &root, clock, false).await;
            (services?, database.await.map_err(|_| Error::Stopped)??)
        }
        None if table_file.exists() => return Err(Error::Missing { file: key_file }),
        None => {
            let root = RootKey::generate()?;
            block_in_place(|| clear(folder))?;
            let services = furnish(folder, &root, clock, true).await?;
            block_in_place(|| files::replace(&key_file, root.to_text().as_bytes()))?;
            (services, block_in_place(|| tables::open(Some(&table_file)))?)
        }
    };
    Ok(Opened { services, database, lock: Some(lock) })
}

async fn furnish(folder: &Path, root: &RootKey, clock: Clock, fresh: bool) -> Result<Shared, Error> {
    let sealer = Arc::new(root.sealer());
    let object_file = folder.join(OBJECTS);
    if !fresh && !object_file.exists() {
        return Err(Error::Missing { file: object_file });
    }
    let kms = Kept::open(KmsService::new(), folder.join(KEYS), KEYS, sealer.clone(), fresh).await?;
    let secrets =
        Kept::open(SecretsManagerService::new(), folder.join(SECRETS), SECRETS, sealer.clone(), fresh)
            .await?;
    files::make_file(&object_file)?;
    let blobs = block_in_place(|| Blobs::open(Some(&object_file), sealer))
        .map_err(|error| Error::Damaged { file: object_file.clone(), cause: error.to_string() })?;
    let objects = Objects::open(blobs, &object_file).await?;
    let services = Services::keeping(kms, secrets, objects, root.credentials(), clock);
    services.furnish(fresh).await?;
    Ok(Arc::new(services))
}

/// Removes what a first start left that did not get as far as writing its root key.
fn clear(folder: &Path) -> Result<(), Error> {
    for name in [KEYS, SECRETS, OBJECTS, "objects.sqlite-wal", "objects.sqlite-shm"] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Files { action: "remove", path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
