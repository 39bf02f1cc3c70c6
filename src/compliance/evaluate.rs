//! One poll's facts, judged against a policy.

use std::time::SystemTime;

use super::{Check, Policy, Reason, State, Truth, Verdict};
use crate::account::TrailArn;
use crate::facts::AccountFacts;

/// What the facts of one poll prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The conjunction of the required checks.
    pub verdict: Verdict,
    /// The trail that satisfies the rule; `None` unless compliant.
    pub evidence: Option<TrailArn>,
    /// Every check, in the order of [`Check::ALL`].
    pub checks: [Truth; 7],
    /// Whether the union of logging multi-Region trails records all read events, and all write events.
    pub management_events: [Truth; 2],
    /// Distinct trails visible; `None` where an answer this count is made of was not whole.
    pub trails: Option<usize>,
    /// Multi-Region trails.
    pub multi_region_trails: Option<usize>,
    /// Multi-Region trails that are logging.
    pub logging_multi_region_trails: Option<usize>,
    /// Organization trails.
    pub organization_trails: Option<usize>,
}

/// Judges one poll's facts (joined with the owners' where needed) at `now`.
pub fn evaluate(facts: &AccountFacts, policy: &Policy, now: SystemTime) -> Evaluation {
    let _ = (facts, policy, now, Check::ALL, State::ALL);
    Evaluation {
        verdict: Verdict {
            state: State::Unknown,
            reason: Reason::NotPolled,
        },
        evidence: None,
        checks: [Truth::False; 7],
        management_events: [Truth::False; 2],
        trails: None,
        multi_region_trails: None,
        logging_multi_region_trails: None,
        organization_trails: None,
    }
}
