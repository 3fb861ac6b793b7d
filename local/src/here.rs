//! `/v1/_local/...`: what exists on this machine only, to look behind the scenes. No Lambda build holds any of it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;
use jiff::Timestamp;
use screensort_http::{Code, Problem, secure};
use serde_json::{Value, json};

use crate::gateway::{Gateway, ran};
use crate::recent::Recent;

/// Answers `method` on `path`, which is what follows `/v1/_local/`.
///
/// # Errors
/// 404 for what is not there, 405 for another method.
pub(crate) async fn answer(
    gateway: &Gateway,
    method: &Method,
    path: &str,
    query: &str,
    request_id: &str,
) -> Result<Response<Full<Bytes>>, Problem> {
    let body = match (method, path, path.strip_prefix("jobs/")) {
        (&Method::GET, "events", _) => events(gateway, query),
        (&Method::GET, "mail", _) => mail(gateway).await,
        (&Method::POST, "streams/replay", _) => replay(gateway).await?,
        (&Method::POST, _, Some(name)) => run(gateway, name).await?,
        (_, "events" | "mail", _) => {
            return Err(Problem::new(Code::MethodNotAllowed).with_header(http::header::ALLOW, "GET"));
        }
        (_, "streams/replay", _) | (_, _, Some(_)) => {
            return Err(Problem::new(Code::MethodNotAllowed).with_header(http::header::ALLOW, "POST"));
        }
        _ => return Err(Problem::new(Code::NotFound)),
    };
    let mut response = Response::new(Full::new(Bytes::from(format!("{body:#}\n"))));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    secure(headers, request_id);
    Ok(response)
}

/// The last events and requests, newest first, the alarms that would ring now, and what endpoints cost. With
/// `?event=threat.` only events whose names begin so.
fn events(gateway: &Gateway, query: &str) -> Value {
    let recent = Recent::of_process();
    let mut items = recent.events();
    items.extend(requests(gateway));
    items.sort_by(|(a, _), (b, _)| b.cmp(a));
    let wanted = query.split('&').find_map(|pair| pair.strip_prefix("event=")).unwrap_or_default();
    let items =
        items.into_iter().filter(|(_, item)| item["event"].as_str().unwrap_or_default().starts_with(wanted));
    let shown = items.map(|(at, item)| {
        let mut shown = json!({"at": at});
        if let (Value::Object(shown), Value::Object(item)) = (&mut shown, item) {
            shown.extend(item);
        }
        shown
    });
    json!({
        "alarms": recent.alarms(screensort_runtime::clock().now()),
        "items": shown.collect::<Vec<_>>(),
        "metrics": {"endpoints": gateway.costs(), "events": recent.counts()},
    })
}

fn requests(gateway: &Gateway) -> Vec<(Timestamp, Value)> {
    gateway
        .records()
        .iter()
        .map(|record| {
            let at = Timestamp::from_millisecond(record.at_ms).unwrap_or_default();
            let item = json!({
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
            });
            (at, item)
        })
        .collect()
}

/// The mail and the texts that were sent, newest first, with the token or code that it carries.
async fn mail(gateway: &Gateway) -> Value {
    gateway.send_mail().await;
    let items: Vec<Value> = gateway
        .mails()
        .await
        .into_iter()
        .map(|mail| {
            let secret = mail.text.lines().find_map(|line| {
                let texted = line.strip_prefix('@').and_then(|rest| rest.split_once(" #"));
                let written = line.strip_prefix("Token: ").or_else(|| line.strip_prefix("Code: "));
                written.or(texted.map(|(_, code)| code)).map(str::to_owned)
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

/// Gives dead letters to their functions again.
async fn replay(gateway: &Gateway) -> Result<Value, Problem> {
    let replayed = crate::letters::replay(gateway.stack(), None).await?;
    Ok(json!({"replayed": replayed.done, "changes": replayed.changes, "left": replayed.left}))
}

/// Runs a scheduled job now and answers with its summary.
async fn run(gateway: &Gateway, name: &str) -> Result<Value, Problem> {
    if name == "count_films" {
        let counted = gateway.count_films().await.map_err(|error| {
            Problem::new(Code::Unavailable).with_detail(format!("The job failed: {error}")).caused_by(error)
        })?;
        return Ok(json!({"counted": counted}));
    }
    if gateway.follows(name).await {
        let fed = gateway.feed(Some(name)).await.map_err(|error| {
            Problem::new(Code::Unavailable).with_detail(format!("The job failed: {error}")).caused_by(error)
        })?;
        let (taken, dead) =
            fed.iter().fold((0, 0), |(taken, dead), fed| (taken + fed.taken, dead + fed.dead));
        let answers: Vec<&Value> = fed.iter().flat_map(|fed| &fed.answers).collect();
        return Ok(json!({"changes": taken, "dead_letters": dead, "answers": answers}));
    }
    let job = screensort_jobs::by_name(name).ok_or_else(|| {
        let names = screensort_jobs::NAMES.join(", ");
        Problem::new(Code::NotFound).with_detail(format!("There is no such job; there are {names}."))
    })?;
    // The table's own name of it: the one that was asked for lives no longer than the request.
    let name = screensort_jobs::NAMES.into_iter().find(|known| *known == name).unwrap_or_default();
    ran(gateway.stack(), name, job(json!({}), gateway.stack().clone())).await.map_err(|error| {
        // On this machine the caller is the developer: the cause is theirs to see.
        Problem::new(Code::Unavailable).with_detail(format!("The job failed: {error}")).caused_by(error)
    })
}
