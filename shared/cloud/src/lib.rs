//! Embedded stand-ins for the AWS services that the product uses, for the local server and for tests.
//!
//! In this process, on loopback, it starts DynamoDB (the crate `dynoxide-rs`) and, behind one listener, KMS,
//! Secrets Manager, S3 and SES (the crates `winterbaume-*`) and the firewall's sets of addresses. Whoever has an AWS SDK client and an
//! [`Endpoints`] can use them, from this process or another, by the same calls as in AWS.
//!
//! It knows the names of the product's keys and buckets, and nothing else of the product: no tables, no
//! domain types, no handlers. It must never be a dependency of a Lambda binary.
//!
//! What is acknowledged survives the end of the process, however it comes. In a data directory lie:
//!
//! | file | content |
//! |---|---|
//! | `tables.sqlite` | DynamoDB, as the product wrote it |
//! | `objects.sqlite` | S3, objects and descriptions sealed; names of buckets and objects in clear |
//! | `keys.sealed` | KMS |
//! | `secrets.sealed` | Secrets Manager |
//! | `root.key` | what the sealed files are sealed with, and what the credentials are derived from |
//! | `lock`, `owner.json` | which process holds the directory |
//!
//! Mail and the firewall's sets are kept in memory only. There is no IAM: whoever holds the credentials may do everything.

mod blobs;
mod changes;
mod chunked;
mod directory;
mod error;
mod files;
mod front;
mod kept;
mod objects;
mod seal;
mod services;
mod sigv4;
mod tables;
mod texts;
mod walls;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub use changes::Changes;
pub use error::Error;

use crate::files::Lock;
use crate::services::Shared;

/// The one region there is.
const REGION: &str = "us-east-1";

/// The account that owns everything.
const ACCOUNT: &str = winterbaume_core::DEFAULT_ACCOUNT_ID;

/// Threads that serve. One is enough unless a large object is being stored.
const THREADS: usize = 2;

/// How long the threads may take to end once nothing is being served.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far the product's time may be from the system's for an expiry to mean the same to both.
const AGREEING: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where the stand-ins keep their state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is gone with the [`Cloud`].
    Memory,
    /// In this folder, which is created if it is missing.
    Dir(PathBuf),
}

/// What may be chosen at the start.
#[derive(Clone, Default)]
pub struct Options {
    /// Port of DynamoDB on 127.0.0.1. By default any port of a loopback address that cannot be guessed:
    /// DynamoDB's stand-in checks no signatures and answers to every web page that finds it.
    pub dynamodb_port: Option<u16>,
    /// Port of the other services on 127.0.0.1; by default any.
    pub services_port: Option<u16>,
    /// The time that signatures are checked against; by default the system's.
    pub clock: Option<Arc<dyn Fn() -> Timestamp + Send + Sync>>,
    /// The time that the product goes by; by default the system's. The emulator knows the system's alone: expired items
    /// are removed only while the two agree.
    pub product_clock: Option<Arc<dyn Fn() -> Timestamp + Send + Sync>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("dynamodb_port", &self.dynamodb_port)
            .field("services_port", &self.services_port)
            .finish_non_exhaustive()
    }
}

/// What a client needs to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Base URL of DynamoDB and DynamoDB Streams.
    pub dynamodb: String,
    /// Base URL of KMS, Secrets Manager, S3 (by path), SES and SNS.
    pub services: String,
    /// The region to sign for: `us-east-1`.
    pub region: &'static str,
    /// Access key id: the same at every start of a directory, different from every other directory's.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoints")
            .field("dynamodb", &self.dynamodb)
            .field("services", &self.services)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A mail that was handed to SES, or a text that was handed to SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Addresses of `To`; of a text, the number.
    pub to: Vec<String>,
    /// Subject; empty for a raw or templated mail. Of a text: `Text message`.
    pub subject: String,
    /// Text part; empty if there was none.
    pub text: String,
    /// When it was taken.
    pub sent_at: Timestamp,
}

/// The running stand-ins. Dropped, they stop at once; [`Self::shutdown`] lets them finish.
pub struct Cloud {
    endpoints: Endpoints,
    services: Shared,
    database: dynoxide::Database,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    lock: Option<Arc<Lock>>,
    threads: Threads,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cloud").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl Cloud {
    /// Starts everything, on free ports, and creates the keys and buckets that are missing.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] if another process holds the directory, [`Error::Missing`] and [`Error::Damaged`] if
    /// state is lost or unreadable (nothing is changed then), and others if the system refuses.
    pub async fn start(place: Place) -> Result<Self, Error> {
        Self::start_with(place, Options::default()).await
    }

    /// Starts everything as [`Self::start`] does, with choices.
    ///
    /// # Errors
    ///
    /// As [`Self::start`], and [`Error::Listen`] if a chosen port is taken.
    pub async fn start_with(place: Place, options: Options) -> Result<Self, Error> {
        // The emulators block while they work, and must not hold up whoever tests or serves with them.
        let threads = Threads::start()?;
        let started = threads.spawn(launch(place, options)).await?;
        let Launched { endpoints, services, database, stop, tasks, lock } = started?;
        Ok(Self { endpoints, services, database, stop, tasks, lock, threads })
    }

    /// Where the services are, and the credentials they answer to.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Tells whoever finds the directory in use which address is served ([`Error::InUse`]).
    ///
    /// # Errors
    ///
    /// [`Error::Files`] if it cannot be written down.
    pub fn announce(&self, url: &str) -> Result<(), Error> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.announce(Some(url)))
    }

    /// The value of a secret, which is created with the given value if it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the name is not allowed, or the secret is no text or scheduled for deletion;
    /// [`Error::Files`] if it cannot be kept.
    pub async fn secret_or_create(
        &self,
        name: &str,
        value: impl FnOnce() -> String,
    ) -> Result<String, Error> {
        let (services, wanted) = (self.services.clone(), name.to_owned());
        let there = self.threads.spawn(async move { services.secret(&wanted).await }).await??;
        if let Some(there) = there {
            return Ok(there);
        }
        let (services, wanted, value) = (self.services.clone(), name.to_owned(), value());
        self.threads.spawn(async move { services.create_secret(&wanted, value).await }).await?
    }

    /// The ARNs of the firewall's sets of addresses: IPv4, IPv6.
    pub fn address_sets(&self) -> [String; 2] {
        walls::Walls::arns()
    }

    /// What the firewall's sets hold: IPv4, IPv6.
    pub fn walled_off(&self) -> [Vec<String>; 2] {
        self.services.walls.held()
    }

    /// Makes the next `times` updates of the firewall's sets meet a change of somebody else's.
    pub fn meddle_with_walls(&self, times: u32) {
        self.services.walls.meddle(times);
    }

    /// The changes of a table that has a stream, from their beginning.
    pub fn changes(&self, table: &str) -> Changes {
        Changes::new(self.database.clone(), table)
    }

    /// The mail, for who outlives this value's borrow.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.services.clone())
    }

    /// The newest 500 mails and the newest 500 texts, newest first.
    pub async fn mails(&self) -> Vec<Mail> {
        self.services.mails().await
    }

    /// Finishes the requests under way, puts everything in its place on disk and lets go of the directory.
    ///
    /// # Errors
    ///
    /// [`Error::Objects`] if the last tidying failed; what was acknowledged is safe even so.
    pub async fn shutdown(mut self) -> Result<(), Error> {
        // Nobody listens any more if all tasks have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            // A request that never ends must not hold up the end.
            let _ = tokio::time::timeout(PATIENCE, task).await;
        }
        let services = self.services.clone();
        let flushed = self.threads.spawn(async move { services.objects.flush().await }).await;
        let Self { services, database, lock, threads, .. } = self;
        threads.end().await;
        drop(database);
        drop(services);
        drop(lock);
        flushed?
    }
}

/// The mail that was handed to SES.
#[derive(Clone)]
pub struct Mailbox(Shared);

impl fmt::Debug for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mailbox(..)")
    }
}

impl Mailbox {
    /// The newest 500 mails, newest first.
    pub async fn mails(&self) -> Vec<Mail> {
        self.0.mails().await
    }
}

struct Launched {
    endpoints: Endpoints,
    services: Shared,
    database: dynoxide::Database,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    lock: Option<Arc<Lock>>,
}

async fn launch(place: Place, options: Options) -> Result<Launched, Error> {
    let clock = options.clock.unwrap_or_else(system_clock);
    let agrees = options.product_clock.map(|product| {
        let system = system_clock();
        move || system().duration_since(product()).abs() < AGREEING
    });
    let directory::Opened { services, database, lock } = match &place {
        Place::Memory => directory::nowhere(clock).await?,
        Place::Dir(folder) => directory::open(Path::new(folder), clock).await?,
    };
    let tables = tables::listen(options.dynamodb_port).await?;
    let front = tables::bind(options.services_port).await?;
    let url = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map(|address| format!("http://{address}")).map_err(Error::Threads)
    };
    let credentials = services.credentials().clone();
    let endpoints = Endpoints {
        dynamodb: url(&tables)?,
        services: url(&front)?,
        region: REGION,
        access_key: credentials.access_key,
        secret_key: credentials.secret_key,
    };
    let (stop, stopped) = watch::channel(false);
    // Every task that can write holds the lock, so that it is not let go of before the last one has ended.
    let held = |task: JoinHandle<()>, lock: Option<Arc<Lock>>| {
        tokio::spawn(async move {
            let _lock = lock;
            if let Err(error) = task.await {
                tracing::error!(%error, "a stand-in ended before its time");
            }
        })
    };
    let tasks = vec![
        held(tokio::spawn(front::serve(front, services.clone(), stopped.clone())), lock.clone()),
        held(tokio::spawn(tables::serve(tables, database.clone(), stopped.clone())), lock.clone()),
        held(tokio::spawn(tables::sweep(database.clone(), agrees, stopped)), lock.clone()),
    ];
    Ok(Launched { endpoints, services, database, stop, tasks, lock })
}

fn system_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the clock of the services, not of the product")]
    Arc::new(Timestamp::now)
}

/// Threads of its own, ended without blocking whoever drops them.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self, Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let builder = builder.worker_threads(THREADS).thread_name("cloud").enable_all();
        builder.build().map(|runtime| Self(Some(runtime))).map_err(Error::Threads)
    }

    async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let runtime = self.0.as_ref().ok_or(Error::Stopped)?;
        runtime.spawn(work).await.map_err(|error| {
            tracing::error!(%error, "a stand-in panicked");
            Error::Stopped
        })
    }

    /// Ends the threads and waits until everything that they held is let go of.
    async fn end(mut self) {
        let Some(runtime) = self.0.take() else { return };
        let (done, ended) = oneshot::channel();
        std::thread::spawn(move || {
            runtime.shutdown_timeout(PATIENCE);
            // Nobody waits if the shutdown itself was given up.
            let _ = done.send(());
        });
        // An error means that the thread is gone, and the runtime with it.
        let _ = ended.await;
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
