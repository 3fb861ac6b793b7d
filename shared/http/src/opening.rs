//! Opening a request: parameters and body into typed input, every fault collected, nothing ignored.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cursor::Binding;
use crate::json::read_body;
use crate::param::{LONGEST, Param};
use crate::{Code, Incoming, Problem};

/// What a handler takes from a request. `open` reads *every* parameter before it gives up, so that one
/// answer names all faults, and so that the same function describes the parameters for the reference.
pub trait Input: Sized {
    /// Reads the input; `None` only after a fault was noted.
    fn open(opening: &mut Opening<'_>) -> Option<Self>;
}

/// Nothing: the endpoint takes no parameters and no body.
impl Input for () {
    fn open(_: &mut Opening<'_>) -> Option<Self> {
        Some(())
    }
}

/// One rejected parameter or field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// Where: `/` and the parameter's name, or a JSON pointer into the body.
    pub pointer: String,
    /// Why, as a stable word.
    pub code: &'static str,
    /// Why, as a sentence.
    pub detail: String,
}

/// A parameter as the reference shows it.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "describe"), allow(dead_code, reason = "read by the OpenAPI document only"))]
pub(crate) struct Described {
    /// Its name.
    pub name: &'static str,
    /// `path`, `query` or `header`.
    pub place: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// A sentence.
    pub about: &'static str,
    /// Its JSON schema.
    pub schema: serde_json::Value,
    /// Whether it is a list, joined by commas.
    pub list: bool,
}

/// A request being opened.
pub struct Opening<'r> {
    request: &'r Incoming,
    faults: Vec<FieldError>,
    known: BTreeSet<&'static str>,
    body_problem: Option<Problem>,
    body_read: bool,
    /// What was asked for so far.
    pub(crate) described: Vec<Described>,
    /// The body's schema, once the body was asked for while describing.
    pub(crate) body_schema: Option<fn(&mut schemars::SchemaGenerator) -> schemars::Schema>,
    describing: bool,
}

impl<'r> Opening<'r> {
    /// Starts on `request`.
    pub fn new(request: &'r Incoming) -> Self {
        Self {
            request,
            faults: Vec::new(),
            known: BTreeSet::new(),
            body_problem: None,
            body_read: false,
            described: Vec::new(),
            body_schema: None,
            describing: false,
        }
    }

    /// As [`Opening::new`], but parameters are noted rather than judged.
    pub fn describing(request: &'r Incoming) -> Self {
        Self { describing: true, ..Self::new(request) }
    }

    /// The request itself, for what is neither a parameter nor the body.
    pub fn request(&self) -> &'r Incoming {
        self.request
    }

    /// A path parameter.
    pub fn path<T: Param>(&mut self, name: &'static str, about: &'static str) -> Option<T> {
        self.describe::<T>(name, "path", true, about, false);
        let given = self.request.path_parameters.iter().find(|(n, _)| n == name);
        let (_, text) = given?;
        self.judge(name, text)
    }

    /// A query parameter that may be left out.
    pub fn query<T: Param>(&mut self, name: &'static str, about: &'static str) -> Option<T> {
        self.describe::<T>(name, "query", false, about, false);
        let text = self.single(name)?;
        self.judge(name, text)
    }

    /// A query parameter that must be given.
    pub fn required<T: Param>(&mut self, name: &'static str, about: &'static str) -> Option<T> {
        self.describe::<T>(name, "query", true, about, false);
        if !self.request.query.iter().any(|(n, _)| n == name) {
            self.fault(name, "missing", "This parameter is needed.");
            return None;
        }
        let text = self.single(name)?;
        self.judge(name, text)
    }

    /// A query parameter that holds one to `most` values, joined by commas; empty if it is left out.
    pub fn list<T: Param>(&mut self, name: &'static str, most: usize, about: &'static str) -> Vec<T> {
        self.describe::<T>(name, "query", false, about, true);
        let Some(text) = self.single(name) else { return Vec::new() };
        let parts: Vec<&str> = text.split(',').take(most + 1).collect();
        if parts.len() > most {
            self.fault(name, "too_many", format!("At most {most} values, joined by commas."));
            return Vec::new();
        }
        parts.into_iter().filter_map(|part| self.judge(name, part)).collect()
    }

    /// The JSON body. The route's limit on its size has been applied already.
    pub fn body<T: DeserializeOwned + schemars::JsonSchema>(&mut self) -> Option<T> {
        self.body_read = true;
        if self.describing {
            self.body_schema = Some(|generator| generator.subschema_for::<T>());
            return None;
        }
        match read_body(self.request) {
            Ok(body) => Some(body),
            Err(problem) => {
                self.body_problem = Some(problem);
                None
            }
        }
    }

    /// The JSON body, which may be left out as a whole.
    pub fn optional_body<T: Default + DeserializeOwned + schemars::JsonSchema>(&mut self) -> Option<T> {
        if self.request.body.is_empty() && !self.describing {
            self.body_read = true;
            return Some(T::default());
        }
        self.body()
    }

    /// Notes that `name` was refused for a reason that its type alone could not see.
    pub fn fault(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        if !self.describing {
            self.faults.push(FieldError { pointer: format!("/{name}"), code, detail: detail.into() });
        }
    }

    /// What a cursor of this request is bound to: the path and every parameter but `cursor` and `limit`.
    pub fn binding(&self) -> Binding {
        let mut parts: Vec<(&str, &str)> = self
            .request
            .query
            .iter()
            .filter(|(name, _)| name != "cursor" && name != "limit")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        parts.sort_unstable();
        Binding::new(&self.request.path, &parts)
    }

    /// The query without `cursor`, encoded again: what a link to the next page starts with.
    pub fn query_without_cursor(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.request.query.iter().filter(|(name, _)| name != "cursor") {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(&percent_encode(name));
            text.push('=');
            text.push_str(&percent_encode(value));
        }
        text
    }

    /// Names a header that is read, for the reference.
    pub(crate) fn describe_header(&mut self, name: &'static str, about: &'static str) {
        if self.describing {
            let schema = serde_json::json!({"type": "string", "maxLength": LONGEST});
            self.described.push(Described {
                name,
                place: "header",
                required: false,
                about,
                schema,
                list: false,
            });
        }
    }

    /// Ends the opening.
    ///
    /// # Errors
    /// A problem that names every parameter that was refused, unknown or repeated, or the body's problem.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, Problem> {
        let request = self.request;
        let unknown: BTreeSet<&str> =
            request.query.iter().map(|(n, _)| n.as_str()).filter(|n| !self.known.contains(n)).collect();
        for name in unknown.into_iter().take(20) {
            self.fault(&shown(name), "unknown", "There is no such parameter here.");
        }
        if !self.body_read && !request.body.is_empty() {
            return Err(Problem::new(Code::BodyNotAllowed));
        }
        if !self.faults.is_empty() {
            return Err(Problem::new(Code::BadParameter).with_errors(self.faults));
        }
        if let Some(problem) = self.body_problem {
            return Err(problem);
        }
        input.ok_or_else(|| Problem::internal("an input gave up without naming a fault"))
    }

    fn describe<T: Param>(
        &mut self,
        name: &'static str,
        place: &'static str,
        required: bool,
        about: &'static str,
        list: bool,
    ) {
        if place == "query" {
            self.known.insert(name);
        }
        if self.describing {
            self.described.push(Described { name, place, required, about, schema: T::schema(), list });
        }
    }

    fn single(&mut self, name: &'static str) -> Option<&'r str> {
        let mut values = self.request.query.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let first = values.next()?;
        if values.next().is_some() {
            self.fault(name, "repeated", "This parameter may be given once.");
            return None;
        }
        Some(first)
    }

    fn judge<T: Param>(&mut self, name: &'static str, text: &str) -> Option<T> {
        if text.len() > LONGEST {
            self.fault(name, "too_long", format!("At most {LONGEST} bytes."));
            return None;
        }
        match T::read(text) {
            Ok(value) => Some(value),
            Err(refused) => {
                let allowed = allowed(&T::schema());
                let mut detail = refused.0.to_owned();
                if let Some(first) = detail.get_mut(0..1) {
                    first.make_ascii_uppercase();
                }
                self.fault(name, "invalid", format!("{detail}{allowed}."));
                None
            }
        }
    }
}

/// The range or length that a schema allows, as the end of a sentence.
fn allowed(schema: &serde_json::Value) -> String {
    if schema.get("pattern").is_some() || schema.get("enum").is_some() {
        return String::new();
    }
    let of = |name: &str| schema.get(name).map(ToString::to_string);
    match (of("minimum").zip(of("maximum")), of("maxLength")) {
        (Some((_, max)), _) if max == "2147483647" => String::new(),
        (Some((min, max)), _) => format!(": {min} to {max}"),
        (None, Some(longest)) => format!(": 1 to {longest} characters"),
        _ => String::new(),
    }
}

/// An unknown parameter's name as an answer may show it: short, and plain characters only.
fn shown(name: &str) -> String {
    name.chars().take(40).map(|c| if c.is_ascii_graphic() && c != '/' { c } else { '_' }).collect()
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A strong entity tag of `body`: the first 128 bits of its SHA-256.
pub(crate) fn entity_tag(body: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]))
}
