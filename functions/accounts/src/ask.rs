//! What callers send: bodies, and the texts in them that become names, addresses and passwords.

use std::fmt;

use schemars::JsonSchema;
use screensort_auth::password::{BreachedFilter, Context, Password, RangeQuery, Violation};
use screensort_auth::{Email, Username};
use screensort_http::{Code, FieldError, Incoming, Input, Opening, Problem, Whence};
use screensort_runtime::{OutsideError, Stack};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

pub(crate) use screensort_http::Ask;

/// A request as it came, for handlers that look for themselves who sends it.
pub(crate) struct Whole {
    /// The request.
    pub request: Incoming,
    /// Where it came from.
    pub whence: Whence,
}

impl Input for Whole {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { request: o.request().clone(), whence })
    }
}

/// A text that nobody else is to see: wiped from memory, never shown.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "writeOnly": true})
    }
}

/// 422 for one field.
pub(crate) fn refused(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    let error = FieldError { pointer: pointer.to_owned(), code, detail: sentence(detail.into()) };
    Problem::new(Code::InvalidBody).with_errors(vec![error])
}

fn sentence(mut text: String) -> String {
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// The address in the field `email`.
pub(crate) fn email(text: &str) -> Result<Email, Problem> {
    Email::parse(text).map_err(|fault| refused("/email", "invalid", fault.to_string()))
}

/// The name in the field `username`.
pub(crate) fn username(text: &str) -> Result<Username, Problem> {
    Username::parse(text).map_err(|fault| refused("/username", "invalid", fault.to_string()))
}

/// A new password in the field `pointer` that is good enough.
pub(crate) async fn new_password(
    stack: &Stack,
    pointer: &str,
    text: &Secret,
    context: &Context<'_>,
) -> Result<Password, Problem> {
    let password = Password::parse(text.expose()).map_err(|fault| {
        let code = match fault {
            screensort_auth::password::PasswordFault::Empty => "too_short",
            screensort_auth::password::PasswordFault::TooLong => "too_long",
            screensort_auth::password::PasswordFault::ControlCharacter => "control_character",
        };
        let error = FieldError { pointer: pointer.to_owned(), code, detail: sentence(fault.to_string()) };
        Problem::new(Code::WeakPassword).with_errors(vec![error])
    })?;
    let violations =
        stack.settings().password_policy.violations(&password, context, BreachedFilter::built_in());
    let mut violations = violations;
    if violations.is_empty() && is_breached(stack, &password).await {
        violations.push(Violation::Breached);
    }
    if violations.is_empty() {
        return Ok(password);
    }
    let errors = violations.iter().map(|violation| FieldError {
        pointer: pointer.to_owned(),
        code: violation.code(),
        detail: violation.sentence(),
    });
    Err(Problem::new(Code::WeakPassword).with_errors(errors.collect()))
}

/// Whether the service that the settings name, if any, knows the password from a breach. One that does not answer,
/// or not sensibly, keeps nobody from setting a password; the log says so.
async fn is_breached(stack: &Stack, password: &Password) -> bool {
    let query = RangeQuery::new(password);
    let answer = match stack.password_range(query.prefix()).await {
        Ok(None) => return false,
        Ok(Some(answer)) => query.occurrences(&answer).map_err(|_| OutsideError::Unreadable),
        Err(error) => Err(error),
    };
    answer.map_or_else(
        |error| {
            tracing::warn!(
                name: "password.range.unanswered",
                %error,
                "a password was not looked up among breached ones: {error}"
            );
            false
        },
        |times| times > 0,
    )
}
