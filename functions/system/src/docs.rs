//! `GET /docs` and its files: the reference as a page to read and try.

use std::io::Read;
use std::sync::OnceLock;

use bytes::Bytes;
use screensort_http::{Anyone, Code, Endpoint, File, Input, Opening, Problem, Reply, Text};
use screensort_routes::{DOCS, DOCS_ASSET};
use screensort_runtime::Stack;

/// Scripts, styles and calls from this host only; nothing inline, nothing evaluated.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const BUNDLE: &[u8] = include_bytes!("../docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../docs/swagger-ui.css.gz");

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("docs").file(DOCS, page).file(DOCS_ASSET, asset)
}

struct Ask {
    asset: String,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { asset: o.path::<Text<60>>("asset", "The file's name.")?.0 })
    }
}

async fn page(_: Anyone, (): (), _: Stack) -> Result<Reply<File>, Problem> {
    let page = Bytes::from_static(include_bytes!("../docs/index.html"));
    Ok(Reply::ok(File { content_type: "text/html; charset=utf-8", bytes: page, policy: Some(POLICY) }))
}

async fn asset(_: Anyone, ask: Ask, _: Stack) -> Result<Reply<File>, Problem> {
    static UNPACKED: [OnceLock<Bytes>; 2] = [OnceLock::new(), OnceLock::new()];
    let (content_type, bytes) = match ask.asset.as_str() {
        "swagger-ui-bundle.js" => (SCRIPT, unpacked(&UNPACKED[0], BUNDLE)?),
        "swagger-ui.css" => (SHEET, unpacked(&UNPACKED[1], STYLE)?),
        "start.js" => (SCRIPT, Bytes::from_static(include_bytes!("../docs/start.js"))),
        "page.css" => (SHEET, Bytes::from_static(include_bytes!("../docs/page.css"))),
        _ => return Err(Problem::new(Code::NotFound)),
    };
    Ok(Reply::ok(File { content_type, bytes, policy: None }))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const SHEET: &str = "text/css; charset=utf-8";

/// Inflated once a process: the gateway passes text as it is and compresses it on the way out itself.
fn unpacked(once: &OnceLock<Bytes>, packed: &[u8]) -> Result<Bytes, Problem> {
    if let Some(bytes) = once.get() {
        return Ok(bytes.clone());
    }
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .map_err(|e| Problem::internal("a vendored file does not inflate").caused_by(e))?;
    Ok(once.get_or_init(|| bytes.into()).clone())
}
