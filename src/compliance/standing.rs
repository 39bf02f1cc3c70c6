//! What is held of an account over many polls: only fresh evidence clears an alarm or keeps an all-clear.
//!
//! A proof of compliance decays to unknown after `stale_after`; a proof of non-compliance stays until a poll proves otherwise. Facts and counts stay
//! as last proven until AWS disproves them. Decay is computed when the standing is read, so a reader passes `now`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use super::held::HeldTrail;
pub use super::last_poll::LastPoll;
pub use super::management_events::EventKind;
pub use super::proofs::Counts;

use super::candidate::Candidate;
use super::evaluate::{Evaluation, conjunction, evaluate, evidence, why_not};
use super::held::HeldTrails;
use super::proofs::{Freshness, Proofs, decayed};
use super::{
    Check, OwnersTrail, Policy, Reason, State, Truth, Verdict, held, management_events, owner,
};
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
    /// Some proof may stand on an owner's facts.
    joined: bool,
    /// What was asked for at this boot time or before was seen to lapse.
    lapsed: Option<Duration>,
    began: Option<Began>,
    trails: HeldTrails,
    wrong_account: Option<AccountId>,
    /// What is held of the right account while the credentials are another's.
    hidden: Option<Arc<Self>>,
}

/// The state that was last recorded, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Began {
    state: State,
    at: SystemTime,
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
            joined: false,
            lapsed: None,
            began: None,
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
        owner: impl Fn(&TrailArn) -> Option<OwnersTrail<'a>>,
        now: Timestamp,
    ) -> Self {
        let before = self.lapsed(now);
        let before = before.as_ref().unwrap_or(self);
        let ended = poll.ended.wall();
        match &poll.outcome {
            PollOutcome::Answered(facts) => {
                let right = before.hidden.as_deref().unwrap_or(before);
                // An account that was never polled as itself has been unknown since its first poll.
                let began = right.began.or(before.began);
                right.answered(poll, facts, owner, began, now)
            }
            PollOutcome::NoSession { operation, failure } => before
                .without_session(poll, *operation, *failure)
                .begun(before.began, ended, now),
            PollOutcome::WrongAccount { found } => {
                before
                    .of_wrong_account(poll, *found)
                    .begun(before.began, ended, now)
            }
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
            ..empty.polled(last_poll, open(Reason::WrongAccount), poll.ended.wall())
        }
    }

    fn answered<'a>(
        &self,
        poll: &Poll,
        facts: &AccountFacts,
        owner: impl Fn(&TrailArn) -> Option<OwnersTrail<'a>>,
        before: Option<Began>,
        now: Timestamp,
    ) -> Self {
        let joined = owner::join(facts, &self.trails, owner, &self.policy, now);
        let heard = evaluate(&joined.facts, &self.policy, now).fresh(self.freshness(), now);
        let why_not = |check| why_not(check, &joined.facts);
        let proofs = self.proofs.after(&heard, why_not);
        let is_joined = joined.is_joined();
        let mut proven = heard.dates.verdict;
        let facts_as_dated = joined.with_true_dates();
        if is_joined {
            proven = evaluate(&facts_as_dated, &self.policy, now).dates.verdict;
        }
        let next = Self {
            proofs,
            joined: self.joined || is_joined,
            trails: held::after(&self.trails, facts),
            wrong_account: None,
            ..self.clone()
        };
        let next = next.polled(LastPoll::answered(poll, facts), heard.checks, proven.wall());
        let began = match heard.verdict.state {
            State::Unknown => poll.ended.wall(),
            _ => since(heard.verdict, &facts_as_dated, proven.wall()),
        };
        next.with_sound_evidence(&heard, &facts_as_dated, now)
            .begun(before, began, now)
    }

    fn without_session(&self, poll: &Poll, operation: Operation, failure: Failure) -> Self {
        let next = Self {
            wrong_account: None,
            ..self.clone()
        };
        let last_poll = LastPoll::without_session(poll, Some((operation, failure)));
        next.polled(last_poll, open(failure.into()), poll.ended.wall())
    }

    /// The same standing, and what the last poll made of the checks. `proven` is the date of the
    /// verdict, if they determine it.
    fn polled(self, last_poll: LastPoll, last_checks: [Truth; 7], proven: SystemTime) -> Self {
        // A check that fails names no reason here: only an open one is told of a poll.
        let verdict = conjunction(&last_checks, &self.policy, |_| Reason::Ok);
        let success = (verdict.state != State::Unknown).then_some(proven);
        Self {
            last_poll: Some(last_poll.with(verdict)),
            last_checks,
            last_success: success.or(self.last_success),
            ..self
        }
    }

    /// The same standing, and when its state began: at `at`, unless it is the state `before`. A
    /// compliance that ended without a contrary proof ended when its proof lapsed.
    fn begun(self, before: Option<Began>, at: SystemTime, now: Timestamp) -> Self {
        let state = self.verdict(now).state;
        let was = before.map(|began| began.state);
        let began = if was == Some(state) {
            before
        } else if (was, state) == (Some(State::Compliant), State::Unknown) {
            let at = self.lapse(now).unwrap_or(at);
            Some(Began { state, at })
        } else {
            Some(Began { state, at })
        };
        Self { began, ..self }
    }

    /// When a proof of compliance that no longer holds at `now` lapsed.
    fn lapse(&self, now: Timestamp) -> Option<SystemTime> {
        let proof = self.proofs.last_verdict()?;
        let lapse = proof.at + self.policy.stale_after;
        let lapsed = proof.value.state == State::Compliant;
        lapsed.then(|| lapse.wall().min(now.wall()))
    }

    /// The standing with a lapse put on record: what has lapsed by `now` stays so, whatever a clock
    /// shows later. `None` if nothing has.
    pub fn lapsed(&self, now: Timestamp) -> Option<Self> {
        let fresh = self.freshness();
        let lapsed = self.decaying().filter(|at| !fresh.holds(*at, now));
        let lapsed = lapsed.map(Timestamp::boot).max();
        let hidden = self.hidden.as_ref().and_then(|hidden| hidden.lapsed(now));
        if lapsed.is_none() && hidden.is_none() {
            return None;
        }
        let next = Self {
            lapsed: lapsed.or(self.lapsed),
            hidden: hidden.map(Arc::new).or_else(|| self.hidden.clone()),
            ..self.clone()
        };
        Some(match self.began {
            Some(_) => next.begun(self.began, now.wall(), now),
            None => next,
        })
    }

    /// When the next of what is held lapses, by each clock.
    pub fn lapses(&self) -> Option<Timestamp> {
        let oldest = self.decaying().reduce(Timestamp::earliest);
        let own = oldest.map(|at| at + self.policy.stale_after);
        let hidden = self.hidden.as_ref().and_then(|hidden| hidden.lapses());
        own.into_iter().chain(hidden).reduce(Timestamp::earliest)
    }

    /// The dates of all that decays and has not lapsed yet. Readings are among it: members of an
    /// organization are judged by them.
    fn decaying(&self) -> impl Iterator<Item = Timestamp> {
        let readings = self.trails.iter().flat_map(|held| {
            let status = held.status.as_ref().map(|read| read.at);
            [status, held.selectors.as_ref().map(|read| read.at)]
        });
        let dates = self.proofs.decaying().chain(readings.flatten());
        let fresh = self.freshness();
        dates.filter(move |at| !fresh.has_lapsed(*at))
    }

    /// How long what is held stays fresh.
    pub fn freshness(&self) -> Freshness {
        Freshness {
            lasts: self.policy.stale_after,
            lapsed: self.lapsed,
        }
    }

    /// When the state that is published at `now` began; `None` before the first poll.
    pub fn since(&self, now: Timestamp) -> Option<SystemTime> {
        let began = self.began?;
        if self.verdict(now).state == began.state {
            return Some(began.at);
        }
        // Since the last look the proof has lapsed.
        self.lapse(now).or(Some(began.at))
    }

    /// The same standing, where a verdict that an open poll left standing names no trail which that
    /// poll showed to fail: another that is held as logging takes its place.
    fn with_sound_evidence(
        mut self,
        heard: &Evaluation,
        facts: &AccountFacts,
        now: Timestamp,
    ) -> Self {
        let proven = self.proofs.last_verdict().map(|held| held.value.state);
        if heard.verdict.state != State::Unknown || proven != Some(State::Compliant) {
            return self;
        }
        let fails = |arn: &TrailArn| match facts.trails.iter().find(|t| t.trail.arn == *arn) {
            Some(heard) => {
                !heard.trail.multi_region || heard.status.as_ref().is_ok_and(|s| !s.logging)
            }
            None => !self.trails.iter().any(|held| held.trail.arn == *arn),
        };
        if self.proofs.evidence.as_ref().is_none_or(fails) {
            self.proofs.evidence = self.evidence_held(now);
        }
        self
    }

    /// Of the trails that are held as logging, the best.
    fn evidence_held(&self, now: Timestamp) -> Option<TrailArn> {
        let trails = self.trails.iter().map(|held| held.as_heard(now));
        let trails: Vec<_> = trails.collect();
        let candidates: Vec<_> = trails.iter().filter_map(Candidate::alone).collect();
        evidence(&candidates, &self.policy, now)
    }

    /// The same standing judged by another policy from now on; what was proven for checks stays, the verdict is that of the new policy.
    #[must_use]
    pub fn with_policy(&self, policy: Arc<Policy>, now: Timestamp) -> Self {
        let recorded = self.lapsed(now);
        let before = recorded.as_ref().unwrap_or(self);
        let required = &before.policy.required;
        let is_same = |check| required.contains(check) == policy.required.contains(check);
        let requires_the_same = Check::ALL.iter().all(is_same);
        let longer = policy.stale_after.saturating_sub(before.policy.stale_after);
        let mut next = before.clone();
        if before.joined {
            // A stand-in is dated by the old policy; it must not outlast its owner's facts.
            next.proofs = next.proofs.older(longer);
        }
        let hidden = next.hidden.as_ref();
        let hidden = hidden.map(|hidden| hidden.with_policy(Arc::clone(&policy), now));
        next.hidden = hidden.map(Arc::new);
        next.policy = policy;
        match next.last_poll.clone() {
            Some(last_poll) if !requires_the_same => next.judged_again(last_poll, now),
            Some(_) => next.begun(before.began, now.wall(), now),
            None => next,
        }
    }

    /// The verdict made anew of what is held of the checks. Otherwise it is not: an open poll leaves it older than the checks it moved on.
    fn judged_again(self, last_poll: LastPoll, now: Timestamp) -> Self {
        let evidence = self.evidence_held(now);
        let next = Self {
            proofs: self.proofs.judged_by(&self.policy, evidence),
            ..self
        };
        let (last_checks, ended) = (next.last_checks, last_poll.ended);
        let proven = next.proofs.last_verdict().map_or(ended, |held| held.at);
        let before = next.began;
        let next = next.polled(last_poll, last_checks, proven.wall());
        let is_known = next.verdict(now).state != State::Unknown;
        let before = before.filter(|_| !is_known);
        next.begun(before, now.wall(), now)
    }

    /// The verdict at `now`.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let held = self.proofs.verdict(now, self.freshness());
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
        self.proofs.evidence.as_ref().filter(|_| compliant)
    }

    /// A check at `now`: passed, failed, or `None` for not known.
    pub fn check(&self, check: Check, now: Timestamp) -> Option<bool> {
        self.proofs.check(check, now, self.freshness())
    }

    /// Whether logging multi-Region trails together record all events of a kind at `now`.
    pub fn management_events(&self, kind: EventKind, now: Timestamp) -> Option<bool> {
        self.proofs.management_events(kind, now, self.freshness())
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
        decayed(&held, now, self.freshness())
    }

    /// What it is judged by.
    pub fn policy(&self) -> &Policy {
        &self.policy
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

    /// The date of the newest proof of a verdict: when the oldest answer it stands on was asked for.
    pub fn last_success(&self) -> Option<SystemTime> {
        self.last_success
    }

    /// The credentials belong to this other account: nothing but that may be published.
    pub fn wrong_account(&self) -> Option<AccountId> {
        self.wrong_account
    }
}

/// When a state that is proven now began. Where no multi-Region trail logs that is when the last of
/// them was stopped, by AWS's word, if that is not later than the proof.
fn since(verdict: Verdict, facts: &AccountFacts, proven: SystemTime) -> SystemTime {
    if verdict.reason != Reason::NotLogging {
        return proven;
    }
    let trails = facts.trails.iter().filter(|heard| heard.trail.multi_region);
    let stopped = trails.filter_map(|heard| {
        let status = heard.status.as_ref().ok()?;
        status.stopped.known().filter(|_| !status.logging)
    });
    let last = stopped.max().filter(|stopped| *stopped <= proven);
    last.unwrap_or(proven)
}

/// What a poll makes of the checks that asked nothing.
fn open(reason: Reason) -> [Truth; 7] {
    [Truth::Unknown { order: 0, reason }; 7]
}

#[cfg(test)]
mod tests;
