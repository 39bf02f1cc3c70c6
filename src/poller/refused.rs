//! Owners of organization trails that are refused what they should tell for their members. Their members are asked themselves, or a management account
//! without our role would make a whole organization unknown.
//!
//! Only refusals count: in an outage members that are asked instead of their owner would be as many calls more.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::Report;
use crate::account::AccountId;
use crate::directory::Account;
use crate::facts::{AccountFacts, Failure, PollOutcome, RegionAnswer};

/// The accounts that were refused in their last poll.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<HashSet<AccountId>>);

impl Refused {
    /// Takes note of how an account's poll ended.
    pub(super) fn note(&self, account: &Account, report: &Report) {
        let Some(id) = account.id.or(report.identity) else {
            return;
        };
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_refused(&report.poll.outcome) {
            refused.insert(id);
        } else {
            refused.remove(&id);
        }
    }

    pub(super) fn contains(&self, owner: AccountId) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.contains(&owner)
    }
}

fn is_refused(outcome: &PollOutcome) -> bool {
    match outcome {
        PollOutcome::NoSession { failure, .. } => is_refusal(*failure),
        PollOutcome::WrongAccount { .. } => true,
        PollOutcome::Answered(facts) => regions_refused(facts) || own_trail_refused(facts),
    }
}

fn regions_refused(facts: &AccountFacts) -> bool {
    let refused =
        |answer: &RegionAnswer| matches!(answer, RegionAnswer::Failed(f) if is_refusal(*f));
    let answers = || facts.regions.iter().map(|(_, answer)| answer);
    answers().any(refused)
        && !answers().any(|a| matches!(a, RegionAnswer::Whole | RegionAnswer::Partial))
}

fn own_trail_refused(facts: &AccountFacts) -> bool {
    let own = facts
        .trails
        .iter()
        .filter(|heard| heard.trail.organization && !heard.trail.is_foreign_to(facts.account));
    let failures =
        own.flat_map(|heard| [heard.status.as_ref().err(), heard.selectors.as_ref().err()]);
    failures.flatten().copied().any(is_refusal)
}

/// Asking again is of no use until somebody changes a permission.
fn is_refusal(failure: Failure) -> bool {
    matches!(failure, Failure::AccessDenied | Failure::NotFound)
}
