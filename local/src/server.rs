//! Listening: HTTP, or HTTPS with a plain companion that sends people on and programs away.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use screensort_http::{Code, Problem};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::gateway::{Gateway, complete};
use crate::tls;

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken or forbidden.
    #[error("port {0} cannot be listened on; --port chooses another one")]
    Port(u16, #[source] std::io::Error),
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] tls::Error),
}

/// A server that listens.
pub struct Server {
    /// Its address, such as `http://127.0.0.1:3000/v1`.
    pub url: String,
    /// The plain companion's address while TLS is on.
    pub plain_url: Option<String>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// Listens on loopback. With TLS, `port` speaks HTTPS and the port above it plain HTTP.
    ///
    /// # Errors
    /// If a port is taken or no certificate can be made.
    pub async fn start(gateway: Arc<Gateway>, port: u16, data: Option<PathBuf>) -> Result<Self, Error> {
        let (listener, at) = listen(port).await?;
        let (stop, stopped) = watch::channel(false);
        if !gateway.is_secure() {
            let tasks = vec![tokio::spawn(accept(listener, None, stopped, move |request, peer| {
                Arc::clone(&gateway).answer(request, peer)
            }))];
            return Ok(Self { url: format!("http://{at}/v1"), plain_url: None, stop, tasks });
        }
        let acceptor = tls::acceptor(data.as_deref())?;
        let companion = if port == 0 { 0 } else { port.checked_add(1).unwrap_or(0) };
        let (plain, plain_at) = listen(companion).await?;
        let tasks = vec![
            tokio::spawn(accept(listener, Some(acceptor), stopped.clone(), move |request, peer| {
                Arc::clone(&gateway).answer(request, peer)
            })),
            tokio::spawn(accept(plain, None, stopped, move |request, _| turned_away(request, at))),
        ];
        let plain_url = Some(format!("http://{plain_at}/v1"));
        Ok(Self { url: format!("https://localhost:{}/v1", at.port()), plain_url, stop, tasks })
    }

    /// Stops listening and lets what is being answered finish.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), Error> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let listener = TcpListener::bind(address).await.map_err(|e| Error::Port(port, e))?;
    let at = listener.local_addr().map_err(|e| Error::Port(port, e))?;
    Ok((listener, at))
}

async fn accept<F, A>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut stopped: watch::Receiver<bool>,
    answer: F,
) where
    F: Fn(Request<Incoming>, SocketAddr) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let open = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, most likely: those in use will come back.
                Err(error) => {
                    tracing::warn!(name: "server.refused", %error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stopped.changed() => break,
        };
        let _ = stream.set_nodelay(true);
        let (answer, watcher) = (answer.clone(), open.watcher());
        match tls.clone() {
            None => drop(tokio::spawn(serve(stream, peer, answer, watcher))),
            Some(acceptor) => drop(tokio::spawn(async move {
                // Who does not finish a handshake is not told why: that is TLS's business.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, peer, answer, watcher).await;
                }
            })),
        }
    }
    let patience = std::time::Duration::from_secs(5);
    let _ = tokio::time::timeout(patience, open.shutdown()).await;
}

async fn serve<S, F, A>(
    stream: S,
    peer: SocketAddr,
    answer: F,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>, SocketAddr) -> A + Send + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request, peer);
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(std::time::Duration::from_secs(10))
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks off is the caller's affair.
    let _ = watcher.watch(connection).await;
}

/// Plain HTTP while TLS is on: pages are sent on, calls are refused, so that no client gets used to sending
/// secrets in clear (ASVS 5.0, 4.1.2).
async fn turned_away(request: Request<Incoming>, secure: SocketAddr) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let request_id = ulid::Ulid::new().to_string();
    let is_page = request.method() == http::Method::GET && (path == "/v1/docs" || path == "/");
    if !is_page {
        return complete(Problem::new(Code::HttpsRequired).answer(path, &request_id));
    }
    let mut answer =
        Problem::new(Code::Moved).with_detail("This page is served over HTTPS.").answer(path, &request_id);
    answer.status = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::from_str(&format!("https://localhost:{}/v1/docs", secure.port())) {
        answer.headers.insert(LOCATION, location);
    }
    complete(answer)
}
