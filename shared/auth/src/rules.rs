//! What looks like an attack, and what follows: every rule and every threshold of the product, in one place.
//!
//! Two jobs go by them. `detect` looks every five minutes at what the trail says of a quarter of an hour
//! ([`crate::detect`]); each rule it finds met is an event with a metric and an alarm of its own (docs/events.md).
//! `feed_blocklist` looks every minute at what was counted of networks ([`crate::suspects`]), which takes no record
//! and so costs next to nothing while somebody hammers.
//!
//! | event | when, within a quarter of an hour | what follows by itself |
//! |---|---|---|
//! | `threat.account.brute_forced` | one account failed or was held back [`ACCOUNT_FAILURES`] times | attempts on it wait and are challenged (docs/authentication.md) |
//! | the same | attempts from one network failed [`NETWORK_FAILURES`] times | the network is shut out for [`SHUT_OUT`] |
//! | `threat.credentials.stuffed` | from one network, attempts failed on [`STUFFED_ACCOUNTS`] accounts or unknown names, and fewer than one in five succeeded | the network is shut out for [`SHUT_OUT`] |
//! | `threat.passwords.sprayed` | [`SPRAYED_ACCOUNTS`] accounts failed, each at most [`SPRAYED_EACH`] times, from [`SPRAYED_NETWORKS`] networks, and more failed than succeeded | nothing: there is nobody in particular to shut out |
//! | `threat.privilege.attempted` | one account was refused [`DENIALS`] times what its rights do not allow | nothing: it gets nothing |
//! | `threat.catalogue.scraped` | one caller was over their quota in [`QUOTAS`] different minutes | calls over the quota are refused; a caller who is not signed in is shut out for [`SHUT_OUT`] |
//! | `threat.data.mass_changed` | one account changed data [`CHANGES`] times, or removed or closed something of others [`REMOVALS`] times | nothing: somebody looks; point-in-time recovery brings it back |
//! | `threat.people.exported` | [`EXPORTS_NETWORK`] people took copies of their data from one network, or [`EXPORTS`] in all | nothing: links expire, and each person has a notice |
//! | `threat.people.deleted` | [`DELETIONS_NETWORK`] people asked to be forgotten from one network, or [`DELETIONS`] in all | nothing: a deletion waits, and each person has a notice |
//! | `threat.people.browsed` | one administrator looked at people's data [`LOOKS`] times | nothing: somebody asks them |
//! | `threat.moderation.abused` | one account removed, restored or settled [`DECISIONS`] reviews and reports, or reported [`REPORTS`] | nothing: each can be put back |
//! | `threat.keys.abused` | keys of one account came from [`KEY_NETWORKS`] networks that were new to them, or [`KEY_REFUSALS`] keys were refused from one network | a network with refused keys is shut out for [`SHUT_OUT`] |
//! | `threat.tmdb.spiked` | runs asked TMDb [`TMDB_REQUESTS`] times: more than one run at its pace could | nothing: pace and budget hold each run back |
//! | `threat.login.displaced` | somebody signed in with a device and from a network that are new to the account, while a session of it was in use elsewhere within [`ELSEWHERE`] | the person has a mail about the new device; no session is ended: a laptop beside a telephone looks the same |
//! | `threat.injection.probed` | a request carries what is meant for an interpreter ([`crate::probe`]); each is logged, none recorded | as below |
//!
//! | of one network, counted | shut out for |
//! |---|---|
//! | [`SPRAYING_LOGINS`] failed logins over [`SPRAYING_ACCOUNTS`] accounts | 24 h |
//! | [`GUESSES`] failed logins | 1 h |
//! | [`PROBES`] refused requests that carry an injection | 6 h |
//! | [`REFUSALS`] answers 401 or 403 | 1 h |
//! | [`UNKNOWN_ROUTES`] unknown routes | 1 h |
//!
//! A network is an IPv4 /24 or an IPv6 /64 for `detect`, as for limits, and an address or a /64 for `feed_blocklist`.
//! Networks that nobody has on the internet are never shut out, and every block ends by itself. Thresholds lie well
//! above what limits and quotas let an honest person do by mistake: five wrong passwords and a wait are no attack.

use jiff::SignedDuration;

/// How far a look goes back.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// For how long a network is shut out that `detect` found.
pub const SHUT_OUT: SignedDuration = SignedDuration::from_hours(1);
/// Failures of one account.
pub const ACCOUNT_FAILURES: usize = 20;
/// Failures from one network.
pub const NETWORK_FAILURES: usize = 100;
/// Accounts and unknown names tried from one network.
pub const STUFFED_ACCOUNTS: usize = 20;
/// Accounts tried from everywhere.
pub const SPRAYED_ACCOUNTS: usize = 40;
/// Failures that each of them has at most.
pub const SPRAYED_EACH: usize = 3;
/// Networks that they came from.
pub const SPRAYED_NETWORKS: usize = 10;
/// Refusals of one account.
pub const DENIALS: usize = 10;
/// Minutes in which one caller was over their quota. There is one record a caller and minute.
pub const QUOTAS: usize = 5;
/// Changes by one account: three a second for a whole minute, and again.
pub const CHANGES: usize = 400;
/// Things of others that one account removed or closed.
pub const REMOVALS: usize = 30;
/// Copies of people's data from one network.
pub const EXPORTS_NETWORK: usize = 10;
/// Copies of people's data in all.
pub const EXPORTS: usize = 40;
/// Deletions from one network.
pub const DELETIONS_NETWORK: usize = 10;
/// Deletions in all.
pub const DELETIONS: usize = 40;
/// Looks of one administrator at people's data.
pub const LOOKS: usize = 50;
/// Decisions of one account on reviews and reports.
pub const DECISIONS: usize = 40;
/// Reports of one account.
pub const REPORTS: usize = 20;
/// New networks of one account's keys.
pub const KEY_NETWORKS: usize = 3;
/// Refused keys from one network.
pub const KEY_REFUSALS: usize = 20;
/// Requests to TMDb: 20 a second for the whole window are 18,000.
pub const TMDB_REQUESTS: usize = 20_000;
/// How lately a session elsewhere must have been in use.
pub const ELSEWHERE: SignedDuration = SignedDuration::from_mins(15);

/// Failed logins of a network that tries many accounts.
pub const SPRAYING_LOGINS: u32 = 20;
/// The accounts that it tries.
pub const SPRAYING_ACCOUNTS: u32 = 10;
/// Failed logins of a network.
pub const GUESSES: u32 = 60;
/// Refused requests that carry an injection.
pub const PROBES: u32 = 10;
/// Answers 401 or 403, logins aside.
pub const REFUSALS: u32 = 300;
/// Unknown routes.
pub const UNKNOWN_ROUTES: u32 = 100;
