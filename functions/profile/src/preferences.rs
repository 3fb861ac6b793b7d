//! `GET`, `PUT /preferences`: what one wants to see.

use http::header::ETAG;
use screensort_auth::may;
use screensort_catalog::Catalog;
use screensort_http::{Code, Endpoint, Member, Owner, Problem, Reply, tag};
use screensort_model::Preferences;
use screensort_routes::{PREFERENCES, PREFERENCES_SET};
use screensort_runtime::Stack;
use screensort_store::Change;

use crate::{Edit, met, refused};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("preferences").route(PREFERENCES, preferences).looking(PREFERENCES_SET, there, set)
}

async fn preferences(
    who: Owner<may::PreferencesReadOwn>,
    (): (),
    stack: Stack,
) -> Result<Reply<Preferences>, Problem> {
    let (preferences, version) = stack.library().preferences(who.id()).await?;
    Ok(Reply::ok(preferences).with_header(ETAG, &tag(version)))
}

/// Which version is there, if the change is for one.
async fn there(
    who: Owner<may::PreferencesWriteOwn>,
    ask: Edit<Preferences>,
    stack: Stack,
) -> Result<(Edit<Preferences>, u64), Problem> {
    let version = match ask.version.is_given() {
        true => stack.library().preferences(who.id()).await?.1,
        false => 0,
    };
    Ok((ask, version))
}

async fn set(
    Member { who, .. }: Member<may::PreferencesWriteOwn>,
    (ask, version): (Edit<Preferences>, u64),
    stack: Stack,
) -> Result<Reply<Preferences>, Problem> {
    check(&ask.body, &*stack.catalog().await?)?;
    let change = Change { account: who.id(), request: &ask.whence.request_id, at: stack.clock().now() };
    if !ask.version.is_given() {
        let version = stack.library().replace_preferences(&change, &ask.body).await?;
        return Ok(Reply::ok(ask.body).with_header(ETAG, &tag(version)));
    }
    ask.version.check(Some(version))?;
    if !stack.library().set_preferences(&change, version, &ask.body).await? {
        return Err(met(&ask.version));
    }
    Ok(Reply::ok(ask.body).with_header(ETAG, &tag(version + 1)))
}

/// What the rules say, and whether genres and rating exist.
fn check(preferences: &Preferences, catalog: &Catalog) -> Result<(), Problem> {
    let faults = preferences.faults().into_iter();
    let mut errors: Vec<_> =
        faults.map(|(field, why)| refused(field, "invalid", format!("Expected {}.", why.0))).collect();
    let unknown = preferences.unknown(catalog.reference()).into_iter();
    errors.extend(unknown.map(|(field, why)| refused(field, "unknown_value", why.0)));
    if errors.is_empty() { Ok(()) } else { Err(Problem::new(Code::InvalidBody).with_errors(errors)) }
}
