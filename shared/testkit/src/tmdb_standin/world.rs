//! What the stand-in knows and remembers.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Fault, Recorded, Script, films};

#[derive(Debug)]
pub(super) struct World {
    token: String,
    arrivals: watch::Sender<usize>,
    daily_changes: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    films: BTreeMap<u32, Value>,
    changes: BTreeMap<Date, Vec<u32>>,
    /// A day's export, or `None` where there is none; other days have one made of the films.
    exports: BTreeMap<Date, Option<Vec<u8>>>,
    scripts: Vec<Script>,
    requests: Vec<Recorded>,
}

impl World {
    pub(super) fn new(token: &str) -> Self {
        let state = State {
            films: films::all(),
            changes: BTreeMap::new(),
            exports: BTreeMap::new(),
            scripts: Vec::new(),
            requests: Vec::new(),
        };
        let arrivals = watch::Sender::new(0);
        Self { token: token.to_owned(), arrivals, daily_changes: false, state: Mutex::new(state) }
    }

    /// Lets a handful of films change on every day for which nothing was set.
    pub(super) fn with_daily_changes(mut self) -> Self {
        self.daily_changes = true;
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn arrivals(&self) -> watch::Receiver<usize> {
        self.arrivals.subscribe()
    }

    /// Remembers a request and says what should go wrong with it.
    pub(super) fn arrive(&self, request: Recorded) -> Option<Fault> {
        let mut state = self.lock();
        let fault = state.scripts.iter_mut().find_map(|script| script.strike(&request.path));
        state.requests.push(request);
        self.arrivals.send_replace(state.requests.len());
        fault
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.clone()
    }

    pub(super) fn script(&self, script: Script) {
        self.lock().scripts.push(script);
    }

    pub(super) fn behave(&self) {
        self.lock().scripts.clear();
    }

    pub(super) fn set_movie(&self, details: Value) -> bool {
        let id = films::id_of(&details);
        id.map(|id| self.lock().films.insert(id, films::complete(details))).is_some()
    }

    pub(super) fn movie(&self, id: u32) -> Option<Value> {
        self.lock().films.get(&id).cloned()
    }

    pub(super) fn movie_ids(&self) -> Vec<u32> {
        self.lock().films.keys().copied().collect()
    }

    pub(super) fn movies(&self) -> Vec<Value> {
        self.lock().films.values().cloned().collect()
    }

    pub(super) fn remove_movie(&self, id: u32) -> Option<Value> {
        self.lock().films.remove(&id)
    }

    pub(super) fn merge(&self, old: u32, new: u32) {
        let Some(mut gone) = self.remove_movie(old) else { return };
        let mut state = self.lock();
        match state.films.get_mut(&new) {
            Some(kept) => {
                if kept["imdb_id"].is_null() {
                    kept["imdb_id"] = gone["imdb_id"].take();
                }
            }
            None => {
                gone["id"] = json!(new);
                state.films.insert(new, gone);
            }
        }
    }

    pub(super) fn set_changes(&self, day: Date, ids: Vec<u32>) {
        self.lock().changes.insert(day, ids);
    }

    /// The films that changed from a day to another, each once.
    pub(super) fn changes(&self, start: Date, end: Date) -> Vec<u32> {
        let state = self.lock();
        let mut ids = Vec::new();
        let mut seen = BTreeSet::new();
        for day in start.series(jiff::Span::new().days(1)).take_while(|day| *day <= end) {
            let daily = || {
                let of_the_day = |id: &&u32| self.daily_changes && *id % 7 == day.day_of_year() as u32 % 7;
                state.films.keys().filter(of_the_day).copied().collect()
            };
            let changed = state.changes.get(&day).cloned().unwrap_or_else(daily);
            ids.extend(changed.into_iter().filter(|id| seen.insert(*id)));
        }
        ids
    }

    pub(super) fn set_export(&self, day: Date, gzip: Option<Vec<u8>>) {
        self.lock().exports.insert(day, gzip);
    }

    /// A day's export: what was set, or all films that are there.
    pub(super) fn export(&self, day: Date) -> Option<Vec<u8>> {
        if let Some(set) = self.lock().exports.get(&day) {
            return set.clone();
        }
        let mut lines = Vec::new();
        for film in self.movies() {
            let line = json!({"adult": film["adult"], "id": film["id"], "original_title": film["original_title"],
                "popularity": film["popularity"], "video": film["video"].as_bool().unwrap_or(false)});
            lines.extend_from_slice(line.to_string().as_bytes());
            lines.push(b'\n');
        }
        Some(gzip(&lines))
    }
}

/// Compresses bytes.
pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}
