//! Serving one endpoint or one job as a Lambda function.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lambda_http::request::LambdaRequest;
use lambda_http::tower::ServiceExt;
use lambda_http::{Body, LambdaEvent, Request, RequestExt, Response};
use lambda_runtime::Runtime;
use lambda_runtime::layers::TracingLayer;
use screensort_auth::event::Event;
use screensort_http::{Answer, Code, Endpoint, Problem};
use screensort_store::{Meter, Spent};
use serde_json::{Value, json};
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use crate::after::After;
use crate::blocklist::Suspicion;
use crate::otlp::{Deed, Place};
use crate::{Record, Settings, Stack, clock, config, gateway, spans};

/// Whether this process has answered nothing yet.
static COLD: AtomicBool = AtomicBool::new(true);

/// Answers one gateway event and says what it took. The Lambda binaries and the local server share it.
pub async fn handle(endpoint: &Endpoint<Stack>, request: Request, stack: &Stack) -> (Response<Body>, Record) {
    let (began, at) = (Instant::now(), stack.clock().now());
    let method = request.method().as_str().to_owned();
    let mut trace_id = request.lambda_context_ref().and_then(|context| context.xray_trace_id.clone());
    let Some((route_path, incoming)) = gateway::incoming(request) else {
        let answer = Problem::new(Code::Internal).caused_by("not an event of the gateway").answer("", "");
        return finish(endpoint, answer, method, "", Asked::default(), began, stack);
    };
    let (request_id, source) = (incoming.request_id.clone(), incoming.source.to_string());
    let origin =
        incoming.header("origin").filter(|o| stack.settings().cors_origins.iter().any(|known| known == o));
    let origin = origin.map(str::to_owned);
    let route =
        endpoint.operations().iter().map(|o| o.route.path).find(|path| *path == route_path).unwrap_or("");
    let suspicion = Suspicion::of(&incoming);
    if suspicion.is_probe {
        // It is answered like any other: nothing here interprets it. No record is kept, so that nobody can fill the
        // trail without signing in; the alarm counts lines.
        screensort_http::Whence::of(&incoming).note(Event::ThreatInjection, None);
    }
    let exports = stack.exports_spans();
    let place = exports.then(|| Place::of(trace_id.as_deref(), incoming.header("traceparent"))).flatten();
    // Without X-Ray the lines name the trace that is exported.
    trace_id = trace_id.or_else(|| place.as_ref().map(|place| place.trace.clone()));
    // Whatever is logged on the way names the request, whoever logs it.
    let span = tracing::info_span!("request", request_id, trace_id = trace_id.as_deref());
    let answering = Box::pin(endpoint.answer(&route_path, incoming, stack.clone()).instrument(span));
    let answering = async {
        let work = async {
            let (answer, spent) = Meter::watch(answering).await;
            stack.suspect(&suspicion, &answer).await;
            (answer, spent)
        };
        spans::gather(place.is_some(), began, work).await
    };
    #[cfg(feature = "calls")]
    let answering = Box::pin(crate::within(endpoint.name, answering));
    let ((mut answer, spent), calls) = answering.await;
    if let Some(origin) = origin {
        screensort_http::allow_origin(&mut answer.headers, &origin);
    }
    let asked = Asked { request_id, trace_id, source, spent };
    let (response, record) = finish(endpoint, answer, method, route, asked, began, stack);
    if let (Some(place), Some(calls)) = (&place, &calls) {
        stack.keep_spans(place, &Deed::request(&record, at), calls);
    }
    (response, record)
}

/// Whose question it was, and what it cost.
#[derive(Default)]
struct Asked {
    request_id: String,
    trace_id: Option<String>,
    source: String,
    spent: Spent,
}

fn finish(
    endpoint: &Endpoint<Stack>,
    answer: Answer,
    method: String,
    route: &'static str,
    Asked { request_id, trace_id, source, spent }: Asked,
    began: Instant,
    stack: &Stack,
) -> (Response<Body>, Record) {
    if is_critical(&answer) {
        screensort_http::critical(endpoint.name, &source, &request_id);
    }
    let record = Record {
        request_id,
        trace_id,
        endpoint: endpoint.name,
        method,
        route,
        source,
        status: answer.status.as_u16(),
        problem: answer.problem,
        cause: answer.cause.clone(),
        duration_ms: began.elapsed().as_secs_f64() * 1000.0,
        store_requests: spent.requests,
        store_steps: spent.steps,
        store_units: spent.units,
        bytes: answer.body.len(),
        cold_start: COLD.swap(false, Ordering::Relaxed),
        at_ms: stack.clock().now().as_millisecond(),
    };
    (gateway::response(answer), record)
}

/// Whether something failed that the product cannot do without. What has no cause is a state, not a failure: nothing
/// published yet, no key given.
fn is_critical(answer: &Answer) -> bool {
    matches!(answer.problem, Some("internal_error" | "unavailable")) && answer.cause.is_some()
}

/// Serves `endpoint` as a Lambda function until the process is ended. A binary's `main` is this one call.
pub fn serve(endpoint: fn() -> Endpoint<Stack>) -> ExitCode {
    run(|| {
        Box::pin(async move {
            // Both live as long as the process.
            let stack: &'static Stack = Box::leak(Box::new(start()?));
            let endpoint: &'static Endpoint<Stack> = Box::leak(Box::new(endpoint()));
            let answer = move |request: Request| -> Answered {
                Box::pin(async move {
                    let (response, record) = handle(endpoint, request, stack).await;
                    // A line that cannot be written is no reason to lose the answer.
                    let _ = writeln!(std::io::stdout(), "{}", record.json());
                    Ok(response)
                })
            };
            let service = lambda_http::Adapter::from(lambda_http::service_fn(answer));
            let whole = |mut event: LambdaEvent<LambdaRequest>| {
                event.payload = gateway::keep_repeated(event.payload);
                event
            };
            let runtime = Runtime::new(service.map_request(whole)).layer(TracingLayer::new());
            runtime.layer(After(stack)).run().await
        })
    })
}

/// A job's work: what the event holds, and the context. It answers with a summary.
pub type Job = fn(Value, Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>>;

/// Why a job failed. Lambda retries it and at last hands the event to the dead-letter queue.
pub type JobError = Box<dyn std::error::Error + Send + Sync>;

/// Serves `work` as a scheduled Lambda function until the process is ended.
pub fn job(work: Job) -> ExitCode {
    run(|| {
        Box::pin(async move {
            let stack: &'static Stack = Box::leak(Box::new(start()?));
            let serve = move |event: LambdaEvent<Value>| {
                let stack = stack.clone();
                async move {
                    let LambdaEvent { payload, context } = event;
                    let (began, at) = (Instant::now(), stack.clock().now().as_millisecond());
                    let (run, working) = (Run::of(&context), work(payload, stack.clone()));
                    // A failure is in the job's own line; this one is for the metrics.
                    let has_failed = |(result, _): &(Result<Value, JobError>, Spent)| result.is_err();
                    let (result, spent) = watched(&stack, &run, Meter::watch(working), has_failed).await;
                    let _ = writeln!(std::io::stdout(), "{}", ran(&context, &result, began, at, spent));
                    result
                }
            };
            let runtime = Runtime::new(lambda_runtime::service_fn(serve)).layer(TracingLayer::new());
            runtime.layer(After(stack)).run().await
        })
    })
}

/// Which run of which job.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// The function's name.
    pub job: &'r str,
    /// The id of what it was asked.
    pub request_id: &'r str,
    /// X-Ray's name of the whole exchange that it belongs to, if there is one.
    pub trace_id: Option<&'r str>,
}

impl<'r> Run<'r> {
    fn of(context: &'r lambda_runtime::Context) -> Self {
        Self {
            job: &context.env_config.function_name,
            request_id: &context.request_id,
            trace_id: context.xray_trace_id.as_deref(),
        }
    }
}

/// Does a job's `work` and keeps its trace for the exporter, if there is one. [`Stack::export_spans`] sends it.
pub async fn watched<T>(
    stack: &Stack,
    run: &Run<'_>,
    work: impl Future<Output = T>,
    has_failed: impl FnOnce(&T) -> bool,
) -> T {
    let (began, at) = (Instant::now(), stack.clock().now());
    let place = stack.exports_spans().then(|| Place::of(run.trace_id, None)).flatten();
    let (result, calls) = spans::gather(place.is_some(), began, work).await;
    if let (Some(place), Some(calls)) = (&place, &calls) {
        let deed = Deed::run(run.job, run.request_id, has_failed(&result), at, began.elapsed());
        stack.keep_spans(place, &deed, calls);
    }
    result
}

/// A job's run as one line of JSON with embedded metrics, as [`Record::json`] has a request's. A job whose answer has
/// `oldest_seconds` says with it how long the oldest has waited that it is to do.
fn ran(
    context: &lambda_runtime::Context,
    result: &Result<Value, JobError>,
    began: Instant,
    at_ms: i64,
    spent: Spent,
) -> Value {
    let (job, failed) = (&context.env_config.function_name, result.is_err());
    let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
    let mut metrics = vec![
        metric("Runs", "Count"),
        metric("Failures", "Count"),
        metric("DurationMs", "Milliseconds"),
        metric("ColdStarts", "Count"),
        metric("StoreRequests", "Count"),
        metric("StoreUnits", "Count"),
    ];
    let oldest = result.as_ref().ok().and_then(|answer| answer["oldest_seconds"].as_i64());
    metrics.extend(oldest.map(|_| metric("OldestSeconds", "Seconds")));
    let mut line = json!({
        "_aws": {
            "Timestamp": at_ms,
            "CloudWatchMetrics": [{
                "Namespace": config::metrics(),
                "Dimensions": [["job"]],
                "Metrics": metrics,
            }],
        },
        "event": "job.answered",
        "level": if failed { "ERROR" } else { "INFO" },
        "message": format!("{job} {}", if failed { "failed" } else { "ran" }),
        "job": job,
        "request_id": context.request_id,
        "trace_id": context.xray_trace_id,
        "Runs": 1,
        "Failures": u8::from(failed),
        "DurationMs": began.elapsed().as_secs_f64() * 1000.0,
        "ColdStarts": u8::from(COLD.swap(false, Ordering::Relaxed)),
        "StoreRequests": spent.requests,
        "StoreUnits": spent.units,
    });
    if let Some(oldest) = oldest {
        line["OldestSeconds"] = json!(oldest);
    }
    line
}

fn start() -> Result<Stack, lambda_runtime::Error> {
    #[allow(clippy::disallowed_methods, reason = "logging starts before the settings are read")]
    let level = std::env::var("SCREENSORT_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new(level))
        .with_current_span(true)
        .with_span_list(false)
        .without_time()
        .with_writer(std::io::stdout)
        .init();
    watch_panics();
    Ok(Stack::new(Settings::from_environment()?, clock()))
}

type Answered = Pin<Box<dyn Future<Output = Result<Response<Body>, std::convert::Infallible>> + Send>>;
type Served = Pin<Box<dyn Future<Output = Result<(), lambda_runtime::Error>>>>;

/// Says where a panic was before it is caught; what it said may hold anything.
fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(name: "function.panicked", place, "a function panicked at {place}");
        screensort_http::critical(&place, screensort_http::UNKNOWN, screensort_http::UNKNOWN);
    }));
}

fn run(serve: impl FnOnce() -> Served) -> ExitCode {
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(lambda_runtime::Error::from)
        .and_then(|runtime| runtime.block_on(serve()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "{{\"event\":\"function.ended\",\"level\":\"ERROR\",\"message\":{}}}",
                Value::String(error.to_string())
            );
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_knows_how_long_the_oldest_waits_says_so_and_no_other_does() {
        let of = |result: Result<Value, JobError>| {
            let context = lambda_runtime::Context::default();
            ran(&context, &result, Instant::now(), 0, Spent::default())
        };
        let metrics = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].to_string();
        let late = of(Ok(json!({"done": 0, "oldest_seconds": 1_801})));
        assert_eq!((&late["OldestSeconds"], &late["Failures"]), (&json!(1_801), &json!(0)));
        assert!(metrics(&late).contains("OldestSeconds"));
        for other in [of(Ok(json!({"sent": 1}))), of(Err("planted".into()))] {
            assert!(other.get("OldestSeconds").is_none() && !metrics(&other).contains("OldestSeconds"));
        }
    }
}
