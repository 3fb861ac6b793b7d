//! `PUT` and `DELETE /admin/blocklist/{cidr}`: shut a network out, let it in again.

use jiff::Timestamp;
use schemars::JsonSchema;
use screensort_auth::event::Event;
use screensort_auth::may;
use screensort_auth::suspects::{WINDOWS, window};
use screensort_http::{Code, Endpoint, Input, Opening, Problem, Recent, Reply, Whence};
use screensort_model::Network;
use screensort_model::text::is_deceptive;
use screensort_routes::{ADMIN_BLOCK, ADMIN_UNBLOCK};
use screensort_runtime::Stack;
use screensort_store::Blocked;
use serde::Deserialize;

use crate::blocked::BlockedNetwork;
use crate::film::Faults;

/// The longest reason, in characters.
const REASON: usize = 200;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_block").route(ADMIN_BLOCK, block).route(ADMIN_UNBLOCK, unblock)
}

/// Why a network is shut out, and until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Block")]
struct Body {
    /// For whoever reads the list: 1 to 200 characters.
    reason: String,
    /// Without, until somebody takes it off.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    expires_at: Option<Timestamp>,
}

struct Ask<B> {
    cidr: Network,
    whence: Whence,
    body: B,
}

impl Input for Ask<()> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let cidr = o.path("cidr", "The network: 203.0.113.0%2F24, 203.0.113.0-24, or one address.");
        Some(Self { cidr: cidr?, whence: Whence::open(o)?, body: () })
    }
}

impl Input for Ask<Body> {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let ask = Ask::<()>::open(o);
        let body = o.body();
        let Ask { cidr, whence, .. } = ask?;
        Some(Self { cidr, whence, body: body? })
    }
}

async fn block(
    Recent { who, .. }: Recent<may::BlocklistWrite>,
    ask: Ask<Body>,
    stack: Stack,
) -> Result<Reply<BlockedNetwork>, Problem> {
    let Ask { cidr, whence, body } = ask;
    let now = stack.clock().now();
    let reason = body.reason.trim().to_owned();
    let mut faults = Faults::default();
    if reason.is_empty() || reason.chars().count() > REASON || reason.chars().any(is_deceptive) {
        faults.add("/reason", "invalid", "1 to 200 characters, none of them control characters.");
    }
    if body.expires_at.is_some_and(|at| at <= now) {
        faults.add("/expires_at", "out_of_range", "A time to come.");
    }
    faults.check()?;
    permitted(&cidr, &whence)?;
    let expires_at = body.expires_at;
    let blocked = Blocked { cidr, reason, author: who.id().to_owned(), created_at: now, expires_at };
    let trail = whence.trail(Event::BlocklistAdded, Some(who.id()), Some(&cidr.to_string()), now)?;
    stack.blocklist().add(&blocked, false, &trail).await?;
    screensort_http::log(&trail);
    stack.blocklist_changed().await;
    Ok(Reply::ok(BlockedNetwork::of(blocked)))
}

/// Nobody shuts themselves out, nor everybody, nor what is no network of the internet's.
fn permitted(cidr: &Network, whence: &Whence) -> Result<(), Problem> {
    let refused = |detail: &'static str| Err(Problem::new(Code::Conflict).with_detail(detail));
    if cidr.is_private() {
        return refused("The network holds private or reserved addresses, which no caller has.");
    }
    if cidr.is_too_wide() {
        return refused("The network is too wide: a /8 of IPv4 and a /19 of IPv6 at most.");
    }
    if cidr.contains(whence.source) {
        return refused("The network holds your own address.");
    }
    Ok(())
}

async fn unblock(
    Recent { who, .. }: Recent<may::BlocklistWrite>,
    ask: Ask<()>,
    stack: Stack,
) -> Result<Reply<()>, Problem> {
    let Ask { cidr, whence, .. } = ask;
    let now = stack.clock().now();
    let trail = whence.trail(Event::BlocklistRemoved, Some(who.id()), Some(&cidr.to_string()), now)?;
    if !stack.blocklist().remove(&cidr, &trail).await? {
        return Err(Problem::new(Code::NotFound).with_detail("The network is not on the list."));
    }
    // Or the job would put it back for what it did before.
    let number = window(now);
    stack.blocklist().pardon(&cidr, (0..WINDOWS).map(|back| number - back)).await?;
    screensort_http::log(&trail);
    stack.blocklist_changed().await;
    Ok(Reply::done())
}
