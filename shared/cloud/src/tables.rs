//! The emulated DynamoDB: opening it, serving it, and removing what has expired.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{Error, files};

/// How often expired items are removed. AWS promises "within a few days".
const SWEEP: Duration = Duration::from_secs(60);

/// Opens or creates the file; `None` keeps everything in memory.
pub(crate) fn open(file: Option<&Path>) -> Result<Database, Error> {
    let failed = |error: dynoxide::DynoxideError| Error::Tables(error.to_string());
    let Some(file) = file else { return Database::memory().map_err(failed) };
    files::make_file(file)?;
    let path = file
        .to_str()
        .ok_or_else(|| Error::Tables(format!("the path {} is not valid Unicode", file.display())))?;
    let database = Database::new(path)
        .map_err(|error| Error::Damaged { file: file.into(), cause: error.to_string() })?;
    // The only public way to synchronous=NORMAL in WAL mode: the second call does not restore what the first
    // found, but sets that. A commit is then handed to the system, without waiting for the disk, before it is
    // acknowledged: it outlives this process, and only a power cut can take the newest ones.
    database.enable_bulk_loading().and_then(|()| database.disable_bulk_loading()).map_err(failed)?;
    Ok(database)
}

/// Serves until told to stop.
pub(crate) async fn serve(listener: TcpListener, database: Database, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        // An error means that whoever could say so is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stopped).await {
        tracing::error!(error, "table server failed");
    }
}

/// Removes expired items, once a minute while `agrees` says that the product's time is the system's, until told to stop.
pub(crate) async fn sweep(
    database: Database,
    agrees: Option<impl Fn() -> bool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is immediate, and the start is not the time to scan every table.
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        if agrees.as_ref().is_some_and(|agrees| !agrees()) {
            continue;
        }
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::debug!(removed, "expired items removed"),
            Ok(Err(error)) => tracing::error!(%error, "expired items not removed"),
            Err(error) => tracing::error!(%error, "removing expired items panicked"),
        }
    }
}

/// Listens for DynamoDB: on the given port of 127.0.0.1, else on any port of a loopback address that nobody
/// can guess.
///
/// The emulator checks no signature and allows every origin, so any page open in a browser could read and
/// write the tables if it found the address. One of 127.0.0.1's ports is found in seconds; one of 2^24
/// addresses times 28,000 ports is not. Systems that have no loopback address but 127.0.0.1 (macOS) get that.
pub(crate) async fn listen(port: Option<u16>) -> Result<TcpListener, Error> {
    if port.is_none() {
        let mut random = [0; 3];
        SystemRandom::new().fill(&mut random).map_err(|_| Error::Randomness)?;
        let [b, c, d] = random;
        // 127.x.y.0 and 127.x.y.255 are the network's and everybody's address in some eyes.
        let hidden = Ipv4Addr::new(127, b, c, d.clamp(1, 254));
        if let Ok(listener) = TcpListener::bind((hidden, 0)).await {
            return Ok(listener);
        }
    }
    bind(port).await
}

/// Listens on the given port of 127.0.0.1, or on any.
pub(crate) async fn bind(port: Option<u16>) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}
