//! What is held of an account over many polls: only fresh evidence clears an alarm or keeps an all-clear.
//!
//! A proof of compliance decays to unknown after `stale_after`; a proof of non-compliance stays until a poll proves otherwise. Facts and counts stay
//! as last proven until AWS disproves them. Decay is computed when the standing is read, so a reader passes `now`.

use std::sync::Arc;
use std::time::SystemTime;

pub use super::held::HeldTrail;
pub use super::last_poll::LastPoll;
pub use super::management_events::EventKind;
pub use super::proofs::Counts;

use super::candidate::Candidate;
use super::evaluate::{conjunction, evaluate, evidence, why_not};
use super::held::HeldTrails;
use super::proofs::{Proofs, decayed};
use super::{Check, Policy, Reason, State, Truth, Verdict, held, management_events, owner};
use crate::account::{AccountId, TrailArn};
use crate::facts::{AccountFacts, Dated, Failure, Operation, Poll, PollOutcome};
use crate::timestamp::Timestamp;

/// What is held of one account. Immutable; a poll makes the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    policy: Arc<Policy>,
    last_poll: Option<LastPoll>,
    /// What the last poll made of each check.
    last_checks: [Truth; 7],
    last_success: Option<SystemTime>,
    proofs: Proofs,
    trails: HeldTrails,
    wrong_account: Option<AccountId>,
    /// What is held of the right account while the credentials are another's.
    hidden: Option<Arc<Self>>,
}

impl Standing {
    /// The standing of an account that was never polled.
    pub fn new(policy: Arc<Policy>) -> Self {
        Self {
            policy,
            last_poll: None,
            last_checks: open(Reason::NotPolled),
            last_success: None,
            proofs: Proofs::default(),
            trails: HeldTrails::new(),
            wrong_account: None,
            hidden: None,
        }
    }

    /// The standing after one more poll. `owner` finds what is held of a trail by the account that owns it, if this process polls that account.
    /// Applying the same poll again, with better facts from an owner, gives the standing as if it had been applied so at once.
    #[must_use]
    pub fn after<'a>(
        &self,
        poll: &Poll,
        owner: impl Fn(&TrailArn) -> Option<&'a HeldTrail>,
        now: Timestamp,
    ) -> Self {
        match &poll.outcome {
            PollOutcome::Answered(facts) => match &self.hidden {
                Some(hidden) => hidden.answered(poll, facts, owner, now),
                None => self.answered(poll, facts, owner, now),
            },
            PollOutcome::NoSession { operation, failure } => {
                self.without_session(poll, *operation, *failure)
            }
            PollOutcome::WrongAccount { found } => self.of_wrong_account(poll, *found),
        }
    }

    /// Hides what is held: it comes back with the first answer of the right account.
    fn of_wrong_account(&self, poll: &Poll, found: AccountId) -> Self {
        let last_poll = LastPoll::without_session(poll, None);
        let empty = Self::new(Arc::clone(&self.policy));
        let right = || Arc::new(self.clone());
        Self {
            wrong_account: Some(found),
            hidden: Some(self.hidden.clone().unwrap_or_else(right)),
            ..empty.polled(last_poll, open(Reason::WrongAccount))
        }
    }

    fn answered<'a>(
        &self,
        poll: &Poll,
        facts: &AccountFacts,
        owner: impl Fn(&TrailArn) -> Option<&'a HeldTrail>,
        now: Timestamp,
    ) -> Self {
        let joined = owner::join(facts, owner, &self.policy, now);
        let heard = evaluate(&joined.facts, &self.policy, now);
        let proven_at = joined
            .oldest
            .map_or(poll.ended, |at| at.earliest(poll.ended));
        let why_not = |check| why_not(check, &joined.facts);
        let mut proofs = self.proofs.after(&heard, proven_at, why_not);
        if joined.oldest.is_some() {
            let own = evaluate(facts, &self.policy, now);
            proofs = proofs.confirmed(&own, poll.ended);
        }
        let next = Self {
            proofs,
            trails: held::after(&self.trails, facts, poll.ended),
            wrong_account: None,
            ..self.clone()
        };
        next.polled(LastPoll::answered(poll, facts), heard.checks)
    }

    fn without_session(&self, poll: &Poll, operation: Operation, failure: Failure) -> Self {
        let next = Self {
            wrong_account: None,
            ..self.clone()
        };
        let last_poll = LastPoll::without_session(poll, Some((operation, failure)));
        next.polled(last_poll, open(failure.into()))
    }

    /// The same standing, and what the last poll made of the checks.
    fn polled(self, last_poll: LastPoll, last_checks: [Truth; 7]) -> Self {
        // A check that fails names no reason here: only an open one is told of a poll.
        let verdict = conjunction(&last_checks, &self.policy, |_| Reason::Ok);
        let success = (verdict.state != State::Unknown).then_some(last_poll.ended.wall());
        Self {
            last_poll: Some(last_poll.with(verdict)),
            last_checks,
            last_success: success.or(self.last_success),
            ..self
        }
    }

    /// The same standing judged by another policy from now on; what was proven for checks stays, the verdict is that of the new policy.
    #[must_use]
    pub fn with_policy(&self, policy: Arc<Policy>) -> Self {
        let before = &self.policy.required;
        let is_same = |check| before.contains(check) == policy.required.contains(check);
        let requires_the_same = Check::ALL.iter().all(is_same);
        let hidden = self.hidden.as_ref();
        let next = Self {
            hidden: hidden.map(|hidden| Arc::new(hidden.with_policy(Arc::clone(&policy)))),
            policy,
            ..self.clone()
        };
        match next.last_poll.clone() {
            Some(last_poll) if !requires_the_same => next.judged_again(last_poll),
            _ => next,
        }
    }

    /// The verdict made anew of what is held of the checks. Otherwise it is not: an open poll leaves it older than the checks it moved on.
    fn judged_again(self, last_poll: LastPoll) -> Self {
        let trails: Vec<_> = self.trails.iter().map(HeldTrail::as_heard).collect();
        let candidates: Vec<_> = trails.iter().filter_map(Candidate::alone).collect();
        let evidence = evidence(&candidates, &self.policy, last_poll.ended);
        let next = Self {
            proofs: self.proofs.judged_by(&self.policy, evidence),
            ..self
        };
        let last_checks = next.last_checks;
        next.polled(last_poll, last_checks)
    }

    /// The verdict at `now`.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let held = self.proofs.verdict(now, self.policy.stale_after);
        held.unwrap_or_else(|| Verdict {
            state: State::Unknown,
            reason: self.why_unknown(),
        })
    }

    fn why_unknown(&self) -> Reason {
        let Some(last_poll) = &self.last_poll else {
            return Reason::NotPolled;
        };
        last_poll.open_reason.unwrap_or(Reason::Stale)
    }

    /// The trail that satisfies the rule at `now`.
    pub fn evidence(&self, now: Timestamp) -> Option<&TrailArn> {
        let compliant = self.verdict(now).state == State::Compliant;
        self.proofs.evidence().filter(|_| compliant)
    }

    /// A check at `now`: passed, failed, or `None` for not known.
    pub fn check(&self, check: Check, now: Timestamp) -> Option<bool> {
        self.proofs.check(check, now, self.policy.stale_after)
    }

    /// Whether logging multi-Region trails together record all events of a kind at `now`.
    pub fn management_events(&self, kind: EventKind, now: Timestamp) -> Option<bool> {
        let lasts = self.policy.stale_after;
        self.proofs.management_events(kind, now, lasts)
    }

    /// Whether one trail's selectors record all management events of a kind, logging or not, at `now`.
    pub fn trail_management_events(
        &self,
        trail: &HeldTrail,
        kind: EventKind,
        now: Timestamp,
    ) -> Option<bool> {
        let selectors = trail.selectors.as_ref()?;
        let held = Dated {
            value: management_events::records(&selectors.value, kind),
            at: selectors.at,
        };
        decayed(&held, now, self.policy.stale_after)
    }

    /// The trails as last proven, by ARN, ascending.
    pub fn trails(&self) -> &[HeldTrail] {
        &self.trails
    }

    /// The counts as last proven.
    pub fn counts(&self) -> Counts {
        self.proofs.counts
    }

    /// The last poll, if there was one.
    pub fn last_poll(&self) -> Option<&LastPoll> {
        self.last_poll.as_ref()
    }

    /// The end of the last poll that determined the verdict.
    pub fn last_success(&self) -> Option<SystemTime> {
        self.last_success
    }

    /// The credentials belong to this other account: nothing but that may be published.
    pub fn wrong_account(&self) -> Option<AccountId> {
        self.wrong_account
    }
}

/// What a poll makes of the checks that asked nothing.
fn open(reason: Reason) -> [Truth; 7] {
    [Truth::Unknown { order: 0, reason }; 7]
}

#[cfg(test)]
mod tests;
