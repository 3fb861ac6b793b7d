//! How many requests a run may send.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// A count that only goes down. Retries take from it too: it bounds what TMDb sees, not what the caller asked.
#[derive(Debug)]
pub(crate) struct Budget {
    start: Option<u32>,
    left: AtomicU32,
}

impl Budget {
    pub(crate) fn new(start: Option<u32>) -> Self {
        Self { start, left: AtomicU32::new(start.unwrap_or(0)) }
    }

    /// Takes one request from the budget.
    pub(crate) fn take(&self) -> Result<(), Error> {
        let Some(budget) = self.start else { return Ok(()) };
        self.left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| Error::BudgetExhausted { budget })
    }

    /// What is left, or `None` without a limit.
    pub(crate) fn left(&self) -> Option<u32> {
        self.start.map(|_| self.left.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_exactly_even_when_many_take_at_once() {
        let budget = Budget::new(Some(100));
        let taken = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        if budget.take().is_ok() {
                            taken.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!((taken.into_inner(), budget.left()), (100, Some(0)));
        assert!(matches!(budget.take(), Err(Error::BudgetExhausted { budget: 100 })));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let budget = Budget::new(None);
        assert!(budget.take().is_ok());
        assert_eq!(budget.left(), None);
    }
}
