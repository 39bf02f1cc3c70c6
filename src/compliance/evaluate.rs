//! One poll's facts, judged against a policy.

use std::cmp::Reverse;

use super::candidate::Candidate;
use super::management_events::{self, EventKind};
use super::proofs::Freshness;
use super::truth::DatedTruth;
use super::{Check, Policy, Reason, State, Truth, Verdict, presence};
use crate::account::TrailArn;
use crate::facts::{AccountFacts, Destination, TrailFacts, TrailStatus};
use crate::timestamp::Timestamp;

/// When the oldest answer that each proof stands on was asked for; of what is not proven it says
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofDates {
    /// Of the verdict.
    pub verdict: Timestamp,
    /// Of each check, in the order of [`Check::ALL`].
    pub checks: [Timestamp; 7],
    /// Of recorded read events, and of write events.
    pub management_events: [Timestamp; 2],
}

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
    /// How old that is.
    pub dates: ProofDates,
    /// Distinct trails visible; `None` where an answer this count is made of was not whole.
    pub trails: Option<usize>,
    /// Multi-Region trails.
    pub multi_region_trails: Option<usize>,
    /// Multi-Region trails that are logging.
    pub logging_multi_region_trails: Option<usize>,
    /// Organization trails.
    pub organization_trails: Option<usize>,
}

impl Evaluation {
    /// The same, where every "yes" that is not fresh at `now` is open: a poll may have ended long
    /// after its answers were given, and stale ones neither clear an alarm nor keep an all-clear.
    #[must_use]
    pub(super) fn fresh(mut self, fresh: Freshness, now: Timestamp) -> Self {
        let open = |truth: &mut Truth, at: Timestamp| {
            if *truth == Truth::True && !fresh.holds(at, now) {
                *truth = STALE;
            }
        };
        for (truth, at) in self.checks.iter_mut().zip(self.dates.checks) {
            open(truth, at);
        }
        let kinds = self.management_events.iter_mut();
        for (truth, at) in kinds.zip(self.dates.management_events) {
            open(truth, at);
        }
        let compliant = self.verdict.state == State::Compliant;
        if compliant && !fresh.holds(self.dates.verdict, now) {
            let (state, reason) = (State::Unknown, Reason::Stale);
            self.verdict = Verdict { state, reason };
            self.evidence = None;
        }
        self
    }
}

const STALE: Truth = Truth::Unknown {
    order: 0,
    reason: Reason::Stale,
};

/// Judges one poll's facts (joined with the owners' where needed) at `now`.
pub fn evaluate(facts: &AccountFacts, policy: &Policy, now: Timestamp) -> Evaluation {
    let candidates = Candidate::all(facts);
    let unseen = presence::unseen(&facts.regions);
    let none_seen = DatedTruth {
        truth: unseen,
        at: facts.described,
    };
    let management_events =
        EventKind::ALL.map(|kind| management_events::recorded_by(&candidates, none_seen, kind));
    let [read, write] = management_events;
    let found = Check::ALL.map(|check| match check {
        Check::ManagementEvents => read.and(write),
        _ => some(&candidates, none_seen, check, policy, now),
    });
    let checks = found.map(|found| found.truth);
    let verdict = conjunction(&checks, policy, |check| why_not(check, facts));
    let compliant = verdict.state == State::Compliant;
    let complete = presence::complete(&facts.regions);
    let is_organization = |heard: &&TrailFacts| heard.trail.organization;
    Evaluation {
        verdict,
        evidence: compliant
            .then(|| evidence(&candidates, policy, now))
            .flatten(),
        checks,
        management_events: management_events.map(|found| found.truth),
        dates: ProofDates {
            verdict: verdict_date(&found, policy).unwrap_or(facts.described),
            checks: found.map(|found| found.at),
            management_events: management_events.map(|found| found.at),
        },
        trails: complete.then_some(facts.trails.len()),
        multi_region_trails: (unseen == Truth::False).then_some(candidates.len()),
        logging_multi_region_trails: logging(&candidates, unseen),
        organization_trails: complete.then(|| facts.trails.iter().filter(is_organization).count()),
    }
}

/// The verdict on checks: a proven failure beats an unknown, and the first that fails in the order of [`Check::ALL`] names the reason.
pub(super) fn conjunction(
    checks: &[Truth; 7],
    policy: &Policy,
    why_not: impl Fn(Check) -> Reason,
) -> Verdict {
    let required = || {
        let all = Check::ALL.into_iter().zip(*checks);
        all.filter(|(check, _)| policy.required.contains(check))
    };
    if let Some((check, _)) = required().find(|(_, truth)| *truth == Truth::False) {
        return Verdict {
            state: State::NonCompliant,
            reason: why_not(check),
        };
    }
    let all = required().map(|(_, truth)| truth);
    match all.fold(Truth::True, Truth::and) {
        Truth::Unknown { reason, .. } => Verdict {
            state: State::Unknown,
            reason,
        },
        Truth::True | Truth::False => Verdict {
            state: State::Compliant,
            reason: Reason::Ok,
        },
    }
}

/// A compliant verdict is as old as the oldest required check, a non-compliant one as the first that
/// fails.
fn verdict_date(checks: &[DatedTruth; 7], policy: &Policy) -> Option<Timestamp> {
    let required = || {
        let all = Check::ALL.into_iter().zip(checks);
        let required = all.filter(|(check, _)| policy.required.contains(check));
        required.map(|(_, found)| found)
    };
    let failing = required().find(|found| found.truth == Truth::False);
    let oldest = || required().map(|found| found.at).reduce(Timestamp::earliest);
    failing.map(|found| found.at).or_else(oldest)
}

/// Why a check that is proven to fail on these facts fails.
pub(super) fn why_not(check: Check, facts: &AccountFacts) -> Reason {
    let no_trail = facts.trails.is_empty() && presence::complete(&facts.regions);
    match check {
        Check::MultiRegionTrail if no_trail => Reason::NoTrail,
        Check::MultiRegionTrail => Reason::NoMultiRegionTrail,
        Check::Logging => Reason::NotLogging,
        Check::Delivery if facts.trails.iter().any(fails_to_deliver) => Reason::DeliveryFailing,
        Check::Delivery => Reason::DeliveryStale,
        Check::ManagementEvents => Reason::ManagementEventsIncomplete,
        Check::LogFileValidation => Reason::LogFileValidationDisabled,
        Check::KmsEncryption => Reason::KmsEncryptionDisabled,
        Check::CloudWatchLogs => Reason::CloudWatchLogsDisabled,
    }
}

/// A logging multi-Region trail for which AWS reports trouble with the bucket.
fn fails_to_deliver(heard: &TrailFacts) -> bool {
    let reported =
        |status: &TrailStatus| status.logging && status.delivery(Destination::S3).error.is_some();
    heard.trail.multi_region && heard.shadow.is_none() && heard.status.as_ref().is_ok_and(reported)
}

/// Whether one trail alone passes the check.
fn some(
    candidates: &[Candidate],
    none_seen: DatedTruth,
    check: Check,
    policy: &Policy,
    now: Timestamp,
) -> DatedTruth {
    let each = candidates.iter().map(|c| DatedTruth {
        truth: c.check(check, policy, now),
        at: c.asked(check),
    });
    each.fold(none_seen, DatedTruth::or)
}

/// How many are logging, if that is known of every one.
fn logging(candidates: &[Candidate], unseen: Truth) -> Option<usize> {
    let add = |count, c: &Candidate| Some(count + usize::from(c.logging().known()?));
    let counted = candidates.iter().try_fold(0, add)?;
    (unseen == Truth::False).then_some(counted)
}

/// Of the trails that are logging, the one that passes most of the required checks, lowest ARN first.
pub(super) fn evidence(
    candidates: &[Candidate],
    policy: &Policy,
    now: Timestamp,
) -> Option<TrailArn> {
    let passes = |c: &Candidate, check| c.check(check, policy, now) == Truth::True;
    let most_first = |c: &&Candidate| {
        let counts = |check: &Check| policy.required.contains(check) && passes(c, *check);
        Reverse(Check::ALL.iter().filter(|check| counts(check)).count())
    };
    let logging = candidates.iter().filter(|c| c.logging() == Truth::True);
    Some(logging.min_by_key(most_first)?.arn().clone())
}

#[cfg(test)]
mod tests;
