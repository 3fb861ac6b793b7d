//! `access_review`: who may do what, and whether they still need it, written down for a person to read.
//!
//! What it finds is a reason to look: somebody who has not signed in for long, an administrator without a second
//! factor, a right that somebody was given on top of their role, a key that has grown old. It changes one thing: what
//! nobody uses is taken back ([`crate::dormant`]).

use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use screensort_auth::event::Event;
use screensort_auth::{Permission, Role};
use screensort_crypto::{KeyRing, SigningKey};
use screensort_http::member::standing;
use screensort_http::{Authority, log, trail_of};
use screensort_runtime::{ACCESS_REVIEW, JobError, Stack};
use screensort_store::Account;
use serde_json::{Value, json};

use crate::Error;
use crate::dormant::{self, Staff};
use crate::note::noted;

/// The job's name.
const NAME: &str = "access_review";
/// Who has not signed in for so long is dormant.
const DORMANT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// The same for who has a role besides `user`.
const DORMANT_STAFF: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A key that signs for longer was not rotated when it should have been.
const OLD_KEY: SignedDuration = SignedDuration::from_hours(24 * 35);
/// Accounts read at once.
const PAGE: usize = 200;
/// Accounts looked at side by side.
const SIDE_BY_SIDE: usize = 8;

/// As a scheduled job.
pub fn job(_: Value, stack: Stack) -> Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>> {
    Box::pin(async move { noted(&stack, NAME, run(&stack)).await })
}

/// What is said of one account. Names and addresses are not in it: `/admin/users` has the name.
struct Seen {
    id: String,
    roles: Vec<String>,
    grants: Vec<String>,
    is_staff: bool,
    administers: bool,
    disabled: bool,
    verified: bool,
    second_factor: bool,
    last_login: Option<Timestamp>,
    created_at: Timestamp,
}

impl Seen {
    /// Since when nobody signed in, if that is too long.
    fn dormant_since(&self, now: Timestamp) -> Option<Timestamp> {
        let limit = if self.is_staff { DORMANT_STAFF } else { DORMANT };
        let last = self.last_login.unwrap_or(self.created_at);
        (!self.disabled && now.duration_since(last) > limit).then_some(last)
    }
}

/// Looks at every account and at what keeps them safe; writes the report and answers with it.
///
/// # Errors
/// If the store or the bucket fails.
pub async fn run(stack: &Stack) -> Result<Value, Error> {
    let now = stack.clock().now();
    let (mut seen, mut staff, mut unused, mut after) = (Vec::new(), Vec::new(), Vec::new(), None);
    loop {
        let page = stack.accounts().list(after.as_deref(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|account| account.id.clone());
        let looks = stream::iter(page).map(|account| look(stack, account, now)).buffered(SIDE_BY_SIDE);
        for (one, account, keys) in looks.try_collect::<Vec<_>>().await? {
            unused.extend(keys);
            if one.is_staff || !one.grants.is_empty() {
                staff.push(Staff { account, last_login: one.last_login });
            }
            seen.push(one);
        }
        if !full {
            break;
        }
    }
    let mut settings = findings(stack, &seen, now).await?;
    settings.extend(dormant::roles(stack, staff, now).await?);
    settings.extend(unused);
    let report = report(&seen, settings, now);
    let day = now.to_zoned(TimeZone::UTC).date();
    let dated = format!("reports/access_review-{day}.md");
    stack.reports().put(&dated, "text/markdown; charset=utf-8", page(&report)).await?;
    let mut report = report;
    report["report"] = json!(dated);
    stack.reports().put(ACCESS_REVIEW, "application/json", report.to_string()).await?;
    let trail = trail_of(Event::AccessReviewed, NAME, &dated, NAME, now)?;
    stack.audit().keep(&trail).await?;
    log(&trail);
    Ok(report)
}

async fn look(
    stack: &Stack,
    account: Account,
    now: Timestamp,
) -> Result<(Seen, Account, Vec<String>), Error> {
    let standing = standing(&account)?;
    let administers = standing.is_administering();
    let is_staff = administers || standing.roles.iter().any(|role| *role != Role::User);
    let logins = stack.sessions().logins(&account.id, None, 1).await?;
    // Credentials are read of those only whose second factor matters.
    let second_factor = is_staff
        && stack
            .accounts()
            .person(&account.id)
            .await?
            .is_some_and(|person| person.credentials.totp.is_some());
    let keys = dormant::keys(stack, &account, now).await?;
    let seen = Seen {
        roles: account.roles.clone(),
        grants: account.grants.clone(),
        is_staff,
        administers,
        disabled: account.disabled,
        verified: account.verified_at.is_some(),
        second_factor,
        last_login: logins.first().map(|(_, login)| login.at),
        created_at: account.created_at,
        id: account.id.clone(),
    };
    Ok((seen, account, keys))
}

/// What is to be said of the deployment itself.
async fn findings(stack: &Stack, seen: &[Seen], now: Timestamp) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    let text = stack.secret(&stack.settings().signing_secret).await?;
    let ring = KeyRing::<SigningKey>::from_json(&text).map_err(|e| Error::Keys(e.to_string()))?;
    let age = ring.current().current_since.map(|since| now.duration_since(since));
    if age.is_some_and(|age| age > OLD_KEY) {
        findings.push("The key that signs access tokens is older than 35 days: did its rotation run?".into());
    }
    let counted = stack.accounts().administrator_count().await?;
    let there = seen.iter().filter(|one| one.administers && !one.disabled).count();
    if counted != there as u64 {
        findings.push(format!("The count of administrators says {counted}, and there are {there}."));
    }
    if there < 2 {
        findings.push("There are fewer than two administrators: one who is away cannot be replaced.".into());
    }
    if stack.settings().cors_origins.iter().any(|origin| origin.starts_with("http://")) {
        findings.push("A page without TLS may call the API from a browser.".into());
    }
    Ok(findings)
}

fn report(seen: &[Seen], settings: Vec<String>, now: Timestamp) -> Value {
    let some = |which: &dyn Fn(&Seen) -> bool| seen.iter().filter(|one| which(one)).collect::<Vec<_>>();
    let dormant = |staff: bool| {
        let found = some(&|one| one.is_staff == staff && one.dormant_since(now).is_some());
        let line = |one: &Seen| {
            json!({"id": one.id, "roles": one.roles, "since": one.dormant_since(now),
                "never_signed_in": one.last_login.is_none(), "verified": one.verified})
        };
        found.into_iter().map(line).collect::<Vec<_>>()
    };
    let without = some(&|one| one.is_staff && !one.second_factor && !one.disabled);
    let granted = some(&|one| !one.grants.is_empty());
    let staff = some(&|one| one.is_staff);
    let roles = |one: &&Seen| json!({"id": one.id, "roles": one.roles});
    let (dormant_staff, dormant) = (dormant(true), dormant(false));
    json!({
        "at": now,
        "accounts": seen.len(),
        "disabled": seen.iter().filter(|one| one.disabled).count(),
        "staff": staff.iter().map(|one| json!({"id": one.id, "roles": one.roles, "disabled": one.disabled,
            "second_factor": one.second_factor, "last_login": one.last_login})).collect::<Vec<_>>(),
        "dormant_staff": dormant_staff,
        "dormant": dormant,
        "without_second_factor": without.iter().map(roles).collect::<Vec<_>>(),
        "grants": granted.iter().map(|one| json!({"id": one.id, "grants": one.grants})).collect::<Vec<_>>(),
        "findings": settings,
        "matrix": matrix(),
    })
}

/// What each role may do.
fn matrix() -> Value {
    let roles = [Role::Guest, Role::User, Role::Editor, Role::Admin, Role::Service];
    let of = |role: &Role| {
        let names: Vec<&str> = role.permissions().iter().map(Permission::as_str).collect();
        (role.as_str().to_owned(), json!(names))
    };
    Value::Object(roles.iter().map(of).collect())
}

/// The report as a page that a person can read.
fn page(report: &Value) -> String {
    let mut page = format!("# Access review, {}\n\n", report["at"].as_str().unwrap_or_default());
    let list = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let words = |value: &Value| {
        let words = value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        words.join(", ")
    };
    // Writing to a text never fails.
    let _ = writeln!(
        page,
        "{} accounts, {} of them disabled, {} with a role besides `user`.\n",
        report["accounts"],
        report["disabled"],
        list("staff").len()
    );
    let mut section = |title: &str, none: &str, lines: Vec<String>| {
        let _ = writeln!(page, "## {title}\n");
        if lines.is_empty() {
            let _ = writeln!(page, "{none}\n");
        } else {
            let _ = writeln!(page, "{}\n", lines.join("\n"));
        }
    };
    let dormant = |name: &str| {
        let line = |one: &Value| {
            let how = if one["never_signed_in"] == true { "never since it was made" } else { "not since" };
            format!("- {} ({}): {how} {}", text(&one["id"]), words(&one["roles"]), text(&one["since"]))
        };
        list(name).iter().map(line).collect::<Vec<_>>()
    };
    section("To look at", "Nothing.", list("findings").iter().map(|f| format!("- {}", text(f))).collect());
    section("Without a second factor, although their role asks for one", "Nobody.", {
        let line = |one: &Value| format!("- {} ({})", text(&one["id"]), words(&one["roles"]));
        list("without_second_factor").iter().map(line).collect()
    });
    section("Staff who have not signed in for 30 days", "Nobody.", dormant("dormant_staff"));
    section("Rights on top of a role", "Nobody.", {
        let line = |one: &Value| format!("- {}: {}", text(&one["id"]), words(&one["grants"]));
        list("grants").iter().map(line).collect()
    });
    section("Staff", "Nobody.", {
        let line = |one: &Value| {
            let factor = if one["second_factor"] == true { "second factor" } else { "no second factor" };
            format!(
                "- {} ({}): {factor}, last login {}",
                text(&one["id"]),
                words(&one["roles"]),
                text(&one["last_login"])
            )
        };
        list("staff").iter().map(line).collect()
    });
    section("Accounts that nobody has signed in to for 90 days", "None.", dormant("dormant"));
    section("What each role may do", "", {
        let roles = report["matrix"].as_object().cloned().unwrap_or_default();
        roles.iter().map(|(role, may)| format!("- **{role}**: {}", words(may))).collect()
    });
    page
}
