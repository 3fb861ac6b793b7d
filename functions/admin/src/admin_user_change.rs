//! `PATCH /admin/users/{id}`: change an account's roles, grants, denials or state.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::role::{Change, RoleChangeFault, Standing, check_change};
use screensort_auth::{Permission, Permissions, Role, may};
use screensort_http::member::{standing, standing_hash};
use screensort_http::{
    Code, Endpoint, FieldError, IfMatch, Input, Opening, Problem, Recent, Reply, Text, Whence, log, stale,
};
use screensort_routes::ADMIN_USER_CHANGE;
use screensort_runtime::Stack;
use screensort_store::{Account, Trail};
use serde::Deserialize;

use crate::user::AdminUser;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_user_change").route(ADMIN_USER_CHANGE, change)
}

/// What to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UserChange")]
struct Body {
    /// All roles: `user`, and perhaps `editor` and `admin`.
    roles: Option<Vec<String>>,
    /// All permissions besides the roles'.
    grants: Option<Vec<String>>,
    /// All permissions taken away.
    denials: Option<Vec<String>>,
    /// Whether the account is closed for its owner.
    disabled: Option<bool>,
}

struct Ask {
    id: String,
    seen: IfMatch,
    body: Body,
    whence: Whence,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path::<Text<40>>("id", "The account.");
        let (seen, body) = (IfMatch::open(o), o.body());
        Some(Self { id: id?.0, seen: seen?, body: body?, whence: Whence::open(o)? })
    }
}

async fn change(
    Recent { who, .. }: Recent<may::UsersManage>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<AdminUser>, Problem> {
    let accounts = stack.accounts();
    let unknown = || Problem::new(Code::NotFound).with_detail("There is no account with this id.");
    let before = accounts.person(&ask.id).await?.ok_or_else(unknown)?.account;
    ask.seen.check(Some(before.generation))?;
    let old = standing(&before)?;
    let new = wanted(&old, &ask.body)?;
    let own = standing(&who.account)?;
    let others = accounts.administrator_count().await?.saturating_sub(u64::from(old.is_administering()));
    check_change(&Change {
        actor: who.id(),
        actor_permissions: who.permissions,
        actor_denials: own.denials,
        actor_administers: own.roles.contains(&Role::Admin) && who.is_strong(),
        target: &before.id,
        before: &old,
        after: Some(&new),
        verified: before.verified_at.is_some(),
        other_administrators: others,
    })
    .map_err(refused)?;
    let words = |set: Permissions| set.iter().map(|permission| permission.as_str().to_owned()).collect();
    let after = Account {
        roles: new.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        grants: words(new.grants),
        denials: words(new.denials),
        disabled: new.disabled,
        ..before.clone()
    };
    let more = i8::from(new.is_administering()) - i8::from(old.is_administering());
    let ring = stack.lasting_ring().await?;
    let hashes = (standing_hash(&ring, &before), standing_hash(&ring, &after));
    let trail = trail(&ask.whence, &old, &new, who.id(), &before.id, stack.clock().now())?;
    let trail = trail.with_values(Some(hashes.0), Some(hashes.1));
    if !accounts.set_standing(&before, &after, more, None, &trail).await? {
        return Err(if ask.seen.is_given() { stale() } else { Problem::new(Code::Conflict) });
    }
    log(&trail);
    let after = Account { generation: before.generation + 1, ..after };
    let generation = after.generation;
    Ok(Reply::ok(AdminUser::of(after)).with_tag(generation))
}

fn wanted(old: &Standing, body: &Body) -> Result<Standing, Problem> {
    fn all<T: std::str::FromStr>(field: &str, words: &[String]) -> Result<Vec<T>, Problem> {
        let read = |(at, word): (usize, &String)| {
            word.parse().map_err(|_| {
                let error = FieldError {
                    pointer: format!("/{field}/{at}"),
                    code: "unknown_value",
                    detail: "There is no such name.".to_owned(),
                };
                Problem::new(Code::InvalidBody).with_errors(vec![error])
            })
        };
        words.iter().enumerate().map(read).collect()
    }
    let set = |field: &str, words: &Option<Vec<String>>, old: Permissions| match words {
        Some(words) => Ok::<_, Problem>(all::<Permission>(field, words)?.into_iter().collect()),
        None => Ok(old),
    };
    let mut roles = match &body.roles {
        Some(words) => all::<Role>("roles", words)?,
        None => old.roles.clone(),
    };
    roles.sort_unstable();
    roles.dedup();
    Ok(Standing {
        roles,
        grants: set("grants", &body.grants, old.grants)?,
        denials: set("denials", &body.denials, old.denials)?,
        disabled: body.disabled.unwrap_or(old.disabled),
    })
}

fn refused(fault: RoleChangeFault) -> Problem {
    let (code, detail) = match fault {
        RoleChangeFault::NotPermitted => (Code::Forbidden, Code::Forbidden.advice()),
        RoleChangeFault::OwnRoles => (Code::Forbidden, "Nobody changes their own roles."),
        RoleChangeFault::NotOwned => (Code::Forbidden, "Nobody grants what they may not do themselves."),
        RoleChangeFault::NotAdministrator => {
            (Code::Forbidden, "Only an administrator changes roles, and what those who have them may do.")
        }
        RoleChangeFault::NotVerified => {
            (Code::Conflict, "An account has roles once its address is verified.")
        }
        RoleChangeFault::LastAdministrator => (Code::Conflict, "The last administrator stays."),
        RoleChangeFault::NotForPeople => {
            (Code::Conflict, "Everybody has the role user, and guest and service are not for people.")
        }
    };
    Problem::new(code).with_detail(detail)
}

/// What the change is, as records: each of what changed, or that the sessions ended.
fn trail(
    whence: &Whence,
    old: &Standing,
    new: &Standing,
    actor: &str,
    account: &str,
    now: Timestamp,
) -> Result<Trail, Problem> {
    let mut events = match (old.disabled, new.disabled) {
        (false, true) => vec![Event::AccountDisabled],
        (true, false) => vec![Event::AccountEnabled],
        _ => vec![],
    };
    if (&old.roles, old.grants, old.denials) != (&new.roles, new.grants, new.denials) {
        events.push(Event::RoleChanged);
    }
    let of = |event| whence.trail(event, Some(actor), Some(account), now);
    let mut events = events.into_iter();
    let first = of(events.next().unwrap_or(Event::SessionsEnded))?;
    events.try_fold(first, |trail, event| Ok(trail.and(of(event)?)))
}
