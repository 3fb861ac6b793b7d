//! What can be permitted, and how roles, grants and denials add up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Role};

/// A permission as a type: see [`may`].
pub trait Demand: Send + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One thing that somebody may do. The text form is `area:action`; it never changes its meaning.
        ///
        /// `_own` means: on what belongs to the person who asks. There is no wildcard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// Every permission, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        /// Each permission as a type of the same name, so that what a handler demands stands in its signature.
        pub mod may {
            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl super::Demand for $name {
                    const PERMISSION: super::Permission = super::Permission::$name;
                }
            )*
        }
    };
}

permissions! {
    /// Browse, search and read the catalogue, general lists included: guests too.
    MoviesReadPublic = "movies:read_public",
    /// Read the catalogue with one's own state in it.
    MoviesRead = "movies:read",
    /// Edit films.
    MoviesUpdate = "movies:update",
    /// Add and delete films.
    MoviesWrite = "movies:write",
    /// Read published reviews.
    ReviewsRead = "reviews:read",
    /// Read, write and delete one's own reviews.
    ReviewsWriteOwn = "reviews:write_own",
    /// Report a review.
    ReviewsReport = "reviews:report",
    /// See reported reviews, publish and remove.
    ReviewsModerate = "reviews:moderate",
    /// Register an account, and verify it.
    AccountsRegister = "accounts:register",
    /// Ask for a forgotten password and set a new one.
    AccountsRecover = "accounts:recover",
    /// Change one's own password, address and second factor.
    AccountWriteOwn = "account:write_own",
    /// Read one's own security overview and login history.
    AccountReadOwn = "account:read_own",
    /// Log in, and refresh.
    SessionsCreate = "sessions:create",
    /// List one's own sessions.
    SessionsReadOwn = "sessions:read_own",
    /// Log out, and end one's own sessions.
    SessionsEndOwn = "sessions:end_own",
    /// Read one's own profile.
    ProfileReadOwn = "profile:read_own",
    /// Change one's own profile.
    ProfileWriteOwn = "profile:write_own",
    /// Delete one's own account and everything in it.
    ProfileDeleteOwn = "profile:delete_own",
    /// Export one's own data.
    ProfileExportOwn = "profile:export_own",
    /// Read one's own preferences.
    PreferencesReadOwn = "preferences:read_own",
    /// Change one's own preferences.
    PreferencesWriteOwn = "preferences:write_own",
    /// List one's own thumbs.
    ThumbsReadOwn = "thumbs:read_own",
    /// Give and take back thumbs.
    ThumbsWriteOwn = "thumbs:write_own",
    /// List one's own ratings.
    RatingsReadOwn = "ratings:read_own",
    /// Rate films.
    RatingsWriteOwn = "ratings:write_own",
    /// List the films one has hidden.
    HiddenReadOwn = "hidden:read_own",
    /// Hide films.
    HiddenWriteOwn = "hidden:write_own",
    /// Read one's own history.
    HistoryReadOwn = "history:read_own",
    /// Change one's own history.
    HistoryWriteOwn = "history:write_own",
    /// Read one's own watchlist.
    WatchlistReadOwn = "watchlist:read_own",
    /// Change one's own watchlist.
    WatchlistWriteOwn = "watchlist:write_own",
    /// Import a library from elsewhere, and read the reports.
    ImportsWriteOwn = "imports:write_own",
    /// Get one's own recommendations and their reasons.
    RecommendationsReadOwn = "recommendations:read_own",
    /// Ask for more or less of a reason.
    RecommendationsTuneOwn = "recommendations:tune_own",
    /// See anybody's recommendations.
    RecommendationsReadAll = "recommendations:read_all",
    /// Read the operator directory.
    OperatorsRead = "operators:read",
    /// Change the operator directory.
    OperatorsWrite = "operators:write",
    /// Read one's own query history.
    QueriesReadOwn = "queries:read_own",
    /// Delete one's own query history.
    QueriesDeleteOwn = "queries:delete_own",
    /// Read one's own favourite operators.
    FavouritesReadOwn = "favourites:read_own",
    /// Change one's own favourite operators.
    FavouritesWriteOwn = "favourites:write_own",
    /// List one's own API keys.
    ApiKeysReadOwn = "api_keys:read_own",
    /// Create and delete one's own API keys.
    ApiKeysWriteOwn = "api_keys:write_own",
    /// List one's own links.
    LinksReadOwn = "links:read_own",
    /// Ask for, confirm and end links.
    LinksWriteOwn = "links:write_own",
    /// Read what a linked person shares.
    LinksReadShared = "links:read_shared",
    /// List and read accounts.
    UsersRead = "users:read",
    /// Change roles, grants and state of accounts.
    UsersManage = "users:manage",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Read the blocklist.
    BlocklistRead = "blocklist:read",
    /// Change the blocklist.
    BlocklistWrite = "blocklist:write",
    /// See the synchronisation's runs.
    SyncRead = "sync:read",
    /// Start a synchronisation.
    SyncRun = "sync:run",
    /// Read the access review's report.
    AccessReviewRead = "access_review:read",
    /// Look into the health of the parts.
    HealthReadDeep = "health:read_deep",
    /// Health, documentation, key set and notices.
    SystemRead = "system:read",
}

/// Bits of a [`Permissions`] set.
const _: () = assert!(Permission::ALL.len() <= 64, "a set has 64 bits");

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or(Error::UnknownPermission)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of permissions. Its JSON is a list of texts, sorted by declaration.
///
/// The bits are not for storage: they move when a permission is added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u64);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// The set of `list`.
    pub const fn of(list: &[Permission]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= 1 << list[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// What somebody may do: what any of their roles permits and what was granted to them, less what was
    /// denied to them. A denial wins over everything.
    pub fn effective(roles: &[Role], grants: Self, denials: Self) -> Self {
        let by_role = roles.iter().fold(Self::NONE, |set, role| set.union(role.permissions()));
        by_role.union(grants).without(denials)
    }

    /// What somebody may do who has not shown a second factor: roles that need one count as `user`, and
    /// grants that only such roles would have don't count.
    pub fn without_second_factor(roles: &[Role], grants: Self, denials: Self) -> Self {
        let roles: Vec<Role> =
            roles.iter().map(|role| if role.needs_second_factor() { Role::User } else { *role }).collect();
        let guarded =
            Role::Editor.permissions().union(Role::Admin.permissions()).without(Role::User.permissions());
        Self::effective(&roles, grants.without(guarded), denials)
    }

    /// Whether `permission` is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether all of `other` is in the set.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set less `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The permissions, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }

    /// The texts, separated by spaces: an OAuth scope.
    pub fn to_scope(self) -> String {
        self.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads a scope.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPermission`].
    pub fn from_scope(text: &str) -> Result<Self, Error> {
        text.split(' ').filter(|word| !word.is_empty()).map(str::parse).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(list: I) -> Self {
        list.into_iter().fold(Self::NONE, |set, permission| set.union(Self::of(&[permission])))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Permission>::deserialize(deserializer)?.into_iter().collect())
    }
}
