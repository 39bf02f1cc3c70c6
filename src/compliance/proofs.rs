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
    /// The trail that satisfies the rule, if the account is held to be compliant.
    pub(super) evidence: Option<TrailArn>,
    checks: [Option<CheckProof>; 7],
    management_events: [Option<Dated<bool>>; 2],
    pub(super) counts: Counts,
}

/// How long what is held of an account stays fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// So long after it was asked for.
    pub lasts: Duration,
    /// What was asked for at this boot time or before has lapsed, whatever a clock shows now.
    pub lapsed: Option<Duration>,
}

impl Freshness {
    /// Whether what was asked for at `at` is fresh at `now`.
    pub fn holds(self, at: Timestamp, now: Timestamp) -> bool {
        !self.has_lapsed(at) && now.is_within(self.lasts, at)
    }

    /// Whether what was asked for at `at` is recorded as lapsed.
    pub(super) fn has_lapsed(self, at: Timestamp) -> bool {
        self.lapsed.is_some_and(|lapsed| at.boot() <= lapsed)
    }
}

impl Proofs {
    /// What is proven after an evaluation: what it left open stays as it was.
    pub(super) fn after(&self, heard: &Evaluation, why_not: impl Fn(Check) -> Reason) -> Self {
        let mut next = self.clone();
        let dates = &heard.dates;
        next.counts = self.counts.after(heard);
        if heard.verdict.state != State::Unknown {
            next.verdict = Some(dated(heard.verdict, dates.verdict));
            next.evidence.clone_from(&heard.evidence);
        }
        let outcome = |check, passed: bool| passed.then_some(()).ok_or_else(|| why_not(check));
        let checks = Check::ALL.into_iter().zip(heard.checks).zip(dates.checks);
        for (held, ((check, truth), at)) in next.checks.iter_mut().zip(checks) {
            renew(held, truth.known().map(|yes| outcome(check, yes)), at);
        }
        let kinds = heard.management_events.into_iter();
        let kinds = kinds.zip(dates.management_events);
        for (held, (truth, at)) in next.management_events.iter_mut().zip(kinds) {
            renew(held, truth.known(), at);
        }
        next
    }

    /// The dates of all that decays.
    pub(super) fn decaying(&self) -> impl Iterator<Item = Timestamp> {
        let verdict = self.verdict.iter();
        let verdict = verdict.filter(|held| held.value.state == State::Compliant);
        let checks = self.checks.iter().flatten();
        let passed = checks.filter(|held| held.value.is_ok());
        let kinds = self.management_events.iter().flatten();
        let recorded = kinds.filter(|held| held.value);
        let verdict = verdict.map(|held| held.at);
        let passed = passed.map(|held| held.at);
        verdict.chain(passed).chain(recorded.map(|held| held.at))
    }

    /// The same proofs, all this much older.
    #[must_use]
    pub(super) fn older(mut self, by: Duration) -> Self {
        let verdict = self.verdict.iter_mut().map(|held| &mut held.at);
        let checks = self.checks.iter_mut().flatten().map(|held| &mut held.at);
        let kinds = self.management_events.iter_mut().flatten();
        for at in verdict.chain(checks).chain(kinds.map(|held| &mut held.at)) {
            *at = *at - by;
        }
        self
    }

    /// The verdict last proven, fresh or not, and its date.
    pub(super) fn last_verdict(&self) -> Option<&Dated<Verdict>> {
        self.verdict.as_ref()
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
    pub(super) fn verdict(&self, now: Timestamp, fresh: Freshness) -> Option<Verdict> {
        let held = self.verdict.as_ref()?;
        let compliant = held.value.state == State::Compliant;
        decayed(&dated(compliant, held.at), now, fresh).map(|_| held.value)
    }

    /// Whether a check passes, if that still holds.
    pub(super) fn check(&self, check: Check, now: Timestamp, fresh: Freshness) -> Option<bool> {
        let proof = self.check_proof(check)?;
        decayed(&dated(proof.value.is_ok(), proof.at), now, fresh)
    }

    /// Whether all events of a kind are recorded, if that still holds.
    pub(super) fn management_events(
        &self,
        kind: EventKind,
        now: Timestamp,
        fresh: Freshness,
    ) -> Option<bool> {
        let held = self.management_events.get(kind as usize)?.as_ref()?;
        decayed(held, now, fresh)
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
pub(super) fn decayed(held: &Dated<bool>, now: Timestamp, fresh: Freshness) -> Option<bool> {
    let holds = !held.value || fresh.holds(held.at, now);
    holds.then_some(held.value)
}

/// A new proof takes the place of the one that is held.
fn renew<T>(held: &mut Option<Dated<T>>, proven: Option<T>, at: Timestamp) {
    if let Some(value) = proven {
        *held = Some(dated(value, at));
    }
}

fn dated<T>(value: T, at: Timestamp) -> Dated<T> {
    Dated { value, at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{minutes, now};

    const LASTS: Duration = Duration::from_mins(15);

    #[test]
    fn a_yes_decays_and_a_no_stays() {
        let long_ago = now() - minutes(10_000);
        let fresh = Freshness {
            lasts: LASTS,
            lapsed: None,
        };
        assert_eq!(decayed(&dated(true, now()), now(), fresh), Some(true));
        assert_eq!(decayed(&dated(true, long_ago), now(), fresh), None);
        assert_eq!(decayed(&dated(false, long_ago), now(), fresh), Some(false));
    }

    #[test]
    fn what_is_recorded_as_lapsed_is_not_fresh_at_any_time() {
        let fresh = Freshness {
            lasts: LASTS,
            lapsed: Some(now().boot()),
        };
        for later in [0, 1, 14] {
            assert!(!fresh.holds(now(), now() + minutes(later)));
        }
        let newer = now() + Duration::from_nanos(1);
        assert!(fresh.holds(newer, newer));
        assert_eq!(decayed(&dated(false, now()), now(), fresh), Some(false));
    }
}
