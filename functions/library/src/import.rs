//! `GET /imports/{id}`: how far an import is, and what became of each row.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Code, Endpoint, Input, Opening, Owner, Problem, Reply, Text};
use screensort_routes::IMPORT;
use screensort_runtime::Stack;
use screensort_store::{ErrandKind, ErrandState};
use serde::{Deserialize, Serialize};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("import").route(IMPORT, report)
}

struct Ask {
    id: String,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { id: o.path::<Text<40>>("id", "The import.")?.0 })
    }
}

/// What became of a row.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportRow")]
struct Row {
    /// From 1, the header not counted.
    row: u32,
    /// As the file says.
    title: String,
    /// `matched`, `ambiguous` or `unmatched`.
    result: String,
    /// The film, if one was found.
    movie_id: Option<u32>,
    /// What of the row was left out, and why; null if nothing was.
    #[serde(default)]
    note: Option<String>,
}

/// An import.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
struct Answer {
    id: String,
    status: ErrandState,
    dry_run: bool,
    matched: u32,
    ambiguous: u32,
    unmatched: u32,
    /// Why it failed; null if it did not.
    failure: Option<String>,
    /// Empty until it is done.
    rows: Vec<Row>,
}

async fn report(who: Owner<may::ImportsWriteOwn>, ask: Ask, stack: Stack) -> Result<Reply<Answer>, Problem> {
    let errand = stack.library().errand(who.id(), ErrandKind::Import, &ask.id).await?;
    let unknown = || Problem::new(Code::NotFound).with_detail("There is no such import of yours.");
    let errand = errand.ok_or_else(unknown)?;
    let name = format!("imports/{}/{}.report", who.id(), errand.id);
    let rows = match errand.progress {
        ErrandState::Done => {
            stack.parcels().get(&name).await?.map_or_else(|| Ok(Vec::new()), |rows| read(&rows))?
        }
        ErrandState::Running | ErrandState::Failed => Vec::new(),
    };
    let [matched, ambiguous, unmatched] = errand.counted;
    Ok(Reply::ok(Answer {
        id: errand.id,
        status: errand.progress,
        dry_run: errand.dry_run,
        matched,
        ambiguous,
        unmatched,
        failure: errand.failure,
        rows,
    }))
}

fn read(rows: &[u8]) -> Result<Vec<Row>, Problem> {
    serde_json::from_slice(rows).map_err(|e| Problem::internal("a report cannot be read").caused_by(e))
}
