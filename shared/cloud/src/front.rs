//! One HTTP listener for KMS, Secrets Manager, S3, SES, SNS and WAF.
//!
//! The emulators are made to sit inside an SDK client of the same process. In front of them here is an
//! ordinary server, so that Lambda binaries in other processes reach them with nothing but an endpoint URL.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;
use winterbaume_core::{MockRequest, MockResponse};

use crate::services::{Service, Services};
use crate::sigv4::{self, Refusal};
use crate::{Error, chunked};

/// The longest body, in bytes. Bodies are held in memory.
const LONGEST_BODY: usize = 256 * 1024 * 1024;

/// How long requests under way may take once a stop is asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until told to stop, then lets the requests under way finish.
pub(crate) async fn serve(listener: TcpListener, services: Arc<Services>, mut stop: watch::Receiver<bool>) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file handles, most likely: trying again at once would only burn the processor.
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Without it an answer waits for the acknowledgement of its head.
        let _ = stream.set_nodelay(true);
        let services = services.clone();
        let answering = service_fn(move |request| respond(services.clone(), request));
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answering);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection broke");
            }
        });
    }
    if tokio::time::timeout(PATIENCE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}

async fn respond(
    services: Arc<Services>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let json = parts.headers.contains_key("x-amz-target") || parts.uri.path().starts_with("/v2/email/");
    // A task of its own finishes what it has begun even if the client hangs up.
    let answer = tokio::spawn(async move { answer(&services, parts, body).await }).await;
    Ok(match answer {
        Ok(Ok(response)) => into_http(response),
        Ok(Err(problem)) => problem.into_http(json),
        Err(panic) => {
            tracing::error!(error = %panic, "an emulated service panicked");
            Problem::internal().into_http(json)
        }
    })
}

async fn answer(services: &Services, mut parts: Parts, body: Incoming) -> Result<MockResponse, Problem> {
    sigv4::named(&parts, services.credentials()).map_err(refused)?;
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let body = body.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge"))?.to_bytes();
    let name = sigv4::check(&parts, &body, services.credentials(), services.now()).map_err(refused)?;
    let service = Service::named(&name)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "UnknownOperationException"))?;
    let body = unwrap_body(&mut parts.headers, body)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "IncompleteBody"))?;
    let request = into_mock(service, parts, body);
    services.answer(service, request).await.map_err(|error: Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, cause, service = %name, "an emulated service cannot keep its state");
        Problem::internal()
    })
}

/// Undoes the `aws-chunked` coding, which the emulator would store as part of the object.
fn unwrap_body(headers: &mut HeaderMap, body: Bytes) -> Option<Bytes> {
    let streaming =
        headers.get("x-amz-content-sha256").is_some_and(|hash| hash.as_bytes().starts_with(b"STREAMING-"));
    let codings = headers.get(CONTENT_ENCODING).and_then(|codings| codings.to_str().ok()).unwrap_or_default();
    let mut others =
        codings.split(',').map(str::trim).filter(|coding| !coding.is_empty()).collect::<Vec<_>>();
    let all = others.len();
    others.retain(|coding| !coding.eq_ignore_ascii_case("aws-chunked"));
    if !streaming && others.len() == all {
        return Some(body);
    }
    match HeaderValue::from_str(&others.join(", ")) {
        Ok(others) if !others.is_empty() => headers.insert(CONTENT_ENCODING, others),
        _ => headers.remove(CONTENT_ENCODING),
    };
    let length = match headers.remove("x-amz-decoded-content-length") {
        Some(length) => Some(length.to_str().ok()?.parse().ok()?),
        None => None,
    };
    chunked::decode(&body, length)
}

fn into_mock(service: Service, mut parts: Parts, body: Bytes) -> MockRequest {
    // The emulators read region and bucket off the host name; without a signature to read them off, S3 does
    // the same, so that a client's other region does not open a second, empty store.
    parts.headers.remove(AUTHORIZATION);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("http://{}{path}", service.host());
    MockRequest { method: parts.method.to_string(), uri, headers: parts.headers, body }
}

fn into_http(answer: MockResponse) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}

/// An answer of the front itself.
struct Problem {
    status: StatusCode,
    code: &'static str,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure")
    }

    /// In the form that the service asked for would use.
    fn into_http(self, json: bool) -> Response<Full<Bytes>> {
        let code = self.code;
        let (kind, text) = if json {
            ("application/json", format!(r#"{{"__type":"{code}","message":"{code}"}}"#))
        } else {
            ("application/xml", format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
        };
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(code));
        response
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Unsigned => Problem::new(StatusCode::FORBIDDEN, "MissingAuthenticationToken"),
        Refusal::InvalidAccessKeyId => Problem::new(StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
        Refusal::RequestExpired => Problem::new(StatusCode::FORBIDDEN, "RequestExpired"),
        Refusal::SignatureDoesNotMatch => Problem::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
        Refusal::ContentSha256Mismatch => Problem::new(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"),
    }
}
