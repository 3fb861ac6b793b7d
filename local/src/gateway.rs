//! What API Gateway does in front of the functions: stage, routes, limits, and problems of its own.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming as Body;
use screensort_cloud::{Cloud, Mail, Mailbox};
use screensort_http::{Answer, Code, Endpoint, FieldError, Gate, Problem, preflight};
use screensort_routes::{Area, Found, Route};
use screensort_runtime::{Event, Record, Run, Stack, event, handle, watched, within};

use crate::recent::Costs;
use crate::streams::{self, Fed, Follower};

/// The most that goes into and comes out of a function.
const FUNCTION_LIMIT: usize = 6 << 20;
/// How long the gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(29);
/// How many records are kept to look at.
const RECORDS: usize = 200;
/// The jobs that do what people asked for, and for which they wait.
const WORKERS: [&str; 2] = ["export_worker", "import_worker"];

/// The gateway over all endpoints.
pub struct Gateway {
    endpoints: Vec<Endpoint<Stack>>,
    stack: Stack,
    records: Mutex<VecDeque<Record>>,
    costs: Costs,
    prints: bool,
    /// Whether requests come in over TLS: plain ones are refused then.
    secure: bool,
    /// One mailer at a time, so that who waits for it finds everything sent.
    mailing: tokio::sync::Mutex<()>,
    /// One run of the workers at a time, for the same reason.
    working: tokio::sync::Mutex<()>,
    mailbox: OnceLock<Mailbox>,
    /// The functions that tables' streams call, each at its own pace.
    followers: tokio::sync::RwLock<Vec<tokio::sync::Mutex<Follower>>>,
    /// The minute in which callers were last judged.
    fed: AtomicI64,
}

impl Gateway {
    /// Over `endpoints`; with `prints` each request is a line on standard output.
    pub fn new(endpoints: Vec<Endpoint<Stack>>, stack: Stack, prints: bool, secure: bool) -> Arc<Self> {
        let minute = stack.clock().now().as_second().div_euclid(60);
        Arc::new(Self {
            endpoints,
            stack,
            records: Mutex::default(),
            costs: Costs::default(),
            prints,
            secure,
            mailing: tokio::sync::Mutex::default(),
            working: tokio::sync::Mutex::default(),
            mailbox: OnceLock::new(),
            followers: tokio::sync::RwLock::default(),
            fed: AtomicI64::new(minute),
        })
    }

    /// The context that handlers get.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The last records, newest first.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// What endpoints have cost so far.
    pub(crate) fn costs(&self) -> serde_json::Value {
        self.costs.shown()
    }

    /// Answers one request.
    pub async fn answer(self: Arc<Self>, request: Request<Body>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let request_id = ulid::Ulid::new().to_string();
        let (path, method) = (request.uri().path().to_owned(), request.method().clone());
        let answered = tokio::time::timeout(PATIENCE, self.route(request, peer.ip(), &request_id)).await;
        match answered {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => self.refuse(problem, &method, &path, &request_id),
            Err(_) => self.refuse(Problem::new(Code::Timeout), &method, &path, &request_id),
        }
    }

    /// Shows what is in `mailbox` to who asks for the mail.
    pub fn show_mail(&self, mailbox: Mailbox) {
        // A second mailbox would be a mistake of whoever sets the server up: the first one stays.
        let _ = self.mailbox.set(mailbox);
    }

    /// The mail that was sent, newest first.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        match self.mailbox.get() {
            Some(mailbox) => mailbox.mails().await,
            None => Vec::new(),
        }
    }

    /// Lets what people wait for follow its table, and nothing else.
    pub async fn follow(&self, cloud: &Cloud) {
        for follower in streams::followers(cloud, &self.stack.settings().tables) {
            if follower.name() == streams::PROMPT {
                self.attach(follower).await;
            }
        }
    }

    /// Lets everything follow its table that does so in AWS.
    pub async fn follow_all(&self, cloud: &Cloud) {
        for follower in streams::followers(cloud, &self.stack.settings().tables) {
            self.attach(follower).await;
        }
    }

    /// Whether a function follows a table here.
    pub(crate) async fn follows(&self, name: &str) -> bool {
        for follower in self.followers.read().await.iter() {
            if follower.lock().await.name() == name {
                return true;
            }
        }
        false
    }

    /// Lets one more function follow a table.
    pub async fn attach(&self, follower: Follower) {
        self.followers.write().await.push(tokio::sync::Mutex::new(follower));
    }

    /// Counts what changed in people's libraries; how many changes counted.
    ///
    /// # Errors
    /// If the stream fails: the changes are counted the next time.
    pub async fn count_films(&self) -> Result<u64, screensort_runtime::JobError> {
        let fed = self.feed(Some("count_films")).await?;
        Ok(fed.iter().flat_map(|fed| &fed.answers).filter_map(|answer| answer["counted"].as_u64()).sum())
    }

    /// Delivers what is new to the functions that follow tables, or to one of them. In AWS their streams call them;
    /// here it is done after every request that may have changed something, and every few seconds.
    ///
    /// # Errors
    /// If a stream fails: its changes come again.
    pub async fn feed(&self, only: Option<&str>) -> Result<Vec<Fed>, screensort_runtime::JobError> {
        let mut fed = Vec::new();
        for follower in self.followers.read().await.iter() {
            let mut follower = follower.lock().await;
            if only.is_none_or(|only| only == follower.name()) {
                fed.push(follower.feed(&self.stack).await?);
            }
        }
        Ok(fed)
    }

    /// Does the exports and imports that wait, and counts what changed.
    ///
    /// # Errors
    /// If an errand fails or the stream does: both are tried again later.
    pub async fn follow_changes(&self) -> Result<(), screensort_runtime::JobError> {
        self.run_errands().await?;
        self.feed(Some(streams::PROMPT)).await.map(drop)
    }

    /// Runs the workers, as a schedule does in AWS each minute; here it is done after every call that may have asked for
    /// an export or an import too.
    ///
    /// # Errors
    /// If an errand fails: it is due again after a while.
    pub async fn run_errands(&self) -> Result<(), screensort_runtime::JobError> {
        let _alone = self.working.lock().await;
        let mut all = Ok(());
        for name in WORKERS {
            let Some(job) = screensort_jobs::by_name(name) else { continue };
            let run = ran(&self.stack, name, job(serde_json::json!({}), self.stack.clone())).await;
            all = all.and(run.map(drop));
        }
        all
    }

    /// Forgets who waits for it. In AWS a schedule does; here it is done after every call that may have asked for it, and
    /// each minute, because a run of a worker may have to end first.
    pub(crate) async fn forget_people(&self) {
        let forgetting = screensort_accounts::deletion_worker::run(&self.stack);
        if let Err(error) = ran(&self.stack, "deletion_worker", forgetting).await {
            tracing::warn!(name: "people.unforgotten", %error, "people wait to be forgotten: {error}");
        }
    }

    /// What AWS would do in the background after a call of `route`.
    async fn after(&self, route: &Route) {
        if route.area == Area::Accounts {
            self.send_mail().await;
        }
        if route.binary == "profile_delete" {
            self.forget_people().await;
        }
        if matches!(route.binary, "profile_export" | "imports")
            && let Err(error) = self.run_errands().await
        {
            tracing::warn!(name: "errands.undone", %error, "exports or imports wait to be done: {error}");
        }
        if let Err(error) = self.count_films().await {
            tracing::warn!(name: "films.uncounted", %error, "changes wait to be counted: {error}");
        }
    }

    /// Sends the mail that waits. In AWS a schedule does; here it is done after every call that may post some.
    pub async fn send_mail(&self) {
        let _alone = self.mailing.lock().await;
        let mailing = screensort_accounts::mailer::run(&self.stack);
        if let Err(error) = ran(&self.stack, "mailer", mailing).await {
            tracing::warn!(name: "mail.unsent", %error, "mail waits: {error}");
        }
    }

    async fn route(
        self: &Arc<Self>,
        request: Request<Body>,
        peer: IpAddr,
        request_id: &str,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let (parts, body) = request.into_parts();
        let source = local_source(&parts.headers).unwrap_or(peer);
        check_host(&parts.headers, &parts.uri)?;
        let Some(path) = under_stage(parts.uri.path()) else {
            return Err(Problem::new(Code::NotFound).with_detail("The API is under /v1: see /v1/docs."));
        };
        if let Some(path) = path.strip_prefix("/_local/") {
            check_page(&parts.headers)?;
            let query = parts.uri.query().unwrap_or_default();
            return crate::here::answer(self, &parts.method, path, query, request_id).await;
        }
        self.feed_blocklist();
        if let Err(problem) = self.stack.admit(source).await {
            screensort_http::blocked(&source.to_string(), request_id);
            return Err(problem);
        }
        let (route, values) = match screensort_routes::find(&parts.method, path) {
            Found::Route(route, values) => (route, values),
            Found::Methods(methods) if parts.method == Method::OPTIONS => {
                let allowed = &self.stack.settings().cors_origins;
                return Ok(complete(preflight(&parts.headers, &methods, allowed, request_id)?));
            }
            Found::Methods(methods) => return Err(wrong_method(&methods)),
            Found::Nothing => {
                self.stack.suspect_scan(source).await;
                return Err(Problem::new(Code::NotFound));
            }
        };
        let query = decode_query(parts.uri.query().unwrap_or_default())?;
        let body = collect(body, route).await?;
        let event = event(&Event {
            route,
            path,
            path_parameters: &values,
            query: &query,
            headers: &parts.headers,
            body: &body,
            source,
            request_id,
            at_ms: self.stack.clock().now().as_millisecond(),
        });
        let event = event.to_string();
        // The gateway hands a body on as a text within the event, and a function takes no longer one.
        if event.len() > FUNCTION_LIMIT {
            return Err(Problem::new(Code::TooLarge));
        }
        let answer = Box::pin(self.invoke(route, &event)).await;
        let followed = !matches!(route.area, Area::Movies | Area::System) && route.method != Method::GET;
        if followed {
            let gateway = Arc::clone(self);
            tokio::spawn(async move { gateway.after(route).await });
        }
        if route.binary == "admin_sync" && route.method == Method::POST {
            let stack = self.stack.clone();
            // A failure is in the log of runs, where whoever asked looks for it.
            tokio::spawn(async move {
                let work = screensort_jobs::sync_wanted::job(serde_json::json!({}), stack.clone());
                ran(&stack, "sync_wanted", work).await.ok()
            });
        }
        answer
    }

    /// In AWS a schedule judges callers once a minute; here a minute's first request has it done.
    fn feed_blocklist(&self) {
        let minute = self.stack.clock().now().as_second().div_euclid(60);
        if self.fed.swap(minute, Ordering::Relaxed) == minute {
            return;
        }
        let stack = self.stack.clone();
        tokio::spawn(async move {
            let feeding = Box::pin(screensort_jobs::feed_blocklist::run(&stack));
            if let Err(error) = ran(&stack, "feed_blocklist", feeding).await {
                tracing::warn!(name: "blocklist.unfed", %error, "callers are not judged: {error}");
            }
        });
    }

    async fn invoke(&self, route: &Route, event: &str) -> Result<Response<Full<Bytes>>, Problem> {
        let request = screensort_runtime::request(event)
            .map_err(|e| Problem::internal("the event is not one that Lambda takes").caused_by(e))?;
        let endpoint = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == route.binary)
            .ok_or_else(|| Problem::internal("a route of the table has no endpoint"))?;
        let (response, record) = handle(endpoint, request, &self.stack).await;
        self.note(record);
        export_spans(&self.stack);
        let (parts, body) = response.into_parts();
        let bytes = match body {
            lambda_http::Body::Text(text) => Bytes::from(text),
            lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        };
        if bytes.len() > FUNCTION_LIMIT {
            return Err(Problem::internal("an answer is larger than a function may give"));
        }
        Ok(Response::from_parts(parts, Full::new(bytes)))
    }

    /// What the gateway answers itself. The path is the caller's own words: they are not printed.
    #[allow(clippy::print_stdout, reason = "a readable line per request is what the local server is for")]
    fn refuse(
        &self,
        problem: Problem,
        method: &Method,
        path: &str,
        request_id: &str,
    ) -> Response<Full<Bytes>> {
        let answer = problem.answer(path, request_id);
        if self.prints {
            let code = answer.problem.unwrap_or_default();
            println!("{} {method} (gateway)  {code}  {request_id}", answer.status.as_u16());
        }
        complete(answer)
    }

    #[allow(clippy::print_stdout, reason = "a readable line per request is what the local server is for")]
    fn note(&self, record: Record) {
        if self.prints {
            let cause = record.cause.as_ref().map(|cause| format!("  {cause}")).unwrap_or_default();
            println!(
                "{} {} {}{}  {:.1} ms  {} store requests  {}{cause}",
                record.status,
                record.method,
                record.route,
                record.problem.map(|code| format!("  {code}")).unwrap_or_default(),
                record.duration_ms,
                record.store_requests,
                record.request_id
            );
        }
        self.costs.note(&record);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push_front(record);
        records.truncate(RECORDS);
    }

    /// Whether the gateway is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

/// An answer of the gateway's own.
pub(crate) fn complete(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// The path under the stage.
fn under_stage(path: &str) -> Option<&str> {
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'))
}

fn wrong_method(methods: &[&Method]) -> Problem {
    let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    Problem::new(Code::MethodNotAllowed).with_header(ALLOW, &names.join(", "))
}

/// The source address that a caller on this machine wants to be seen with, to try limits and blocklists.
fn local_source(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get("x-local-source")?.to_str().ok()?.parse().ok()
}

/// Only who asks this machine by a name of its own is answered. A page of another site whose name was made to lead
/// here (DNS rebinding) reads nothing and changes nothing: its requests carry its own name. What is no host must not
/// get further either: the SDK builds an address out of it.
fn check_host(headers: &HeaderMap, target: &http::Uri) -> Result<(), Problem> {
    let refused =
        || Problem::new(Code::BadParameter).with_detail("The Host header does not name this server.");
    let mut given = headers.get_all(HOST).iter();
    let (host, more) = (given.next(), given.next());
    let named = host.map(|host| host.to_str().ok()?.parse::<http::uri::Authority>().ok());
    // A target in absolute form names a host, too, and counts instead of the header where it is taken at its word.
    let all = named.into_iter().chain(target.authority().cloned().map(Some));
    // Nobody signs in by an address: whoever puts a name before the host means another one to be read.
    let is_ours =
        |named: http::uri::Authority| !named.as_str().contains('@') && is_this_machine(named.host());
    let mut all = all.map(|named| named.is_some_and(is_ours));
    if more.is_none() && all.all(|is_ours| is_ours) { Ok(()) } else { Err(refused()) }
}

/// What is behind `/_local/` asks for no credentials. A page of another site cannot read an answer of it, but its plain
/// `POST` would run a job: browsers say where such a call comes from, and it is refused.
fn check_page(headers: &HeaderMap) -> Result<(), Problem> {
    let is_elsewhere =
        |site: &HeaderValue| !["none", "same-origin"].map(str::as_bytes).contains(&site.as_bytes());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = [format!("http://{host}"), format!("https://{host}")];
    let is_foreign = |origin: &HeaderValue| !own.iter().any(|own| own.as_bytes() == origin.as_bytes());
    let elsewhere = headers.get("sec-fetch-site").is_some_and(is_elsewhere);
    if elsewhere || headers.get(ORIGIN).is_some_and(is_foreign) {
        return Err(Problem::new(Code::OriginRefused));
    }
    Ok(())
}

/// Whether a host, without its port, can be nothing but this machine.
fn is_this_machine(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let loopback = literal.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}

async fn collect(body: Body, route: &Route) -> Result<Bytes, Problem> {
    let most = route.body_limit();
    // What says itself that it is too long is not waited for.
    if most > 0 && hyper::body::Body::size_hint(&body).lower() > most as u64 {
        return Err(Problem::new(Code::TooLarge));
    }
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() && most == 0 => {
            Err(Problem::new(Code::BodyNotAllowed))
        }
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Problem::new(Code::TooLarge)),
        Err(_) => Err(Problem::new(Code::BadJson).with_detail("The body broke off.")),
    }
}

/// Runs a job as Lambda does: what it calls is its own, and so is its trace.
pub(crate) async fn ran<T, E>(
    stack: &Stack,
    job: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let request_id = stack.new_id().unwrap_or_default();
    let run = Run { job, request_id: &request_id, trace_id: None };
    let done = within(job, Box::pin(watched(stack, &run, work, Result::is_err))).await;
    export_spans(stack);
    done
}

/// Sends traces beside everything else, where the environment asks for it: this process is never frozen.
fn export_spans(stack: &Stack) {
    if stack.settings().otlp.is_some() {
        let stack = stack.clone();
        tokio::spawn(async move { stack.export_spans().await });
    }
}

/// The query as the gateway decodes it.
fn decode_query(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name).ok_or_else(|| undecodable(name))?;
        let value = decode(value).ok_or_else(|| undecodable(&name))?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn undecodable(name: &str) -> Problem {
    let shown = name.chars().take(40).map(|c| if c.is_ascii_graphic() && c != '/' { c } else { '_' });
    let pointer = format!("/{}", shown.collect::<String>());
    Problem::new(Code::BadParameter).with_errors(vec![FieldError {
        pointer,
        code: "invalid",
        detail: "Not percent-encoded UTF-8.".into(),
    }])
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for ours in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(is_this_machine(ours), "{ours}");
        }
        for other in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "[::]",
            "10.0.0.1",
            "2130706433",
            "0x7f.1",
            "127.1",
            "127.0.0.01",
            "[::ffff:127.0.0.1]",
            "localhost.",
            "xlocalhost",
        ] {
            assert!(!is_this_machine(other), "{other}");
        }
    }

    #[test]
    fn a_query_is_decoded_strictly() {
        let pairs = decode_query("q=am%C3%A9lie+x&q=2&flag&&a=b=c").unwrap();
        let expected = [("q", "amélie x"), ("q", "2"), ("flag", ""), ("a", "b=c")];
        assert_eq!(pairs, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        for bad in ["q=%", "q=%4", "q=%zz", "q=%ff", "%ff=1"] {
            assert_eq!(decode_query(bad).unwrap_err().code(), Code::BadParameter, "{bad}");
        }
    }
}
