//! What looks like an attack: every rule and every threshold, over what the trail says of a quarter of an hour.
//!
//! | event | when, within the window |
//! |---|---|
//! | `threat.account.brute_forced` | one account failed or was held back [`ACCOUNT_FAILURES`] times, or attempts from one network failed [`NETWORK_FAILURES`] times |
//! | `threat.credentials.stuffed` | from one network, attempts failed on [`STUFFED_ACCOUNTS`] accounts or unknown names, and fewer than one in five succeeded |
//! | `threat.passwords.sprayed` | [`SPRAYED_ACCOUNTS`] accounts failed, each at most [`SPRAYED_EACH`] times, from [`SPRAYED_NETWORKS`] networks, and more failed than succeeded |
//! | `threat.privilege.attempted` | one account was refused [`DENIALS`] times what its rights do not allow |
//! | `threat.catalogue.scraped` | from one network, callers asked [`QUOTAS`] times for more than their quota |
//! | `threat.data.mass_changed` | one account changed data [`CHANGES`] times, or removed or closed something of others [`REMOVALS`] times |
//!
//! A rule counts only what was recorded, so it needs no state of its own: looking at the same window twice finds the
//! same. A network is an IPv4 /24 or an IPv6 /64, as for limits. Thresholds lie well above what the limits on
//! attempts let an honest person do by mistake: five wrong passwords and a wait are not an attack.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::SignedDuration;

use crate::attempts::address_prefix;
use crate::event::Event;

/// How far a look goes back.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
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
/// Times that a quota was exceeded from one network.
pub const QUOTAS: usize = 20;
/// Changes by one account: three a second for a whole minute, and again.
pub const CHANGES: usize = 400;
/// Things of others that one account removed or closed.
pub const REMOVALS: usize = 30;

/// What the trail says, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'s> {
    /// What happened.
    pub event: Event,
    /// Who did it; `-` if nobody knows.
    pub actor: &'s str,
    /// To what; `-` if nobody knows.
    pub target: &'s str,
    /// From where, if it was a caller.
    pub source: Option<IpAddr>,
}

/// A rule that was met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threat {
    /// Which, by its event's name.
    pub name: &'static str,
    /// Whom or what it is about: an account, a network, or `everybody`.
    pub subject: String,
    /// How many times what the rule counts was seen.
    pub count: usize,
}

fn is_failure(event: Event) -> bool {
    matches!(event, Event::LoginFailed | Event::MfaFailed | Event::LoginThrottled | Event::LoginChallenged)
}

fn is_removal(event: Event) -> bool {
    matches!(
        event,
        Event::ReviewRemoved
            | Event::MovieRemoved
            | Event::OperatorRemoved
            | Event::AccountDisabled
            | Event::PersonDeleted
            | Event::KeyRevoked
    )
}

fn is_change(event: Event) -> bool {
    let areas = ["person.", "library.", "review.", "link.", "movie.", "operator.", "key."];
    let reads = [
        Event::PersonReadByAdmin,
        Event::KeyMoved,
        Event::KeyRefused,
        Event::LinkInvited,
        Event::LinkRefused,
    ];
    areas.iter().any(|area| event.name().starts_with(area)) && !reads.contains(&event)
}

/// The rules that `seen`, everything of one window, meets; in order, each subject once a rule.
pub fn threats(seen: &[Seen<'_>]) -> Vec<Threat> {
    let mut found = BTreeSet::new();
    brute_force(seen, &mut found);
    stuffing(seen, &mut found);
    scraping(seen, &mut found);
    spraying(seen, &mut found);
    let mut by_actor = |event: Event, most: usize, counts: &dyn Fn(Event) -> bool| {
        let mut actors: BTreeMap<&str, usize> = BTreeMap::new();
        for one in seen.iter().filter(|one| counts(one.event) && one.actor != "-") {
            *actors.entry(one.actor).or_default() += 1;
        }
        let many = actors.into_iter().filter(|(_, count)| *count >= most);
        found.extend(many.map(|(actor, count)| threat(event, actor, count)));
    };
    by_actor(Event::ThreatEscalation, DENIALS, &|event| event == Event::AccessDenied);
    by_actor(Event::ThreatMassChange, REMOVALS, &is_removal);
    by_actor(Event::ThreatMassChange, CHANGES, &is_change);
    let mut found: Vec<Threat> = found.into_iter().collect();
    found.dedup_by(|a, b| a.name == b.name && a.subject == b.subject);
    found
}

fn threat(event: Event, subject: &str, count: usize) -> Threat {
    Threat { name: event.name(), subject: subject.to_owned(), count }
}

fn network(seen: &Seen<'_>) -> Option<String> {
    seen.source.map(address_prefix)
}

fn brute_force(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let (mut accounts, mut networks) = (BTreeMap::<&str, usize>::new(), BTreeMap::<String, usize>::new());
    for one in seen.iter().filter(|one| is_failure(one.event)) {
        if one.target != "-" {
            *accounts.entry(one.target).or_default() += 1;
        }
        if let Some(network) = network(one) {
            *networks.entry(network).or_default() += 1;
        }
    }
    let met = |subject: &str, count: usize| threat(Event::ThreatBruteForce, subject, count);
    found.extend(accounts.iter().filter(|(_, n)| **n >= ACCOUNT_FAILURES).map(|(who, n)| met(who, *n)));
    found.extend(networks.iter().filter(|(_, n)| **n >= NETWORK_FAILURES).map(|(who, n)| met(who, *n)));
}

fn stuffing(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    #[derive(Default)]
    struct Tried<'t> {
        known: BTreeSet<&'t str>,
        unknown: usize,
        succeeded: usize,
    }
    let mut networks: BTreeMap<String, Tried<'_>> = BTreeMap::new();
    for one in seen {
        let Some(network) = network(one) else { continue };
        match one.event {
            Event::LoginFailed if one.target == "-" => networks.entry(network).or_default().unknown += 1,
            Event::LoginFailed => drop(networks.entry(network).or_default().known.insert(one.target)),
            Event::LoginSucceeded => networks.entry(network).or_default().succeeded += 1,
            _ => {}
        }
    }
    for (network, tried) in networks {
        let count = tried.known.len() + tried.unknown;
        if count >= STUFFED_ACCOUNTS && tried.succeeded * 5 < count {
            found.insert(threat(Event::ThreatStuffing, &network, count));
        }
    }
}

fn scraping(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let mut networks: BTreeMap<String, usize> = BTreeMap::new();
    for network in seen.iter().filter(|one| one.event == Event::QuotaExceeded).filter_map(network) {
        *networks.entry(network).or_default() += 1;
    }
    let many = networks.into_iter().filter(|(_, count)| *count >= QUOTAS);
    found.extend(many.map(|(network, count)| threat(Event::ThreatScraping, &network, count)));
}

fn spraying(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let mut accounts: BTreeMap<&str, (usize, BTreeSet<String>)> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.event == Event::LoginFailed && one.target != "-") {
        let (failures, networks) = accounts.entry(one.target).or_default();
        *failures += 1;
        networks.extend(network(one));
    }
    accounts.retain(|_, (failures, _)| *failures <= SPRAYED_EACH);
    let networks: BTreeSet<&String> = accounts.values().flat_map(|(_, networks)| networks).collect();
    let succeeded = seen.iter().filter(|one| one.event == Event::LoginSucceeded).count();
    let many = accounts.len() >= SPRAYED_ACCOUNTS && networks.len() >= SPRAYED_NETWORKS;
    if many && accounts.len() > succeeded {
        found.insert(threat(Event::ThreatSpraying, "everybody", accounts.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene(Vec<(Event, String, String, String)>);

    impl Scene {
        fn add(&mut self, event: Event, actor: &str, target: &str, source: &str) {
            self.0.push((event, actor.into(), target.into(), source.into()));
        }

        fn threats(&self) -> Vec<(&'static str, String)> {
            let seen: Vec<Seen<'_>> = self
                .0
                .iter()
                .map(|(event, actor, target, source)| Seen {
                    event: *event,
                    actor,
                    target,
                    source: source.parse().ok(),
                })
                .collect();
            threats(&seen).into_iter().map(|threat| (threat.name, threat.subject)).collect()
        }
    }

    fn scene(fill: impl FnOnce(&mut Scene)) -> Vec<(&'static str, String)> {
        let mut scene = Scene(Vec::new());
        fill(&mut scene);
        scene.threats()
    }

    #[test]
    fn a_password_that_is_guessed_again_and_again_is_brute_force() {
        let found = scene(|scene| {
            for n in 0..20 {
                let event = if n < 5 { Event::LoginFailed } else { Event::LoginThrottled };
                scene.add(event, "-", "ann", &format!("198.51.{n}.7"));
            }
        });
        assert_eq!(found, [("threat.account.brute_forced", "ann".to_owned())]);
    }

    #[test]
    fn a_list_of_stolen_credentials_is_stuffing_whoever_of_it_has_an_account() {
        let found = scene(|scene| {
            for n in 0..12 {
                scene.add(Event::LoginFailed, "-", &format!("account{n}"), "198.51.100.7");
                scene.add(Event::LoginFailed, "-", "-", "198.51.100.9");
            }
            scene.add(Event::LoginSucceeded, "bob", "bob", "198.51.100.7");
        });
        assert_eq!(found, [("threat.credentials.stuffed", "198.51.100.0/24".to_owned())]);
    }

    #[test]
    fn one_password_over_many_accounts_from_everywhere_is_spraying() {
        let found = scene(|scene| {
            for n in 0..45 {
                scene.add(Event::LoginFailed, "-", &format!("account{n}"), &format!("203.0.{}.1", n % 15));
            }
        });
        assert_eq!(found, [("threat.passwords.sprayed", "everybody".to_owned())]);
    }

    #[test]
    fn trying_every_administrators_door_is_an_attempt_at_privileges() {
        let found = scene(|scene| {
            for _ in 0..10 {
                scene.add(Event::AccessDenied, "mallory", "mallory", "203.0.113.7");
            }
        });
        assert_eq!(found, [("threat.privilege.attempted", "mallory".to_owned())]);
    }

    #[test]
    fn asking_on_and_on_over_the_quota_is_scraping() {
        let found = scene(|scene| {
            for n in 0..20 {
                scene.add(Event::QuotaExceeded, "-", "-", &format!("198.51.100.{n}"));
            }
        });
        assert_eq!(found, [("threat.catalogue.scraped", "198.51.100.0/24".to_owned())]);
    }

    #[test]
    fn removing_much_of_others_and_changing_very_much_is_a_mass_change() {
        let found = scene(|scene| {
            for n in 0..30 {
                scene.add(Event::AccountDisabled, "eve", &format!("account{n}"), "203.0.113.7");
            }
            for n in 0..400 {
                scene.add(Event::FilmNoted, "bot", &n.to_string(), "203.0.113.8");
            }
        });
        let subjects = found.iter().map(|(name, who)| (*name, who.as_str())).collect::<Vec<_>>();
        assert_eq!(subjects, [("threat.data.mass_changed", "bot"), ("threat.data.mass_changed", "eve")]);
    }

    /// A week of two hundred people, some of them behind one address, window by window: they mistype, forget,
    /// wander into what is not theirs, and rate what they have seen.
    #[test]
    fn an_honest_week_raises_nothing() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..7 * 24 * 4 {
            let found = scene(|scene| {
                for person in 0..200 {
                    // A third of them share an office; each comes in one window of eight.
                    let source =
                        if person % 3 == 0 { "192.0.2.1".into() } else { format!("10.{}.1.1", person) };
                    if random(8) != 0 {
                        continue;
                    }
                    let who = format!("person{person}");
                    for _ in 0..random(4).saturating_sub(1) {
                        scene.add(Event::LoginFailed, "-", &who, &source);
                    }
                    if random(20) == 0 {
                        scene.add(Event::LoginFailed, "-", "-", &source);
                    }
                    if random(50) == 0 {
                        (0..5).for_each(|_| scene.add(Event::LoginThrottled, "-", &who, &source));
                    }
                    scene.add(Event::LoginSucceeded, &who, &who, &source);
                    if random(30) == 0 {
                        (0..3).for_each(|_| scene.add(Event::AccessDenied, &who, &who, &source));
                    }
                    for film in 0..random(120) {
                        scene.add(Event::FilmNoted, &who, &film.to_string(), &source);
                    }
                }
            });
            assert_eq!(found, []);
        }
    }
}
