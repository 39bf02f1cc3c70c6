//! Kleene's three values, where the third carries why it is not known.

use super::Reason;
use crate::timestamp::Timestamp;

/// Proven, disproven, or not known because of the call at `order` in the poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Proven.
    True,
    /// Disproven.
    False,
    /// Not known.
    Unknown {
        /// The place of the failed call in the poll; when several are to blame, the first names the reason.
        order: u32,
        /// Why that call did not tell.
        reason: Reason,
    },
}

impl Truth {
    /// Both: a proven "no" beats an unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, rest) | (rest, Self::True) => rest,
            _ => self.earlier(other),
        }
    }

    /// Either: a proven "yes" beats an unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, rest) | (rest, Self::False) => rest,
            _ => self.earlier(other),
        }
    }

    /// Yes, no, or `None` for not known.
    pub fn known(self) -> Option<bool> {
        match self {
            Self::True => Some(true),
            Self::False => Some(false),
            Self::Unknown { .. } => None,
        }
    }

    /// Of two unknowns, the one whose call came first.
    fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown { order: mine, .. }, Self::Unknown { order, .. }) if order < mine => {
                other
            }
            _ => self,
        }
    }
}

/// A truth, and when the oldest answer that it stands on was asked for. Of an unknown, the date says
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DatedTruth {
    pub(super) truth: Truth,
    pub(super) at: Timestamp,
}

impl DatedTruth {
    /// Both: a "yes" stands on both, a "no" on the fresher one.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        self.combined(other, self.truth.and(other.truth), Truth::False)
    }

    /// Either: a "no" stands on both, a "yes" on the fresher one.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        self.combined(other, self.truth.or(other.truth), Truth::True)
    }

    /// `alone` is what one of the two decides alone.
    fn combined(self, other: Self, truth: Truth, alone: Truth) -> Self {
        let at = match (self.truth == alone, other.truth == alone) {
            (true, true) => self.at.latest(other.at),
            (true, false) => self.at,
            (false, true) => other.at,
            (false, false) => self.at.earliest(other.at),
        };
        Self { truth, at }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Failure;

    const FIRST: Truth = Truth::Unknown {
        order: 1,
        reason: Reason::Failed(Failure::Timeout),
    };
    const SECOND: Truth = Truth::Unknown {
        order: 2,
        reason: Reason::Stale,
    };

    #[test]
    fn both_is_false_as_soon_as_one_is() {
        for other in [Truth::True, Truth::False, FIRST] {
            assert_eq!(Truth::False.and(other), Truth::False);
            assert_eq!(other.and(Truth::False), Truth::False);
            assert_eq!(Truth::True.and(other), other);
            assert_eq!(other.and(Truth::True), other);
        }
    }

    #[test]
    fn either_is_true_as_soon_as_one_is() {
        for other in [Truth::True, Truth::False, FIRST] {
            assert_eq!(Truth::True.or(other), Truth::True);
            assert_eq!(other.or(Truth::True), Truth::True);
            assert_eq!(Truth::False.or(other), other);
            assert_eq!(other.or(Truth::False), other);
        }
    }

    #[test]
    fn of_two_unknowns_the_first_call_names_the_reason() {
        for both in [Truth::and, Truth::or] {
            assert_eq!(both(FIRST, SECOND), FIRST);
            assert_eq!(both(SECOND, FIRST), FIRST);
        }
    }

    #[test]
    fn of_two_reasons_in_one_call_the_first_named_stays() {
        let same_call = Truth::Unknown {
            order: 1,
            reason: Reason::Stale,
        };
        assert_eq!(FIRST.or(same_call), FIRST);
        assert_eq!(same_call.and(FIRST), same_call);
    }

    #[test]
    fn only_the_unknown_is_not_known() {
        assert_eq!(Truth::from(true).known(), Some(true));
        assert_eq!(Truth::from(false).known(), Some(false));
        assert_eq!(FIRST.known(), None);
    }
}
