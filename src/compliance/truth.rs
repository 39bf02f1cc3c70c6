//! Kleene's three values, where the third carries why it is not known.

use super::Reason;

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
        order: usize,
        /// Why that call did not tell.
        reason: Reason,
    },
}
