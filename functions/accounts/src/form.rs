//! Forms of pages that nobody is signed in to. A page of another site could send one to sign its visitor in to an
//! account of its own choice, and read later what they did there.

use screensort_auth::browser::check_csrf;
use screensort_http::member::SESSION_COOKIE;
use screensort_http::{Authority, Code, Problem, Whence};
use screensort_runtime::Stack;

/// The cookie that a token is bound to where there is no session.
pub(crate) const FORM_COOKIE: &str = "__Host-csrf";

/// What a token is bound to: never what a session's is.
pub(crate) fn binding(cookie: &str) -> String {
    format!("form.{cookie}")
}

/// Refuses a request that begins a cookie session unless a page of ours sent it, or a program.
///
/// # Errors
/// 403 `csrf`.
pub(crate) async fn check(stack: &Stack, whence: &Whence) -> Result<(), Problem> {
    check_site(stack, whence)?;
    if !whence.is_from_browser() {
        return Ok(());
    }
    let refused = || Problem::new(Code::Csrf).with_detail("The form needs the token of GET /csrf.");
    let token = whence.csrf_token.as_deref().ok_or_else(refused)?;
    // Who is signed in already has the token of that session.
    let session = whence.cookie(SESSION_COOKIE).and_then(|cookie| cookie.split_once('.'));
    let bound = [whence.cookie(FORM_COOKIE).map(binding), session.map(|(id, _)| id.to_owned())];
    let (macs, now) = (stack.mac_ring().await?, stack.clock().now());
    let right = bound.iter().flatten().any(|bound| check_csrf(&macs, bound, token, now).is_ok());
    if right { Ok(()) } else { Err(refused()) }
}

/// As [`check`], for a form that begins no session: a page that has asked for a token must bring the right one.
///
/// # Errors
/// 403 `csrf`.
pub(crate) async fn check_if_asked(stack: &Stack, whence: &Whence) -> Result<(), Problem> {
    if whence.csrf_token.is_some() || whence.cookie(FORM_COOKIE).is_some() {
        return check(stack, whence).await;
    }
    check_site(stack, whence)
}

fn check_site(stack: &Stack, whence: &Whence) -> Result<(), Problem> {
    if whence.is_cross_site(stack.origins()) {
        return Err(Problem::new(Code::Csrf).with_detail("A page of another site may not send this form."));
    }
    Ok(())
}
