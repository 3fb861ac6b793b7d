//! `GET /modes`: the ways in which operators show films or move people.

use schemars::JsonSchema;
use screensort_auth::may;
use screensort_http::{Caller, Endpoint, Input, Opening, Problem, Reply};
use screensort_model::{Kind, MODES as TABLE, ModeEntry};
use screensort_routes::MODES;
use screensort_runtime::Stack;
use serde::Serialize;

use crate::form::{Either, Form};
use crate::hypercat::{self, Catalogue, Search};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("modes").route(MODES, modes)
}

/// A mode, in the words of the Open Transport directory.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Mode")]
struct Row {
    id: String,
    #[serde(rename = "short-desc")]
    short: &'static str,
    #[serde(rename = "long-desc")]
    long: &'static str,
    /// A word for it, which filters take too.
    code: &'static str,
    kind: Kind,
}

struct Ask {
    form: Form,
    kind: Option<Kind>,
    search: Search,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let form = Form::open(o);
        let kind = o.query("kind", "Of operators that do this.");
        let search = Search::open(o);
        Some(Self { form: form?, kind, search })
    }
}

async fn modes(
    _: Caller<may::OperatorsRead>,
    ask: Ask,
    _: Stack,
) -> Result<Reply<Either<Vec<Row>, Catalogue>>, Problem> {
    ask.form.check()?;
    let fits = |entry: &&ModeEntry| {
        ask.kind.is_none_or(|kind| entry.kind == kind)
            && (!ask.search.is_given() || ask.search.fits(&hypercat::mode(entry)))
    };
    let found: Vec<&ModeEntry> = TABLE.iter().filter(fits).collect();
    let row = |entry: &&ModeEntry| Row {
        id: entry.id.to_string(),
        short: entry.name,
        long: entry.description,
        code: entry.code,
        kind: entry.kind,
    };
    let rows = found.iter().map(row).collect();
    Ok(ask.form.reply(Reply::ok(rows), || {
        Catalogue::of(
            "Modes: how films are shown or people are moved.",
            found.iter().map(|e| hypercat::mode(e)).collect(),
        )
    }))
}
