//! Links as answers show them, and what several endpoints say about them.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_http::{FieldError, Problem};
use screensort_runtime::Stack;
use screensort_store::{Invitation, Letter, Link, Side, Stage, To};
use serde::{Deserialize, Serialize};

/// What a link may let the other account read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "LinkScope")]
pub(crate) enum Scope {
    /// What was watched.
    History,
    /// Ratings.
    Ratings,
    /// The watchlist.
    Watchlist,
}

impl Scope {
    /// As it is kept.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Ratings => "ratings",
            Self::Watchlist => "watchlist",
        }
    }
}

/// Scopes as they are kept: each once, in order.
///
/// # Errors
/// 422 if there is none, or one twice.
pub(crate) fn kept(scopes: &[Scope]) -> Result<Vec<String>, Problem> {
    let mut sorted = scopes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.is_empty() || sorted.len() != scopes.len() {
        let error = FieldError {
            pointer: "/scopes".to_owned(),
            code: "invalid",
            detail: "One to three scopes, each once.".to_owned(),
        };
        return Err(Problem::new(screensort_http::Code::InvalidBody).with_errors(vec![error]));
    }
    Ok(sorted.into_iter().map(|scope| scope.name().to_owned()).collect())
}

/// A link.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Link")]
pub(crate) struct LinkShown {
    id: String,
    /// `asker` for who may read, `asked` for who is read.
    side: &'static str,
    /// `pending`, `active` or `ended`.
    status: &'static str,
    scopes: Vec<String>,
    /// The other account's user name; null for an asker until the link is confirmed.
    with: Option<String>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: Timestamp,
    /// Until when it can be confirmed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    confirmed_at: Option<Timestamp>,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    ended_at: Option<Timestamp>,
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Asker => "asker",
        Side::Asked => "asked",
    }
}

impl LinkShown {
    /// The id, by which links are sorted.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn of(link: Link, now: Timestamp) -> Self {
        let status = match link.stage_at(now) {
            Stage::Pending => "pending",
            Stage::Active => "active",
            Stage::Ended => "ended",
        };
        let ended = || (status == "ended").then_some(link.expires_at);
        Self {
            ended_at: link.ended_at.or_else(ended),
            id: link.id,
            side: side(link.side),
            status,
            scopes: link.scopes,
            with: link.other_name,
            created_at: link.created_at,
            expires_at: link.expires_at,
            confirmed_at: link.confirmed_at,
        }
    }

    /// An invitation, as who was asked sees it.
    pub(crate) fn invited(invitation: Invitation) -> Self {
        Self {
            id: invitation.link,
            side: side(Side::Asked),
            status: "pending",
            scopes: invitation.scopes,
            with: Some(invitation.asker_name),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            confirmed_at: None,
            ended_at: None,
        }
    }
}

/// A letter about a link.
pub(crate) fn letter(
    stack: &Stack,
    kind: &str,
    to: To,
    about: Option<String>,
    now: Timestamp,
) -> Result<Letter, Problem> {
    Ok(Letter { id: stack.new_id()?, kind: kind.to_owned(), to, about, posted_at: now })
}
