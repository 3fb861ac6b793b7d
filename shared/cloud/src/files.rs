//! Files that are either wholly there or not at all, and the lock on a data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Holds a data directory for this process until dropped.
pub(crate) struct Lock {
    // The system's lock goes with this handle, however the process ends.
    _file: File,
    owner: PathBuf,
}

/// What the holder of a directory says about itself.
#[derive(Serialize, Deserialize)]
struct Owner {
    pid: u32,
    url: Option<String>,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("lock");
        let owner = folder.join("owner.json");
        let file = private().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| Error::Files { action: "open", path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {
                let lock = Self { _file: file, owner };
                lock.announce(None)?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(in_use(&owner)),
            Err(TryLockError::Error(source)) => Err(Error::Files { action: "lock", path, source }),
        }
    }

    /// Says which process holds the directory, and which address it serves.
    pub(crate) fn announce(&self, url: Option<&str>) -> Result<(), Error> {
        let owner = Owner { pid: std::process::id(), url: url.map(str::to_owned) };
        let text = serde_json::to_vec(&owner).expect("a number and a string are valid JSON");
        replace(&self.owner, &text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only a hint for others: it is overwritten by the next holder if this fails.
        let _ = std::fs::remove_file(&self.owner);
    }
}

fn in_use(owner: &Path) -> Error {
    // The holder may be between taking the lock and saying who it is.
    let owner: Option<Owner> = std::fs::read(owner).ok().and_then(|text| serde_json::from_slice(&text).ok());
    match owner {
        Some(owner) => Error::InUse { pid: Some(owner.pid), url: owner.url },
        None => Error::InUse { pid: None, url: None },
    }
}

/// Makes the folder, for this user only, unless it is there.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::Files { action: "create", path: folder.into(), source })
}

/// Makes an empty file, for this user only, unless it is there. SQLite gives its side files the same mode.
pub(crate) fn make_file(path: &Path) -> Result<(), Error> {
    let made = private().create(true).truncate(false).write(true).open(path);
    made.map(drop).map_err(|source| Error::Files { action: "create", path: path.into(), source })
}

/// Replaces the file's content so that, whenever the power fails, the old or the new content is there whole.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Files { action: "write", path: path.into(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = path.with_extension("draft");
    let mut file = private().create(true).truncate(true).write(true).open(&draft).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    std::fs::rename(&draft, path).map_err(failed)?;
    // The new name is only durable once its folder is. Elsewhere folders cannot be opened as files.
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(())
}

/// Reads a file whole; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Files { action: "read", path: path.into(), source }),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
