//! Day quotas of service clients: exact in total, and yet no write for every call. A process takes a block of calls
//! out of the quota and hands them out; blocks together are never more than the quota.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use screensort_http::Problem;
use screensort_http::quota::{Line, Standing};

use crate::Stack;

/// A block is this part of the quota: what a process that ends leaves unused is lost for the day.
const PART: u32 = 100;
/// The largest block.
const LARGEST: u32 = 100;

/// The blocks that this process holds.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: Mutex<HashMap<String, Lease>>,
    /// One at a time takes a block: who waits for it draws from the same.
    taking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    day: i64,
    left: u32,
    /// Calls that all processes together had taken when this block was.
    taken: u32,
}

impl Leases {
    /// One call out of the block that is held; `None` if there is none left.
    fn draw(&self, subject: &str, day: i64) -> Option<Lease> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, lease| lease.day == day);
        let lease = held.get_mut(subject).filter(|lease| lease.left > 0)?;
        lease.left -= 1;
        Some(*lease)
    }

    /// Adds a block, of which one call is drawn at once.
    fn add(&self, subject: &str, day: i64, block: u32, taken: u32) -> Lease {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = held.entry(subject.to_owned()).or_insert(Lease { day, left: 0, taken });
        lease.left += block - 1;
        lease.taken = lease.taken.max(taken);
        *lease
    }
}

impl Stack {
    /// Draws one call of `subject` (say `client#<id>`) from its quota of `per_day` calls. The quota is exact: all
    /// processes together never let more through. Near its end a process may refuse while another holds a few.
    ///
    /// # Errors
    /// 503 if the store fails. That the quota is used up is for [`Standing::admitted`] to say.
    pub async fn draw_day(&self, subject: &str, per_day: u32) -> Result<Standing, Problem> {
        let now = self.clock().now();
        let day = now.as_second().div_euclid(86_400);
        let leases = &self.edge().leases;
        if let Some(lease) = leases.draw(subject, day) {
            return Ok(standing(Some(lease), per_day, now));
        }
        let _alone = leases.taking.lock().await;
        let lease = match leases.draw(subject, day) {
            Some(lease) => Some(lease),
            None => {
                let block = (per_day / PART).clamp(1, LARGEST);
                match self.quotas().lease(subject, block, per_day, now).await? {
                    (0, _) => None,
                    (block, taken) => Some(leases.add(subject, day, block, taken)),
                }
            }
        };
        Ok(standing(lease, per_day, now))
    }
}

fn standing(lease: Option<Lease>, per_day: u32, now: Timestamp) -> Standing {
    let used = lease.map_or(per_day, |lease| lease.taken.saturating_sub(lease.left));
    Standing { lines: vec![Line::new("calls-day", per_day, 86_400, used, now)], refused: lease.is_none() }
}
