//! HTTP: connections, and what a fault does to an answer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, response::Builder};
use hyper::{
    Request,
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use super::{
    Fault, Recorded,
    answer::{Answer, answer},
    world::{World, gzip},
};

/// Answers below this go out uncompressed, as TMDb's small ones do.
const SMALL: usize = 1024;
const BLANK: &[u8] = &[b' '; 16 << 10];

/// Serves connections until it is dropped, and with it all of them.
pub(super) async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let world = Arc::clone(&world);
        connections.spawn(async move {
            let service = service_fn(|request| respond(&world, request));
            // A client that hangs up, or a fault that does, is no matter.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn respond(world: &World, request: Request<Incoming>) -> io::Result<Response<Pieces>> {
    let request = recorded(&request);
    let fault = world.arrive(request.clone());
    if let Some(Fault::Slow(while_)) = fault {
        tokio::time::sleep(while_).await;
    }
    if request.method != "GET" {
        return Ok(plain(Answer::json(405, json!({"success": false, "status_code": 39}).to_string())));
    }
    let right = answer(world, &request);
    let compress = request.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
    match fault {
        None | Some(Fault::Slow(_)) => Ok(encoded(right, compress)),
        Some(fault) => wrong(fault, right, &request),
    }
}

fn recorded(request: &Request<Incoming>) -> Recorded {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Recorded {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().iter().map(header).collect(),
        at: Instant::now(),
    }
}

fn wrong(fault: Fault, mut right: Answer, request: &Recorded) -> io::Result<Response<Pieces>> {
    let half = right.body.len() / 2;
    Ok(match fault {
        Fault::Slow(_) => plain(right),
        Fault::Unauthorized => plain(Answer::error(401)),
        Fault::NotFound => plain(Answer::error(404)),
        Fault::Status(status) => plain(Answer::error(status)),
        Fault::Throttled(wait) => {
            let answer = Answer::error(429);
            build(head(&answer).header("retry-after", wait), Pieces::all(answer.body))
        }
        Fault::Truncated => {
            let head = head(&right).header("content-length", right.body.len());
            right.body.truncate(half);
            build(head, Pieces { broken: true, ..Pieces::all(right.body) })
        }
        Fault::CutShort => {
            right.body.truncate(half);
            plain(right)
        }
        Fault::ContentType(content_type) => plain(Answer { content_type, ..right }),
        Fault::Oversized(size) => build(head(&right).header("content-length", size), Pieces::blank(size)),
        Fault::Flood(size) => build(head(&right), Pieces::blank(size)),
        Fault::Bomb(size) => {
            let body = gzip(&vec![b' '; size]);
            build(head(&right).header("content-encoding", "gzip"), Pieces::all(body))
        }
        Fault::WrongId(id) => {
            let mut film: Value = serde_json::from_slice(&right.body).unwrap_or_default();
            film["id"] = json!(id);
            plain(Answer::json(right.status, film.to_string()))
        }
        Fault::InvalidJson => plain(Answer::json(200, "{\"id\": 550, \"title\": ,}")),
        Fault::Body(status, body) => plain(Answer::json(status, body)),
        Fault::Redirect(to) => {
            build(head(&Answer::error(302)).header("location", to), Pieces::all(Vec::new()))
        }
        Fault::Hangup => return Err(io::ErrorKind::ConnectionAborted.into()),
        Fault::Echo => plain(Answer::json(
            200,
            json!({"id": request.headers, "status_message": request.headers}).to_string(),
        )),
    })
}

fn encoded(answer: Answer, compress: bool) -> Response<Pieces> {
    if !compress || answer.status != 200 || answer.body.len() < SMALL {
        return plain(answer);
    }
    let body = gzip(&answer.body);
    build(head(&answer).header("content-encoding", "gzip"), Pieces::all(body))
}

fn plain(answer: Answer) -> Response<Pieces> {
    build(head(&answer), Pieces::all(answer.body))
}

fn head(answer: &Answer) -> Builder {
    Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type)
        .header("cache-control", "public, max-age=600")
        .header("server", "openresty")
}

fn build(head: Builder, body: Pieces) -> Response<Pieces> {
    head.body(body)
        .unwrap_or_else(|_| Response::new(Pieces::all(b"a script asked for an impossible header".to_vec())))
}

/// A body in pieces: some bytes, then white space, and perhaps a broken connection. Its length is never announced
/// except by a header.
struct Pieces {
    first: Option<Bytes>,
    blank: usize,
    broken: bool,
    /// What came before has gone out: hyper writes when a body makes it wait, and drops what is left on an error.
    flushed: bool,
}

impl Pieces {
    fn all(body: Vec<u8>) -> Self {
        Self { first: Some(body.into()), blank: 0, broken: false, flushed: false }
    }

    fn blank(size: usize) -> Self {
        Self { first: None, blank: size, broken: false, flushed: false }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match self.first.take().filter(|first| !first.is_empty()) {
            Some(first) => first,
            None if self.blank > 0 => {
                let size = self.blank.min(BLANK.len());
                self.blank -= size;
                Bytes::from_static(&BLANK[..size])
            }
            None if self.broken && !self.flushed => {
                self.flushed = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            None if self.broken => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            None => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
