//! `GET /admin/blocklist`: the networks that are shut out.

use screensort_auth::may;
use screensort_http::{Endpoint, Member, Page, PageAsk, Problem, Reply};
use screensort_model::Network;
use screensort_routes::ADMIN_BLOCKLIST;
use screensort_runtime::Stack;

use crate::blocked::BlockedNetwork;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("admin_blocklist").route(ADMIN_BLOCKLIST, list)
}

async fn list(
    Member { who, .. }: Member<may::BlocklistRead>,
    page: PageAsk,
    stack: Stack,
) -> Result<Reply<Page<BlockedNetwork>>, Problem> {
    let (cursors, now) = (stack.cursors().await?, stack.clock().now());
    let after: Option<Network> = page.start(&cursors, who.id())?;
    let mut all = stack.blocklist().all().await?;
    all.retain(|blocked| blocked.is_live(now));
    all.sort_unstable_by_key(|blocked| blocked.cidr);
    let rest = all.into_iter().filter(|blocked| after.is_none_or(|after| blocked.cidr > after));
    let mut found: Vec<_> = rest.take(page.limit + 1).collect();
    let next = page.cut(&mut found, |blocked| blocked.cidr);
    page.reply(&cursors, who.id(), found.into_iter().map(BlockedNetwork::of).collect(), next.as_ref())
}
