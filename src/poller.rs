//! The poller: when each account is asked, how many at once, and for how long. It hands on what was heard and judges nothing.

use crate::account::AccountId;
use crate::directory::AccountKey;
use crate::facts::Poll;

/// What the poller hands on: one ended poll.
#[derive(Debug, Clone)]
pub struct Report {
    /// The account that was polled.
    pub key: AccountKey,
    /// Who its credentials say it is, where they said.
    pub identity: Option<AccountId>,
    /// The poll.
    pub poll: Poll,
}
