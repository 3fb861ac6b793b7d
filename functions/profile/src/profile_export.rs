//! `POST /profile/export`: have everything of one's own put into a file.

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Member, Opening, Problem, Reply, Spent, Whence, log};
use screensort_routes::PROFILE_EXPORT;
use screensort_runtime::Stack;
use screensort_store::{Change, Errand, ErrandKind, ErrandState};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("profile_export").creating_later(PROFILE_EXPORT, export)
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Everything, as one JSON document.
    #[default]
    Json,
    /// Films as one CSV file that Letterboxd takes.
    Letterboxd,
}

/// In which form.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ExportAsk")]
struct Body {
    format: Format,
}

struct Ask {
    body: Body,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let whence = Whence::open(o)?;
        Some(Self { body: o.optional_body()?, whence })
    }
}

/// Under which id to ask for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportAsked")]
struct Answer {
    id: String,
}

async fn export(
    Member { who, .. }: Member<may::ProfileExportOwn>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    let wait = |spent: Spent| spent.refused(Code::TooManyRequests);
    stack.draw(&format!("export#{}", who.id()), Limit::EXPORTS).await?.map_err(wait)?;
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let form = match ask.body.format {
        Format::Json => "json",
        Format::Letterboxd => "letterboxd",
    };
    let errand = Errand {
        id: stack.new_id()?,
        form: form.to_owned(),
        to_watch: false,
        dry_run: false,
        progress: ErrandState::Running,
        counted: [0; 3],
        failure: None,
        request: ask.whence.request_id.clone(),
        asked_at: change.at,
    };
    let trail = ask.whence.own(Event::PersonExported, who.id(), change.at)?;
    stack.library().begin_errand(&change, ErrandKind::Export, &errand, Some(&trail)).await?;
    log(&trail);
    Ok(Reply::ok(Answer { id: errand.id }))
}
