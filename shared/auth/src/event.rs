//! What happens and matters: one list for the trail, logs, metrics, alarms and documents.
//!
//! A name never changes its meaning. No event carries a secret, a name or an address of anybody; who it concerns
//! is an account's id, and where it came from is a field of its own. `docs/events.md` is made from this list.

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Everyday life.
    Routine,
    /// Worth keeping in view: it changes what somebody may do, or what others see.
    Notable,
    /// May be an attack; one alone seldom is.
    Suspicious,
    /// Somebody should look now.
    Critical,
}

impl Level {
    /// As it is written down.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Notable => "notable",
            Self::Suspicious => "suspicious",
            Self::Critical => "critical",
        }
    }
}

/// How many of an event in how many minutes raise an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// This many or more.
    pub count: u32,
    /// Within so many minutes.
    pub minutes: u32,
}

/// Who may see an event besides those who may read the whole trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody.
    Auditor,
    /// Its target: in the login history, or by a notice.
    Target,
}

/// Every `$alarm` is a pair: how many, in how many minutes; none if the count is 0.
macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $level:ident, $target:literal, $viewer:ident, $count:literal / $minutes:literal;)*) => {
        /// Something that happened and matters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($(#[doc = $doc])* $name),* }

        impl Event {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Area, thing, past participle.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim()),* }
            }

            /// How much it matters.
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level),* }
            }

            /// What its target is the id of.
            pub const fn target(self) -> &'static str {
                match self { $(Self::$name => $target),* }
            }

            /// Who may see it besides those who may read the whole trail.
            pub const fn viewer(self) -> Viewer {
                match self { $(Self::$name => Viewer::$viewer),* }
            }

            /// How many of them raise an alarm.
            pub const fn alarm(self) -> Option<Alarm> {
                let (count, minutes) = match self { $(Self::$name => ($count, $minutes)),* };
                if count == 0 { None } else { Some(Alarm { count, minutes }) }
            }
        }
    };
}

events! {
    /// An account was made.
    AccountCreated = "auth.account.created", Routine, "account", Auditor, 100/5;
    /// Somebody tried to register an address that has an account.
    AccountDuplicated = "auth.account.duplicated", Suspicious, "account", Target, 20/5;
    /// An address was verified.
    AccountVerified = "auth.account.verified", Routine, "account", Target, 0/0;
    /// An administrator closed an account.
    AccountDisabled = "auth.account.disabled", Notable, "account", Auditor, 5/15;
    /// An administrator opened an account again.
    AccountEnabled = "auth.account.enabled", Notable, "account", Auditor, 5/15;
    /// An account whose address was never verified went after a week.
    AccountLapsed = "auth.account.lapsed", Routine, "account", Auditor, 0/0;
    /// Somebody signed in.
    LoginSucceeded = "auth.login.succeeded", Routine, "account", Target, 0/0;
    /// Somebody did not.
    LoginFailed = "auth.login.failed", Suspicious, "account", Auditor, 50/1;
    /// An attempt was refused before anything was verified: too many.
    LoginThrottled = "auth.login.throttled", Suspicious, "account", Auditor, 20/1;
    /// An attempt was asked to solve a challenge.
    LoginChallenged = "auth.login.challenged", Suspicious, "account", Auditor, 50/5;
    /// Somebody signed out.
    LoggedOut = "auth.logout", Routine, "account", Auditor, 0/0;
    /// A session was ended from another one.
    SessionRevoked = "auth.session.revoked", Routine, "account", Auditor, 0/0;
    /// All sessions of an account were ended.
    SessionsEnded = "auth.sessions.ended", Notable, "account", Auditor, 20/15;
    /// A refresh token came a second time; its session was ended.
    TokenReused = "auth.token.reused", Critical, "account", Target, 1/5;
    /// Credentials that are no good were shown.
    TokenRefused = "auth.token.refused", Suspicious, "account", Auditor, 100/5;
    /// A password was changed by who knew it.
    PasswordChanged = "auth.password.changed", Notable, "account", Target, 0/0;
    /// A password's hash was renewed in a better form; the password is the same.
    PasswordRehashed = "auth.password.rehashed", Routine, "account", Auditor, 0/0;
    /// A mail to set a new password was asked for.
    PasswordForgotten = "auth.password.forgotten", Suspicious, "account", Auditor, 50/5;
    /// A password was set by a mailed token.
    PasswordReset = "auth.password.reset", Notable, "account", Target, 20/15;
    /// A new address was named.
    EmailNamed = "auth.email.named", Notable, "account", Target, 0/0;
    /// A new address was confirmed.
    EmailChanged = "auth.email.changed", Notable, "account", Target, 20/15;
    /// A new address was named and never confirmed; it is forgotten.
    EmailLapsed = "auth.email.lapsed", Routine, "account", Auditor, 0/0;
    /// An account is found under another key of the blind index now; its address is the same.
    EmailReindexed = "auth.email.reindexed", Routine, "account", Auditor, 0/0;
    /// A second factor was begun: its secret waits for the first code.
    MfaBegun = "auth.mfa.begun", Routine, "account", Auditor, 0/0;
    /// A second factor was turned on.
    MfaEnabled = "auth.mfa.enabled", Notable, "account", Target, 0/0;
    /// A second factor was turned off.
    MfaDisabled = "auth.mfa.disabled", Notable, "account", Target, 5/15;
    /// A code was wrong.
    MfaFailed = "auth.mfa.failed", Suspicious, "account", Auditor, 20/5;
    /// A recovery code was used.
    RecoveryUsed = "auth.recovery.used", Notable, "account", Target, 10/15;
    /// Recovery codes were renewed.
    RecoveryRenewed = "auth.recovery.renewed", Notable, "account", Target, 0/0;
    /// Somebody signed in proved again who they are.
    Reauthenticated = "auth.reauthenticated", Routine, "account", Auditor, 0/0;
    /// Roles, grants or denials were changed.
    RoleChanged = "auth.role.changed", Notable, "account", Auditor, 1/5;
    /// Roles or an API key were not used for long; their owner was told that they will end.
    AccessDormant = "access.dormant", Notable, "account or key", Target, 0/0;
    /// Somebody was refused what their rights do not allow.
    AccessDenied = "auth.access.denied", Suspicious, "account", Auditor, 50/5;

    /// A person took a copy of everything that is kept about them.
    PersonExported = "person.exported", Notable, "account", Target, 20/15;
    /// A person asked to be forgotten; their account is closed.
    PersonLeaving = "person.leaving", Notable, "account", Auditor, 20/15;
    /// A person was deleted, and what was sealed for them can no longer be read.
    PersonDeleted = "person.deleted", Notable, "account", Auditor, 20/15;
    /// A person brought ratings or a history from elsewhere.
    PersonImported = "person.imported", Notable, "account", Target, 20/15;
    /// A person changed their profile or preferences.
    PersonChanged = "person.changed", Routine, "account", Auditor, 0/0;
    /// An administrator looked at a person's data.
    PersonReadByAdmin = "person.read_by_admin", Notable, "account", Auditor, 50/15;

    /// A person rated, hid, watched or listed a film, or took that back.
    FilmNoted = "library.film.noted", Routine, "film", Auditor, 0/0;
    /// A review, a report on one or a link was made, changed or taken back: how it was and is, beside what was done.
    ItemChanged = "library.item.changed", Routine, "owner and kind", Auditor, 0/0;

    /// A review was published.
    ReviewPublished = "review.published", Routine, "review", Target, 0/0;
    /// A review waits for an editor: its writer is new, or it holds links.
    ReviewHeld = "review.held", Routine, "review", Target, 0/0;
    /// A review was changed by its writer.
    ReviewChanged = "review.changed", Routine, "review", Target, 0/0;
    /// A review was taken back by its writer.
    ReviewWithdrawn = "review.withdrawn", Routine, "review", Auditor, 0/0;
    /// A review was removed by an editor.
    ReviewRemoved = "review.removed", Notable, "review", Target, 50/15;
    /// A removed review was put back.
    ReviewRestored = "review.restored", Notable, "review", Target, 0/0;
    /// Somebody reported a review.
    ReviewReported = "review.reported", Routine, "review", Auditor, 50/5;
    /// A report on a review was settled.
    ReviewReportSettled = "review.report.settled", Routine, "review", Auditor, 0/0;

    /// A person asked another one for a link between them.
    LinkAsked = "link.asked", Routine, "link", Target, 0/0;
    /// The account at the address that a link was asked of was mailed its token.
    LinkInvited = "link.invited", Routine, "link", Target, 0/0;
    /// A link was confirmed.
    LinkConfirmed = "link.confirmed", Routine, "link", Target, 0/0;
    /// Who confirmed a link gave less than was asked for.
    LinkNarrowed = "link.narrowed", Routine, "link", Target, 0/0;
    /// A token was shown that opens no link: a wrong one, an old one, or somebody else's.
    LinkRefused = "link.refused", Suspicious, "account", Auditor, 20/5;
    /// A link was declined.
    LinkDeclined = "link.declined", Routine, "link", Target, 0/0;
    /// A link ended.
    LinkEnded = "link.ended", Routine, "link", Target, 0/0;

    /// An API key was made.
    KeyMade = "key.made", Notable, "key", Auditor, 5/15;
    /// A new API key takes another one's place, which works until their overlap ends.
    KeyReplaced = "key.replaced", Notable, "key", Auditor, 5/15;
    /// An API key was revoked.
    KeyRevoked = "key.revoked", Notable, "key", Auditor, 0/0;
    /// An API key was used from a network it had not been used from.
    KeyMoved = "key.moved", Suspicious, "key", Auditor, 3/15;
    /// An API key that is no good was shown.
    KeyRefused = "key.refused", Suspicious, "key", Auditor, 20/5;

    /// A streaming service was added to the directory.
    OperatorAdded = "operator.added", Notable, "operator", Auditor, 0/0;
    /// A streaming service's entry was changed.
    OperatorChanged = "operator.changed", Notable, "operator", Auditor, 50/15;
    /// A streaming service was taken out of the directory.
    OperatorRemoved = "operator.removed", Notable, "operator", Auditor, 5/15;
    /// A film was added by hand.
    MovieAdded = "movie.added", Notable, "film", Auditor, 0/0;
    /// A film was changed by hand.
    MovieChanged = "movie.changed", Notable, "film", Auditor, 50/15;
    /// A film was removed by hand.
    MovieRemoved = "movie.removed", Notable, "film", Auditor, 10/15;
    /// A run of the sync was asked for by hand.
    SyncStarted = "sync.started", Notable, "job", Auditor, 0/0;
    /// A run of a job ended without having done its work.
    JobFailed = "job.failed", Critical, "job", Auditor, 1/15;

    /// An administrator read a person's recommendations.
    RecommendationReadByAdmin = "recommendation.read_by_admin", Notable, "account", Auditor, 50/15;
    /// Another model makes the recommendations.
    RecommendationModelChanged = "recommendation.model.changed", Notable, "model", Auditor, 3/60;
    /// A model was not taken into use: it was worse, or not what it claimed to be.
    RecommendationModelRefused = "recommendation.model.refused", Suspicious, "model", Auditor, 1/60;

    /// An address or network was blocked.
    BlocklistAdded = "blocklist.added", Notable, "network", Auditor, 20/15;
    /// A block was lifted.
    BlocklistRemoved = "blocklist.removed", Notable, "network", Auditor, 0/0;
    /// A blocked address asked for something.
    BlocklistMet = "blocklist.met", Suspicious, "network", Auditor, 0/0;
    /// Somebody asked more often than they may.
    QuotaExceeded = "quota.exceeded", Suspicious, "account", Auditor, 100/5;

    /// A new key for access tokens was published; it does not sign yet.
    SigningKeyPublished = "signing_key.published", Notable, "signing key", Auditor, 3/60;
    /// Another key signs access tokens now.
    SigningKeyRotated = "signing_key.rotated", Notable, "signing key", Auditor, 3/60;
    /// A key's last token has ended; the key is gone.
    SigningKeyRetired = "signing_key.retired", Notable, "signing key", Auditor, 0/0;
    /// A new key came into a ring; nothing is made with it yet.
    RingKeyPublished = "ring_key.published", Notable, "ring and key", Auditor, 5/60;
    /// Another key of a ring is in use now.
    RingKeyRotated = "ring_key.rotated", Notable, "ring and key", Auditor, 5/60;
    /// Nothing that a key made lives any more; the key is gone from its ring.
    RingKeyRetired = "ring_key.retired", Notable, "ring and key", Auditor, 5/60;

    /// The trail was read.
    AuditRead = "audit.read", Notable, "day", Auditor, 0/0;
    /// A shard of the trail was shipped up to a checkpoint.
    AuditShipped = "audit.shipped", Routine, "shard", Auditor, 0/0;
    /// The trail's chain does not hold: something was changed, dropped, moved or put in between.
    AuditBroken = "audit.broken", Critical, "shard", Auditor, 1/5;
    /// An audit of how the deployment is protected was written.
    SecurityAudited = "protection.audited", Routine, "report", Auditor, 0/0;
    /// A review of who may do what was written.
    AccessReviewed = "access.reviewed", Routine, "report", Auditor, 1/5;
    /// What nobody owns any more was cleaned away.
    SessionsCleaned = "sessions.cleaned", Routine, "job", Auditor, 0/0;

    /// A run asked TMDb, as often as its target says.
    TmdbRequested = "tmdb.requested", Routine, "job and requests", Auditor, 0/0;
    /// TMDb does not take our key.
    TmdbKeyRejected = "tmdb.key.rejected", Critical, "job", Auditor, 1/5;
    /// Something that the product cannot do without failed.
    ErrorCritical = "error.critical", Critical, "function", Auditor, 1/1;

    /// Many accounts were tried from one network, each a few times: lists of stolen credentials.
    ThreatStuffing = "threat.credentials.stuffed", Critical, "network", Auditor, 1/5;
    /// Many accounts failed a few times each, from many networks: common passwords.
    ThreatSpraying = "threat.passwords.sprayed", Critical, "everybody", Auditor, 1/5;
    /// One account or one network failed very often.
    ThreatBruteForce = "threat.account.brute_forced", Critical, "account", Auditor, 1/5;
    /// Somebody tried again and again what their rights do not allow.
    ThreatEscalation = "threat.privilege.attempted", Critical, "account", Auditor, 1/5;
    /// Somebody reads the catalogue page after page, faster than a person does.
    ThreatScraping = "threat.catalogue.scraped", Suspicious, "network", Auditor, 1/5;
    /// Somebody sends what is meant for an interpreter: statements, scripts, paths.
    ThreatInjection = "threat.injection.probed", Suspicious, "network", Auditor, 10/5;
    /// Many people took copies of their data from one place or at once: somebody may be them.
    ThreatExports = "threat.people.exported", Critical, "network", Auditor, 1/5;
    /// Many people deleted themselves from one place or at once: somebody may be them.
    ThreatDeletions = "threat.people.deleted", Critical, "network", Auditor, 1/5;
    /// One administrator looked at very many people's data.
    ThreatBrowsing = "threat.people.browsed", Suspicious, "account", Auditor, 1/5;
    /// Somebody decided on, or reported, far more reviews than one reads.
    ThreatModeration = "threat.moderation.abused", Suspicious, "account", Auditor, 1/5;
    /// One account's keys come from ever new networks, or many keys that are no good from one.
    ThreatKeys = "threat.keys.abused", Suspicious, "account", Auditor, 1/5;
    /// One person changed or deleted very much in a short time.
    ThreatMassChange = "threat.data.mass_changed", Critical, "account", Auditor, 1/5;
    /// TMDb is asked far more often than the sync needs.
    ThreatTmdbSpike = "threat.tmdb.spiked", Suspicious, "job", Auditor, 1/5;
    /// A person signed in from a device and a network that are both new to them.
    ThreatNewPlace = "threat.login.displaced", Suspicious, "account", Target, 20/15;
}

impl Event {
    /// Whether many of them in a short time are a reason to look.
    pub const fn is_alarming(self) -> bool {
        self.alarm().is_some()
    }

    /// The metric that counts it: `auth.login.failed` is `AuthLoginFailed`.
    pub fn metric(self) -> String {
        let words = self.name().split(['.', '_']);
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        words.map(capital).collect()
    }

    /// The event with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREAS: &[&str] = &[
        "access",
        "audit",
        "auth",
        "blocklist",
        "error",
        "job",
        "key",
        "library",
        "link",
        "movie",
        "operator",
        "person",
        "protection",
        "quota",
        "recommendation",
        "review",
        "ring_key",
        "sessions",
        "signing_key",
        "sync",
        "threat",
        "tmdb",
    ];

    #[test]
    fn names_are_unique_and_of_one_form() {
        let mut names: Vec<&str> = Event::ALL.iter().map(|event| event.name()).collect();
        for name in &names {
            let (area, rest) = name.split_once('.').unwrap();
            assert!(AREAS.contains(&area), "{name}: a new area?");
            assert!(rest.split('.').all(|part| !part.is_empty()), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'), "{name}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
    }

    #[test]
    fn every_event_has_a_metric_of_its_own_and_a_sentence() {
        let mut metrics: Vec<String> = Event::ALL.iter().map(|event| event.metric()).collect();
        metrics.sort_unstable();
        metrics.dedup();
        assert_eq!(metrics.len(), Event::ALL.len());
        assert_eq!(Event::LoginFailed.metric(), "AuthLoginFailed");
        assert_eq!(Event::SigningKeyRotated.metric(), "SigningKeyRotated");
        for event in Event::ALL {
            assert!(event.meaning().ends_with('.'), "{event:?}");
            assert_eq!(Event::of_name(event.name()), Some(*event));
        }
    }

    #[test]
    fn whatever_is_critical_raises_an_alarm() {
        assert!(Event::ALL.iter().all(|event| event.level() < Level::Critical || event.is_alarming()));
    }
}
