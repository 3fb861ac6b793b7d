//! What a process remembers between requests for the sake of what every request passes.

use crate::blocklist::Watched;
use crate::leases::Leases;
use crate::tally::Tally;

/// Counts and lists in memory.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    /// Reads by subject.
    pub(crate) reads: Tally,
    /// Callers over their quota.
    pub(crate) over: Tally,
    /// Blocks of calls taken out of the quotas of minutes and days.
    pub(crate) leases: Leases,
    /// Who is shut out, and who gives reason to be.
    pub(crate) watched: Watched,
}
