//! What every request passes: quotas and first answers, over the credentials' table.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use screensort_auth::attempts::address_prefix;
use screensort_auth::event::Event;
use screensort_http::member::split_session_id;
use screensort_http::quota::{Counted, Line, Standing, claimed, claimed_client};
use screensort_http::{Code, Gate, Incoming, Problem, Whence};
use screensort_routes::{Access, Quota, Route};
use screensort_store::{Begun, Call, Idempotency, Kept, Meter, Quotas};

use crate::Stack;

/// How long a refused call waits for its record.
const PATIENCE: Duration = Duration::from_secs(1);

impl Stack {
    /// The exact counts.
    pub fn quotas(&self) -> Quotas {
        let (client, table) = self.auth_table();
        Quotas::new(client, table)
    }

    /// The kept answers.
    pub fn idempotency(&self) -> Idempotency {
        let (client, table) = self.auth_table();
        Idempotency::new(client, table)
    }

    async fn count_write(&self, account: &str) -> Result<Standing, Problem> {
        let (limits, now) = (self.settings().limits, self.clock().now());
        let (per_minute, per_day) = (limits.writes_per_minute, limits.writes_per_day);
        let quotas = self.quotas();
        let used = Box::pin(quotas.count(account, per_minute, per_day, now)).await?;
        let lines = vec![
            Line::new("writes-minute", per_minute, 60, used.in_minute, now),
            Line::new("writes-day", per_day, 86_400, used.in_day, now),
        ];
        Ok(Standing { lines, refused: !used.counted })
    }

    /// The directory is counted exactly, by day: per person, and per account that answers for service clients.
    async fn count_caller(&self, request: &Incoming, account: Option<String>) -> Result<Counted, Problem> {
        let limits = self.settings().limits;
        let (subject, per_day) = match &account {
            Some(account) => (Some(format!("directory#{account}")), limits.directory_calls_per_day),
            None => {
                let client = claimed_client(request, self).await?;
                // Keys of one account share: who makes more keys gets no more calls.
                let owner = client.and_then(|id| split_session_id(&id).map(|(owner, _)| owner.to_owned()));
                (owner.map(|owner| format!("client#{owner}")), limits.client_calls_per_day)
            }
        };
        let standing = match &subject {
            Some(subject) => Box::pin(self.draw_day(subject, per_day)).await?,
            // A page's session is known only once it is read: its network is counted.
            None => self.count_guest(request.source),
        };
        if standing.refused {
            self.over_quota(request, account.as_deref().or(subject.as_deref())).await;
        }
        Ok(Counted { account, standing })
    }

    /// Says that a caller asked for more than they may: a line each time, and one record a minute, so that nobody can
    /// fill the trail by asking on.
    async fn over_quota(&self, request: &Incoming, caller: Option<&str>) {
        let (whence, now) = (Whence::of(request), self.clock().now());
        whence.note(Event::QuotaExceeded, caller);
        let subject = caller.map_or_else(|| address_prefix(request.source), str::to_owned);
        if self.edge().over.count(&subject, now) > 1 {
            return;
        }
        let Ok(trail) = whence.trail(Event::QuotaExceeded, caller, caller, now) else { return };
        let (minute, audit) = (now.as_second().div_euclid(60).to_string(), self.trail_table());
        let what = format!("quota#{subject}");
        // The refusal stands and is not held up; what it costs is not the caller's.
        let keeping = Box::pin(Meter::watch(audit.once(&what, &minute, &trail)));
        if let Ok((Err(error), _)) = tokio::time::timeout(PATIENCE, keeping).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(name: "audit.unwritten", error, "a record of the trail could not be kept");
        }
    }

    fn count_guest(&self, source: IpAddr) -> Standing {
        let subject = format!("at {}", address_prefix(source));
        let quota = self.settings().limits.guest_reads_per_minute;
        self.count_read(&subject, "guest-minute", quota, self.clock().now())
    }

    fn count_read(&self, subject: &str, name: &'static str, quota: u32, now: Timestamp) -> Standing {
        let used = self.edge().reads.count(subject, now);
        Standing { lines: vec![Line::new(name, quota, 60, used, now)], refused: used > quota }
    }
}

impl Gate for Stack {
    async fn admit(&self, source: IpAddr) -> Result<(), Problem> {
        if self.is_blocked(source).await { Err(Problem::new(Code::Blocked)) } else { Ok(()) }
    }

    async fn count(&self, route: &'static Route, request: &Incoming) -> Result<Counted, Problem> {
        let (limits, now) = (self.settings().limits, self.clock().now());
        // Where anybody may call, nobody has to be known: a function for guests has no keys to know them by.
        let account = match (route.quota, route.access) {
            (Quota::Free, _) | (_, Access::Anyone) => None,
            _ => claimed(request, self).await?,
        };
        if let Access::Caller(_) = route.access {
            return self.count_caller(request, account).await;
        }
        let standing = match (route.quota, &account) {
            (Quota::Free, _) | (Quota::Attempts, None) => Standing::default(),
            (Quota::Write, Some(account)) => self.count_write(account).await?,
            (Quota::Read | Quota::Attempts, Some(account)) => {
                self.count_read(account, "reads-minute", limits.reads_per_minute, now)
            }
            (Quota::Read | Quota::Write, None) => self.count_guest(request.source),
        };
        if standing.refused {
            self.over_quota(request, account.as_deref()).await;
        }
        Ok(Counted { account, standing })
    }

    async fn begin(&self, call: &Call) -> Result<Begun, Problem> {
        Ok(self.idempotency().begin(call, self.clock().now()).await?)
    }

    async fn end(&self, call: &Call, created: Option<Option<&Kept>>) {
        let ended = match created {
            Some(answer) => self.idempotency().end(call, answer).await,
            None => self.idempotency().forget(call).await,
        };
        if let Err(error) = ended {
            let error: &dyn std::error::Error = &error;
            tracing::error!(name: "idempotency.unnoted", route = call.route, request_id = call.holder, error,
                "how {} ended could not be noted: sent again, it may be done again", call.route);
        }
    }
}
