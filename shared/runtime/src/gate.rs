//! What every request passes: quotas and first answers, over the credentials' table.

use std::net::IpAddr;
use std::time::Duration;

use screensort_auth::attempts::address_prefix;
use screensort_auth::event::Event;
use screensort_auth::token::ServiceClaims;
use screensort_http::member::{SESSION_COOKIE, identify, split_session_id};
use screensort_http::quota::{Counted, Drawn, Policy, Standing, claimed, claimed_client};
use screensort_http::{Code, Gate, Incoming, Limits, Problem, Whence};
use screensort_routes::{Access, Quota, Route};
use screensort_store::{Begun, Call, Idempotency, Kept, Meter, Quotas, Window};

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

    async fn count_write(&self, account: &str) -> Result<(Standing, Drawn), Problem> {
        let (limits, now) = (self.settings().limits, self.clock().now());
        let (per_minute, per_day) = (limits.writes_per_minute, limits.writes_per_day);
        let quotas = self.quotas();
        let used = Box::pin(quotas.count(account, per_minute, per_day, now)).await?;
        let standing = Standing::of(used, ("writes-minute", per_minute), ("writes-day", per_day), now);
        Ok((standing, if used.counted { Drawn::Changes(now) } else { Drawn::Nowhere }))
    }

    /// The directory is counted exactly, by minute and day: per person, per account that answers for service clients,
    /// and per key that has a quota of its own.
    async fn count_caller(&self, request: &Incoming, account: Option<String>) -> Result<Counted, Problem> {
        let account = match account {
            // A cookie names a session without a signature, and a page that only reads sends nothing besides: who it is
            // has to be looked up, or a person in a browser would be counted with their network alone.
            None if Whence::of(request).cookie(SESSION_COOKIE).is_some() && request.bearer().is_none() => {
                let person = Box::pin(identify(request, self)).await.ok().flatten();
                person.map(|person| person.id().to_owned())
            }
            account => account,
        };
        let limits = &self.settings().limits;
        let policies = match &account {
            Some(account) => {
                let subject = format!("directory#{account}");
                let quotas = (limits.directory_calls_per_minute, limits.directory_calls_per_day);
                policies(["calls-minute", "calls-day"], &subject, quotas.0.into(), quotas.1.into())
            }
            None => match claimed_client(request, self).await? {
                Some(client) => client_policies(&client, limits),
                None => Vec::new(),
            },
        };
        let now = self.clock().now();
        let standing = match policies.is_empty() {
            false => Box::pin(self.draw_calls(&policies)).await?,
            // Nobody that is known: their network is counted.
            true => self.count_guest(request.source),
        };
        if standing.refused {
            let subject = policies.last().map(|policy| policy.subject.as_str());
            self.over_quota(request, account.as_deref().or(subject)).await;
            return Ok(Counted { account, standing, drawn: Drawn::Nowhere });
        }
        Ok(Counted { account, standing, drawn: Drawn::Blocks(policies, now) })
    }

    /// Says that a caller asked for more than they may: a line each time, and one record a minute, so that nobody can
    /// fill the trail by asking on.
    async fn over_quota(&self, request: &Incoming, caller: Option<&str>) {
        let (whence, now) = (Whence::of(request), self.clock().now());
        whence.note(Event::QuotaExceeded, caller);
        let subject = caller.map_or_else(|| address_prefix(request.source), str::to_owned);
        if !self.edge().over.count(&subject, 1, u32::MAX, now).counted {
            return;
        }
        let Ok(trail) = whence.trail(Event::QuotaExceeded, caller, caller, now) else { return };
        let (minute, audit) = (Window::Minute.number(now).to_string(), self.trail_table());
        let what = format!("quota#{subject}");
        // The refusal stands and is not held up; what it costs is not the caller's.
        let keeping = Box::pin(Meter::watch(audit.once(&what, &minute, &trail)));
        if let Ok((Err(error), _)) = tokio::time::timeout(PATIENCE, keeping).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(name: "audit.unwritten", error, "a record of the trail could not be kept");
        }
    }

    fn count_guest(&self, source: IpAddr) -> Standing {
        let (limits, now) = (&self.settings().limits, self.clock().now());
        let (per_minute, per_day) = (limits.guest_reads_per_minute, limits.guest_reads_per_day);
        let used =
            self.edge().reads.count(&format!("at {}", address_prefix(source)), per_minute, per_day, now);
        Standing::of(used, ("guest-minute", per_minute), ("guest-day", per_day), now)
    }

    fn count_read(&self, account: &str) -> Standing {
        let (limits, now) = (&self.settings().limits, self.clock().now());
        let (per_minute, per_day) = (limits.reads_per_minute, limits.reads_per_day);
        let used = self.edge().reads.count(account, per_minute, per_day, now);
        Standing::of(used, ("reads-minute", per_minute), ("reads-day", per_day), now)
    }
}

/// The policies of `subject` by minute and by day, as far as it has them.
fn policies(
    [minute, day]: [&'static str; 2],
    subject: &str,
    per_minute: Option<u32>,
    per_day: Option<u32>,
) -> Vec<Policy> {
    let policy = |name, window, quota: Option<u32>| {
        Some(Policy { name, subject: subject.to_owned(), quota: quota?, window })
    };
    let both = [policy(minute, Window::Minute, per_minute), policy(day, Window::Day, per_day)];
    both.into_iter().flatten().collect()
}

/// What a call of a service client draws on: the key's own quota, if it has one, and always that of the account that
/// answers for it. Keys of one account share, so that who makes more keys gets no more calls.
fn client_policies(client: &ServiceClaims, limits: &Limits) -> Vec<Policy> {
    let Some((owner, _)) = split_session_id(&client.sub) else { return Vec::new() };
    let key = format!("key#{}", client.sub);
    let mut all = policies(["key-minute", "key-day"], &key, client.calls_per_minute, client.calls_per_day);
    let (per_minute, per_day) = (limits.client_calls_per_minute, limits.client_calls_per_day);
    let account = format!("client#{owner}");
    all.extend(policies(["calls-minute", "calls-day"], &account, per_minute.into(), per_day.into()));
    all
}

impl Gate for Stack {
    async fn admit(&self, source: IpAddr) -> Result<(), Problem> {
        if self.is_blocked(source).await { Err(Problem::new(Code::Blocked)) } else { Ok(()) }
    }

    async fn count(&self, route: &'static Route, request: &Incoming) -> Result<Counted, Problem> {
        // Where anybody may call, nobody has to be known: a function for guests has no keys to know them by.
        let account = match (route.quota, route.access) {
            (Quota::Free, _) | (_, Access::Anyone) => None,
            _ => claimed(request, self).await?,
        };
        if let Access::Caller(_) = route.access {
            return self.count_caller(request, account).await;
        }
        let (standing, drawn) = match (route.quota, &account) {
            (Quota::Write, Some(account)) => self.count_write(account).await?,
            (Quota::Free, _) | (Quota::Attempts, None) => (Standing::default(), Drawn::Nowhere),
            (Quota::Read | Quota::Attempts, Some(account)) => (self.count_read(account), Drawn::Nowhere),
            (Quota::Read | Quota::Write, None) => (self.count_guest(request.source), Drawn::Nowhere),
        };
        if standing.refused {
            self.over_quota(request, account.as_deref()).await;
        }
        Ok(Counted { account, standing, drawn })
    }

    async fn uncount(&self, counted: &Counted) {
        match (&counted.drawn, &counted.account) {
            (Drawn::Blocks(policies, at), _) => self.edge().leases.give_back(policies, *at),
            (Drawn::Changes(at), Some(account)) => {
                if let Err(error) = self.quotas().give_back(account, *at).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(name: "quota.kept", error, "a call that was nobody's stays counted");
                }
            }
            _ => {}
        }
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
