//! `POST /imports`: bring a library along from elsewhere.

use schemars::JsonSchema;
use screensort_auth::attempts::Limit;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_http::{Ask, Code, Endpoint, FieldError, Member, Problem, Reply, Spent, log};
use screensort_routes::IMPORTS;
use screensort_runtime::Stack;
use screensort_store::{Change, Errand, ErrandKind, ErrandState};
use serde::{Deserialize, Serialize};

/// The most bytes of a file.
const LARGEST: usize = 5 << 20;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("imports").creating_later(IMPORTS, import)
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    Letterboxd,
    Imdb,
    Trakt,
    Screensort,
}

/// A file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ImportAsk")]
struct Body {
    source: Source,
    /// The whole file: CSV of Letterboxd or IMDb, JSON of Trakt or of an export of ours; at most 10,000 rows and 5 MiB.
    content: String,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Letterboxd's watched.csv and watchlist.csv look the same: whether it is the second.
    #[serde(default)]
    watchlist: bool,
}

/// Under which id to ask for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportAsked")]
struct Answer {
    id: String,
    status: ErrandState,
}

async fn import(
    Member { who, .. }: Member<may::ImportsWriteOwn>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<Answer>, Problem> {
    if ask.body.content.trim().is_empty() {
        let detail = "There is nothing in it.".to_owned();
        let error = FieldError { pointer: "/content".to_owned(), code: "empty", detail };
        return Err(Problem::new(Code::InvalidBody).with_errors(vec![error]));
    }
    if ask.body.content.len() > LARGEST {
        return Err(Problem::new(Code::TooLarge).with_detail("A file has 5 MiB at most."));
    }
    let wait = |spent: Spent| spent.refused(Code::TooManyRequests);
    stack.draw(&format!("import#{}", who.id()), Limit::IMPORTS).await?.map_err(wait)?;
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    let form = match ask.body.source {
        Source::Letterboxd => "letterboxd",
        Source::Imdb => "imdb",
        Source::Trakt => "trakt",
        Source::Screensort => "screensort",
    };
    let errand = Errand {
        id: stack.new_id()?,
        form: form.to_owned(),
        to_watch: ask.body.watchlist,
        dry_run: ask.body.dry_run,
        progress: ErrandState::Running,
        counted: [0; 3],
        failure: None,
        request: ask.whence.request_id.clone(),
        asked_at: change.at,
    };
    // The file first: a worker that finds the errand finds the file.
    let name = format!("imports/{}/{}", who.id(), errand.id);
    stack.parcels().put(&name, "application/octet-stream", ask.body.content.into_bytes()).await?;
    // Who only wants to know what would be done brings nothing.
    let trail = match errand.dry_run {
        true => None,
        false => Some(ask.whence.own(Event::PersonImported, who.id(), change.at)?),
    };
    stack.library().begin_errand(&change, ErrandKind::Import, &errand, trail.as_ref()).await?;
    if let Some(trail) = &trail {
        log(trail);
    }
    Ok(Reply::ok(Answer { id: errand.id, status: errand.progress }))
}
