//! How long, how large and how often: the bounds of what is asked of AWS and taken from it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::descriptors::Budget;

/// The most Regions of which something is kept: several times what AWS has. Answers name the home Regions of trails, and there is no end of names.
pub(super) const MOST_REGIONS: usize = 256;

/// The bounds of calls. [`CallLimits::default`] is what the exporter runs with; tests set shorter ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLimits {
    /// To open a connection.
    pub connect: Duration,
    /// One attempt of a call, from its first byte to the last of the answer.
    pub attempt: Duration,
    /// One call with its retries.
    pub operation: Duration,
    /// The bytes of one reply body.
    pub body: usize,
    /// Connections in use at once.
    pub connections: usize,
    /// Connections to each host that are kept for the next call.
    pub idle_per_host: usize,
    /// Names of hosts looked up at once.
    pub lookups: usize,
    /// Calls to CloudTrail per second in one account and Region, retries included.
    pub calls_per_second: NonZeroU32,
    /// Calls to STS per second in one STS Region.
    pub sts_per_second: NonZeroU32,
}

impl CallLimits {
    /// The same within a budget of file descriptors.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self {
            connections: budget.connections,
            idle_per_host: budget.idle_per_host,
            lookups: budget.lookups,
            ..self
        }
    }

    /// The SDK's own default: one SYN may be lost and sent again.
    const CONNECT: Duration = Duration::from_millis(3_100);
    /// CloudTrail answers in well under a second; ten times that is a fault.
    const ATTEMPT: Duration = Duration::from_secs(10);
    /// Three attempts with back-off, and half of an account's deadline.
    const OPERATION: Duration = Duration::from_secs(30);
    /// A trail is described in about 1 KB, and an account has few; a reply of megabytes is no answer.
    const BODY: usize = 4 * 1024 * 1024;
    /// Half of the 10 per second that AWS grants one account and Region: the account's own people ask, too.
    const CALLS_PER_SECOND: u32 = 5;
    /// A sixth of the 600 per second that AWS grants the calling account, and ten thousand sessions in under two minutes.
    const STS_PER_SECOND: u32 = 100;
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Self::CONNECT,
            attempt: Self::ATTEMPT,
            operation: Self::OPERATION,
            body: Self::BODY,
            connections: 1_024,
            idle_per_host: 256,
            lookups: 16,
            calls_per_second: NonZeroU32::MIN.saturating_add(Self::CALLS_PER_SECOND - 1),
            sts_per_second: NonZeroU32::MIN.saturating_add(Self::STS_PER_SECOND - 1),
        }
    }
}
