//! Traces for a collector of OpenTelemetry, where the settings name one: OTLP over HTTP in its JSON form
//! (<https://opentelemetry.io/docs/specs/otlp/>). A request or a run of a job is one span, each call that it made a
//! child of it. See decision 0014.
//!
//! What is exported is what the lines of the log hold, and less: no address of a caller, no path as it was typed.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use screensort_crypto::random_bytes;
use serde_json::{Value, json};

use crate::config::Error;
use crate::spans::{Call, Callee, Calls};
use crate::{Record, Stack};

/// How long a collector may keep a function from its next request, unless that is set.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long nothing is sent after a collector did not take what it was sent.
const REST: SignedDuration = SignedDuration::from_secs(30);
/// Spans that wait to be sent, at most. A function has one tree; the local server may have many.
const WAITING: usize = 4_096;

/// Where traces are sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Otlp {
    /// The address that takes traces.
    pub url: String,
    /// Headers that it wants, such as a key.
    pub headers: Vec<(String, String)>,
    /// Our name there.
    pub service: String,
    /// Whether traces are sent that X-Ray does not keep.
    pub always: bool,
    /// How long a collector may keep a function from its next request.
    pub patience: Duration,
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Otlp(..)")
    }
}

impl Otlp {
    /// As OpenTelemetry's own variables of this process say; `None` if they name no collector.
    ///
    /// # Errors
    /// Names the variable that is unusable.
    #[allow(
        clippy::disallowed_methods,
        reason = "the local server takes these settings from its environment"
    )]
    pub fn from_environment() -> Result<Option<Self>, Error> {
        Self::from_lookup(&|name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The same from `get`. Headers are `name=value` pairs joined by commas, values percent-encoded where they must
    /// be.
    pub(crate) fn from_lookup(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        const HEADERS: Error = Error::Bad(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "name=value pairs joined by commas, such as api-key=abc; values percent-encoded",
        );
        let Some(endpoint) = get(ENDPOINT) else { return Ok(None) };
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            return Err(Error::Bad(ENDPOINT, "not an http or https address"));
        }
        let given = get("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        let pairs = given.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let headers = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(HEADERS)?;
            let (name, value) = (name.trim().to_owned(), decoded(value.trim()).ok_or(HEADERS)?);
            let is_header = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(&value).is_ok();
            if is_header { Ok((name, value)) } else { Err(HEADERS) }
        });
        Ok(Some(Self {
            url: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            headers: headers.collect::<Result<_, _>>()?,
            service: get("OTEL_SERVICE_NAME").unwrap_or_else(|| "screensort".into()),
            always: match get("OTEL_TRACES_SAMPLER").as_deref() {
                None | Some("parentbased_always_on") => false,
                Some("always_on") => true,
                _ => return Err(Error::Bad("OTEL_TRACES_SAMPLER", "parentbased_always_on or always_on")),
            },
            patience: match get("OTEL_EXPORTER_OTLP_TIMEOUT") {
                None => PATIENCE,
                Some(millis) => millis
                    .parse::<u64>()
                    .ok()
                    .filter(|millis| (50..=5_000).contains(millis))
                    .map(Duration::from_millis)
                    .ok_or(Error::Bad("OTEL_EXPORTER_OTLP_TIMEOUT", "milliseconds from 50 to 5000"))?,
            },
        }))
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The trace that a piece of work belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// 32 hexadecimal digits.
    pub(crate) trace: String,
    /// The span that it is a child of, 16 of them.
    parent: Option<String>,
    /// The caller's own trace and span, where ours is another one.
    link: Option<(String, String)>,
    /// Whether X-Ray keeps it; `None` without X-Ray.
    sampled: Option<bool>,
}

impl Place {
    /// X-Ray's, so that both tell of the same trace; the caller's own is a link then. Without X-Ray, the caller's
    /// (`traceparent`, W3C) or a new one. What the caller says of sampling is not heard: whether a request is
    /// watched is not for the one who makes it to say.
    pub(crate) fn of(xray: Option<&str>, caller: Option<&str>) -> Option<Self> {
        let caller = caller.and_then(of_traceparent);
        if let Some(place) = xray.and_then(of_xray) {
            return Some(Self { link: caller, ..place });
        }
        let (trace, parent) = match caller {
            Some((trace, parent)) => (trace, Some(parent)),
            None => (format!("{:032x}", u128::from_be_bytes(random_bytes().ok()?)), None),
        };
        Some(Self { trace, parent, link: None, sampled: None })
    }
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
fn of_xray(header: &str) -> Option<Place> {
    let field = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name));
    let (seconds, rest) = field("Root=1-")?.split_once('-')?;
    let trace = hex(&format!("{seconds}{rest}"), 32)?;
    let sampled = field("Sampled=").map(|sampled| sampled == "1");
    Some(Place { trace, parent: field("Parent=").and_then(|id| hex(id, 16)), link: None, sampled })
}

/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`: the trace and the span.
fn of_traceparent(header: &str) -> Option<(String, String)> {
    let mut parts = header.split('-');
    let version = parts.next()?;
    hex(&format!("1{version}"), 3).filter(|_| version != "ff")?;
    Some((hex(parts.next()?, 32)?, hex(parts.next()?, 16)?)).filter(|_| parts.next().is_some())
}

/// An id, if it is one: so many lower-case hexadecimal digits, not all of them zero.
fn hex(id: &str, digits: usize) -> Option<String> {
    let is_id = id.len() == digits && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && id.bytes().any(|byte| byte != b'0')).then(|| id.to_owned())
}

/// What was done, under its names of the semantic conventions.
pub(crate) struct Deed {
    name: String,
    attributes: Vec<Value>,
    failed: bool,
    at: Timestamp,
    took: Duration,
}

impl Deed {
    /// A request that was answered.
    pub(crate) fn request(record: &Record, at: Timestamp) -> Self {
        let method = match record.method.as_str() {
            known @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS") => known,
            _ => "_OTHER",
        };
        let failed = record.status >= 500;
        let mut attributes = vec![
            text("http.request.method", method),
            text("http.route", record.route),
            number("http.response.status_code", i64::from(record.status)),
            text("faas.name", record.endpoint),
            text("faas.invocation_id", &record.request_id),
            truth("faas.coldstart", record.cold_start),
            number("screensort.store_requests", i64::from(record.store_requests)),
        ];
        if let Some(problem) = record.problem {
            // A refusal is the caller's mistake, and no error of ours.
            attributes.push(text(if failed { "error.type" } else { "screensort.problem" }, problem));
        }
        let took = Duration::from_secs_f64(record.duration_ms.max(0.0) / 1000.0);
        Self { name: format!("{method} {}", record.route), attributes, failed, at, took }
    }

    /// A run of a job.
    pub(crate) fn run(job: &str, request_id: &str, failed: bool, at: Timestamp, took: Duration) -> Self {
        let mut attributes = vec![text("faas.name", job), text("faas.invocation_id", request_id)];
        if failed {
            attributes.push(text("error.type", "job_failed"));
        }
        Self { name: job.to_owned(), attributes, failed, at, took }
    }
}

/// What waits to be sent.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    spans: Vec<Value>,
    /// Spans that nobody will see.
    lost: usize,
    resting_until: Option<Timestamp>,
}

impl Stack {
    /// Whether traces are exported.
    pub(crate) fn exports_spans(&self) -> bool {
        self.settings().otlp.is_some()
    }

    /// Keeps what was done for the next [`Stack::export_spans`].
    pub(crate) fn keep_spans(&self, place: &Place, deed: &Deed, calls: &Calls) {
        let Some(otlp) = &self.settings().otlp else { return };
        if place.sampled == Some(false) && !otlp.always {
            return;
        }
        // Without random numbers there is no trace; the lines of the log tell all the same.
        let Some(tree) = tree(place, deed, calls) else { return };
        let mut queue = self.waiting().0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.spans.len() + tree.len() > WAITING {
            queue.lost += tree.len();
        } else {
            queue.spans.extend(tree);
        }
    }

    /// Sends what waits to the collector. A function does it after its answer has been given and before it asks
    /// for the next event: nobody waits for a collector who asked for a film. One that is slow or gone costs half a
    /// second, a line in the log, and then nothing for half a minute.
    pub async fn export_spans(&self) {
        let Some(otlp) = &self.settings().otlp else { return };
        let now = self.clock().now();
        let (spans, lost) = {
            let mut queue = self.waiting().0.lock().unwrap_or_else(PoisonError::into_inner);
            let spans = std::mem::take(&mut queue.spans);
            if queue.resting_until.is_some_and(|until| now < until) {
                queue.lost += spans.len();
                return;
            }
            if spans.is_empty() {
                return;
            }
            (spans, std::mem::take(&mut queue.lost))
        };
        if lost > 0 {
            tracing::warn!(name: "spans.lost", spans = lost, "{lost} spans were not exported");
        }
        let count = spans.len();
        let document = document(otlp, &self.settings().region, spans).to_string();
        if let Err(error) = self.post(&otlp.url, &otlp.headers, document, otlp.patience).await {
            let rests_already = {
                let mut queue = self.waiting().0.lock().unwrap_or_else(PoisonError::into_inner);
                queue.lost += count;
                let until = queue.resting_until.replace(now.saturating_add(REST).unwrap_or(Timestamp::MAX));
                until.is_some_and(|until| now < until)
            };
            // Of several that were under way one tells.
            if !rests_already {
                let cause: &dyn std::error::Error = &error;
                tracing::warn!(name: "spans.unsent", cause, spans = count, "the collector of traces took nothing");
            }
        }
    }
}

/// The span of a piece of work and those of its calls, which are its children.
fn tree(place: &Place, deed: &Deed, calls: &Calls) -> Option<Vec<Value>> {
    let id = || Some(format!("{:016x}", u64::from_be_bytes(random_bytes().ok()?)));
    let root = id()?;
    let began = deed.at.as_nanosecond();
    let mut attributes = deed.attributes.clone();
    if calls.dropped > 0 {
        attributes.push(number("screensort.calls_not_shown", i64::from(calls.dropped)));
    }
    let mut span = json!({
        "traceId": place.trace,
        "spanId": root,
        "kind": 2,
        "name": deed.name,
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": (began + nanos(deed.took)).to_string(),
        "attributes": attributes,
        "status": status(deed.failed),
    });
    if let Some(parent) = &place.parent {
        span["parentSpanId"] = json!(parent);
    }
    if let Some((trace, span_id)) = &place.link {
        span["links"] = json!([{"traceId": trace, "spanId": span_id}]);
    }
    let mut spans = vec![span];
    for call in &calls.kept {
        let (name, attributes) = about(call);
        let start = began + nanos(call.after);
        spans.push(json!({
            "traceId": place.trace,
            "spanId": id()?,
            "parentSpanId": root,
            "kind": 3,
            "name": name,
            "startTimeUnixNano": start.to_string(),
            "endTimeUnixNano": (start + nanos(call.took)).to_string(),
            "attributes": attributes,
            "status": status(call.failure.is_some()),
        }));
    }
    Some(spans)
}

/// A call's name and attributes.
fn about(call: &Call) -> (String, Vec<Value>) {
    let (name, mut attributes) = match &call.callee {
        Callee::Aws(service, operation) => {
            let mut attributes = vec![
                text("rpc.system", "aws-api"),
                text("rpc.service", service),
                text("rpc.method", operation),
            ];
            if service == "DynamoDB" {
                attributes.push(text("db.system", "dynamodb"));
            }
            (format!("{service}.{operation}"), attributes)
        }
        Callee::Site(service, route) => {
            (format!("{service} {route}"), vec![text("peer.service", service), text("url.template", route)])
        }
    };
    if call.status > 0 {
        attributes.push(number("http.response.status_code", i64::from(call.status)));
    }
    if let Some(failure) = &call.failure {
        attributes.push(text("error.type", failure));
    }
    (name, attributes)
}

/// A request of the exporter.
fn document(otlp: &Otlp, region: &str, spans: Vec<Value>) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", &otlp.service),
            text("service.version", version),
            text("cloud.provider", "aws"),
            text("cloud.region", region),
        ]},
        "scopeSpans": [{"scope": {"name": "screensort", "version": version}, "spans": spans}],
    }]})
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// 64-bit numbers are texts in Protobuf's JSON.
fn number(key: &str, value: i64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn truth(key: &str, value: bool) -> Value {
    json!({"key": key, "value": {"boolValue": value}})
}

/// `STATUS_CODE_ERROR` or unset.
fn status(failed: bool) -> Value {
    if failed { json!({"code": 2}) } else { json!({}) }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_sent_where_opentelemetrys_own_variables_say() {
        let with = |pairs: &[(&str, &str)]| {
            let get = |name: &str| {
                pairs.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
            };
            Otlp::from_lookup(&get)
        };
        assert_eq!(with(&[("OTEL_EXPORTER_OTLP_HEADERS", "planted")]).unwrap(), None);
        let otlp = with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.org/otlp/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=planted, Authorization=Basic%20cGxhbnRlZA=="),
            ("OTEL_SERVICE_NAME", "films"),
        ]);
        let otlp = otlp.unwrap().unwrap();
        assert_eq!(otlp.url, "https://collector.example.org/otlp/v1/traces");
        assert_eq!(otlp.headers[1], ("Authorization".to_owned(), "Basic cGxhbnRlZA==".to_owned()));
        assert_eq!((otlp.service.as_str(), otlp.always, otlp.patience), ("films", false, PATIENCE));
        assert!(!format!("{otlp:?}").contains("planted"));
        let error = with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "planted:4318")]).unwrap_err().to_string();
        assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT") && !error.contains("planted"), "{error}");
        for (name, bad) in [
            ("OTEL_EXPORTER_OTLP_HEADERS", "planted"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "planted=b%0d%0ac: d"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "planted b=c"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "planted=%4"),
            ("OTEL_TRACES_SAMPLER", "planted"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "planted"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000"),
        ] {
            let error = with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"), (name, bad)]);
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(name) && !error.contains("planted"), "{error}");
        }
    }

    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn xrays_trace_is_ours_and_the_callers_is_a_link_or_ours_where_there_is_no_other() {
        let place = Place::of(Some(XRAY), Some(CALLER)).unwrap();
        assert_eq!(place.trace, "5759e988bd862e3fe1be46a994272793");
        assert_eq!(place.parent.as_deref(), Some("53995c3f42cd8ad8"));
        assert_eq!(place.sampled, Some(true));
        let link = ("0af7651916cd43dd8448eb211c80319c".to_owned(), "b7ad6b7169203331".to_owned());
        assert_eq!(place.link, Some(link));
        let place = Place::of(None, Some(CALLER)).unwrap();
        assert_eq!(place.trace, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((place.parent.as_deref(), place.link), (Some("b7ad6b7169203331"), None));
        assert_eq!(
            Place::of(Some(&XRAY.replace("=1", "=0").replace("Root=0", "Root=1")), None).unwrap().sampled,
            Some(false)
        );
    }

    #[test]
    fn what_is_no_trace_begins_a_new_one() {
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c8031é9c-b7ad6b7169203331-01",
            "<script>",
        ] {
            let place = Place::of(Some(bad), Some(bad)).unwrap();
            assert_eq!((place.parent, place.link), (None, None), "{bad}");
            assert!(hex(&place.trace, 32).is_some() && !bad.contains(&place.trace), "{bad}");
        }
        let long = format!("Root=1-{};Parent={}", "é".repeat(5_000), "9".repeat(5_000));
        assert!(Place::of(Some(&long), None).unwrap().parent.is_none());
    }
}
