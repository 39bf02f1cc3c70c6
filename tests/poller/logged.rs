//! What the log tells of an account: changes, once.

use std::time::Duration;

use cloudtrail_exporter::aws::CallError;
use cloudtrail_exporter::compliance::{Reason, Standing, State};
use cloudtrail_exporter::facts::{
    AccountFacts, Dates, EventSelectors, Failure, Operation, Poll, PollOutcome, RegionAnswer,
    TrailFacts,
};
use cloudtrail_exporter::snapshot::told::{News, news};
use cloudtrail_exporter::timestamp::Timestamp;

use super::world::*;

fn poll(ended: Timestamp, outcome: PollOutcome) -> Poll {
    let outcome = match outcome {
        PollOutcome::Answered(facts) => PollOutcome::Answered(facts.dated(ended)),
        other => other,
    };
    Poll {
        ended,
        duration: Duration::from_secs(1),
        outcome,
    }
}

fn shows(selectors: Result<EventSelectors, Failure>) -> PollOutcome {
    PollOutcome::Answered(AccountFacts {
        account: id(1),
        regions: vec![(HOME.parse().expect("a Region"), RegionAnswer::Whole)],
        described: epoch(),
        trails: vec![TrailFacts {
            trail: trail(1, HOME, "main"),
            status: Ok(status(true)),
            shadow: None,
            selectors,
            dates: Dates::all(epoch()),
        }],
    })
}

fn denied() -> PollOutcome {
    PollOutcome::NoSession {
        operation: Operation::AssumeRole,
        failure: Failure::AccessDenied,
    }
}

/// What is told of each of these polls, one interval apart, beginning with an account never polled.
fn told(outcomes: impl IntoIterator<Item = PollOutcome>) -> Vec<Option<News>> {
    let (mut standing, mut now) = (Standing::new(policy()), epoch());
    let error = CallError::new(Operation::AssumeRole, Failure::AccessDenied, "SCP");
    let mut told = Vec::new();
    for outcome in outcomes {
        let next = standing.after(&poll(now, outcome), |_| None, now);
        told.push(news(&standing, &next, std::slice::from_ref(&error), now));
        standing = next;
        now = now + INTERVAL;
    }
    told
}

fn states(told: Vec<Option<News>>) -> Vec<Option<State>> {
    let turned = |news: News| news.turned.then_some(news.verdict.state);
    told.into_iter().map(|news| news.and_then(turned)).collect()
}

#[test]
fn a_verdict_is_told_when_it_turns_and_not_again() {
    let compliant = || shows(Ok(EventSelectors::Default));
    let told = told([compliant(), compliant(), compliant()]);
    assert_eq!(states(told), [Some(State::Compliant), None, None]);
}

#[test]
fn a_failure_is_told_once_in_the_words_of_aws() {
    let mut told = told([denied(), denied()]);
    assert_eq!(told.pop(), Some(None));
    let news = told.pop().flatten().expect("news");
    assert_eq!(news.verdict.reason, Reason::Failed(Failure::AccessDenied));
    assert_eq!(
        news.failing,
        [(Operation::AssumeRole, Failure::AccessDenied)]
    );
    assert_eq!(
        news.detail.as_deref(),
        Some("AssumeRole: access_denied: SCP")
    );
}

#[test]
fn calls_that_begin_to_fail_are_told_although_the_verdict_stands() {
    let compliant = || shows(Ok(EventSelectors::Default));
    let half = || shows(Err(Failure::Throttled));
    let told = told([compliant(), half(), half(), compliant()]);
    let turned: Vec<_> = told
        .iter()
        .map(|news| news.as_ref().map(|n| n.turned))
        .collect();
    assert_eq!(turned, [Some(true), Some(false), None, Some(false)]);
    let kinds = told.into_iter().flatten().map(|news| news.failing.len());
    assert_eq!(kinds.collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn an_all_clear_that_ran_out_between_polls_is_told_with_the_next_poll() {
    let compliant = shows(Ok(EventSelectors::Default));
    let outcomes = [compliant].into_iter().chain((0..5).map(|_| denied()));
    let states: Vec<_> = states(told(outcomes)).into_iter().flatten().collect();
    assert_eq!(states, [State::Compliant, State::Unknown]);
}

#[test]
fn the_wrong_account_is_told_with_whose_credentials_these_are() {
    let wrong = || PollOutcome::WrongAccount { found: id(2) };
    let mut told = told([wrong(), wrong()]);
    assert_eq!(told.pop(), Some(None));
    let detail = told.pop().flatten().and_then(|news| news.detail);
    assert_eq!(
        detail.as_deref(),
        Some("the credentials belong to account 000000000002")
    );
}
