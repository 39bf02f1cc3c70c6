//! What the last poll was like, whatever it proved.

use std::time::Duration;

use super::{Reason, State, Verdict};
use crate::account::Region;
use crate::facts::{AccountFacts, Failure, Operation, Poll, RegionAnswer, TrailFacts};
use crate::timestamp::Timestamp;

/// What the last poll was like, whatever it proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPoll {
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// It determined the verdict from fresh evidence.
    pub up: bool,
    /// Why it did not; `None` if it did.
    pub open_reason: Option<Reason>,
    /// The kinds of call that failed in it, distinct, in call order. A disabled Region is not a failing call.
    pub failing: Vec<(Operation, Failure)>,
    /// Whether each asked Region answered; empty without a session.
    pub regions: Vec<(Region, bool)>,
}

impl LastPoll {
    /// A poll that opened no session of the account.
    pub(super) fn without_session(poll: &Poll, failed: Option<(Operation, Failure)>) -> Self {
        Self {
            ended: poll.ended,
            duration: poll.duration,
            up: false,
            open_reason: None,
            failing: distinct(failed),
            regions: Vec::new(),
        }
    }

    /// A poll that the account answered, wholly or in part.
    pub(super) fn answered(poll: &Poll, facts: &AccountFacts) -> Self {
        Self {
            failing: distinct(failures(facts)),
            regions: facts.regions.iter().map(answers).collect(),
            ..Self::without_session(poll, None)
        }
    }

    /// The same poll, and what it made of the verdict.
    #[must_use]
    pub(super) fn with(self, verdict: Verdict) -> Self {
        let open = verdict.state == State::Unknown;
        Self {
            up: !open,
            open_reason: open.then_some(verdict.reason),
            ..self
        }
    }
}

/// A partial answer is an answer.
fn answers((region, answer): &(Region, RegionAnswer)) -> (Region, bool) {
    let answers = matches!(answer, RegionAnswer::Whole | RegionAnswer::Partial);
    (region.clone(), answers)
}

/// Every failed call, in call order. Entries that were dropped from an answer count as a failure of that call.
fn failures(facts: &AccountFacts) -> impl Iterator<Item = (Operation, Failure)> {
    let described = facts
        .regions
        .iter()
        .filter_map(|(_, answer)| answer.failure());
    let of_trail = |heard: &TrailFacts| {
        let status = heard.status.as_ref().err().or(heard.shadow.as_ref());
        let selectors = heard.selectors.as_ref().err();
        [
            status.map(|failure| (Operation::GetTrailStatus, *failure)),
            selectors.map(|failure| (Operation::GetEventSelectors, *failure)),
        ]
    };
    described
        .map(|failure| (Operation::DescribeTrails, failure))
        .chain(facts.trails.iter().flat_map(of_trail).flatten())
}

/// Each kind of failed call once, told apart as its labels are. What was not asked did not fail.
fn distinct(calls: impl IntoIterator<Item = (Operation, Failure)>) -> Vec<(Operation, Failure)> {
    let mut kinds: Vec<(Operation, Failure)> = Vec::new();
    for (operation, failure) in calls {
        let is_same = |known: &(Operation, Failure)| {
            known.0 == operation && known.1.as_str() == failure.as_str()
        };
        let failed = !matches!(failure, Failure::RegionDisabled | Failure::NotAsked);
        if failed && !kinds.iter().any(is_same) {
            kinds.push((operation, failure));
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{
        AWAY, COMPLIANT, HOME, Sketch, asked, failed, now, poll, trail, whole,
    };
    use Operation::{DescribeTrails, GetEventSelectors, GetTrailStatus};

    fn told(facts: &AccountFacts) -> LastPoll {
        LastPoll::answered(&poll(facts.clone(), now()), facts)
    }

    #[test]
    fn each_kind_of_failed_call_is_told_once_in_call_order() {
        let facts = asked(
            [
                (HOME, RegionAnswer::Failed(Failure::Throttled)),
                (AWAY, RegionAnswer::Partial),
            ],
            [
                trail("a")
                    .status_failed(Failure::AccessDenied)
                    .selectors_failed(Failure::Timeout),
                trail("b")
                    .status_failed(Failure::AccessDenied)
                    .selectors_failed(Failure::AccessDenied),
            ],
        );
        let expected = [
            (DescribeTrails, Failure::Throttled),
            (DescribeTrails, Failure::Malformed),
            (GetTrailStatus, Failure::AccessDenied),
            (GetEventSelectors, Failure::Timeout),
            (GetEventSelectors, Failure::AccessDenied),
        ];
        assert_eq!(told(&facts).failing, expected);
    }

    #[test]
    fn a_disabled_region_is_not_a_failing_call() {
        let facts = asked(
            [(HOME, RegionAnswer::Whole), (AWAY, RegionAnswer::Disabled)],
            [trail("a").status_failed(Failure::RegionDisabled)],
        );
        assert_eq!(told(&facts).failing, []);
    }

    #[test]
    fn failures_with_the_same_label_are_one() {
        let facts = whole([
            trail("a").status_failed(Failure::NotFound),
            trail("b").status_failed(Failure::Other),
        ]);
        assert_eq!(told(&facts).failing, [(GetTrailStatus, Failure::NotFound)]);
    }

    #[test]
    fn a_region_is_up_if_it_answered_at_all() {
        let region = |name: &str| name.parse().expect("a Region");
        let asked = asked(
            [
                (HOME, RegionAnswer::Whole),
                (AWAY, RegionAnswer::Partial),
                ("ap-east-1", RegionAnswer::Disabled),
                ("ap-east-2", RegionAnswer::Failed(Failure::Tls)),
            ],
            [],
        );
        let expected = [
            (region(HOME), true),
            (region(AWAY), true),
            (region("ap-east-1"), false),
            (region("ap-east-2"), false),
        ];
        assert_eq!(told(&asked).regions, expected);
    }

    #[test]
    fn a_poll_is_up_if_it_determined_the_verdict() {
        let told = told(&whole([]));
        let up = told.clone().with(COMPLIANT);
        assert_eq!((up.up, up.open_reason), (true, None));
        assert_eq!((up.ended, up.duration), (now(), Duration::from_secs(1)));
        let open = told.with(failed(Failure::Tls));
        let reason = Some(Reason::Failed(Failure::Tls));
        assert_eq!((open.up, open.open_reason), (false, reason));
    }
}
