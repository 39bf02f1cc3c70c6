//! What must hold of every account, however it answers.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use crate::compliance::standing::EventKind;
use crate::compliance::{
    Check, HeldTrail, Policy, Reason, Standing, State, Verdict, evaluate, owner,
};
use crate::facts::{
    AccountFacts, EventSelectors, Failure, Moment, Operation, Poll, PollOutcome, ReadWrite,
    RegionAnswer, TrailFacts,
};
use crate::fixtures::{
    AWAY, HOME, ME, OWNER, Sketch, advanced, ago, ahead, asked, basic, basics, held_by_owner, id,
    is_none_of, is_one_of, management, minutes, nobody, now, organization_trail, owned, poll,
    requiring, trail,
};
use crate::oracle::is_recorded;
use crate::timestamp::Timestamp;

const SOURCES: [&str; 3] = [
    "kms.amazonaws.com",
    "rdsdata.amazonaws.com",
    "s3.amazonaws.com",
];

/// Failures that leave a question open. A disabled Region is an answer.
fn failure() -> impl Strategy<Value = Failure> {
    select(vec![
        Failure::AccessDenied,
        Failure::Credentials,
        Failure::Throttled,
        Failure::Timeout,
        Failure::Malformed,
        Failure::NotFound,
        Failure::Other,
    ])
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        Just(Moment::Never),
        Just(Moment::Implausible),
        (0..400_u64).prop_map(ago),
        (0..20_u64).prop_map(ahead),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let checks = proptest::sample::subsequence(Check::ALL.to_vec(), 1..=7).prop_shuffle();
    checks.prop_map(|required| requiring(&required))
}

fn condition() -> impl Strategy<Value = crate::facts::FieldSelector> {
    let values = prop_oneof![
        Just(("eventSource", SOURCES.to_vec())),
        Just(("readOnly", vec!["true", "false"])),
        Just(("eventCategory", vec!["Management", "Data"])),
        Just(("eventName", vec!["x"])),
    ];
    let lists = values.prop_flat_map(|(field, values)| {
        let some = || proptest::sample::subsequence(values.clone(), 0..=values.len());
        (Just(field), some(), some(), prop::bool::weighted(0.1))
    });
    lists.prop_map(
        |(field, equals, not_equals, other_operators)| crate::facts::FieldSelector {
            not_equals: is_none_of(field, &not_equals).not_equals,
            other_operators,
            ..is_one_of(field, &equals)
        },
    )
}

fn selectors() -> impl Strategy<Value = EventSelectors> {
    let read_write = select(vec![
        ReadWrite::All,
        ReadWrite::ReadOnly,
        ReadWrite::WriteOnly,
    ]);
    let excluded = proptest::sample::subsequence(SOURCES.to_vec(), 0..=2);
    let one_basic = (any::<bool>(), read_write, excluded).prop_map(|(on, kinds, excluded)| {
        let mut selector = basic(kinds, &excluded);
        selector.management_events = on;
        selector
    });
    let one_advanced = prop::collection::vec(condition(), 0..3).prop_map(management);
    prop_oneof![
        Just(EventSelectors::Default),
        prop::collection::vec(one_basic, 0..3).prop_map(basics),
        prop::collection::vec(one_advanced, 0..3).prop_map(advanced),
    ]
}

/// A trail every question about which was answered.
fn answered(name: &'static str) -> impl Strategy<Value = TrailFacts> {
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let times = (moment(), moment(), moment());
    let validation = select(vec![Some(true), Some(false), None]);
    let parts = (
        flags,
        times,
        validation,
        prop::bool::weighted(0.2),
        selectors(),
    );
    parts.prop_map(
        move |(flags, (s3, digest, started), validation, failing, selectors)| {
            let (foreign, multi_region, logging, encrypted, watched) = flags;
            let mut heard = if foreign {
                organization_trail(name)
            } else {
                trail(name)
            };
            heard = heard.s3(s3).digest(digest).started(started);
            heard = heard.validated(validation).selecting(selectors);
            heard.trail.multi_region = multi_region;
            for (on, change) in [
                (!logging, Sketch::stopped as fn(TrailFacts) -> TrailFacts),
                (encrypted, Sketch::encrypted),
                (watched, Sketch::watched),
                (failing, |heard| heard.failing("NoSuchBucket")),
            ] {
                if on {
                    heard = change(heard);
                }
            }
            heard
        },
    )
}

/// An account that answered every question.
fn world() -> impl Strategy<Value = AccountFacts> {
    let name = select(vec!["a", "b", "c", "d"]).prop_flat_map(answered);
    let trails = prop::collection::vec(name, 0..4);
    trails.prop_map(|mut trails| {
        trails.sort_by(|a, b| a.trail.arn.cmp(&b.trail.arn));
        trails.dedup_by(|a, b| a.trail.arn == b.trail.arn);
        let answer = RegionAnswer::Whole;
        asked([(HOME, answer), (AWAY, answer)], trails)
    })
}

/// Which calls fail, and how: Regions first, then status and selectors of each trail. The last flag hides trails from a partial answer.
type Faults = (
    Vec<Option<RegionAnswer>>,
    Vec<[Option<Failure>; 2]>,
    Vec<bool>,
);

fn faults() -> impl Strategy<Value = Faults> {
    let region = prop::option::of(prop_oneof![
        Just(RegionAnswer::Partial),
        failure().prop_map(RegionAnswer::Failed),
    ]);
    let call = || prop::option::weighted(0.4, failure());
    let calls = (call(), call()).prop_map(|(status, selectors)| [status, selectors]);
    (
        prop::collection::vec(region, 2),
        prop::collection::vec(calls, 4),
        prop::collection::vec(any::<bool>(), 4),
    )
}

/// What is heard of a world through faults. Nothing is seen of a trail where every answer failed, and maybe nothing where none is whole.
fn through(world: &AccountFacts, (regions, calls, hidden): &Faults) -> AccountFacts {
    let mut heard = world.clone();
    for ((_, answer), fault) in heard.regions.iter_mut().zip(regions) {
        *answer = fault.unwrap_or(*answer);
    }
    let any = |wanted| heard.regions.iter().any(|(_, answer)| *answer == wanted);
    let (whole, partial) = (any(RegionAnswer::Whole), any(RegionAnswer::Partial));
    let mut hidden = hidden.iter();
    for (trail, [status, selectors]) in heard.trails.iter_mut().zip(calls) {
        if let Some(failure) = status {
            trail.status = Err(*failure);
        }
        if let Some(failure) = selectors {
            trail.selectors = Err(*failure);
        }
    }
    heard.trails.retain(|_| {
        let hides = *hidden.next().unwrap_or(&false);
        whole || (partial && !hides)
    });
    heard
}

fn outcome() -> impl Strategy<Value = PollOutcome> {
    let answered = || (world(), faults()).prop_map(|(world, faults)| through(&world, &faults));
    let failed = (
        select(vec![Operation::AssumeRole, Operation::GetCallerIdentity]),
        failure(),
    );
    prop_oneof![
        4 => world().prop_map(PollOutcome::Answered),
        8 => answered().prop_map(PollOutcome::Answered),
        2 => failed.prop_map(|(operation, failure)| PollOutcome::NoSession { operation, failure }),
        1 => Just(PollOutcome::WrongAccount { found: id(OWNER) }),
    ]
}

fn at(after: u64) -> Timestamp {
    now() + minutes(after)
}

/// The same outcome, where every call of the poll was made at that moment.
fn asked_at(outcome: &PollOutcome, at: Timestamp) -> PollOutcome {
    match outcome.clone() {
        PollOutcome::Answered(facts) => PollOutcome::Answered(facts.dated(at)),
        other => other,
    }
}

/// The standing after polls that ended 5 minutes apart.
fn polled(policy: &Policy, outcomes: &[PollOutcome]) -> Standing {
    let mut standing = Standing::new(Arc::new(policy.clone()));
    for (turn, outcome) in (0..).zip(outcomes) {
        let poll = Poll {
            ended: at(5 * turn),
            duration: Duration::from_secs(1),
            outcome: asked_at(outcome, at(5 * turn)),
        };
        standing = standing.after(&poll, nobody, poll.ended);
    }
    standing
}

/// A reason belongs to its state.
fn fits(verdict: Verdict) -> bool {
    let tells_unknown = Reason::unknown_labels().any(|label| label == verdict.reason.as_str());
    match verdict.state {
        State::Compliant => verdict.reason == Reason::Ok,
        State::NonCompliant => !tells_unknown && verdict.reason != Reason::Ok,
        State::Unknown => tells_unknown && verdict.reason != Reason::Failed(Failure::NotFound),
    }
}

fn is_open_or(found: Verdict, whole: Verdict) -> bool {
    found.state == State::Unknown || found.state == whole.state
}

proptest! {
    #[test]
    fn a_verdict_has_one_state_and_a_reason_of_that_state(world in world(), faults in faults(), policy in policy()) {
        let found = evaluate(&through(&world, &faults), &policy, now());
        prop_assert!(fits(found.verdict), "{:?}", found.verdict);
        prop_assert!(found.evidence.is_none() || found.verdict.state == State::Compliant);
    }

    #[test]
    fn failures_leave_open_or_leave_alone(world in world(), faults in faults(), policy in policy()) {
        let whole = evaluate(&world, &policy, now());
        let found = evaluate(&through(&world, &faults), &policy, now());
        prop_assert!(is_open_or(found.verdict, whole.verdict), "{found:?} {whole:?}");
        for (found, whole) in found.checks.iter().zip(whole.checks) {
            prop_assert!(found.known().is_none() || found.known() == whole.known());
        }
        for (found, whole) in found.management_events.iter().zip(whole.management_events) {
            prop_assert!(found.known().is_none() || found.known() == whole.known());
        }
    }

    #[test]
    fn more_knowledge_never_flips_what_is_proven(world in world(), faults in faults(), mended in 0_usize..10, policy in policy()) {
        let less = evaluate(&through(&world, &faults), &policy, now());
        let mut fewer = faults;
        match mended {
            0 | 1 => fewer.0[mended] = None,
            _ => fewer.1[(mended - 2) / 2][mended % 2] = None,
        }
        let more = evaluate(&through(&world, &fewer), &policy, now());
        prop_assert!(is_open_or(less.verdict, more.verdict), "{less:?} {more:?}");
        for (less, more) in less.checks.iter().zip(more.checks) {
            prop_assert!(less.known().is_none() || less.known() == more.known());
        }
        for (less, more) in [
            (less.trails, more.trails),
            (less.multi_region_trails, more.multi_region_trails),
            (less.logging_multi_region_trails, more.logging_multi_region_trails),
            (less.organization_trails, more.organization_trails),
        ] {
            prop_assert!(less.is_none() || less == more);
        }
    }

    #[test]
    fn a_join_never_changes_an_answer_of_ones_own(world in world(), faults in faults(), age in 0..30_u64, policy in policy()) {
        let facts = through(&world, &faults);
        let held: Vec<HeldTrail> = ["a", "b", "c", "d"].map(|name| held_by_owner(&organization_trail(name), now() - minutes(age))).into();
        let joined = owner::join(&facts, &[], |wanted| held.iter().find(|held| held.trail.arn == *wanted).map(owned), &policy, now());
        for (own, joined) in facts.trails.iter().zip(&joined.facts.trails) {
            prop_assert_eq!(&own.trail, &joined.trail);
            prop_assert!(own.status.is_err() || own.status == joined.status);
            prop_assert!(own.selectors.is_err() || own.selectors == joined.selectors);
            if own.trail.arn.owner() == id(ME) {
                prop_assert_eq!(own, joined);
            }
        }
        prop_assert_eq!(&facts.regions, &joined.facts.regions);
        let (alone, with_owner) = (evaluate(&through(&world, &faults), &policy, now()), evaluate(&joined.facts, &policy, now()));
        prop_assert!(is_open_or(alone.verdict, with_owner.verdict));
    }

    #[test]
    fn a_selector_set_records_a_kind_if_it_records_every_source(selectors in selectors()) {
        let mut standing = Standing::new(Arc::new(requiring(&[Check::Logging])));
        let facts = asked([(HOME, RegionAnswer::Whole)], [trail("a").selecting(selectors.clone())]);
        standing = standing.after(&poll(facts, now()), nobody, now());
        for (kind, reads) in [(EventKind::Read, true), (EventKind::Write, false)] {
            let sources = SOURCES.iter().chain(&["any other"]);
            let every = sources.clone().all(|source| is_recorded(&selectors, reads, source));
            let found = standing.trail_management_events(&standing.trails()[0], kind, now());
            prop_assert_eq!(found, Some(every));
            prop_assert_eq!(standing.management_events(kind, now()), Some(every));
        }
    }

    #[test]
    fn the_same_poll_again_changes_nothing(outcomes in prop::collection::vec(outcome(), 1..5), policy in policy()) {
        let once = polled(&policy, &outcomes);
        let end = at(5 * (outcomes.len() as u64 - 1));
        let outcome = asked_at(&outcomes[outcomes.len() - 1], end);
        let last = Poll { ended: end, duration: Duration::from_secs(1), outcome };
        prop_assert_eq!(once.after(&last, nobody, last.ended), once);
    }

    #[test]
    fn time_alone_only_turns_compliance_into_unknown(outcomes in prop::collection::vec(outcome(), 0..5), policy in policy(), wait in 0..60_u64) {
        let standing = polled(&policy, &outcomes);
        let end = 5 * (outcomes.len() as u64).saturating_sub(1);
        let (before, after) = (standing.verdict(at(end)), standing.verdict(at(end + wait)));
        prop_assert!(fits(before) && fits(after));
        prop_assert!(before == after || (before.state, after.state) == (State::Compliant, State::Unknown));
        prop_assert!(wait <= 15 || after.state != State::Compliant);
        for check in Check::ALL {
            let (before, after) = (standing.check(check, at(end)), standing.check(check, at(end + wait)));
            prop_assert!(before == after || (before, after) == (Some(true), None));
        }
        prop_assert!(standing.evidence(at(end + wait)).is_none() || after.state == State::Compliant);
    }

    #[test]
    fn only_a_poll_that_proves_something_changes_a_proven_verdict(outcomes in prop::collection::vec(outcome(), 1..6), policy in policy()) {
        let before = polled(&policy, &outcomes[..outcomes.len() - 1]);
        let after = polled(&policy, &outcomes);
        let time = at(5 * (outcomes.len() as u64 - 1));
        let last = after.last_poll().expect("a poll");
        prop_assert_eq!(last.up, last.open_reason.is_none());
        prop_assert_eq!(last.up, after.last_success() == Some(time.wall()));
        if !last.up && after.wrong_account().is_none() && before.verdict(time).state != State::Unknown {
            prop_assert_eq!(after.verdict(time), before.verdict(time));
        }
        if last.up {
            prop_assert!(after.verdict(time).state != State::Unknown);
        }
    }

    #[test]
    fn a_policy_and_back_again_keeps_what_is_held_of_checks(outcomes in prop::collection::vec(outcome(), 0..5), one in policy(), other in policy()) {
        let standing = polled(&one, &outcomes);
        let time = at(5 * (outcomes.len() as u64).saturating_sub(1));
        let there = standing.with_policy(Arc::new(other.clone()), time);
        let back = there.with_policy(Arc::new(one), time);
        for check in Check::ALL {
            prop_assert_eq!(standing.check(check, time), there.check(check, time));
            prop_assert_eq!(standing.check(check, time), back.check(check, time));
        }
        prop_assert!(fits(there.verdict(time)));
        let passed = other.required.iter().all(|check| there.check(*check, time) == Some(true));
        prop_assert!(!passed || there.verdict(time).state != State::Unknown);
    }
}
