use super::*;
use crate::compliance::fixtures::{
    AWAY, COMPLIANT, HOME, ME, OWNER, Sketch, ahead, arn, asked, basic, basics, both, failed, no,
    now, organization_trail, requiring, rule, trail, unknown, whole,
};
use crate::facts::{EventSelectors, Failure, ReadWrite, RegionAnswer};
use RegionAnswer::{Disabled, Failed, Partial, Whole};

const TIMEOUT: RegionAnswer = Failed(Failure::Timeout);

fn judge(facts: &AccountFacts) -> Evaluation {
    evaluate(facts, &rule(), now())
}

fn check(facts: &AccountFacts, check: Check) -> Truth {
    judge(facts).checks[check as usize]
}

fn because(order: u32, failure: Failure) -> Truth {
    let reason = Reason::Failed(failure);
    Truth::Unknown { order, reason }
}

#[test]
fn a_logging_multi_region_trail_is_compliance() {
    let heard = judge(&whole([trail("a")]));
    assert_eq!(heard.verdict, COMPLIANT);
    assert_eq!(heard.evidence, Some(arn(ME, "a")));
    assert_eq!(heard.management_events, [Truth::True; 2]);
}

#[test]
fn every_check_is_judged_whatever_is_required() {
    let heard = judge(&whole([trail("a")]));
    let [.., kms, logs] = heard.checks;
    assert_eq!(heard.checks[..5], [Truth::True; 5]);
    assert_eq!([kms, logs], [Truth::False; 2]);
    let all = whole([trail("a").encrypted().watched()]);
    assert_eq!(judge(&all).checks, [Truth::True; 7]);
    let none = whole([]);
    assert_eq!(judge(&none).checks, [Truth::False; 7]);
}

#[test]
fn every_check_after_the_first_asks_for_a_logging_trail() {
    let stopped = whole([trail("a").encrypted().watched().stopped()]);
    assert_eq!(judge(&stopped).checks[0], Truth::True);
    assert_eq!(judge(&stopped).checks[1..], [Truth::False; 6]);
}

#[test]
fn one_trail_must_satisfy_a_check_jointly_with_logging() {
    let facts = whole([
        trail("a").validated(Some(false)),
        trail("b").stopped().encrypted().watched(),
    ]);
    for split in [
        Check::LogFileValidation,
        Check::KmsEncryption,
        Check::CloudWatchLogs,
    ] {
        assert_eq!(check(&facts, split), Truth::False, "{split:?}");
    }
}

#[test]
fn a_single_region_trail_passes_no_check() {
    let facts = whole([trail("a").single_region().encrypted().watched()]);
    assert_eq!(judge(&facts).checks, [Truth::False; 7]);
}

#[test]
fn what_a_description_does_not_say_is_malformed() {
    let facts = both(TIMEOUT, Whole, [trail("a").validated(None)]);
    assert_eq!(
        check(&facts, Check::LogFileValidation),
        because(1, Failure::Malformed)
    );
    let stopped = whole([trail("a").validated(None).stopped()]);
    assert_eq!(check(&stopped, Check::LogFileValidation), Truth::False);
}

#[test]
fn calls_are_placed_describe_first_then_status_and_selectors_of_each_trail() {
    let unread = |name| trail(name).status_failed(Failure::Timeout);
    let facts = both(Whole, Whole, [trail("a").stopped(), unread("b")]);
    assert_eq!(check(&facts, Check::Logging), because(4, Failure::Timeout));
    let selectors = trail("b").selectors_failed(Failure::Tls);
    let facts = both(Whole, Whole, [trail("a").stopped(), selectors]);
    assert_eq!(
        check(&facts, Check::ManagementEvents),
        because(5, Failure::Tls)
    );
}

#[test]
fn single_region_trails_are_asked_too_and_keep_their_place() {
    let unread = trail("b").status_failed(Failure::Timeout);
    let facts = whole([trail("a").single_region(), unread]);
    assert_eq!(check(&facts, Check::Logging), because(3, Failure::Timeout));
}

#[test]
fn a_refused_or_missing_status_is_unreadable_and_others_keep_their_name() {
    for (failure, reason) in [
        (Failure::AccessDenied, Reason::TrailStatusUnreadable),
        (Failure::NotFound, Reason::TrailStatusUnreadable),
        (Failure::Throttled, Reason::Failed(Failure::Throttled)),
        (
            Failure::RegionDisabled,
            Reason::Failed(Failure::RegionDisabled),
        ),
        (Failure::Other, Reason::Failed(Failure::Other)),
    ] {
        let heard = judge(&whole([trail("a").status_failed(failure)]));
        assert_eq!(heard.verdict, unknown(reason));
        assert_eq!(heard.checks[0], Truth::True);
    }
}

#[test]
fn a_foreign_trail_whose_home_region_is_disabled_covers_nothing_for_certain() {
    let lost = organization_trail("o").status_failed(Failure::RegionDisabled);
    let disabled = because(1, Failure::RegionDisabled);
    let heard = judge(&whole([lost.clone()]));
    assert_eq!(heard.checks[..4], [disabled; 4]);
    assert_eq!(heard.verdict, failed(Failure::RegionDisabled));
    assert_eq!(heard.trails, Some(1));
    assert_eq!(heard.multi_region_trails, Some(1));
    assert_eq!(heard.logging_multi_region_trails, None);
    assert_eq!(heard.organization_trails, Some(1));
    assert_eq!(judge(&whole([lost, trail("z")])).verdict, COMPLIANT);
}

#[test]
fn a_foreign_trail_whose_status_is_refused_still_covers() {
    let refused = organization_trail("o").status_failed(Failure::AccessDenied);
    assert_eq!(
        check(&whole([refused]), Check::MultiRegionTrail),
        Truth::True
    );
}

#[test]
fn the_first_failing_required_check_in_order_names_the_reason() {
    let all = requiring(&[Check::KmsEncryption, Check::Delivery, Check::Logging]);
    let stopped = whole([trail("a").stopped()]);
    assert_eq!(
        evaluate(&stopped, &all, now()).verdict,
        no(Reason::NotLogging)
    );
    let failing = whole([trail("a").failing("NoSuchBucket")]);
    assert_eq!(
        evaluate(&failing, &all, now()).verdict,
        no(Reason::DeliveryFailing)
    );
    let plain = whole([trail("a")]);
    assert_eq!(
        evaluate(&plain, &all, now()).verdict,
        no(Reason::KmsEncryptionDisabled)
    );
}

#[test]
fn each_check_that_fails_has_its_reason() {
    let nothing = EventSelectors::Advanced(Vec::new());
    for (required, heard, reason) in [
        (
            Check::MultiRegionTrail,
            trail("a").single_region(),
            Reason::NoMultiRegionTrail,
        ),
        (Check::Logging, trail("a").stopped(), Reason::NotLogging),
        (
            Check::ManagementEvents,
            trail("a").selecting(nothing),
            Reason::ManagementEventsIncomplete,
        ),
        (
            Check::LogFileValidation,
            trail("a").validated(Some(false)),
            Reason::LogFileValidationDisabled,
        ),
        (
            Check::KmsEncryption,
            trail("a"),
            Reason::KmsEncryptionDisabled,
        ),
        (
            Check::CloudWatchLogs,
            trail("a"),
            Reason::CloudWatchLogsDisabled,
        ),
    ] {
        let heard = evaluate(&whole([heard]), &requiring(&[required]), now());
        assert_eq!(heard.verdict, no(reason));
        assert_eq!(heard.evidence, None);
    }
}

#[test]
fn delivery_is_failing_only_where_a_logging_multi_region_trail_reports_it() {
    let stale = || {
        trail("a")
            .s3(crate::facts::Moment::Never)
            .digest(crate::facts::Moment::Never)
    };
    let broken = || trail("b").failing("NoSuchBucket");
    for (other, reason) in [
        (broken(), Reason::DeliveryFailing),
        (broken().stopped(), Reason::DeliveryStale),
        (broken().single_region(), Reason::DeliveryStale),
        (trail("b").stopped(), Reason::DeliveryStale),
    ] {
        let facts = whole([stale(), other]);
        let heard = evaluate(&facts, &requiring(&[Check::Delivery]), now());
        assert_eq!(heard.verdict, no(reason));
    }
}

#[test]
fn no_trail_needs_every_region_to_say_so() {
    for (home, away, reason) in [
        (Whole, Whole, Reason::NoTrail),
        (Whole, Disabled, Reason::NoTrail),
        (Whole, TIMEOUT, Reason::NoMultiRegionTrail),
        (Partial, Whole, Reason::NoMultiRegionTrail),
    ] {
        assert_eq!(judge(&both(home, away, [])).verdict, no(reason));
    }
}

#[test]
fn only_required_unknowns_name_the_reason_of_an_open_verdict() {
    let facts = whole([
        trail("a").stopped().selectors_failed(Failure::Tls),
        trail("b")
            .s3(ahead(10))
            .digest(ahead(10))
            .selectors_failed(Failure::Throttled),
    ]);
    let ask = |required: &[Check]| evaluate(&facts, &requiring(required), now()).verdict;
    assert_eq!(ask(&[Check::Logging]), COMPLIANT);
    assert_eq!(ask(&[Check::Delivery]), failed(Failure::ClockSkew));
    assert_eq!(ask(&[Check::ManagementEvents]), failed(Failure::Throttled));
    let both = ask(&[Check::ManagementEvents, Check::Delivery]);
    assert_eq!(both, failed(Failure::ClockSkew));
}

#[test]
fn a_count_is_known_when_its_own_answers_were_whole() {
    let trails = || {
        [
            trail("a"),
            trail("b").stopped(),
            trail("c").single_region(),
            organization_trail("o"),
        ]
    };
    let counts = |home, away| {
        let heard = judge(&both(home, away, trails()));
        [
            heard.trails,
            heard.multi_region_trails,
            heard.logging_multi_region_trails,
            heard.organization_trails,
        ]
    };
    let all = [Some(4), Some(3), Some(2), Some(1)];
    let multi_region = [None, Some(3), Some(2), None];
    assert_eq!(counts(Whole, Whole), all);
    assert_eq!(counts(Whole, Disabled), all);
    assert_eq!(counts(Whole, Partial), multi_region);
    assert_eq!(counts(TIMEOUT, Whole), multi_region);
    assert_eq!(counts(Partial, TIMEOUT), [None; 4]);
    assert_eq!(counts(Disabled, Disabled), [None; 4]);
}

#[test]
fn logging_trails_are_counted_only_if_every_status_is_known() {
    let unread = |heard: TrailFacts| heard.status_failed(Failure::Timeout);
    let heard = judge(&whole([trail("a"), unread(trail("b"))]));
    assert_eq!(heard.logging_multi_region_trails, None);
    let heard = judge(&whole([trail("a"), unread(trail("b").single_region())]));
    assert_eq!(heard.logging_multi_region_trails, Some(1));
    assert_eq!(judge(&whole([])).logging_multi_region_trails, Some(0));
}

#[test]
fn the_evidence_passes_most_of_the_required_checks_lowest_arn_first() {
    let facts = whole([
        trail("a").stopped().encrypted(),
        trail("b"),
        trail("c").encrypted(),
        trail("d").encrypted(),
    ]);
    let named = |required: &[Check]| evaluate(&facts, &requiring(required), now()).evidence;
    assert_eq!(named(&[Check::Logging]), Some(arn(ME, "b")));
    assert_eq!(
        named(&[Check::Logging, Check::KmsEncryption]),
        Some(arn(ME, "c"))
    );
    assert_eq!(named(&[Check::MultiRegionTrail]), Some(arn(ME, "b")));
}

#[test]
fn evidence_counts_the_events_a_trail_records_by_itself() {
    let unread = trail("a").selectors_failed(Failure::Tls);
    let partly = trail("b").selecting(EventSelectors::Advanced(Vec::new()));
    let facts = whole([unread, partly, trail("c")]);
    let policy = requiring(&[Check::Logging, Check::ManagementEvents]);
    assert_eq!(
        evaluate(&facts, &policy, now()).evidence,
        Some(arn(ME, "c"))
    );
}

#[test]
fn trails_together_record_all_events_where_none_does_alone() {
    let only = |kinds| basics([basic(kinds, &[])]);
    let facts = whole([
        trail("a").selecting(only(ReadWrite::ReadOnly)),
        trail("b").selecting(only(ReadWrite::WriteOnly)),
    ]);
    let heard = evaluate(&facts, &requiring(&[Check::ManagementEvents]), now());
    assert_eq!(heard.verdict, COMPLIANT);
    assert_eq!(heard.evidence, Some(arn(ME, "a")));
}

#[test]
fn a_trail_that_is_not_logging_is_no_evidence() {
    let facts = whole([trail("a").stopped()]);
    let heard = evaluate(&facts, &requiring(&[Check::MultiRegionTrail]), now());
    assert_eq!((heard.verdict, heard.evidence), (COMPLIANT, None));
}

#[test]
fn an_organization_trail_covers_a_member() {
    let heard = judge(&whole([organization_trail("o")]));
    assert_eq!(heard.verdict, COMPLIANT);
    assert_eq!(heard.evidence, Some(arn(OWNER, "o")));
}

#[test]
fn a_proven_no_beats_an_unknown() {
    let policy = requiring(&[Check::Logging, Check::KmsEncryption]);
    let facts = whole([trail("a").status_failed(Failure::Timeout)]);
    let verdict = evaluate(&facts, &policy, now()).verdict;
    assert_eq!(verdict, no(Reason::KmsEncryptionDisabled));
}

#[test]
fn regions_that_all_fail_leave_everything_open() {
    let facts = asked([(HOME, Partial), (AWAY, TIMEOUT)], []);
    let heard = judge(&facts);
    assert_eq!(heard.checks, [because(0, Failure::Malformed); 7]);
    assert_eq!(heard.verdict, failed(Failure::Malformed));
}
