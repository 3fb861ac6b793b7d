//! `GET /.well-known/security.txt`: where to report a weakness (RFC 9116).

use jiff::SignedDuration;
use screensort_http::{Anyone, Endpoint, File, Problem, Reply};
use screensort_routes::SECURITY_TXT;
use screensort_runtime::Stack;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("security_txt").file(SECURITY_TXT, security_txt)
}

async fn security_txt(_: Anyone, (): (), stack: Stack) -> Result<Reply<File>, Problem> {
    // The contact comes from the configuration, which somebody keeps up: half a year from today's start.
    let now = stack.clock().now();
    let today = now.as_second() - now.as_second().rem_euclid(86_400);
    let expires = jiff::Timestamp::from_second(today)
        .and_then(|start| start.checked_add(SignedDuration::from_hours(24 * 180)))
        .map_err(|e| Problem::internal("the clock is beyond the calendar").caused_by(e))?;
    let text = format!(
        "Contact: {}\nExpires: {expires}\nPreferred-Languages: en\n",
        stack.settings().security_contact
    );
    Ok(Reply::ok(File { content_type: "text/plain; charset=utf-8", bytes: text.into(), policy: None }))
}
