//! `docs/events.md` and the same list as JSON, from the one list of events.

use std::fmt::Write;

use screensort_auth::event::{Event, Viewer};
use serde_json::{Value, json};

const HEAD: &str = "# Events

Written by `cargo run -- events > docs/events.md` from `shared/auth/src/event.rs`; a test compares the two.

What happens and matters is one list, from which the trail, the log, the metrics and the alarms are made.

**Record.** An event of the trail is an item of the table `screensort-audit`, written in the same transaction as what
it records; an attempt that changed nothing is a single put. Its fields: `id` (ULID), `action` (the event's name),
`actor` (the account or job that did it, `-` if unknown), `target` (what it was done to, by id), `before` and `after`
(keyed hashes of values, where values changed), `at`, `source` (the caller's address, `-` for a job), `request_id`.
No record holds a secret, an address or a name of anybody.

**Log.** The same facts are one line of the log, target `security`: `event`, `severity`, `alarming`, `actor`,
`target_id`, `source`, `request_id`. The line `request.answered` of the same request has the same `request_id`.

**Metric.** One filter an area's log counts all of them in `ScreenSort/<Environment>`, `Events`, with the event's name as
dimension; the name in the table is its alarm's. **Alarm**: so many within so many minutes notify the topic of alarms.

**Who may see.** All of them: who has `audit:read` (`GET /admin/audit`). *Target* marks those that the person concerned
also sees, in the login history or by a notice.

| event | meaning | level | target | also seen by | metric | alarm |
|---|---|---|---|---|---|---|
";

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for event in Event::ALL {
        let viewer = if event.viewer() == Viewer::Target { "target" } else { "" };
        let alarm = event.alarm().map(|alarm| format!("{} in {} min", alarm.count, alarm.minutes));
        // Writing to a text never fails.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {viewer} | `{}` | {} |",
            event.name(),
            event.meaning(),
            event.level().as_str(),
            event.target(),
            event.metric(),
            alarm.unwrap_or_default(),
        );
    }
    page
}

/// The list for programs, such as the one that writes the template's alarms.
pub fn json() -> Value {
    let one = |event: &Event| {
        let alarm = event.alarm().map(|alarm| json!({"count": alarm.count, "minutes": alarm.minutes}));
        json!({
            "name": event.name(), "meaning": event.meaning(), "level": event.level().as_str(),
            "target": event.target(), "metric": event.metric(), "alarm": alarm,
        })
    };
    Event::ALL.iter().map(one).collect()
}
