//! Traces for a collector, played by a listener on this machine that takes nothing but the JSON form of OTLP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use screensort::stand::Choices;
use screensort_runtime::Otlp;
use screensort_testkit::tmdb_standin::Standin;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::logged::captured;
use crate::product::{PASSWORD, Product};

/// What a collector was sent: heads and documents.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Value)>>>);

impl Collector {
    /// A collector that answers so; it says nothing at all where that is empty.
    async fn start(answer: &'static str) -> (Self, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let taken = collector.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let taken = taken.clone();
                tokio::spawn(async move {
                    let (mut bytes, mut part) = (Vec::new(), [0; 16_384]);
                    loop {
                        let read = stream.read(&mut part).await.unwrap();
                        bytes.extend_from_slice(&part[..read]);
                        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                            continue;
                        };
                        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                        let length: usize = length.unwrap().parse().unwrap();
                        if bytes.len() - end - 4 >= length {
                            let document = serde_json::from_slice(&bytes[end + 4..]).unwrap();
                            taken.0.lock().unwrap().push((head, document));
                            break;
                        }
                    }
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    stream.write_all(answer.as_bytes()).await.unwrap();
                });
            }
        });
        (collector, url)
    }

    fn all(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().clone()
    }

    /// The spans so far, each held against the protocol.
    fn spans(&self) -> Vec<Span> {
        self.all().iter().flat_map(|(_, document)| spans(document)).collect()
    }
}

const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: Option<String>,
    link: Option<String>,
    kind: u64,
    name: String,
    took: i128,
    failed: bool,
    attributes: BTreeMap<String, String>,
}

impl Span {
    fn is(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

fn attributes(list: &Value) -> BTreeMap<String, String> {
    let pair = |one: &Value| {
        let value = one["value"].as_object().unwrap();
        assert_eq!((one.as_object().unwrap().len(), value.len()), (2, 1), "{one}");
        let text = match value.iter().next().unwrap() {
            (kind, Value::String(text)) if kind == "stringValue" => text.clone(),
            (kind, Value::String(text)) if kind == "intValue" => text.parse::<i64>().unwrap().to_string(),
            (kind, Value::Bool(truth)) if kind == "boolValue" => truth.to_string(),
            _ => panic!("{one}"),
        };
        (one["key"].as_str().unwrap().to_owned(), text)
    };
    list.as_array().unwrap().iter().map(pair).collect()
}

/// The spans of an `ExportTraceServiceRequest`; panics at whatever the protocol does not know.
fn spans(document: &Value) -> Vec<Span> {
    let only = |value: &Value, known: &[&str]| {
        let unknown = value.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(unknown, None, "{value}");
    };
    let hex = |value: &Value, digits: usize| {
        let id = value.as_str().unwrap();
        let is_id =
            id.len() == digits && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert!(is_id && id.bytes().any(|byte| byte != b'0'), "{id}");
        id.to_owned()
    };
    only(document, &["resourceSpans"]);
    let mut found = Vec::new();
    for resource in document["resourceSpans"].as_array().unwrap() {
        only(resource, &["resource", "scopeSpans"]);
        assert_eq!(attributes(&resource["resource"]["attributes"])["service.name"], "films");
        for scope in resource["scopeSpans"].as_array().unwrap() {
            only(scope, &["scope", "spans"]);
            for span in scope["spans"].as_array().unwrap() {
                only(
                    span,
                    &[
                        "traceId",
                        "spanId",
                        "parentSpanId",
                        "links",
                        "kind",
                        "name",
                        "startTimeUnixNano",
                        "endTimeUnixNano",
                        "attributes",
                        "status",
                    ],
                );
                let nanos = |name: &str| span[name].as_str().unwrap().parse::<i128>().unwrap();
                let took = nanos("endTimeUnixNano") - nanos("startTimeUnixNano");
                assert!(took >= 0 && nanos("startTimeUnixNano") > 1_700_000_000_000_000_000, "{span}");
                let links = span["links"].as_array().map(Vec::as_slice).unwrap_or_default();
                found.push(Span {
                    trace: hex(&span["traceId"], 32),
                    id: hex(&span["spanId"], 16),
                    parent: span.get("parentSpanId").map(|id| hex(id, 16)),
                    link: links.first().map(|link| hex(&link["traceId"], 32)),
                    kind: span["kind"].as_u64().unwrap(),
                    name: span["name"].as_str().unwrap().to_owned(),
                    took,
                    failed: span["status"]["code"] == 2,
                    attributes: attributes(&span["attributes"]),
                });
            }
        }
    }
    found
}

fn to(url: String) -> Otlp {
    let headers = vec![("api-key".to_owned(), "planted-key".to_owned())];
    // Long enough for a busy machine: how long is looked at elsewhere.
    let patience = Duration::from_secs(30);
    Otlp { url: format!("{url}/v1/traces"), headers, service: "films".to_owned(), always: false, patience }
}

async fn start(url: String) -> Product {
    Product::start_with(Choices { otlp: Some(to(url)), ..Choices::default() }).await
}

/// Sends what waits, as the server does in the background, until everything that is looked for has arrived.
async fn sent(product: &Product, collector: &Collector, is_there: impl Fn(&[Span]) -> bool) -> Vec<Span> {
    let sending = async {
        loop {
            product.stand.stack.export_spans().await;
            let spans = collector.spans();
            if is_there(&spans) {
                return spans;
            }
            tokio::task::yield_now().await;
        }
    };
    let sent = tokio::time::timeout(Duration::from_secs(60), sending).await;
    sent.unwrap_or_else(|_| panic!("not there: {:?}", collector.spans()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_a_job_are_exported_as_trees_of_what_they_called_without_what_they_said() {
    let (collector, url) = Collector::start(TAKEN).await;
    let product = start(url).await;
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let email = product.person("planted-ann").await;
    let token = product.login(&email).await.str("access_token");
    let headers = [
        ("traceparent", format!("00-{trace}-{parent}-00")),
        ("authorization", format!("Bearer {token}")),
        ("user-agent", "planted-agent".to_owned()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let got = product.ask("GET", "/session?q=planted-query", &headers, Value::Null).await;
    let got =
        if got.status == 200 { got } else { product.ask("GET", "/session", &headers, Value::Null).await };
    let request_id = got.headers["x-request-id"].to_str().unwrap().to_owned();
    product.ask("GET", "/movies/planted%0d%0a", &[], Value::Null).await;
    product.ask("GET", "/_local/mail", &[], Value::Null).await;
    // The mail of the registration was sent by a job.
    let spans = sent(&product, &collector, |spans| {
        spans.iter().any(|span| span.is("faas.invocation_id") == request_id)
            && spans.iter().any(|span| span.name == "SESv2.SendEmail")
    });
    let spans = spans.await;
    let root = spans.iter().find(|span| span.is("faas.invocation_id") == request_id).unwrap();
    assert_eq!((root.trace.as_str(), root.parent.as_deref(), root.kind), (trace, Some(parent), 2));
    assert_eq!((root.name.as_str(), root.failed), ("GET /session", false));
    for (key, value) in [
        ("http.route", "/session"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("faas.name", "session"),
    ] {
        assert_eq!(root.is(key), value);
    }
    let children: Vec<_> = spans.iter().filter(|span| span.parent.as_deref() == Some(&root.id)).collect();
    let read = children.iter().find(|span| span.name == "DynamoDB.BatchGetItem");
    let read = read.unwrap_or_else(|| panic!("no call in {children:?}"));
    assert_eq!((read.trace.as_str(), read.kind, read.failed), (trace, 3, false));
    let of = ["rpc.system", "rpc.service", "rpc.method", "db.system", "http.response.status_code"];
    assert_eq!(of.map(|key| read.is(key)), ["aws-api", "DynamoDB", "BatchGetItem", "dynamodb", "200"]);
    assert!(read.took > 0 && read.took <= root.took, "a call takes no longer than what made it");
    // A job's trace is its own.
    let job = spans.iter().find(|span| span.is("faas.name") == "mailer" && span.kind == 2).unwrap();
    assert!(job.parent.is_none() && job.trace != trace);
    let ids: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
    assert_eq!(ids.len(), spans.len());
    // The collector's key is in its header alone, and nobody else's secret anywhere.
    for (head, document) in collector.all() {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/json") && head.contains("api-key: planted-key"));
        let text = document.to_string();
        for secret in ["planted", PASSWORD, &email, &token, "127.0.0.1", "example.org"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xrays_trace_is_the_exported_one_and_what_it_does_not_keep_is_not_exported() {
    let (collector, url) = Collector::start(TAKEN).await;
    let product = start(url).await;
    let stack = &product.stand.stack;
    let run = |trace_id: &'static str| screensort_runtime::Run {
        job: "detect",
        request_id: "r1",
        trace_id: Some(trace_id),
    };
    let failing = async |trace_id| {
        let (run, work) = (run(trace_id), async { Err::<(), _>("planted") });
        screensort_runtime::watched(stack, &run, work, Result::is_err).await.unwrap_err();
        stack.export_spans().await;
    };
    failing("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0").await;
    assert!(collector.all().is_empty());
    failing("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1").await;
    let spans = collector.spans();
    assert_eq!((spans.len(), spans[0].trace.as_str()), (1, "5759e988bd862e3fe1be46a994272793"));
    assert_eq!(spans[0].parent.as_deref(), Some("53995c3f42cd8ad8"));
    assert!(spans[0].failed && spans[0].is("error.type") == "job_failed" && spans[0].link.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_shows_which_routes_of_tmdb_it_asked_and_never_the_key() {
    let (collector, url) = Collector::start(TAKEN).await;
    let tmdb = Standin::start().await;
    let choices = Choices { otlp: Some(to(url)), ..Choices::default() };
    let product = Product::with_tmdb(&tmdb, choices).await;
    product.ask("POST", "/_local/jobs/sync_lists", &[], json!({})).await;
    let is_there = |spans: &[Span]| spans.iter().any(|span| span.is("faas.name") == "sync_lists");
    let spans = sent(&product, &collector, is_there).await;
    let asked = spans.iter().find(|span| span.is("peer.service") == "tmdb").unwrap();
    assert!(asked.is("url.template").starts_with('/') && asked.is("http.response.status_code") == "200");
    for (_, document) in collector.all() {
        assert!(!document.to_string().contains(tmdb.token()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_slow_or_busy_costs_a_line_and_then_nothing_for_a_while() {
    let log = captured();
    for answer in ["gone", "", BUSY] {
        let (collector, url) = match answer {
            "gone" => (Collector::default(), "http://127.0.0.1:1".to_owned()),
            answer => Collector::start(answer).await,
        };
        let otlp = Otlp { patience: Duration::from_millis(500), ..to(url) };
        let product = Product::start_with(Choices { otlp: Some(otlp), ..Choices::default() }).await;
        let stack = &product.stand.stack;
        let work = async || {
            let run = screensort_runtime::Run { job: "detect", request_id: "r1", trace_id: None };
            screensort_runtime::watched(stack, &run, async {}, |()| false).await;
        };
        let unsent = || {
            log.lines()
                .iter()
                .filter(|line| line["fields"]["message"] == "the collector of traces took nothing")
                .count()
        };
        let before = unsent();
        work().await;
        let began = Instant::now();
        stack.export_spans().await;
        // Not how fast it is, but that there is an end to it.
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(unsent() > before);
        let sent = collector.all().len();
        // Nobody is asked again until it has had time to recover, and people are answered as ever.
        for _ in 0..3 {
            work().await;
            stack.export_spans().await;
        }
        assert_eq!(collector.all().len(), sent);
        product.wait(31);
        work().await;
        stack.export_spans().await;
        assert_eq!(collector.all().len(), if answer == "gone" { 0 } else { sent + 1 });
        product.ask("GET", "/health", &[], Value::Null).await.expect(200, "");
        let text = log.lines().iter().map(Value::to_string).collect::<String>();
        assert!(!text.contains("planted-key"));
    }
}
