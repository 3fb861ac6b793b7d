//! One endpoint: its routes and their handlers, and the way from a request to an answer.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use http::header::{ALLOW, CONTENT_SECURITY_POLICY as CSP, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use screensort_auth::Demand;
use screensort_auth::event::Event;
use screensort_routes::{Access, Caching, Route};
use serde::Serialize;

use crate::idempotency::Keeping;
use crate::opening::entity_tag;
use crate::passing::{fits, let_in, once, open, proven, standing_of, told};
use crate::{
    Actor, Answer, Authority, Code, File, Gate, Incoming, Input, Owner, Problem, Reply, Whence, headers, json,
};

/// What a handler may answer with. Where endpoints describe themselves it must have a schema too.
#[cfg(not(feature = "describe"))]
pub trait Answers: Serialize {}
#[cfg(not(feature = "describe"))]
impl<T: Serialize> Answers for T {}
/// What a handler may answer with. Where endpoints describe themselves it must have a schema too.
#[cfg(feature = "describe")]
pub trait Answers: Serialize + schemars::JsonSchema {}
#[cfg(feature = "describe")]
impl<T: Serialize + schemars::JsonSchema> Answers for T {}

type Handled = Pin<Box<dyn Future<Output = Result<Rendered, Problem>> + Send>>;
type Handler<C> = Arc<dyn Fn(Incoming, C) -> Handled + Send + Sync>;

/// A reply on its way out, whatever type its body had.
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(http::HeaderName, HeaderValue)>,
    pub(crate) content_type: &'static str,
    pub(crate) policy: Option<&'static str>,
    pub(crate) bytes: Bytes,
}

/// One route and its handler.
pub struct Operation<C> {
    /// The route's entry in the table.
    pub route: &'static Route,
    /// What the handler's actor type demands.
    pub access: Access,
    /// The status of an answer that is no problem.
    pub success: StatusCode,
    /// Whether it creates something, and what is kept of its answers then.
    pub keeping: Keeping,
    handler: Handler<C>,
    #[cfg(feature = "describe")]
    pub(crate) describe: crate::openapi::Describe,
}

/// The routes that one Lambda binary serves.
pub struct Endpoint<C> {
    /// The binary's name.
    pub name: &'static str,
    operations: Vec<Operation<C>>,
}

impl<C: Gate> Endpoint<C> {
    /// An endpoint without routes yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, operations: Vec::new() }
    }

    /// Adds a route that answers with JSON. The handler reads *who, what, with what*.
    #[must_use]
    pub fn route<A, I, T, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.json(route, status_of::<T>(), Keeping::Nothing, handle)
    }

    /// As [`Endpoint::route`], but what is asked for happens later: 202.
    #[must_use]
    pub fn accepting<A, I, T, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.json(route, StatusCode::ACCEPTED, Keeping::Nothing, handle)
    }

    /// As [`Endpoint::route`], but something is created: 201, and `Idempotency-Key` is honoured.
    #[must_use]
    pub fn creating<A, I, T, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.json(route, StatusCode::CREATED, Keeping::Answers, handle)
    }

    /// As [`Endpoint::creating`], but the answer carries a secret: it is given once and never kept.
    #[must_use]
    pub fn creating_secret<A, I, T, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.json(route, StatusCode::CREATED, Keeping::Secrets, handle)
    }

    /// As [`Endpoint::creating`], but what is created comes to be later: 202.
    #[must_use]
    pub fn creating_later<A, I, T, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.json(route, StatusCode::ACCEPTED, Keeping::Answers, handle)
    }

    fn json<A, I, T, F>(
        self,
        route: &'static Route,
        success: StatusCode,
        keeping: Keeping,
        handle: fn(A, I, C) -> F,
    ) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        self.add::<A, I, _, _>(
            route,
            (success, keeping),
            handle,
            rendered,
            #[cfg(feature = "describe")]
            crate::openapi::json::<I, T>,
        )
    }

    /// As [`Endpoint::route`], in two parts. `look` reads what the answer or the change depends on, of the caller's own:
    /// while the caller is being proven, where a signature vouches for whose it is (docs/decisions/0013). What it saw,
    /// a problem too, is worth nothing until the proof is there; then `act` does the rest.
    #[must_use]
    pub fn looking<A, P, I, S, T, F, G>(
        self,
        route: &'static Route,
        look: fn(Owner<P>, I, C) -> F,
        act: fn(A, S, C) -> G,
    ) -> Self
    where
        C: Authority,
        P: Demand + 'static,
        A: Actor<C> + 'static,
        Owner<P>: for<'a> From<&'a A>,
        I: Input + Send + 'static,
        S: Send + 'static,
        T: Answers + Send + 'static,
        F: Future<Output = Result<S, Problem>> + Send + 'static,
        G: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        let success = status_of::<T>();
        let handler: Handler<C> = Arc::new(move |request: Incoming, context: C| {
            Box::pin(async move {
                fits(route, &request)?;
                let ahead = Owner::<P>::ahead(&request, &context).await;
                let begin = |owner| {
                    let (request, context) = (&request, context.clone());
                    async move {
                        let input = open::<I>(request).ok()?;
                        Some(Box::pin(look(owner, input, context)).await)
                    }
                };
                let (actor, counted, early) =
                    Box::pin(proven::<A, C, _, _, _>(route, &request, &context, ahead, begin)).await;
                let standing = standing_of(&counted);
                let answered = async {
                    let (actor, counted) = Box::pin(let_in(actor, counted, &context)).await?;
                    let seen = match early {
                        Some(seen) => seen?,
                        None => {
                            let input = open::<I>(&request)?;
                            Box::pin(look(Owner::<P>::from(&actor), input, context.clone())).await?
                        }
                    };
                    let acting =
                        async { Box::pin(act(actor, seen, context.clone())).await.and_then(rendered) };
                    let call = (route, Keeping::Nothing, success);
                    once(call, request, counted.account.as_deref(), &context, acting).await
                };
                told(answered.await, &standing)
            })
        });
        self.with(Operation {
            route,
            access: A::ACCESS,
            success,
            keeping: Keeping::Nothing,
            handler,
            #[cfg(feature = "describe")]
            describe: crate::openapi::json::<I, T>,
        })
    }

    /// Adds a route that answers with a page, a script or a text.
    #[must_use]
    pub fn file<A, I, F>(self, route: &'static Route, handle: fn(A, I, C) -> F) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        F: Future<Output = Result<Reply<File>, Problem>> + Send + 'static,
    {
        self.add::<A, I, _, _>(
            route,
            (StatusCode::OK, Keeping::Nothing),
            handle,
            |reply| {
                Ok(Rendered {
                    status: reply.status,
                    headers: reply.headers,
                    content_type: reply.body.content_type,
                    policy: reply.body.policy,
                    bytes: reply.body.bytes,
                })
            },
            #[cfg(feature = "describe")]
            crate::openapi::file::<I>,
        )
    }

    fn add<A, I, T, F>(
        self,
        route: &'static Route,
        (success, keeping): (StatusCode, Keeping),
        handle: fn(A, I, C) -> F,
        render: fn(Reply<T>) -> Result<Rendered, Problem>,
        #[cfg(feature = "describe")] describe: crate::openapi::Describe,
    ) -> Self
    where
        A: Actor<C> + 'static,
        I: Input + Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<Reply<T>, Problem>> + Send + 'static,
    {
        let handler: Handler<C> = Arc::new(move |request: Incoming, context: C| {
            Box::pin(async move {
                fits(route, &request)?;
                // A read may begin before the actor is proven; what it finds is worth nothing until the proof is there.
                let ahead = A::ahead(&request, &context).await.filter(|_| route.method == Method::GET);
                let begin = |actor| {
                    let (request, context) = (&request, context.clone());
                    async move {
                        let input = open::<I>(request).ok()?;
                        Some(Box::pin(handle(actor, input, context)).await)
                    }
                };
                let (actor, counted, early) =
                    Box::pin(proven::<A, C, _, _, _>(route, &request, &context, ahead, begin)).await;
                let standing = standing_of(&counted);
                let answered = async {
                    let (actor, counted) = Box::pin(let_in(actor, counted, &context)).await?;
                    let input = open::<I>(&request)?;
                    let handling = async {
                        let handled = match early {
                            Some(handled) => handled,
                            None => Box::pin(handle(actor, input, context.clone())).await,
                        };
                        handled.and_then(render)
                    };
                    let call = (route, keeping, success);
                    once(call, request, counted.account.as_deref(), &context, handling).await
                };
                told(answered.await, &standing)
            })
        });
        self.with(Operation {
            route,
            access: A::ACCESS,
            success,
            keeping,
            handler,
            #[cfg(feature = "describe")]
            describe,
        })
    }

    fn with(mut self, operation: Operation<C>) -> Self {
        self.operations.push(operation);
        self
    }

    /// The routes and what their handlers demand.
    pub fn operations(&self) -> &[Operation<C>] {
        &self.operations
    }

    fn choose(&self, route_path: &str, method: &http::Method) -> Result<&Operation<C>, Problem> {
        let of_path = self.operations.iter().filter(|op| op.route.path == route_path);
        let methods: Vec<&str> = of_path.clone().map(|op| op.route.method.as_str()).collect();
        if methods.is_empty() {
            return Err(Problem::new(Code::NotFound));
        }
        of_path
            .into_iter()
            .find(|op| op.route.method == *method)
            .ok_or_else(|| Problem::new(Code::MethodNotAllowed).with_header(ALLOW, &methods.join(", ")))
    }

    /// Answers a request for `route_path`, the path as the table writes it.
    pub async fn answer(&self, route_path: &str, request: Incoming, context: C) -> Answer {
        let at = Place::of(&request);
        if let Err(problem) = context.admit(request.source).await {
            Whence::of(&request).note(Event::BlocklistMet, None);
            return at.problem(Caching::NoStore, problem);
        }
        let operation = match self.choose(route_path, &request.method) {
            Ok(operation) => operation,
            Err(problem) => return at.problem(Caching::NoStore, problem),
        };
        let handled = AssertUnwindSafe((operation.handler)(request, context)).catch_unwind().await;
        match handled {
            Ok(Ok(rendered)) => at.rendered(operation.route.caching, rendered),
            Ok(Err(problem)) => at.problem(operation.route.caching, problem),
            Err(panic) => at.problem(Caching::NoStore, panicked(panic.as_ref())),
        }
    }
}

/// The status of an answer of this type: nothing to say has one of its own.
fn status_of<T: 'static>() -> StatusCode {
    let is_nothing = std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>();
    if is_nothing { StatusCode::NO_CONTENT } else { StatusCode::OK }
}

fn rendered<T: Answers>(reply: Reply<T>) -> Result<Rendered, Problem> {
    let bytes = json::to_bytes(&reply.body)
        .map_err(|e| Problem::internal("an answer is not serialisable").caused_by(e))?;
    Ok(Rendered {
        status: reply.status,
        headers: reply.headers,
        content_type: reply.content_type,
        policy: None,
        bytes: bytes.into(),
    })
}

/// A panic as a plain 500. Its text is for the log only.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Problem::new(Code::Internal).caused_by(format!("panic: {text}"))
}

/// What of a request its answer needs.
struct Place {
    path: String,
    request_id: String,
    has_credentials: bool,
    if_none_match: Option<String>,
}

impl Place {
    fn of(request: &Incoming) -> Self {
        Self {
            path: format!("/v1{}", request.path),
            request_id: request.request_id.clone(),
            has_credentials: request.has_credentials(),
            if_none_match: request.header(IF_NONE_MATCH.as_str()).map(str::to_owned),
        }
    }

    fn rendered(&self, caching: Caching, rendered: Rendered) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in rendered.headers {
            // Appended: an answer may set several cookies.
            headers.append(name, value);
        }
        headers::cache(&mut headers, caching, self.has_credentials);
        let mut answer =
            Answer { status: rendered.status, headers, body: rendered.bytes, problem: None, cause: None };
        if let Some(policy) = rendered.policy {
            answer.headers.insert(CSP, HeaderValue::from_static(policy));
        }
        if caching != Caching::NoStore && !self.has_credentials && answer.status == StatusCode::OK {
            let tag = entity_tag(&answer.body);
            if self.if_none_match.as_deref().is_some_and(|theirs| names(theirs, &tag)) {
                answer.status = StatusCode::NOT_MODIFIED;
                answer.body = Bytes::new();
            }
            if let Ok(tag) = tag.parse() {
                answer.headers.insert(ETAG, tag);
            }
        }
        if !answer.body.is_empty() {
            answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
        }
        headers::secure(&mut answer.headers, &self.request_id);
        answer
    }

    fn problem(&self, caching: Caching, problem: Problem) -> Answer {
        let cause = problem.causes();
        let (code, document, headers) = problem.into_parts(&self.path, &self.request_id);
        let body = json::to_bytes(&document).unwrap_or_default();
        let mut answer = Answer {
            status: code.status(),
            headers: headers.into_iter().collect(),
            body: body.into(),
            problem: Some(code.word()),
            cause,
        };
        // Only what stays true may be kept: a film that is gone or elsewhere.
        let caching = if matches!(code, Code::Moved | Code::Gone) { caching } else { Caching::NoStore };
        headers::cache(&mut answer.headers, caching, self.has_credentials);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers::secure(&mut answer.headers, &self.request_id);
        answer
    }
}

impl Problem {
    /// The problem as a complete answer: for refusals that happen before any endpoint is reached. `path` is the
    /// request's, the stage included.
    pub fn answer(self, path: &str, request_id: &str) -> Answer {
        let place = Place {
            path: path.to_owned(),
            request_id: request_id.to_owned(),
            has_credentials: false,
            if_none_match: None,
        };
        place.problem(Caching::NoStore, self)
    }
}

/// Whether an `If-None-Match` header names `tag` (RFC 9110, 13.1.2: compared weakly).
fn names(header: &str, tag: &str) -> bool {
    header.trim() == "*" || header.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Anyone;

    pub(crate) fn get(path: &str, query: &[(&str, &str)]) -> Incoming {
        Incoming {
            method: http::Method::GET,
            path: path.to_owned(),
            path_parameters: Vec::new(),
            query: query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            source: [203, 0, 113, 7].into(),
            request_id: "test-request".to_owned(),
            checked: Default::default(),
        }
    }

    #[derive(Serialize, schemars::JsonSchema)]
    struct Hello {
        text: String,
    }

    async fn greet(_: Anyone, (): (), (): ()) -> Result<Reply<Hello>, Problem> {
        Ok(Reply::ok(Hello { text: "<b>".into() }))
    }

    async fn fall(_: Anyone, (): (), (): ()) -> Result<Reply<Hello>, Problem> {
        panic!("secret detail");
    }

    fn endpoint() -> Endpoint<()> {
        Endpoint::new("genres").route(screensort_routes::GENRES, greet).route(screensort_routes::HEALTH, fall)
    }

    async fn ask(request: Incoming) -> Answer {
        let path = request.path.clone();
        endpoint().answer(&path, request, ()).await
    }

    #[tokio::test]
    async fn an_unchanged_answer_is_not_sent_twice() {
        let first = ask(get("/genres", &[])).await;
        assert_eq!(first.body, r#"{"text":"\u003cb\u003e"}"#);
        let mut again = get("/genres", &[]);
        again.headers.insert(IF_NONE_MATCH, first.headers[ETAG].clone());
        let second = ask(again.clone()).await;
        assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0));
        again.headers.insert("authorization", "Bearer x".parse().unwrap());
        let third = ask(again).await;
        assert_eq!(third.status, StatusCode::OK);
        assert_eq!(third.headers["cache-control"], "private, no-store");
        assert!(!third.headers.contains_key(ETAG));
    }

    #[tokio::test]
    async fn unknown_and_repeated_parameters_are_each_named() {
        let answer = ask(get("/genres", &[("limit", "5"), ("x\r\n<y>", "1")])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["code"], "bad_parameter");
        assert_eq!(body["errors"][0]["pointer"], "/limit");
        assert_eq!(body["errors"][1]["pointer"], "/x__<y>");
    }

    #[tokio::test]
    async fn a_panic_is_a_plain_500_and_its_text_stays_here() {
        let answer = ask(get("/health", &[])).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
        assert_eq!(answer.cause.as_deref(), Some("panic: secret detail"));
        assert_eq!(answer.headers["x-request-id"], "test-request");
    }

    #[tokio::test]
    async fn another_method_is_told_which_ones_there_are() {
        let mut request = get("/genres", &[]);
        request.method = http::Method::DELETE;
        let answer = ask(request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers[ALLOW], "GET");
    }
}
