//! `/v1/_local/...`: what exists on this machine only, to look behind the scenes. No Lambda build holds any of it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;
use screensort_http::{Code, Problem, secure};
use screensort_runtime::within;
use serde_json::{Value, json};

use crate::gateway::Gateway;

/// Answers `method` on `path`, which is what follows `/v1/_local/`.
///
/// # Errors
/// 404 for what is not there, 405 for another method.
pub(crate) async fn answer(
    gateway: &Gateway,
    method: &Method,
    path: &str,
    request_id: &str,
) -> Result<Response<Full<Bytes>>, Problem> {
    let body = match (method, path, path.strip_prefix("jobs/")) {
        (&Method::GET, "events", _) => events(gateway),
        (&Method::GET, "mail", _) => mail(gateway).await,
        (&Method::POST, _, Some(name)) => run(gateway, name).await?,
        (_, "events" | "mail", _) => {
            return Err(Problem::new(Code::MethodNotAllowed).with_header(http::header::ALLOW, "GET"));
        }
        (_, _, Some(_)) => {
            return Err(Problem::new(Code::MethodNotAllowed).with_header(http::header::ALLOW, "POST"));
        }
        _ => return Err(Problem::new(Code::NotFound)),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    secure(headers, request_id);
    Ok(response)
}

/// The last requests, newest first.
fn events(gateway: &Gateway) -> Value {
    let records: Vec<Value> = gateway
        .records()
        .iter()
        .map(|record| {
            json!({
                "event": "request.answered",
                "endpoint": record.endpoint,
                "method": record.method,
                "route": record.route,
                "status": record.status,
                "problem": record.problem,
                "source": record.source,
                "request_id": record.request_id,
                "duration_ms": record.duration_ms,
                "store_requests": record.store_requests,
                "store_units": record.store_units,
            })
        })
        .collect();
    json!({"items": records})
}

/// The mail that was sent, newest first, with the token or code that it carries.
async fn mail(gateway: &Gateway) -> Value {
    gateway.send_mail().await;
    let items: Vec<Value> = gateway
        .mails()
        .await
        .into_iter()
        .map(|mail| {
            let secret = mail.text.lines().find_map(|line| {
                line.strip_prefix("Token: ").or_else(|| line.strip_prefix("Code: ")).map(str::to_owned)
            });
            let mut item = json!({
                "to": mail.to.first(),
                "subject": mail.subject,
                "text": mail.text,
                "sent_at": mail.sent_at.to_string(),
            });
            if let Some(secret) = secret {
                item["token"] = json!(secret);
            }
            item
        })
        .collect();
    json!({"items": items})
}

/// Runs a scheduled job now and answers with its summary.
async fn run(gateway: &Gateway, name: &str) -> Result<Value, Problem> {
    if name == "count_films" {
        let counted = gateway.count_films().await.map_err(|error| {
            Problem::new(Code::Unavailable).with_detail(format!("The job failed: {error}")).caused_by(error)
        })?;
        return Ok(json!({"counted": counted}));
    }
    let job = screensort_jobs::by_name(name).ok_or_else(|| {
        let names = screensort_jobs::NAMES.join(", ");
        Problem::new(Code::NotFound).with_detail(format!("There is no such job; there are {names}."))
    })?;
    // The table's own name of it: the one that was asked for lives no longer than the request.
    let name = screensort_jobs::NAMES.into_iter().find(|known| *known == name).unwrap_or_default();
    within(name, job(json!({}), gateway.stack().clone())).await.map_err(|error| {
        // On this machine the caller is the developer: the cause is theirs to see.
        Problem::new(Code::Unavailable).with_detail(format!("The job failed: {error}")).caused_by(error)
    })
}
