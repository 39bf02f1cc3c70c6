//! All small worlds: up to two trails in every combination of what can be said of them, in one or two Regions that answer in every way. The judge must
//! agree with the oracle in each.

use crate::compliance::{Check, Policy, Reason, State, Truth, evaluate};
use crate::facts::{
    AccountFacts, EventSelectors, Failure, Moment, ReadWrite, RegionAnswer, TrailFacts,
};
use crate::fixtures::{
    AWAY, HOME, Sketch, advanced, ago, ahead, asked, basic, basics, is_none_of, is_one_of,
    management, now, organization_trail, requiring, rule, trail,
};
use crate::oracle::{agreed, sends_nothing};

const KMS: &str = "kms.amazonaws.com";
const RDS: &str = "rdsdata.amazonaws.com";
const TIMEOUT: RegionAnswer = RegionAnswer::Failed(Failure::Timeout);
const ANSWERS: [RegionAnswer; 4] = [
    RegionAnswer::Whole,
    RegionAnswer::Partial,
    RegionAnswer::Disabled,
    TIMEOUT,
];

fn policies() -> Vec<Policy> {
    let each = Check::ALL.map(|check| requiring(&[check]));
    let mut policies = vec![rule(), requiring(&Check::ALL)];
    policies.extend(each);
    policies
}

/// One or two Regions, in every way in which they can answer.
fn regions() -> Vec<Vec<(&'static str, RegionAnswer)>> {
    let mut regions = Vec::new();
    for home in ANSWERS {
        regions.push(vec![(HOME, home)]);
        for away in ANSWERS {
            regions.push(vec![(HOME, home), (AWAY, away)]);
        }
    }
    regions
}

fn with_flags(heard: &TrailFacts) -> Vec<TrailFacts> {
    let mut trails = vec![heard.clone().single_region()];
    for validation in [Some(true), Some(false), None] {
        for encrypted in [false, true] {
            let mut heard = heard.clone().validated(validation);
            if encrypted {
                heard = heard.encrypted().watched();
            }
            trails.push(heard);
        }
    }
    trails
}

fn with_statuses(heard: &TrailFacts) -> Vec<TrailFacts> {
    let old = || ago(10_000);
    let never = Moment::Never;
    vec![
        heard.clone(),
        heard.clone().stopped(),
        heard.clone().failing("NoSuchBucket"),
        heard.clone().s3(old()),
        heard.clone().s3(old()).digest(old()),
        heard.clone().s3(never).digest(never).started(never),
        heard.clone().s3(old()).digest(ahead(10)),
        heard.clone().s3(Moment::Implausible).digest(old()),
        heard.clone().s3(old()).digest(old()).started(ago(1)),
        heard.clone().status_failed(Failure::AccessDenied),
        heard.clone().status_failed(Failure::Throttled),
        heard.clone().status_failed(Failure::RegionDisabled),
    ]
}

fn with_selectors(heard: &TrailFacts) -> Vec<TrailFacts> {
    let all = || basic(ReadWrite::All, &[]);
    let selectors: [EventSelectors; 8] = [
        EventSelectors::Default,
        basics([basic(ReadWrite::ReadOnly, &[])]),
        basics([
            basic(ReadWrite::WriteOnly, &[]),
            basic(ReadWrite::ReadOnly, &[RDS]),
        ]),
        basics([basic(ReadWrite::All, &[KMS])]),
        advanced([]),
        advanced([management([is_one_of("eventSource", &[KMS, RDS])])]),
        advanced([
            management([is_none_of("eventSource", &[RDS])]),
            management([is_one_of("readOnly", &["false"])]),
        ]),
        advanced([management([is_none_of("eventName", &["x"])])]),
    ];
    let mut trails = vec![heard.clone().selectors_failed(Failure::NotFound)];
    trails.extend(selectors.map(|selectors| heard.clone().selecting(selectors)));
    trails.push(heard.clone().selecting(basics([all()])));
    trails
}

/// Trails that differ in everything: flags, status and selectors.
fn trails(named: &TrailFacts) -> Vec<TrailFacts> {
    let flagged = with_flags(named);
    let statuses = flagged.iter().flat_map(with_statuses);
    statuses.flat_map(|heard| with_selectors(&heard)).collect()
}

/// Every status with any selectors, and every flag by itself: few enough to go in pairs.
fn few_trails(named: &TrailFacts) -> Vec<TrailFacts> {
    let statuses = with_statuses(named);
    let mut few: Vec<_> = statuses.iter().flat_map(with_selectors).collect();
    few.extend(with_flags(named));
    few
}

/// The judge and the oracle agree on these facts, whatever is required.
fn assert_agreement(facts: &AccountFacts, policies: &[Policy]) {
    for policy in policies {
        let found = evaluate(facts, policy, now());
        let (checks, verdict) = agreed(facts, policy, now());
        let known = found.checks.map(Truth::known);
        assert_eq!(known, checks, "{facts:#?}");
        let state = match verdict {
            Some(true) => State::Compliant,
            Some(false) => State::NonCompliant,
            None => State::Unknown,
        };
        assert_eq!(
            found.verdict.state, state,
            "{:?} {facts:#?}",
            policy.required
        );
        assert_reason(found.verdict.reason, state, policy);
        if *policy == rule() {
            assert_eq!(
                found.verdict.reason,
                reason_by_rule(facts, state),
                "{facts:#?}"
            );
        }
        let [read, write] = found.management_events.map(Truth::known);
        let both = checks[Check::ManagementEvents as usize];
        assert_eq!(
            both == Some(true),
            read == Some(true) && write == Some(true)
        );
        assert_eq!(
            both == Some(false),
            read == Some(false) || write == Some(false)
        );
        assert_eq!(
            found.evidence.is_some(),
            state == State::Compliant && checks[1] == Some(true) && has_proven_trail(facts)
        );
    }
}

/// The reason that follows from the rule alone: the seed's two checks need no more than a walk over the answers in call order.
fn reason_by_rule(facts: &AccountFacts, state: State) -> Reason {
    let multi_region = || facts.trails.iter().filter(|t| t.trail.multi_region);
    let answers = || facts.regions.iter().map(|(_, answer)| *answer);
    if state == State::Compliant {
        return Reason::Ok;
    }
    if state == State::NonCompliant {
        let answered = answers().all(|a| matches!(a, RegionAnswer::Whole | RegionAnswer::Disabled));
        return match (multi_region().count(), facts.trails.len()) {
            (0, 0) if answered => Reason::NoTrail,
            (0, _) => Reason::NoMultiRegionTrail,
            _ => Reason::NotLogging,
        };
    }
    if answers().any(|answer| answer == RegionAnswer::Whole) {
        let first = multi_region().find(|t| t.status.is_err());
        let first = first.expect("an unread status");
        if sends_nothing(first, facts) {
            return Reason::Failed(Failure::RegionDisabled);
        }
        return match first.status.as_ref().expect_err("an unread status") {
            Failure::AccessDenied | Failure::NotFound => Reason::TrailStatusUnreadable,
            failure => Reason::Failed(*failure),
        };
    }
    let told = answers().find_map(|answer| match answer {
        RegionAnswer::Partial => Some(Failure::Malformed),
        RegionAnswer::Failed(failure) => Some(failure),
        RegionAnswer::Whole | RegionAnswer::Disabled => None,
    });
    Reason::Failed(told.unwrap_or(Failure::RegionDisabled))
}

/// A reason belongs to its state.
fn assert_reason(reason: Reason, state: State, policy: &Policy) {
    let is_failure = Reason::unknown_labels().any(|label| label == reason.as_str());
    match state {
        State::Compliant => assert_eq!(reason, Reason::Ok),
        State::Unknown => assert!(is_failure, "{reason:?} {policy:?}"),
        State::NonCompliant => assert!(!is_failure && reason != Reason::Ok, "{reason:?}"),
    }
    assert_ne!(reason, Reason::Failed(Failure::NotFound));
}

/// Some trail is known to be multi-Region and logging.
fn has_proven_trail(facts: &AccountFacts) -> bool {
    let proven = |heard: &TrailFacts| {
        heard.trail.multi_region && heard.status.as_ref().is_ok_and(|status| status.logging)
    };
    facts.trails.iter().any(proven)
}

#[test]
fn accounts_without_a_trail_agree_with_the_oracle() {
    for regions in regions() {
        assert_agreement(&asked(regions, []), &policies());
    }
}

#[test]
fn accounts_with_one_trail_agree_with_the_oracle() {
    let policies = policies();
    for named in [trail("a"), organization_trail("a")] {
        for heard in trails(&named) {
            for regions in [
                vec![(HOME, RegionAnswer::Whole)],
                vec![(HOME, TIMEOUT), (AWAY, RegionAnswer::Partial)],
            ] {
                assert_agreement(&asked(regions, [heard.clone()]), &policies);
            }
        }
        for heard in few_trails(&named) {
            for regions in regions() {
                assert_agreement(&asked(regions, [heard.clone()]), &policies);
            }
        }
    }
}

#[test]
fn accounts_with_two_trails_agree_with_the_oracle() {
    let policies = [rule(), requiring(&Check::ALL)];
    for own in few_trails(&trail("a")) {
        for other in few_trails(&organization_trail("b")) {
            for answer in [RegionAnswer::Whole, RegionAnswer::Partial] {
                let facts = asked([(HOME, answer)], [own.clone(), other.clone()]);
                assert_agreement(&facts, &policies);
            }
        }
    }
}
