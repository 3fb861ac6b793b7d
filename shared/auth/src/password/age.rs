use jiff::Timestamp;

/// The rule about a password's age.
///
/// Today's advice is not to force a periodic change (NIST SP 800-63B-4, section 3.1.1.2), so the default is
/// advice only: the age is reported. A deployment that must can force it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxAge {
    /// Days after which a password must be changed; 0 never forces.
    pub days: u32,
}

/// How old a password is and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Whole days since it was set.
    pub days: u32,
    /// Whether the next login has to set a new one.
    pub must_change: bool,
}

impl MaxAge {
    /// The age at `now` of a password that was set at `changed_at`.
    ///
    /// `compromised` says that there is evidence against the password (a breach list, a report by its owner):
    /// then a change is due whatever the setting.
    pub fn judge(self, changed_at: Timestamp, compromised: bool, now: Timestamp) -> Age {
        let hours = now.duration_since(changed_at).as_hours().max(0);
        let days = u32::try_from(hours / 24).unwrap_or(u32::MAX);
        Age { days, must_change: compromised || (self.days > 0 && days >= self.days) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::{after, now};

    const DAY: i64 = 86_400;

    #[test]
    fn age_is_reported_and_forces_nothing_by_default() {
        assert_eq!(
            MaxAge::default().judge(now(), false, after(4000 * DAY)),
            Age { days: 4000, must_change: false }
        );
    }

    #[test]
    fn a_setting_forces_a_change_on_the_day() {
        let rule = MaxAge { days: 90 };
        assert_eq!(rule.judge(now(), false, after(90 * DAY - 1)), Age { days: 89, must_change: false });
        assert_eq!(rule.judge(now(), false, after(90 * DAY)), Age { days: 90, must_change: true });
    }

    #[test]
    fn evidence_of_a_breach_always_forces_and_a_clock_that_went_back_does_not() {
        assert!(MaxAge::default().judge(now(), true, now()).must_change);
        assert_eq!(MaxAge { days: 1 }.judge(now(), false, after(-DAY)), Age { days: 0, must_change: false });
    }
}
