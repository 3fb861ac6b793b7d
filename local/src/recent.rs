//! What happened lately on this machine, to look at: events as they are logged, what endpoints cost, and which alarms
//! of the catalogue would ring.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use screensort_auth::event::{Event, Level};
use screensort_runtime::{Record, clock};
use serde_json::{Map, Value, json};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer};

/// How many events are kept.
const KEPT: usize = 500;
/// How many moments of each event are kept, to judge alarms by.
const MOMENTS: usize = 5_000;
/// How many durations of each endpoint are kept.
const DURATIONS: usize = 1_000;
/// Lines of the log that are kept besides those of security.
const NAMES: [&str; 9] = [
    "job.ended",
    "job.failed",
    "mail.handled",
    "stream.dead_letter",
    "stream.unread",
    "audit.unwritten",
    "blocklist.unfed",
    "function.panicked",
    "tmdb.key_rejected",
];

/// The last events of this process.
#[derive(Debug, Default)]
pub struct Recent {
    kept: Mutex<VecDeque<(Timestamp, Value)>>,
    moments: Mutex<BTreeMap<&'static str, VecDeque<Timestamp>>>,
}

impl Recent {
    /// The one of this process: the log has no owner either.
    pub fn of_process() -> &'static Self {
        static RECENT: OnceLock<Recent> = OnceLock::new();
        RECENT.get_or_init(Self::default)
    }

    fn note(&self, at: Timestamp, event: Value) {
        if let Some(known) = event["event"].as_str().and_then(Event::of_name) {
            let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
            let of = moments.entry(known.name()).or_default();
            of.push_front(at);
            of.truncate(MOMENTS);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((at, event));
        kept.truncate(KEPT);
    }

    /// The events, newest first.
    pub fn events(&self) -> Vec<(Timestamp, Value)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How often each event was seen, by its metric.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let count =
            |(name, of): (&&str, &VecDeque<Timestamp>)| Some((Event::of_name(name)?.metric(), of.len()));
        moments.iter().filter_map(count).collect()
    }

    /// The alarms of the catalogue that ring at `now`.
    pub fn alarms(&self, now: Timestamp) -> Vec<Value> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ringing = Vec::new();
        for (name, of) in moments.iter() {
            let Some((event, alarm)) = Event::of_name(name).and_then(|event| Some((event, event.alarm()?)))
            else {
                continue;
            };
            let since = now.as_second() - i64::from(alarm.minutes) * 60;
            let count = of.iter().take_while(|at| at.as_second() >= since).count();
            if count >= alarm.count as usize {
                ringing.push(json!({
                    "alarm": event.metric(), "event": name, "level": event.level().as_str(),
                    "count": count, "from": alarm.count, "minutes": alarm.minutes,
                    "meaning": event.meaning(),
                }));
            }
        }
        ringing
    }
}

/// The layer that notes events; with `prints`, what somebody should look at is a line on the console too.
#[derive(Debug)]
pub struct Noting {
    /// Whether to print.
    pub prints: bool,
}

impl<S: Subscriber> Layer<S> for Noting {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let is_security = metadata.target() == "security";
        if !is_security && !NAMES.contains(&metadata.name()) {
            return;
        }
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let mut fields = fields.0;
        if !is_security {
            fields.insert("event".into(), json!(metadata.name()));
        }
        let known = fields.get("event").and_then(Value::as_str).and_then(Event::of_name);
        if self.prints && known.is_some_and(|known| known.level() == Level::Critical || is_threat(known)) {
            print(&fields);
        }
        fields
            .remove("message")
            .filter(|_| !is_security)
            .map(|message| fields.insert("message".into(), message));
        Recent::of_process().note(clock().now(), Value::Object(fields));
    }
}

fn is_threat(event: Event) -> bool {
    event.name().starts_with("threat.")
}

#[allow(clippy::print_stdout, reason = "whoever watches the server sees what somebody should look at")]
fn print(fields: &Map<String, Value>) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("-");
    println!("!!! {}  {}  from {}  {}", text("event"), text("target_id"), text("source"), text("request_id"));
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().into(), json!(format!("{value:?}")));
    }
}

/// What endpoints cost since the server began.
#[derive(Debug, Default)]
pub(crate) struct Costs(Mutex<BTreeMap<&'static str, Cost>>);

#[derive(Debug, Default)]
struct Cost {
    requests: u64,
    errors: u64,
    refusals: u64,
    store_requests: u64,
    store_units: f64,
    durations: VecDeque<f64>,
}

impl Costs {
    pub(crate) fn note(&self, record: &Record) {
        let mut costs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = costs.entry(record.endpoint).or_default();
        cost.requests += 1;
        cost.errors += u64::from(record.status >= 500);
        cost.refusals += u64::from((400..500).contains(&record.status));
        cost.store_requests += u64::from(record.store_requests);
        cost.store_units += record.store_units;
        cost.durations.push_front(record.duration_ms);
        cost.durations.truncate(DURATIONS);
    }

    /// By endpoint.
    pub(crate) fn shown(&self) -> Value {
        let costs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |(endpoint, cost): (&&str, &Cost)| {
            let mut durations: Vec<f64> = cost.durations.iter().copied().collect();
            durations.sort_by(f64::total_cmp);
            let at = |percent: usize| {
                let place = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
                durations.get(place).map(|ms| (ms * 10.0).round() / 10.0)
            };
            let shown = json!({
                "requests": cost.requests, "errors": cost.errors, "refusals": cost.refusals,
                "duration_ms": {"median": at(50), "p95": at(95), "longest": at(100)},
                "store_requests": cost.store_requests, "store_units": cost.store_units,
            });
            ((*endpoint).to_owned(), shown)
        };
        Value::Object(costs.iter().map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_rings_at_its_count_and_no_longer_than_its_minutes() {
        let recent = Recent::default();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        for second in 0..20 {
            recent.note(at(second), json!({"event": "auth.login.throttled"}));
        }
        recent.note(at(20), json!({"event": "nobody.knows"}));
        assert_eq!(recent.alarms(at(30))[0]["alarm"], "AuthLoginThrottled");
        assert_eq!(recent.alarms(at(30))[0]["count"], 20);
        assert!(recent.alarms(at(61)).is_empty(), "one of them is older than a minute");
        assert_eq!(recent.counts()["AuthLoginThrottled"], 20);
        assert_eq!(recent.events().len(), 21);
    }
}
