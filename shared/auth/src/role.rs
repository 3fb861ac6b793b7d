//! Roles: named sets of permissions, and the rules about changing who has which.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::permission::Permission as P;
use crate::{Error, Permissions};

/// A named set of permissions. No role has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever brings no token.
    Guest,
    /// A registered person.
    User,
    /// Edits films and moderates reviews.
    Editor,
    /// Runs the service: films, accounts, operators, audit.
    Admin,
    /// A program with a client credential.
    Service,
}

const GUEST: Permissions = Permissions::of(&[
    P::MoviesReadPublic,
    P::ReviewsRead,
    P::AccountsRegister,
    P::AccountsRecover,
    P::SessionsCreate,
    P::SystemRead,
]);

const USER: Permissions = GUEST.union(Permissions::of(&[
    P::MoviesRead,
    P::ReviewsWriteOwn,
    P::ReviewsReport,
    P::AccountWriteOwn,
    P::AccountReadOwn,
    P::SessionsReadOwn,
    P::SessionsEndOwn,
    P::ProfileReadOwn,
    P::ProfileWriteOwn,
    P::ProfileDeleteOwn,
    P::ProfileExportOwn,
    P::PreferencesReadOwn,
    P::PreferencesWriteOwn,
    P::ThumbsReadOwn,
    P::ThumbsWriteOwn,
    P::RatingsReadOwn,
    P::RatingsWriteOwn,
    P::HiddenReadOwn,
    P::HiddenWriteOwn,
    P::HistoryReadOwn,
    P::HistoryWriteOwn,
    P::WatchlistReadOwn,
    P::WatchlistWriteOwn,
    P::ImportsWriteOwn,
    P::RecommendationsReadOwn,
    P::RecommendationsTuneOwn,
    P::OperatorsRead,
    P::QueriesReadOwn,
    P::QueriesDeleteOwn,
    P::FavouritesReadOwn,
    P::FavouritesWriteOwn,
    P::ApiKeysReadOwn,
    P::ApiKeysWriteOwn,
    P::LinksReadOwn,
    P::LinksWriteOwn,
    P::LinksReadShared,
]));

const EDITOR: Permissions = USER.union(Permissions::of(&[P::MoviesUpdate, P::ReviewsModerate]));

/// Not the editor's set and more: moderation is another job. An admin who moderates has both roles.
const ADMIN: Permissions = USER.union(Permissions::of(&[
    P::MoviesUpdate,
    P::MoviesWrite,
    P::RecommendationsReadAll,
    P::OperatorsWrite,
    P::UsersRead,
    P::UsersManage,
    P::AuditRead,
    P::BlocklistRead,
    P::BlocklistWrite,
    P::SyncRead,
    P::SyncRun,
    P::AccessReviewRead,
    P::HealthReadDeep,
]));

const SERVICE: Permissions =
    Permissions::of(&[P::MoviesReadPublic, P::ReviewsRead, P::OperatorsRead, P::SystemRead]);

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Guest, Self::User, Self::Editor, Self::Admin, Self::Service];

    /// What the role permits.
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::Guest => GUEST,
            Self::User => USER,
            Self::Editor => EDITOR,
            Self::Admin => ADMIN,
            Self::Service => SERVICE,
        }
    }

    /// Whether the role counts only after a second factor (an authenticator, not mail).
    pub const fn needs_second_factor(self) -> bool {
        matches!(self, Self::Editor | Self::Admin)
    }

    /// Whether the role can be given to a person.
    pub const fn is_for_people(self) -> bool {
        matches!(self, Self::User | Self::Editor | Self::Admin)
    }

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::User => "user",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    /// Also reads `viewer`, the other name of `user` in the requirements.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "viewer" {
            return Ok(Self::User);
        }
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(Error::UnknownRole)
    }
}

/// What an administrator may set on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account's roles.
    pub roles: Vec<Role>,
    /// Granted to this account besides its roles.
    pub grants: Permissions,
    /// Denied to this account whatever its roles.
    pub denials: Permissions,
    /// Whether the account is closed for its owner.
    pub disabled: bool,
}

impl Standing {
    /// What the account's owner may do.
    pub fn permissions(&self) -> Permissions {
        if self.disabled {
            return Permissions::NONE;
        }
        Permissions::effective(&self.roles, self.grants, self.denials)
    }

    /// Whether the account can manage accounts: the property that must never be lost by the last one.
    pub fn is_administering(&self) -> bool {
        self.roles.contains(&Role::Admin) && self.permissions().contains(P::UsersManage)
    }
}

/// A change that somebody wants to make.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Who asks.
    pub actor: &'a str,
    /// What they may do, effectively, now.
    pub actor_permissions: Permissions,
    /// Whether they are an administrator. Who may manage accounts by a grant alone changes nobody's roles.
    pub actor_administers: bool,
    /// Whose account it is about.
    pub target: &'a str,
    /// As it is.
    pub before: &'a Standing,
    /// As it shall be; `None` when the account is deleted.
    pub after: Option<&'a Standing>,
    /// Whether the target's address is verified.
    pub verified: bool,
    /// What whoever asks is denied themselves.
    pub actor_denials: Permissions,
    /// How many accounts other than the target can manage accounts.
    pub other_administrators: u64,
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoleChangeFault {
    /// The one who asks may not manage accounts.
    #[error("managing accounts is not permitted")]
    NotPermitted,
    /// Nobody changes their own roles, grants, denials or state.
    #[error("nobody changes their own roles")]
    OwnRoles,
    /// No account that can manage accounts would be left.
    #[error("the last administrator stays")]
    LastAdministrator,
    /// `guest` and `service` are not for people, and everybody keeps `user`.
    #[error("the role can't be given to a person, or the role user is missing")]
    NotForPeople,
    /// Nobody grants what they may not do themselves.
    #[error("a permission that one doesn't have can't be granted")]
    NotOwned,
    /// Only administrators give and take roles, and deny anything to who has one.
    #[error("only an administrator changes roles and those who have them")]
    NotAdministrator,
    /// An account that may still lapse counts for nothing.
    #[error("an account whose address is not verified has no roles")]
    NotVerified,
}

/// Checks a change of an account's standing by an administrator.
///
/// The store makes the last rule stick with a conditional count of administrators.
///
/// # Errors
///
/// [`RoleChangeFault`].
pub fn check_change(change: &Change<'_>) -> Result<(), RoleChangeFault> {
    if !change.actor_permissions.contains(P::UsersManage) {
        return Err(RoleChangeFault::NotPermitted);
    }
    if change.actor == change.target && change.after != Some(change.before) {
        return Err(RoleChangeFault::OwnRoles);
    }
    if let Some(after) = change.after {
        let added = after.grants.without(change.before.grants);
        if !after.roles.iter().all(|role| role.is_for_people()) || !after.roles.contains(&Role::User) {
            return Err(RoleChangeFault::NotForPeople);
        }
        let (roles_change, denied_more) =
            (after.roles != change.before.roles, !change.before.denials.contains_all(after.denials));
        let has_roles = change.before.roles.iter().any(|role| *role != Role::User);
        if !change.actor_administers && (roles_change || has_roles && (denied_more || after.disabled)) {
            return Err(RoleChangeFault::NotAdministrator);
        }
        if !change.verified && roles_change && after.roles != [Role::User] {
            return Err(RoleChangeFault::NotVerified);
        }
        // A denial that is lifted gives as much as a grant.
        let gained = after.permissions().without(change.before.permissions());
        // Who is denied something gives it to nobody, by a role either: it might be to themselves.
        if !change.actor_denials.intersection(gained).is_empty() {
            return Err(RoleChangeFault::NotOwned);
        }
        let given = if change.actor_administers { added } else { added.union(gained) };
        if !change.actor_permissions.contains_all(given) {
            return Err(RoleChangeFault::NotOwned);
        }
    }
    check_last_administrator(change.before, change.after, change.other_administrators)
}

/// Checks that an account able to manage accounts is left; for deletions by their owner, too.
///
/// # Errors
///
/// [`RoleChangeFault::LastAdministrator`].
pub fn check_last_administrator(
    before: &Standing,
    after: Option<&Standing>,
    other_administrators: u64,
) -> Result<(), RoleChangeFault> {
    let stays = after.is_some_and(Standing::is_administering);
    if before.is_administering() && !stays && other_administrators == 0 {
        Err(RoleChangeFault::LastAdministrator)
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "role_tests.rs"]
mod tests;
