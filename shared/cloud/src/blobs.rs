//! The disk under the stand-in for S3: one SQLite file of sealed values.
//!
//! The emulator's own folder-of-files store writes an object, its description and the removal of the old
//! version as separate, unsynced files, names files after object keys, and drops what it cannot read without
//! a word. Here all of a request's writes are one transaction, and a value that cannot be read is counted.

use std::future::Future;
use std::io::Cursor;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::block_in_place;
use winterbaume_core::{Vfs, VfsEntry, VfsError, VfsStat};

use crate::Error;
use crate::seal::Sealer;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, VfsError>> + Send + 'a>>;

/// Sealed values by path.
///
/// Its methods block for as long as SQLite does, so they must run on a thread of a multi-threaded runtime.
pub(crate) struct Blobs {
    database: Mutex<Connection>,
    sealer: Arc<Sealer>,
    failed: AtomicBool,
}

impl Blobs {
    /// Opens or creates the file; `None` keeps everything in memory.
    pub(crate) fn open(file: Option<&Path>, sealer: Arc<Sealer>) -> Result<Self, rusqlite::Error> {
        let database = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        // In WAL mode a commit has been handed to the system before it returns, which outlives the process;
        // NORMAL leaves only a power cut able to take the newest commits, and never the file's consistency.
        database.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA journal_size_limit = 4194304;
             CREATE TABLE IF NOT EXISTS blob (
                 path TEXT NOT NULL UNIQUE,
                 size INTEGER NOT NULL,
                 sealed BLOB NOT NULL
             );",
        )?;
        Ok(Self { database: Mutex::new(database), sealer, failed: AtomicBool::new(false) })
    }

    /// Starts to gather writes, which become visible to a later start all together or not at all.
    pub(crate) fn begin(&self) -> Result<(), rusqlite::Error> {
        block_in_place(|| self.database().execute_batch("BEGIN IMMEDIATE"))
    }

    /// Keeps the gathered writes. Once this returns, they outlive the process.
    pub(crate) fn commit(&self) -> Result<(), rusqlite::Error> {
        block_in_place(|| self.database().execute_batch("COMMIT"))
    }

    /// Forgets the gathered writes.
    pub(crate) fn roll_back(&self) {
        let database = self.database();
        // SQLite has already rolled back by itself after some errors.
        if !database.is_autocommit()
            && let Err(error) = database.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "object store cannot roll back");
        }
    }

    /// Whether an operation has failed since this was last asked. The emulator ignores most of these errors.
    pub(crate) fn take_failure(&self) -> bool {
        self.failed.swap(false, Ordering::AcqRel)
    }

    /// Moves the write-ahead log into the file, so that a copy of the file alone is complete.
    pub(crate) fn flush(&self) -> Result<(), rusqlite::Error> {
        block_in_place(|| self.database().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere cannot leave the connection half changed: a transaction is rolled back.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, path: &str, value: &[u8]) -> Result<(), VfsError> {
        let size = i64::try_from(value.len()).map_err(|_| self.fail("object too large"))?;
        let sealed = self.sealer.seal(path, value).map_err(|error| self.fail(error))?;
        self.database()
            .prepare_cached(
                "INSERT INTO blob (path, size, sealed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (path) DO UPDATE SET size = excluded.size, sealed = excluded.sealed",
            )
            .and_then(|mut insert| insert.execute(params![path, size, sealed]))
            .map(drop)
            .map_err(|error| self.fail(error))
    }

    fn load(&self, path: &str) -> Result<Vec<u8>, VfsError> {
        let sealed: Option<Vec<u8>> = self
            .database()
            .prepare_cached("SELECT sealed FROM blob WHERE path = ?1")
            .and_then(|mut select| select.query_row([path], |row| row.get(0)).optional())
            .map_err(|error| self.fail(error))?;
        let sealed = sealed.ok_or_else(|| VfsError::NotFound(path.to_owned()))?;
        self.sealer.open(path, sealed).map_err(|error| self.fail(error.reason()))
    }

    fn remove(&self, path: &str) -> Result<(), VfsError> {
        let removed = self
            .database()
            .prepare_cached("DELETE FROM blob WHERE path = ?1")
            .and_then(|mut delete| delete.execute([path]))
            .map_err(|error| self.fail(error))?;
        if removed == 0 { Err(VfsError::NotFound(path.to_owned())) } else { Ok(()) }
    }

    fn under(&self, prefix: &str) -> Result<Vec<VfsEntry>, VfsError> {
        let database = self.database();
        let entry = |row: &rusqlite::Row<'_>| {
            Ok(VfsEntry { key: row.get(0)?, size: row.get::<_, i64>(1)?.unsigned_abs() })
        };
        // Paths compare by their bytes, and no path has a character above the last one of Unicode.
        database
            .prepare_cached("SELECT path, size FROM blob WHERE path >= ?1 AND path < ?2 ORDER BY path")
            .and_then(|mut select| {
                select.query_map([prefix, &format!("{prefix}\u{10ffff}")], entry)?.collect()
            })
            .map_err(|error| self.fail(error))
    }

    fn size(&self, path: &str) -> Result<Option<VfsStat>, VfsError> {
        self.database()
            .prepare_cached("SELECT size FROM blob WHERE path = ?1")
            .and_then(|mut select| select.query_row([path], |row| row.get::<_, i64>(0)).optional())
            .map(|size| size.map(|size| VfsStat { size: size.unsigned_abs() }))
            .map_err(|error| self.fail(error))
    }

    fn fail(&self, error: impl std::fmt::Display) -> VfsError {
        self.failed.store(true, Ordering::Release);
        tracing::error!(%error, "object store operation failed");
        VfsError::Io(std::io::Error::other(error.to_string()))
    }
}

impl Vfs for Blobs {
    fn put<'a>(&'a self, path: &'a str, data: &'a mut (dyn AsyncRead + Unpin + Send)) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut value = Vec::new();
            data.read_to_end(&mut value).await.map_err(|error| self.fail(error))?;
            block_in_place(|| self.store(path, &value))?;
            Ok(value.len() as u64)
        })
    }

    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Box<dyn AsyncRead + Send + Unpin>> {
        Box::pin(async move {
            let value = block_in_place(|| self.load(path))?;
            Ok(Box::new(Cursor::new(value)) as Box<dyn AsyncRead + Send + Unpin>)
        })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { block_in_place(|| self.remove(path)) })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<VfsEntry>> {
        Box::pin(async move { block_in_place(|| self.under(prefix)) })
    }

    fn stat<'a>(&'a self, path: &'a str) -> Answer<'a, Option<VfsStat>> {
        Box::pin(async move { block_in_place(|| self.size(path)) })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Objects(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::RootKey;

    fn blobs() -> Blobs {
        Blobs::open(None, Arc::new(RootKey::generate().unwrap().sealer())).unwrap()
    }

    fn keys(blobs: &Blobs, prefix: &str) -> Vec<String> {
        blobs.under(prefix).unwrap().into_iter().map(|entry| entry.key).collect()
    }

    #[test]
    fn a_value_is_stored_replaced_and_removed() {
        let blobs = blobs();
        blobs.store("a/1", b"one").unwrap();
        blobs.store("a/1", b"other").unwrap();
        assert_eq!(blobs.load("a/1").unwrap(), b"other");
        assert_eq!(blobs.size("a/1").unwrap().unwrap().size, 5);
        blobs.remove("a/1").unwrap();
        assert!(matches!(blobs.load("a/1"), Err(VfsError::NotFound(_))));
        assert!(matches!(blobs.remove("a/1"), Err(VfsError::NotFound(_))));
        assert!(!blobs.take_failure(), "an absent value is no failure");
    }

    #[test]
    fn a_list_holds_every_path_with_the_prefix_and_no_other() {
        let blobs = blobs();
        for path in ["a/", "a/b", "a/é", "a/\u{10fffd}", "a", "b/a", "A/b", "a0"] {
            blobs.store(path, b"").unwrap();
        }
        assert_eq!(keys(&blobs, "a/"), ["a/", "a/b", "a/é", "a/\u{10fffd}"]);
        assert_eq!(keys(&blobs, "").len(), 8);
    }

    #[test]
    fn a_value_moved_to_another_path_is_a_failure() {
        let blobs = blobs();
        blobs.store("mine", b"secret").unwrap();
        blobs.database().execute("UPDATE blob SET path = 'yours'", []).unwrap();
        assert!(blobs.load("yours").is_err());
        assert!(blobs.take_failure());
        assert!(!blobs.take_failure());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn writes_that_are_rolled_back_are_gone() {
        let blobs = blobs();
        blobs.begin().unwrap();
        blobs.store("a", b"kept").unwrap();
        blobs.commit().unwrap();
        blobs.begin().unwrap();
        blobs.store("a", b"lost").unwrap();
        blobs.store("b", b"lost").unwrap();
        blobs.roll_back();
        blobs.roll_back();
        assert_eq!(blobs.load("a").unwrap(), b"kept");
        assert_eq!(keys(&blobs, ""), ["a"]);
    }
}
