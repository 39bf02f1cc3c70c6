//! What was proven of an account, and how it decays: a proof of compliance lasts `stale_after`, a proof of non-compliance until a poll proves
//! otherwise.

use std::time::Duration;

use super::evaluate::{Evaluation, conjunction};
use super::management_events::EventKind;
use super::{Check, Policy, Reason, State, Truth, Verdict};
use crate::account::TrailArn;
use crate::facts::Dated;
use crate::timestamp::Timestamp;

/// Numbers of trails, each as last proven; `None` while never known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Distinct trails visible.
    pub trails: Option<usize>,
    /// Multi-Region trails.
    pub multi_region: Option<usize>,
    /// Multi-Region trails that are logging.
    pub logging_multi_region: Option<usize>,
    /// Organization trails.
    pub organization: Option<usize>,
}

impl Counts {
    /// Each count as this evaluation knows it, else as it was.
    fn after(self, heard: &Evaluation) -> Self {
        Self {
            trails: heard.trails.or(self.trails),
            multi_region: heard.multi_region_trails.or(self.multi_region),
            logging_multi_region: heard
                .logging_multi_region_trails
                .or(self.logging_multi_region),
            organization: heard.organization_trails.or(self.organization),
        }
    }
}

/// A check that was determined: it passes, or fails for a reason.
type CheckProof = Dated<Result<(), Reason>>;

/// What was last proven, each with its own age; `None` while never proven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Proofs {
    verdict: Option<Dated<Verdict>>,
    evidence: Option<TrailArn>,
    checks: [Option<CheckProof>; 7],
    management_events: [Option<Dated<bool>>; 2],
    pub(super) counts: Counts,
}

impl Proofs {
    /// What is proven after an evaluation whose facts are as fresh as `at`: what it left open stays as it was.
    pub(super) fn after(
        &self,
        heard: &Evaluation,
        at: Timestamp,
        why_not: impl Fn(Check) -> Reason,
    ) -> Self {
        let mut next = self.clone();
        next.counts = self.counts.after(heard);
        if heard.verdict.state != State::Unknown {
            next.verdict = Some(dated(heard.verdict, at));
            next.evidence.clone_from(&heard.evidence);
        }
        let outcome = |check, passed: bool| passed.then_some(()).ok_or_else(|| why_not(check));
        let checks = Check::ALL.into_iter().zip(heard.checks);
        for (held, (check, truth)) in next.checks.iter_mut().zip(checks) {
            renew(held, truth.known().map(|yes| outcome(check, yes)), at);
        }
        let kinds = heard.management_events;
        for (held, truth) in next.management_events.iter_mut().zip(kinds) {
            renew(held, truth.known(), at);
        }
        next
    }

    /// The same proofs, of which those that `own` makes as well are as fresh as `at`: a stand-in that was not needed makes nothing older.
    #[must_use]
    pub(super) fn confirmed(mut self, own: &Evaluation, at: Timestamp) -> Self {
        confirm(&mut self.verdict, own.verdict.state != State::Unknown, at);
        for (held, truth) in self.checks.iter_mut().zip(own.checks) {
            confirm(held, truth.known().is_some(), at);
        }
        for (held, truth) in self.management_events.iter_mut().zip(own.management_events) {
            confirm(held, truth.known().is_some(), at);
        }
        self
    }

    /// The same proofs under another policy: the verdict is the conjunction of what is held of the checks it requires. `evidence` is used if it fits.
    #[must_use]
    pub(super) fn judged_by(&self, policy: &Policy, evidence: Option<TrailArn>) -> Self {
        let verdict = self.conjunction(policy);
        let compliant = verdict.state == State::Compliant;
        let required = policy.required.iter();
        let ages = required.filter_map(|check| Some(self.check_proof(*check)?.at));
        let proven = ages
            .reduce(Timestamp::earliest)
            .filter(|_| verdict.state != State::Unknown);
        let evidence = evidence.or_else(|| self.evidence.clone());
        Self {
            verdict: proven.map(|at| dated(verdict, at)),
            evidence: evidence.filter(|_| compliant),
            ..self.clone()
        }
    }

    /// The verdict on what is held of the checks.
    fn conjunction(&self, policy: &Policy) -> Verdict {
        let outcome = |check| self.check_proof(check).map(|proof| proof.value);
        let checks = Check::ALL.map(|check| {
            let passed = outcome(check).map(|outcome| outcome.is_ok().into());
            passed.unwrap_or(NEVER_PROVEN)
        });
        let why_not = |check| outcome(check).and_then(Result::err);
        conjunction(&checks, policy, |check| {
            why_not(check).unwrap_or(Reason::NotPolled)
        })
    }

    /// The verdict, if it still holds.
    pub(super) fn verdict(&self, now: Timestamp, lasts: Duration) -> Option<Verdict> {
        let held = self.verdict.as_ref()?;
        let compliant = held.value.state == State::Compliant;
        decayed(&dated(compliant, held.at), now, lasts).map(|_| held.value)
    }

    /// The trail that satisfies the rule, if the account is held to be compliant.
    pub(super) fn evidence(&self) -> Option<&TrailArn> {
        self.evidence.as_ref()
    }

    /// Whether a check passes, if that still holds.
    pub(super) fn check(&self, check: Check, now: Timestamp, lasts: Duration) -> Option<bool> {
        let proof = self.check_proof(check)?;
        decayed(&dated(proof.value.is_ok(), proof.at), now, lasts)
    }

    /// Whether all events of a kind are recorded, if that still holds.
    pub(super) fn management_events(
        &self,
        kind: EventKind,
        now: Timestamp,
        lasts: Duration,
    ) -> Option<bool> {
        let held = self.management_events.get(kind as usize)?.as_ref()?;
        decayed(held, now, lasts)
    }

    fn check_proof(&self, check: Check) -> Option<&CheckProof> {
        self.checks.get(check as usize)?.as_ref()
    }
}

/// A check of which nothing is held; the reason is never told, since the last poll tells a better one.
const NEVER_PROVEN: Truth = Truth::Unknown {
    order: 0,
    reason: Reason::NotPolled,
};

/// A "yes" as long as it is fresh, a "no" for ever.
pub(super) fn decayed(held: &Dated<bool>, now: Timestamp, lasts: Duration) -> Option<bool> {
    let holds = !held.value || now.is_within(lasts, held.at);
    holds.then_some(held.value)
}

/// A new proof takes the place of the one that is held.
fn renew<T>(held: &mut Option<Dated<T>>, proven: Option<T>, at: Timestamp) {
    if let Some(value) = proven {
        *held = Some(dated(value, at));
    }
}

/// A proof that is held was made anew.
fn confirm<T>(held: &mut Option<Dated<T>>, proven: bool, at: Timestamp) {
    if let Some(held) = held.as_mut().filter(|_| proven) {
        held.at = at;
    }
}

fn dated<T>(value: T, at: Timestamp) -> Dated<T> {
    Dated { value, at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{minutes, now};

    #[test]
    fn a_yes_decays_and_a_no_stays() {
        let long_ago = now() - minutes(10_000);
        let lasts = minutes(15);
        assert_eq!(decayed(&dated(true, now()), now(), lasts), Some(true));
        assert_eq!(decayed(&dated(true, long_ago), now(), lasts), None);
        assert_eq!(decayed(&dated(false, long_ago), now(), lasts), Some(false));
    }
}
