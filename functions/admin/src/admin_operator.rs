//! `PUT` and `DELETE /admin/operators/{id}`: what people say of operators stays, whatever the sync reads.

use http::StatusCode;
use http::header::ETAG;
use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{
    Code, Endpoint, FieldError, IfMatch, Input, Opening, Problem, Recent, Reply, Whence, log, stale, tag,
};
use screensort_model::text::is_deceptive;
use screensort_model::{Kind, Language, Listing, ModeId, OperatorId, Region};
use screensort_routes::{ADMIN_OPERATOR, ADMIN_OPERATOR_REMOVE};
use screensort_runtime::Stack;
use screensort_store::{Hand, Trail};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_operator").route(ADMIN_OPERATOR, put).route(ADMIN_OPERATOR_REMOVE, remove)
}

/// Everything that is said of an operator; what is left out is not known.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OperatorEdit")]
struct Body {
    kind: Kind,
    /// 1 to 120 characters.
    name: String,
    /// At most 1,000 characters.
    #[serde(default)]
    description: String,
    /// `https` only.
    homepage: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    default_language: Option<Language>,
    #[serde(default)]
    regions: Vec<Region>,
    /// Ids or codes of /modes; they belong to the kind.
    #[serde(default)]
    modes: Vec<ModeId>,
}

/// What is said of an operator now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OperatorEdited")]
struct Edited {
    id: OperatorId,
    /// How often it was edited by hand.
    revision: u64,
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: Timestamp,
    #[serde(flatten)]
    body: Body,
}

struct Which {
    id: OperatorId,
    seen: IfMatch,
    whence: Whence,
}

impl Input for Which {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path("id", "The operator.");
        let seen = IfMatch::open(o);
        let whence = Whence::open(o)?;
        Some(Self { id: id?, seen: seen?, whence })
    }
}

struct Put {
    which: Which,
    body: Body,
}

impl Input for Put {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let which = Which::open(o);
        let body = o.body();
        Some(Self { which: which?, body: body? })
    }
}

impl Which {
    /// Goes on if what is there is what the caller saw. Nothing there is no version that anybody saw.
    fn check(&self, there: Option<u64>) -> Result<(), Problem> {
        self.seen.check(there)
    }

    /// The record of an edit, with keyed hashes of what was said of the operator before and is said now.
    async fn trail(
        &self,
        stack: &Stack,
        event: Event,
        actor: &str,
        said: (Option<&Listing>, Option<&Listing>),
    ) -> Result<Trail, Problem> {
        let ring = stack.lasting_ring().await?;
        let hash = |listing: &Listing| {
            let text = serde_json::to_vec(listing)
                .map_err(|e| Problem::internal("an operator is not serialisable").caused_by(e))?;
            Ok::<_, Problem>(ring.tag("audit.operator", &[&text]).1.to_text())
        };
        let (before, after) = (said.0.map(hash).transpose()?, said.1.map(hash).transpose()?);
        let trail = self.whence.trail(event, Some(actor), Some(&self.id.to_string()), stack.clock().now())?;
        Ok(trail.with_values(before, after))
    }
}

async fn put(
    Recent { who, .. }: Recent<may::OperatorsWrite>,
    ask: Put,
    stack: Stack,
) -> Result<Reply<Edited>, Problem> {
    let Put { which, body } = ask;
    check(&body)?;
    let directory = stack.directory().await?;
    let before = directory.get(which.id);
    which.check(before.map(|listing| listing.revision))?;
    // Whoever names no version takes the risk of undoing an edit, but never half of one.
    let removed = directory.removed.get(&which.id).copied();
    let from = before.map(|listing| listing.revision).or(removed).unwrap_or(0);
    let listing = Listing {
        id: which.id,
        kind: body.kind,
        name: body.name.trim().to_owned(),
        description: body.description.trim().to_owned(),
        homepage: body.homepage.clone(),
        email: body.email.clone(),
        phone: body.phone.clone(),
        default_language: body.default_language,
        regions: body.regions.clone(),
        modes: body.modes.clone(),
        logo_path: before.and_then(|listing| listing.logo_path.clone()),
        updated_at: stack.clock().now(),
        revision: from + 1,
    };
    let (event, status) = match before {
        Some(_) => (Event::OperatorChanged, StatusCode::OK),
        None => (Event::OperatorAdded, StatusCode::CREATED),
    };
    let trail = which.trail(&stack, event, who.id(), (before, Some(&listing))).await?;
    let hand = Hand { by: who.id(), rid: &which.whence.request_id };
    if !stack.operators().edit(&listing, false, &hand, &trail).await? {
        return Err(stale());
    }
    log(&trail);
    let Listing { id, revision, updated_at, .. } = listing;
    Ok(Reply::ok(Edited { id, revision, updated_at, body })
        .with_status(status)
        .with_header(ETAG, &tag(revision)))
}

async fn remove(
    Recent { who, .. }: Recent<may::OperatorsWrite>,
    which: Which,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let directory = stack.directory().await?;
    let before = directory.get(which.id);
    let unknown = || Problem::new(Code::NotFound).with_detail("There is no operator with this id.");
    let before = before.ok_or_else(unknown)?;
    which.check(Some(before.revision))?;
    let after = Listing { revision: before.revision + 1, updated_at: stack.clock().now(), ..before.clone() };
    let hand = Hand { by: who.id(), rid: &which.whence.request_id };
    let trail = which.trail(&stack, Event::OperatorRemoved, who.id(), (Some(before), None)).await?;
    if !stack.operators().edit(&after, true, &hand, &trail).await? {
        return Err(stale());
    }
    log(&trail);
    Ok(Reply::done())
}

/// What the types alone do not say.
fn check(body: &Body) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let mut fault = |pointer: String, code: &'static str, detail: &str| {
        errors.push(FieldError { pointer, code, detail: detail.to_owned() });
    };
    let plain = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(is_deceptive);
    if body.name.trim().is_empty() || !plain(&body.name, 120) {
        fault("/name".into(), "invalid", "1 to 120 characters, none of them a control character.");
    }
    if !plain(&body.description, 1_000) {
        fault("/description".into(), "invalid", "At most 1000 characters, none of them a control character.");
    }
    if body.homepage.as_deref().is_some_and(|page| !is_page(page)) {
        fault("/homepage".into(), "invalid", "An https address.");
    }
    let is_email = |text: &str| screensort_auth::Email::parse(text).is_ok();
    if body.email.as_deref().is_some_and(|text| !is_email(text)) {
        fault("/email".into(), "invalid", "An e-mail address.");
    }
    let is_phone = |text: &str| {
        (3..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b" +-()/.".contains(&b))
    };
    if body.phone.as_deref().is_some_and(|text| !is_phone(text)) {
        fault("/phone".into(), "invalid", "A telephone number.");
    }
    if body.regions.len() > 300 {
        fault("/regions".into(), "too_many", "At most 300 regions.");
    }
    for (at, mode) in body.modes.iter().enumerate() {
        if mode.entry().kind != body.kind || body.modes[..at].contains(mode) {
            fault(format!("/modes/{at}"), "invalid", "A mode of this kind of operator, once.");
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::new(Code::InvalidBody).with_errors(errors)) }
}

/// Whether a text is an `https` address without a user in it.
fn is_page(text: &str) -> bool {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let sound = |host: &str| {
        host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
    };
    text.len() <= 500
        && host.is_some_and(sound)
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"'`\\{}|^".contains(&b))
}
