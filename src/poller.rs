//! The poller: when each account is asked, how many at once, and for how long. It hands on what was heard and judges nothing.
//!
//! One small task per account, all kept in step with the directory by one loop. In data order:
//!
//! - [`phase`]: when an account's polls are due;
//! - [`gate`]: how many are under way at once, and how slow ones get out of the way;
//! - [`mod@poll`]: one poll of one account, and [`merge`], what several Regions' answers come to;
//! - [`refused`]: owners of organization trails that cannot stand in for their members;
//! - [`readings`]: the organization trails that their owners have read lately;
//! - [`task`]: one account's task;
//! - [`fleet`]: the loop over all of them.

pub mod fleet;
pub mod gate;
pub mod merge;
pub mod phase;
pub mod poll;
mod readings;
mod refused;
mod task;

use std::time::Duration;

pub use fleet::Poller;
pub use poll::{Identity, Terms, poll};

use crate::account::{AccountId, TrailArn};
use crate::aws::CallError;
use crate::config::{Config, OrganizationTrailStatus};
use crate::directory::AccountKey;
use crate::facts::{Poll, PollOutcome, TrailFacts};

/// What the poller hands on: one ended poll.
#[derive(Debug, Clone)]
pub struct Report {
    /// The account that was polled.
    pub key: AccountKey,
    /// Who its credentials say it is, where they said.
    pub identity: Option<AccountId>,
    /// The poll.
    pub poll: Poll,
    /// The calls that failed in it, in call order, in AWS's words; for the log only.
    pub errors: Vec<CallError>,
}

/// What of the configuration the poller goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The whole poll of one account.
    pub timeout: Duration,
    /// Accounts polled at once.
    pub concurrency: usize,
    /// Who is asked about an organization trail.
    pub organization_trails: OrganizationTrailStatus,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            timeout: config.poll.timeout,
            concurrency: config.poll.concurrency,
            organization_trails: config.organization_trails,
        }
    }
}

/// The organization trails of other accounts whose status or selectors a poll did not hear.
pub fn unread_organization_trails(poll: &Poll) -> impl Iterator<Item = &TrailArn> {
    let facts = match &poll.outcome {
        PollOutcome::Answered(facts) => Some(facts),
        PollOutcome::NoSession { .. } | PollOutcome::WrongAccount { .. } => None,
    };
    let trails = facts.into_iter().flat_map(|facts| {
        let foreign = |heard: &&TrailFacts| heard.trail.is_foreign_to(facts.account);
        facts.trails.iter().filter(foreign)
    });
    let unread = |heard: &&TrailFacts| {
        heard.trail.organization && (heard.status.is_err() || heard.selectors.is_err())
    };
    trails.filter(unread).map(|heard| &heard.trail.arn)
}
