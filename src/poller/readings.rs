//! Which organization trails their owners have read: where an owner's reading will stand in for a
//! member's failed call, no other Region need be asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Report;
use crate::account::TrailArn;
use crate::directory::Account;
use crate::facts::{PollOutcome, TrailFacts};
use crate::timestamp::Timestamp;

/// When each organization trail's status was last read by its owner, and for how long that counts.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<HashMap<TrailArn, (Timestamp, Duration)>>);

impl Readings {
    /// Takes note of what an account's poll read of its own organization trails.
    pub(super) fn note(&self, account: &Account, report: &Report) {
        let PollOutcome::Answered(facts) = &report.poll.outcome else {
            return;
        };
        let is_read = |heard: &&TrailFacts| {
            let own = !heard.trail.is_foreign_to(facts.account);
            own && heard.trail.organization && heard.status.is_ok()
        };
        let mut read = facts.trails.iter().filter(is_read).peekable();
        if read.peek().is_none() {
            return;
        }
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for heard in read {
            let reading = (heard.dates.status, account.policy.stale_after);
            readings.insert(heard.trail.arn.clone(), reading);
        }
    }

    /// Whether the owner's reading of a trail is fresh.
    pub(super) fn has(&self, arn: &TrailArn, now: Timestamp) -> bool {
        let readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = readings.get(arn);
        reading.is_some_and(|(at, lasts)| now.is_within(*lasts, *at))
    }
}
