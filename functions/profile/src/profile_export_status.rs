//! `GET /profile/export/{id}`: how far an export is, and a link to it.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Opening, Owner, Problem, Reply, Text};
use screensort_routes::PROFILE_EXPORT_STATUS;
use screensort_runtime::Stack;
use screensort_store::{ErrandKind, ErrandState};
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("profile_export_status").route(PROFILE_EXPORT_STATUS, status)
}

struct Ask {
    id: String,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { id: o.path::<Text<40>>("id", "The export.")?.0 })
    }
}

/// An export.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
struct Answer {
    id: String,
    status: ErrandState,
    /// Where to fetch it, for 15 minutes, without signing in; absent until it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    download_url: Option<String>,
}

async fn status(who: Owner<may::ProfileExportOwn>, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let errand = stack.library().errand(who.id(), ErrandKind::Export, &ask.id).await?;
    let unknown = || Problem::new(Code::NotFound).with_detail("There is no such export of yours.");
    let errand = errand.ok_or_else(unknown)?;
    let download_url = match errand.progress {
        ErrandState::Done => {
            let name = format!("exports/{}/{}.{}", who.id(), errand.id, errand.form);
            Some(stack.parcels().link(&name).await?)
        }
        ErrandState::Running | ErrandState::Failed => None,
    };
    Ok(Reply::ok(Answer { id: errand.id, status: errand.progress, download_url }))
}
