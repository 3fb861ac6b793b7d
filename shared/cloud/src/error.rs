//! What can go wrong while the stand-ins start or run.

use std::path::PathBuf;

/// Why the stand-ins could not start, or could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the data directory.
    #[error("the data directory is in use{}{}", owner_pid(*pid), owner_url(url.as_deref()))]
    InUse {
        /// The process that holds it, unless it has not said so yet.
        pid: Option<u32>,
        /// The base URL of the local server in that process, once announced.
        url: Option<String>,
    },
    /// A file of the data directory is gone while others, that depend on it, are there.
    #[error(
        "{} is missing, but other data that needs it is there; \
         put the file back from a backup of the same directory, or delete the whole directory to start empty",
        file.display()
    )]
    Missing {
        /// The file that should be there.
        file: PathBuf,
    },
    /// A file of the data directory is not what was written.
    #[error(
        "{} cannot be read ({cause}); it is left untouched, because replacing it would lose what it protects: \
         restore the directory from a backup, or delete the whole directory to start empty",
        file.display()
    )]
    Damaged {
        /// The damaged file.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Files {
        /// What was tried, as a verb: `open`, `write`, `lock`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The object store's database refused.
    #[error("the object store failed")]
    Objects(#[source] rusqlite::Error),
    /// The emulated DynamoDB refused to open or to change its settings.
    #[error("the table store failed: {0}")]
    Tables(String),
    /// A port on loopback could not be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Address and port; port 0 stands for any.
        address: std::net::SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The threads that serve could not be started.
    #[error("cannot start the threads that serve")]
    Threads(#[source] std::io::Error),
    /// One of the emulated services refused a call that this crate makes itself.
    #[error("{call} was refused with status {status}: {answer}")]
    Refused {
        /// The call, as `Service.Action`.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// The service's own words.
        answer: String,
    },
    /// The system has no randomness to give.
    #[error("the system's random number generator failed")]
    Randomness,
    /// The stand-ins have been shut down, or a task of theirs panicked.
    #[error("the stand-ins have stopped")]
    Stopped,
}

fn owner_pid(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}

fn owner_url(url: Option<&str>) -> String {
    url.map(|url| format!(", which serves {url}")).unwrap_or_default()
}
