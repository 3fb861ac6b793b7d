//! What looks like an attack, over what the trail says of a quarter of an hour. Rules and thresholds: [`crate::rules`].
//!
//! A rule counts only what was recorded, so it needs no state of its own: looking at the same window twice finds the
//! same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::attempts::address_prefix;
use crate::event::Event;
use crate::rules::{
    ACCOUNT_FAILURES, CHANGES, DECISIONS, DELETIONS, DELETIONS_NETWORK, DENIALS, EXPORTS, EXPORTS_NETWORK,
    KEY_NETWORKS, KEY_REFUSALS, LOOKS, NETWORK_FAILURES, QUOTAS, REMOVALS, REPORTS, SPRAYED_ACCOUNTS,
    SPRAYED_EACH, SPRAYED_NETWORKS, STUFFED_ACCOUNTS, TMDB_REQUESTS,
};

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
    /// Whether the subject is a network that is to be shut out for a while.
    pub shuts_out: bool,
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
    bursts(seen, &mut found);
    asking(seen, &mut found);
    let mut by_actor = |event: Event, most: usize, counts: &dyn Fn(Event) -> bool| {
        let counted = count(seen.iter().filter(|one| counts(one.event) && one.actor != "-"), |one| {
            Some(one.actor.to_owned())
        });
        found.extend(met(event, counted, most, false));
    };
    let is_decision =
        |event| matches!(event, Event::ReviewRemoved | Event::ReviewRestored | Event::ReviewReportSettled);
    let is_look = |event| matches!(event, Event::PersonReadByAdmin | Event::RecommendationReadByAdmin);
    by_actor(Event::ThreatEscalation, DENIALS, &|event| event == Event::AccessDenied);
    by_actor(Event::ThreatMassChange, CHANGES, &is_change);
    by_actor(Event::ThreatModeration, DECISIONS, &is_decision);
    by_actor(Event::ThreatModeration, REPORTS, &|event| event == Event::ReviewReported);
    by_actor(Event::ThreatBrowsing, LOOKS, &is_look);
    by_actor(Event::ThreatKeys, KEY_NETWORKS, &|event| event == Event::KeyMoved);
    // A job that ends what nobody uses comes from nowhere.
    let removed = seen.iter().filter(|one| is_removal(one.event) && one.actor != "-" && one.source.is_some());
    let removed = count(removed, |one| Some(one.actor.to_owned()));
    found.extend(met(Event::ThreatMassChange, removed, REMOVALS, false));
    let mut found: Vec<Threat> = found.into_iter().collect();
    found.dedup_by(|a, b| a.name == b.name && a.subject == b.subject);
    found
}

/// How often each subject occurs; what has none does not count.
fn count<'s>(
    seen: impl Iterator<Item = &'s Seen<'s>>,
    subject: impl Fn(&Seen<'s>) -> Option<String>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for subject in seen.filter_map(subject) {
        *counts.entry(subject).or_default() += 1;
    }
    counts
}

/// The threats of the subjects that occur `most` times or more.
fn met(
    event: Event,
    counts: BTreeMap<String, usize>,
    most: usize,
    shuts_out: bool,
) -> impl Iterator<Item = Threat> {
    let many = counts.into_iter().filter(move |(_, count)| *count >= most);
    many.map(move |(subject, count)| Threat { name: event.name(), subject, count, shuts_out })
}

fn threat(event: Event, subject: &str, count: usize) -> Threat {
    Threat { name: event.name(), subject: subject.to_owned(), count, shuts_out: false }
}

fn network(seen: &Seen<'_>) -> Option<String> {
    seen.source.map(address_prefix)
}

fn brute_force(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let failures = || seen.iter().filter(|one| is_failure(one.event));
    let accounts = count(failures().filter(|one| one.target != "-"), |one| Some(one.target.to_owned()));
    found.extend(met(Event::ThreatBruteForce, accounts, ACCOUNT_FAILURES, false));
    found.extend(met(Event::ThreatBruteForce, count(failures(), network), NETWORK_FAILURES, true));
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
            let subject = network;
            found.insert(Threat { name: Event::ThreatStuffing.name(), subject, count, shuts_out: true });
        }
    }
}

fn scraping(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let over = || seen.iter().filter(|one| one.event == Event::QuotaExceeded);
    let guests = count(over().filter(|one| one.actor == "-"), network);
    found.extend(met(Event::ThreatScraping, guests, QUOTAS, true));
    let known = count(over().filter(|one| one.actor != "-"), |one| Some(one.actor.to_owned()));
    found.extend(met(Event::ThreatScraping, known, QUOTAS, false));
}

/// Much of what each person does for themselves, from one place or at once.
fn bursts(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let rules = [
        (Event::PersonExported, Event::ThreatExports, EXPORTS_NETWORK, EXPORTS),
        // Whoever asks to be forgotten does it from somewhere; the job that forgets them comes from nowhere.
        (Event::PersonLeaving, Event::ThreatDeletions, DELETIONS_NETWORK, DELETIONS),
    ];
    for (event, threatens, from_one, in_all) in rules {
        let of = || seen.iter().filter(|one| one.event == event);
        found.extend(met(threatens, count(of(), network), from_one, false));
        let all = of().count();
        if all >= in_all {
            found.insert(threat(threatens, "everybody", all));
        }
    }
    let refused = count(seen.iter().filter(|one| one.event == Event::KeyRefused), network);
    found.extend(met(Event::ThreatKeys, refused, KEY_REFUSALS, true));
}

/// A run's record says how often it asked: `sync_movies/1200`.
fn asking(seen: &[Seen<'_>], found: &mut BTreeSet<Threat>) {
    let asked = seen.iter().filter(|one| one.event == Event::TmdbRequested);
    let requests = asked.filter_map(|one| one.target.rsplit_once('/')?.1.parse::<usize>().ok()).sum();
    if requests >= TMDB_REQUESTS {
        found.insert(threat(Event::ThreatTmdbSpike, "tmdb", requests));
    }
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
            self.found().into_iter().map(|threat| (threat.name, threat.subject)).collect()
        }

        fn found(&self) -> Vec<Threat> {
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
            threats(&seen)
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
            for n in 0..5 {
                scene.add(Event::QuotaExceeded, "-", "-", &format!("198.51.100.{n}"));
                scene.add(Event::QuotaExceeded, "ann", "ann", &format!("203.0.{n}.1"));
            }
            scene.add(Event::QuotaExceeded, "bob", "bob", "203.0.113.9");
        });
        let who = found.iter().map(|(name, who)| (*name, who.as_str())).collect::<Vec<_>>();
        assert_eq!(
            who,
            [("threat.catalogue.scraped", "198.51.100.0/24"), ("threat.catalogue.scraped", "ann")]
        );
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

    fn met_by(event: Event, times: usize, source: fn(usize) -> String) -> Vec<(&'static str, String)> {
        scene(|scene| (0..times).for_each(|n| scene.add(event, "eve", &format!("t{n}"), &source(n))))
    }

    #[test]
    fn each_rule_begins_at_its_threshold_and_names_whom_it_is_about() {
        let here: fn(usize) -> String = |_| "203.0.113.7".to_owned();
        let anywhere: fn(usize) -> String = |n| format!("203.{n}.113.7");
        let rules = [
            (Event::PersonExported, EXPORTS_NETWORK, here, "threat.people.exported", "203.0.113.0/24"),
            (Event::PersonExported, EXPORTS, anywhere, "threat.people.exported", "everybody"),
            (Event::PersonLeaving, DELETIONS_NETWORK, here, "threat.people.deleted", "203.0.113.0/24"),
            (Event::ReviewReportSettled, DECISIONS, here, "threat.moderation.abused", "eve"),
            (Event::ReviewReported, REPORTS, here, "threat.moderation.abused", "eve"),
            (Event::PersonReadByAdmin, LOOKS, here, "threat.people.browsed", "eve"),
            (Event::KeyMoved, KEY_NETWORKS, anywhere, "threat.keys.abused", "eve"),
            (Event::KeyRefused, KEY_REFUSALS, here, "threat.keys.abused", "203.0.113.0/24"),
            (Event::AccessDenied, DENIALS, anywhere, "threat.privilege.attempted", "eve"),
        ];
        for (event, times, source, name, subject) in rules {
            assert_eq!(met_by(event, times, source), [(name, subject.to_owned())], "{event:?}");
            assert_eq!(met_by(event, times - 1, source), [], "{event:?}");
        }
    }

    #[test]
    fn a_job_that_ends_what_nobody_uses_is_no_attack() {
        let key = |n: usize| format!("key{n}");
        let found = scene(|scene| {
            (0..60).for_each(|n| scene.add(Event::KeyRevoked, "access_review", &key(n), "-"));
        });
        assert_eq!(found, []);
    }

    #[test]
    fn tmdb_is_asked_as_often_as_one_run_can_and_no_more() {
        let runs = |requests: &[usize]| {
            scene(|scene| {
                for requests in requests {
                    scene.add(Event::TmdbRequested, "sync_movies", &format!("sync_movies/{requests}"), "-");
                }
                scene.add(Event::TmdbRequested, "sync_movies", "nonsense", "-");
            })
        };
        assert_eq!(runs(&[15_000, 1_500, 210]), []);
        assert_eq!(runs(&[15_000, 15_000]), [("threat.tmdb.spiked", "tmdb".to_owned())]);
    }

    #[test]
    fn only_networks_that_attack_are_to_be_shut_out() {
        let mut scene = Scene(Vec::new());
        for n in 0..100 {
            scene.add(Event::LoginFailed, "-", &format!("account{}", n % 25), "198.51.100.7");
            scene.add(Event::PersonLeaving, "ann", "ann", "203.0.113.7");
        }
        let shut_out: Vec<(&str, String)> = scene
            .found()
            .into_iter()
            .filter(|threat| threat.shuts_out)
            .map(|threat| (threat.name, threat.subject))
            .collect();
        let network = "198.51.100.0/24".to_owned();
        let names = ["threat.account.brute_forced", "threat.credentials.stuffed"];
        assert_eq!(shut_out, names.map(|name| (name, network.clone())));
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
                    for _ in 0..random(40) / 39 {
                        scene.add(Event::PersonExported, &who, &who, &source);
                        scene.add(Event::QuotaExceeded, &who, &who, &source);
                    }
                    if random(200) == 0 {
                        scene.add(Event::PersonLeaving, &who, &who, &source);
                    }
                    if random(10) == 0 {
                        (0..random(6)).for_each(|_| scene.add(Event::ReviewReported, &who, "r", &source));
                    }
                    // Two of them are editors with a busy morning.
                    if person < 2 {
                        (0..random(25)).for_each(|_| {
                            scene.add(Event::ReviewReportSettled, &who, "r", &source);
                            scene.add(Event::PersonReadByAdmin, &who, "-", &source);
                        });
                    }
                }
            });
            assert_eq!(found, []);
        }
    }
}
