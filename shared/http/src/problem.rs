//! Problem documents (RFC 9457). The one place where errors become answers.

use std::borrow::Cow;
use std::error::Error;

use http::StatusCode;
use serde::Serialize;

use crate::opening::FieldError;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal, $detail:literal;)*) => {
        /// Every problem that the product answers with. The word is part of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable word, also the last segment of `type`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// A short text that is the same for each occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What to do about it, where nothing better is known.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$name => $detail),* }
            }
        }
    };
}

codes! {
    /// The resource has another id now.
    Moved = "moved", MOVED_PERMANENTLY, "Moved", "Follow the Location header.";
    /// A parameter is wrong; `errors` names each.
    BadParameter = "bad_parameter", BAD_REQUEST, "A parameter was refused",
        "See errors for each parameter and what it allows.";
    /// The cursor is not one of ours, or belongs to another query or person.
    BadCursor = "bad_cursor", BAD_REQUEST, "The cursor was refused",
        "Use next_cursor as it was given, with the same query, or start again without a cursor.";
    /// The body is not one JSON object.
    BadJson = "bad_json", BAD_REQUEST, "The body is not valid JSON", "Send one JSON object in UTF-8.";
    /// A body where none belongs.
    BodyNotAllowed = "body_not_allowed", BAD_REQUEST, "This call takes no body", "Send the call without a body.";
    /// No such thing.
    NotFound = "not_found", NOT_FOUND, "Not found", "There is nothing at this address.";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "The Allow header lists the methods of this path.";
    /// It was here and is gone for good.
    Gone = "gone", GONE, "Gone", "It was withdrawn and will not come back.";
    /// More bytes than the route takes.
    TooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The request is too large",
        "Send less: 64 KiB at most unless the route says otherwise.";
    /// Not JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type",
        "Send application/json in UTF-8.";
    /// A field is wrong; `errors` names each.
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "A field was refused",
        "See errors for each field and what it allows.";
    /// Somebody has the user name.
    UsernameTaken = "username_taken", CONFLICT, "The user name is taken", "Choose another user name.";
    /// Somebody else changed it meanwhile, or a rule stands against it.
    Conflict = "conflict", CONFLICT, "Not possible as things are", "Read it again, then decide again.";
    /// `If-Match` names another version.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "It has changed meanwhile",
        "Read it again, then decide again; ETag says which version it is.";
    /// An idempotency key came with another call.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key belongs to another call",
        "Send the same call again, or another Idempotency-Key.";
    /// A call with this idempotency key is being done.
    InProgress = "in_progress", CONFLICT, "It is being done", "Send it again after Retry-After for the answer.";
    /// A call with this idempotency key was done, and its answer is not kept.
    AlreadyDone = "already_done", CONFLICT, "It is done already",
        "The answer carried a secret or was too large to keep. Read what was created, or create another one.";
    /// `Accept` names no form that there is.
    NotAcceptable = "not_acceptable", NOT_ACCEPTABLE, "There is no such form of it",
        "Accept application/json; the operator directory is there as application/vnd.hypercat.catalogue+json too.";
    /// The password is under the policy; `errors` names each reason.
    WeakPassword = "weak_password", UNPROCESSABLE_ENTITY, "The password is not good enough",
        "See errors for each reason.";
    /// The password is too old, or known to others.
    PasswordExpired = "password_expired", FORBIDDEN, "Set a new password first",
        "The password is too old: ask for a mail at /v1/password/forgot and set a new one.";
    /// A one-time code is not the right one.
    WrongCode = "wrong_code", UNPROCESSABLE_ENTITY, "The code is wrong",
        "Type the code that is shown now; each works once.";
    /// Name, address, password, code or ticket are wrong; which is not said.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "Signing in failed",
        "Check what you typed. If you have no account with us, register.";
    /// A challenge has to be solved first.
    ChallengeRequired = "challenge_required", UNAUTHORIZED, "Solve a challenge first",
        "Get one from /v1/login/challenge, solve it, and send the answer as challenge.";
    /// The password is right, the address is not verified.
    EmailUnverified = "email_unverified", FORBIDDEN, "Verify your address first",
        "Follow the link in the mail; /v1/register/resend sends it again.";
    /// A refresh token was used twice.
    TokenReuse = "token_reuse", UNAUTHORIZED, "The token was used before",
        "The session has ended because its token is in two hands. Sign in again.";
    /// Too long without a request, or too long in all.
    SessionExpired = "session_expired", UNAUTHORIZED, "The session has ended", "Sign in again.";
    /// Who it is was not proven recently enough.
    ReauthenticationRequired = "reauthentication_required", FORBIDDEN, "Prove again who you are",
        "Call /v1/reauthenticate first; it counts for ten minutes.";
    /// An unsafe call of a cookie session that its page did not make.
    Csrf = "csrf", FORBIDDEN, "The call did not come from the page",
        "Send the token of /v1/csrf as X-CSRF-Token, from an allowed origin.";
    /// Too many attempts on one account or from one network.
    TooManyAttempts = "too_many_attempts", TOO_MANY_REQUESTS, "Too many attempts",
        "Wait as long as Retry-After says.";
    /// No or unusable credentials.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Sign in first", "Send a valid access token.";
    /// Signed in, but not allowed.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed", "Your account lacks the permission for this.";
    /// The caller's address is on the blocklist.
    Blocked = "blocked", FORBIDDEN, "The address is blocked",
        "Requests from this network are refused because of what came from it. It ends by itself, or ask us.";
    /// A page of an origin that may not call.
    OriginRefused = "origin_refused", FORBIDDEN, "This origin may not call",
        "Pages of this origin are not let in; programs without an Origin are.";
    /// Plain HTTP.
    HttpsRequired = "https_required", FORBIDDEN, "HTTPS is required",
        "Nothing was done. Change the address to https, and change any secret that was sent in clear.";
    /// Too many requests.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests",
        "Wait as long as Retry-After says.";
    /// A bug or an outage on our side.
    Internal = "internal_error", INTERNAL_SERVER_ERROR, "Something went wrong on our side",
        "Try again later; if it lasts, report the request_id.";
    /// Something we need does not answer.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available right now", "Try again in a few seconds.";
    /// The function took too long.
    Timeout = "timeout", GATEWAY_TIMEOUT, "The answer took too long", "Try again later.";
}

/// Why a request is not answered as asked: what the caller reads, and what only the log does.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(http::HeaderName, http::HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// A problem as it travels.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Document {
    /// A URI reference that identifies the kind of problem and answers with its description.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same short text for each occurrence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened here and what to do.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// A stable word to program against.
    pub code: &'static str,
    /// Quote it in a report.
    pub request_id: String,
    /// One entry for each rejected parameter or field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem with its standing advice as detail.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(code.advice()),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// A bug: `why` is for the log only.
    pub fn internal(why: &'static str) -> Self {
        Self::new(Code::Internal).caused_by(why)
    }

    /// Says what happened in a sentence of its own. It must not repeat what the caller sent.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the rejected parameters or fields.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a header, such as `Retry-After`. A value that no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.retain(|(theirs, _)| *theirs != name || *theirs == http::header::SET_COOKIE);
            self.headers.push((name, value));
        }
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The rejected parameters or fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// What the log says of it: the causes, from the outermost in.
    pub fn causes(&self) -> Option<String> {
        let mut at: &dyn Error = self.cause.as_deref()?;
        let mut text = at.to_string();
        while let Some(deeper) = at.source() {
            text = format!("{text}: {deeper}");
            at = deeper;
        }
        Some(text)
    }

    pub(crate) fn into_parts(
        self,
        instance: &str,
        request_id: &str,
    ) -> (Code, Document, Vec<(http::HeaderName, http::HeaderValue)>) {
        let document = Document {
            kind: format!("/v1/problems/{}", self.code.word()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.into_owned(),
            instance: instance.to_owned(),
            code: self.code.word(),
            request_id: request_id.to_owned(),
            errors: self.errors,
        };
        (self.code, document, self.headers)
    }
}

impl From<screensort_crypto::Error> for Problem {
    fn from(error: screensort_crypto::Error) -> Self {
        let code = match &error {
            screensort_crypto::Error::KeyService { .. } => Code::Unavailable,
            _ => Code::Internal,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<screensort_auth::Error> for Problem {
    fn from(error: screensort_auth::Error) -> Self {
        match error {
            screensort_auth::Error::Crypto(error) => error.into(),
            error => Self::new(Code::Internal).caused_by(error),
        }
    }
}

impl From<screensort_store::Error> for Problem {
    fn from(error: screensort_store::Error) -> Self {
        use screensort_store::Error as E;
        let code = match &error {
            E::Unreachable(_) | E::Throttled { .. } => Code::Unavailable,
            E::Refused { .. } | E::Corrupt { .. } => Code::Internal,
        };
        let problem = Self::new(code).caused_by(error);
        if code == Code::Unavailable {
            return problem.with_header(http::header::RETRY_AFTER, "2");
        }
        problem
    }
}
