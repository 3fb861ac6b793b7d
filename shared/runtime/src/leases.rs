//! Quotas of service clients and of the directory's readers: exact in total, and yet no write for every call. A
//! process takes a block of calls out of a window's quota and hands them out; blocks together are never more than
//! the quota.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use screensort_http::Problem;
use screensort_http::quota::{Line, Policy, Standing};
use screensort_store::Window;

use crate::Stack;

/// A block is this part of the quota: what a process that ends leaves unused is lost for the window.
const PART: u32 = 100;
/// The largest block.
const LARGEST: u32 = 100;

/// The blocks that this process holds.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: Mutex<HashMap<(String, Window), Lease>>,
    /// One at a time takes blocks: who waits for it draws from the same.
    taking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    /// Which minute or day it is of.
    number: i64,
    left: u32,
    /// Calls that all processes together had taken when this block was.
    taken: u32,
}

impl Lease {
    fn used(self) -> u32 {
        self.taken.saturating_sub(self.left)
    }
}

fn place(policy: &Policy) -> (String, Window) {
    (policy.subject.clone(), policy.window)
}

impl Leases {
    /// One call out of a block of every policy, and how many are used of each; or out of none, and the places of the
    /// policies of which nothing is held.
    fn draw(&self, policies: &[Policy], now: Timestamp) -> Result<Vec<u32>, Vec<usize>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(_, window), lease| lease.number >= window.number(now));
        let has = |policy: &Policy| {
            let lease = held.get(&place(policy));
            lease.is_some_and(|lease| lease.left > 0 && lease.number == policy.window.number(now))
        };
        let lacking: Vec<usize> = (0..policies.len()).filter(|at| !has(&policies[*at])).collect();
        if !lacking.is_empty() {
            return Err(lacking);
        }
        let drawn = policies.iter().filter_map(|policy| {
            let lease = held.get_mut(&place(policy))?;
            lease.left -= 1;
            Some(lease.used())
        });
        Ok(drawn.collect())
    }

    fn add(&self, policy: &Policy, block: u32, taken: u32, now: Timestamp) {
        let number = policy.window.number(now);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = held.entry(place(policy)).or_insert(Lease { number, left: 0, taken });
        if lease.number != number {
            *lease = Lease { number, left: 0, taken };
        }
        lease.left += block;
        lease.taken = lease.taken.max(taken);
    }

    /// Puts back what was drawn at `at`, as far as its window still runs.
    pub(crate) fn give_back(&self, policies: &[Policy], at: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for policy in policies {
            let lease = held.get_mut(&place(policy));
            if let Some(lease) = lease.filter(|lease| lease.number == policy.window.number(at)) {
                lease.left += 1;
            }
        }
    }

    /// How many are used of each policy, those `spent` wholly.
    fn used(&self, policies: &[Policy], spent: &[usize]) -> Vec<u32> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let used = |(at, policy): (usize, &Policy)| match held.get(&place(policy)) {
            Some(lease) if !spent.contains(&at) => lease.used(),
            _ => policy.quota,
        };
        policies.iter().enumerate().map(used).collect()
    }
}

impl Stack {
    /// Draws one call from all of `policies`, or from none of them. Each is exact: all processes together never let
    /// more through. Near its end a process may refuse while another holds a few.
    ///
    /// # Errors
    /// 503 if the store fails. That a quota is used up is for [`Standing::admitted`] to say.
    pub async fn draw_calls(&self, policies: &[Policy]) -> Result<Standing, Problem> {
        let (leases, now) = (&self.edge().leases, self.clock().now());
        if let Ok(used) = leases.draw(policies, now) {
            return Ok(standing(policies, &used, false, now));
        }
        let _alone = leases.taking.lock().await;
        loop {
            // A window may have begun while others took theirs.
            let now = self.clock().now();
            let lacking = match leases.draw(policies, now) {
                Ok(used) => return Ok(standing(policies, &used, false, now)),
                Err(lacking) => lacking,
            };
            let quotas = self.quotas();
            let taking = lacking.iter().map(|at| {
                let policy = &policies[*at];
                let block = (policy.quota / PART).clamp(1, LARGEST);
                quotas.lease(&policy.subject, block, (policy.quota, policy.window), now)
            });
            let (mut spent, mut failed) = (Vec::new(), None);
            for (at, taken) in lacking.iter().zip(futures::future::join_all(taking).await) {
                match taken {
                    Ok((0, _)) => spent.push(*at),
                    Ok((block, taken)) => leases.add(&policies[*at], block, taken, now),
                    // What the others gave is kept for the next call.
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error.into());
            }
            if !spent.is_empty() {
                return Ok(standing(policies, &leases.used(policies, &spent), true, now));
            }
        }
    }
}

fn standing(policies: &[Policy], used: &[u32], refused: bool, now: Timestamp) -> Standing {
    let line =
        |(policy, used): (&Policy, &u32)| Line::new(policy.name, policy.quota, policy.window, *used, now);
    Standing { lines: policies.iter().zip(used).map(line).collect(), refused }
}
