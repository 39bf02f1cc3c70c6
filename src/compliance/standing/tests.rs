use super::*;
use crate::compliance::fixtures::{
    AWAY, COMPLIANT, HOME, ME, OWNER, Sketch, arn, asked, basic, basics, both, failed,
    held_by_owner, id, minutes, no, nobody, now, organization_trail, owned, poll, requiring, rule,
    trail, unknown, whole,
};
use crate::facts::{ReadWrite, RegionAnswer, TrailFacts};
use std::time::Duration;

const TIMEOUT: RegionAnswer = RegionAnswer::Failed(Failure::Timeout);

/// So many minutes after `now()`.
fn later(after: u64) -> Timestamp {
    now() + minutes(after)
}

fn new() -> Standing {
    Standing::new(Arc::new(rule()))
}

fn under(required: &[Check]) -> Standing {
    Standing::new(Arc::new(requiring(required)))
}

/// After a poll with these facts that ended so many minutes after `now()`.
fn heard(standing: &Standing, facts: &AccountFacts, after: u64) -> Standing {
    standing.after(&poll(facts.clone(), later(after)), nobody, later(after))
}

fn ended(after: u64, outcome: PollOutcome) -> Poll {
    Poll {
        ended: later(after),
        duration: Duration::from_secs(1),
        outcome,
    }
}

fn without_session(standing: &Standing, failure: Failure, after: u64) -> Standing {
    let operation = Operation::AssumeRole;
    let poll = ended(after, PollOutcome::NoSession { operation, failure });
    standing.after(&poll, nobody, later(after))
}

fn wrong_account(standing: &Standing, after: u64) -> Standing {
    let found = id(OWNER);
    let poll = ended(after, PollOutcome::WrongAccount { found });
    standing.after(&poll, nobody, later(after))
}

/// Every call times out.
fn silence() -> AccountFacts {
    asked([(HOME, TIMEOUT)], [])
}

#[test]
fn before_any_poll_nothing_is_known() {
    let standing = new();
    assert_eq!(standing.verdict(now()), unknown(Reason::NotPolled));
    assert_eq!(standing.evidence(now()), None);
    assert!(
        Check::ALL
            .iter()
            .all(|check| standing.check(*check, now()).is_none())
    );
    assert!(
        EventKind::ALL
            .iter()
            .all(|kind| standing.management_events(*kind, now()).is_none())
    );
    assert_eq!(
        (standing.last_poll(), standing.last_success()),
        (None, None)
    );
    assert_eq!(
        (standing.trails(), standing.counts()),
        (&[][..], Counts::default())
    );
    assert_eq!(standing.wrong_account(), None);
}

#[test]
fn a_poll_that_proves_compliance_says_so() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    assert_eq!(standing.verdict(now()), COMPLIANT);
    assert_eq!(standing.evidence(now()), Some(&arn(ME, "a")));
    assert_eq!(standing.last_success(), Some(now().wall()));
    let last = standing.last_poll().expect("a poll");
    assert_eq!((last.up, last.open_reason, last.ended), (true, None, now()));
    assert_eq!(last.regions, [(HOME.parse().expect("a Region"), true)]);
    assert_eq!(standing.trails().len(), 1);
}

#[test]
fn compliance_lasts_as_long_as_its_proof_is_fresh() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    assert_eq!(standing.verdict(later(15)), COMPLIANT);
    assert!(standing.evidence(later(15)).is_some());
    assert_eq!(standing.verdict(later(16)), unknown(Reason::Stale));
    assert_eq!(standing.evidence(later(16)), None);
}

#[test]
fn non_compliance_lasts_until_a_poll_proves_otherwise() {
    let standing = heard(&new(), &whole([trail("a").stopped()]), 0);
    assert_eq!(standing.verdict(later(100_000)), no(Reason::NotLogging));
    assert_eq!(standing.evidence(now()), None);
    let standing = heard(&standing, &whole([trail("a")]), 5);
    assert_eq!(standing.verdict(later(5)), COMPLIANT);
}

#[test]
fn an_outage_raises_no_alarm_and_clears_none() {
    let compliant = heard(&new(), &whole([trail("a")]), 0);
    let open = heard(&compliant, &silence(), 5);
    assert_eq!(open.verdict(later(15)), COMPLIANT);
    assert_eq!(open.evidence(later(15)), Some(&arn(ME, "a")));
    assert_eq!(open.verdict(later(16)), failed(Failure::Timeout));
    let alarm = heard(&new(), &whole([]), 0);
    let open = heard(&alarm, &silence(), 5);
    assert_eq!(open.verdict(later(9_000)), no(Reason::NoTrail));
    let open = without_session(&open, Failure::Credentials, 10);
    assert_eq!(open.verdict(later(9_000)), no(Reason::NoTrail));
}

#[test]
fn an_open_poll_is_not_up_and_says_why() {
    let standing = heard(&heard(&new(), &whole([trail("a")]), 0), &silence(), 5);
    let last = standing.last_poll().expect("a poll");
    let reason = Some(Reason::Failed(Failure::Timeout));
    assert_eq!((last.up, last.open_reason), (false, reason));
    assert_eq!(
        last.failing,
        [(Operation::DescribeTrails, Failure::Timeout)]
    );
    assert_eq!(last.regions, [(HOME.parse().expect("a Region"), false)]);
    assert_eq!(standing.last_success(), Some(now().wall()));
}

#[test]
fn an_open_poll_with_nothing_held_is_unknown_for_its_reason() {
    let standing = heard(&new(), &silence(), 0);
    assert_eq!(standing.verdict(now()), failed(Failure::Timeout));
    assert_eq!(standing.last_success(), None);
}

#[test]
fn a_decayed_verdict_names_the_failure_of_the_last_poll_alone() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let standing = without_session(&standing, Failure::Throttled, 5);
    let standing = without_session(&standing, Failure::Credentials, 10);
    assert_eq!(standing.verdict(later(60)), failed(Failure::Credentials));
}

#[test]
fn without_a_session_nothing_was_asked() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let standing = without_session(&standing, Failure::AccessDenied, 5);
    let last = standing.last_poll().expect("a poll");
    assert!(last.regions.is_empty() && !last.up);
    assert_eq!(
        last.failing,
        [(Operation::AssumeRole, Failure::AccessDenied)]
    );
    assert_eq!(last.ended, later(5));
    assert_eq!(standing.trails().len(), 1);
    assert_eq!(standing.counts().trails, Some(1));
    assert_eq!(standing.verdict(later(5)), COMPLIANT);
}

#[test]
fn no_verdict_names_a_trail_that_is_not_found_or_a_disabled_region_as_a_failing_call() {
    let standing = without_session(&new(), Failure::NotFound, 0);
    assert_eq!(standing.verdict(now()), failed(Failure::Other));
    let standing = without_session(&new(), Failure::RegionDisabled, 0);
    assert_eq!(standing.verdict(now()), failed(Failure::RegionDisabled));
    assert_eq!(standing.last_poll().expect("a poll").failing, []);
}

#[test]
fn the_wrong_account_hides_everything() {
    let standing = heard(&new(), &whole([trail("a").stopped()]), 0);
    let standing = wrong_account(&standing, 5);
    assert_eq!(standing.verdict(later(5)), unknown(Reason::WrongAccount));
    assert_eq!(standing.wrong_account(), Some(id(OWNER)));
    assert_eq!(
        (standing.trails(), standing.counts()),
        (&[][..], Counts::default())
    );
    assert_eq!(standing.check(Check::Logging, later(5)), None);
    assert_eq!(standing.last_success(), None);
    let last = standing.last_poll().expect("a poll");
    assert_eq!(
        (last.up, last.open_reason),
        (false, Some(Reason::WrongAccount))
    );
    assert!(last.failing.is_empty() && last.regions.is_empty());
    assert_eq!(last.ended, later(5));
}

#[test]
fn what_was_hidden_comes_back_with_the_right_account_and_not_before() {
    let proven = heard(&new(), &whole([trail("a").stopped()]), 0);
    let wrong = wrong_account(&wrong_account(&proven, 5), 10);
    let without = without_session(&wrong, Failure::Tls, 15);
    assert_eq!(without.verdict(later(15)), failed(Failure::Tls));
    assert_eq!(without.trails(), []);
    let open = both(
        RegionAnswer::Failed(Failure::Tls),
        RegionAnswer::Failed(Failure::Tls),
        [],
    );
    for hidden in [wrong, without] {
        let right = heard(&hidden, &open, 20);
        assert_eq!(right.verdict(later(20)).reason, Reason::NotLogging);
        assert_eq!(right.trails(), proven.trails());
        assert_eq!(
            (right.last_success(), right.wrong_account()),
            (Some(now().wall()), None)
        );
    }
}

#[test]
fn what_is_hidden_is_judged_by_the_policy_of_its_return() {
    let proven = heard(&new(), &whole([trail("a")]), 0);
    let strict = Arc::new(requiring(&[Check::Logging, Check::KmsEncryption]));
    let hidden = wrong_account(&proven, 1).with_policy(strict, later(1));
    let open = both(
        RegionAnswer::Failed(Failure::Tls),
        RegionAnswer::Failed(Failure::Tls),
        [],
    );
    let right = heard(&hidden, &open, 2);
    assert_eq!(
        right.verdict(later(2)).reason,
        Reason::KmsEncryptionDisabled
    );
}

#[test]
fn the_right_account_is_believed_again() {
    let wrong = wrong_account(&new(), 0);
    let standing = heard(&wrong, &whole([trail("a")]), 5);
    assert_eq!(
        (standing.verdict(later(5)), standing.wrong_account()),
        (COMPLIANT, None)
    );
    let standing = without_session(&wrong, Failure::Tls, 5);
    assert_eq!(standing.verdict(later(5)), failed(Failure::Tls));
    assert_eq!(standing.wrong_account(), None);
}

#[test]
fn a_passed_check_decays_and_a_failed_one_stays() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let kms = |at| standing.check(Check::KmsEncryption, at);
    let logging = |at| standing.check(Check::Logging, at);
    assert_eq!(
        (logging(later(15)), kms(later(15))),
        (Some(true), Some(false))
    );
    assert_eq!((logging(later(16)), kms(later(16))), (None, Some(false)));
}

#[test]
fn an_open_check_keeps_its_last_proof_and_its_age() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let unread = trail("a").status_failed(Failure::Timeout);
    let standing = heard(&standing, &whole([unread]), 10);
    assert_eq!(
        standing.check(Check::MultiRegionTrail, later(20)),
        Some(true)
    );
    assert_eq!(standing.check(Check::Logging, later(15)), Some(true));
    assert_eq!(standing.check(Check::Logging, later(16)), None);
}

#[test]
fn a_verdict_is_as_old_as_the_last_poll_that_determined_it_not_as_its_checks() {
    let unread = || trail("a").status_failed(Failure::Timeout);
    let mut standing = heard(&new(), &whole([trail("a")]), 0);
    standing = heard(&standing, &whole([unread()]), 10);
    assert_eq!(
        standing.check(Check::MultiRegionTrail, later(16)),
        Some(true)
    );
    assert_eq!(standing.verdict(later(16)), failed(Failure::Timeout));
}

#[test]
fn an_alarm_stays_although_its_check_passed_in_an_open_poll() {
    let required = [Check::Logging, Check::ManagementEvents];
    let standing = heard(&under(&required), &whole([trail("a").stopped()]), 0);
    let partly = trail("a").selectors_failed(Failure::Throttled);
    let standing = heard(&standing, &whole([partly]), 5);
    assert_eq!(standing.check(Check::Logging, later(5)), Some(true));
    assert_eq!(standing.verdict(later(5)), no(Reason::NotLogging));
    let last = standing.last_poll().expect("a poll");
    assert_eq!(last.open_reason, Some(Reason::Failed(Failure::Throttled)));
}

#[test]
fn a_new_proof_of_non_compliance_names_the_new_reason() {
    let standing = heard(&new(), &whole([trail("a").stopped()]), 0);
    let standing = heard(&standing, &whole([]), 5);
    assert_eq!(standing.verdict(later(5)), no(Reason::NoTrail));
}

#[test]
fn recorded_events_decay_and_unrecorded_ones_stay() {
    let reads = basics([basic(ReadWrite::ReadOnly, &[])]);
    let standing = heard(&new(), &whole([trail("a").selecting(reads)]), 0);
    let [read, write] = EventKind::ALL;
    let trail = &standing.trails()[0];
    for (at, expected) in [(later(15), Some(true)), (later(16), None)] {
        assert_eq!(standing.management_events(read, at), expected);
        assert_eq!(standing.trail_management_events(trail, read, at), expected);
        assert_eq!(standing.management_events(write, at), Some(false));
        assert_eq!(
            standing.trail_management_events(trail, write, at),
            Some(false)
        );
    }
}

#[test]
fn selectors_of_a_stopped_trail_are_told_and_unread_ones_are_not() {
    let trails = [
        trail("a").stopped(),
        trail("b").selectors_failed(Failure::Tls),
    ];
    let standing = heard(&new(), &whole(trails), 0);
    let told = |index: usize| {
        let held = &standing.trails()[index];
        standing.trail_management_events(held, EventKind::Write, now())
    };
    assert_eq!((told(0), told(1)), (Some(true), None));
}

#[test]
fn events_left_open_keep_their_last_proof() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let unread = trail("a").selectors_failed(Failure::Timeout);
    let standing = heard(&standing, &whole([unread]), 5);
    assert_eq!(
        standing.management_events(EventKind::Read, later(15)),
        Some(true)
    );
    assert_eq!(standing.management_events(EventKind::Read, later(16)), None);
}

#[test]
fn counts_stay_until_their_own_answers_are_whole_again() {
    let trails = [
        trail("a"),
        organization_trail("o"),
        trail("s").single_region(),
    ];
    let standing = heard(&new(), &whole(trails), 0);
    let all = Counts {
        trails: Some(3),
        multi_region: Some(2),
        logging_multi_region: Some(2),
        organization: Some(1),
    };
    assert_eq!(standing.counts(), all);
    let standing = heard(&standing, &silence(), 5);
    assert_eq!(standing.counts(), all);
    let unread = trail("a").status_failed(Failure::Timeout);
    let partly = asked([(HOME, RegionAnswer::Whole), (AWAY, TIMEOUT)], [unread]);
    let standing = heard(&standing, &partly, 10);
    let expected = Counts {
        multi_region: Some(1),
        ..all
    };
    assert_eq!(standing.counts(), expected);
    let none = heard(&standing, &whole([]), 15).counts();
    let zero = Some(0);
    assert_eq!([none.trails, none.multi_region], [zero, zero]);
    assert_eq!([none.logging_multi_region, none.organization], [zero, zero]);
}

#[test]
fn a_clock_set_back_keeps_a_proof_only_as_long_as_it_would_last() {
    let standing = heard(&new(), &whole([trail("a")]), 60);
    assert_eq!(standing.verdict(later(45)), COMPLIANT);
    assert_eq!(standing.verdict(later(44)), unknown(Reason::Stale));
    assert_eq!(standing.check(Check::Logging, later(44)), None);
}

fn refused() -> AccountFacts {
    let heard = organization_trail("o").status_failed(Failure::AccessDenied);
    whole([heard.selectors_failed(Failure::AccessDenied)])
}

/// After a poll of a member that may not read the organization trail, which its owner read so many minutes after `now()`.
fn joined(standing: &Standing, after: u64, owner: &TrailFacts, read: u64) -> Standing {
    let held = held_by_owner(owner, later(read));
    standing.after(
        &poll(refused(), later(after)),
        |_| Some(owned(&held)),
        later(after),
    )
}

#[test]
fn the_owner_proves_a_member_compliant_for_as_long_as_its_own_reading_is_fresh() {
    let standing = joined(&new(), 10, &organization_trail("o"), 4);
    assert_eq!(standing.verdict(later(19)), COMPLIANT);
    assert_eq!(standing.check(Check::Logging, later(19)), Some(true));
    assert_eq!(standing.verdict(later(20)), unknown(Reason::Stale));
    assert_eq!(standing.check(Check::Logging, later(20)), None);
    assert_eq!(standing.last_success(), Some(later(4).wall()));
    assert_eq!(standing.counts().logging_multi_region, Some(1));
}

#[test]
fn a_proof_is_no_younger_than_the_members_own_poll() {
    let standing = joined(&new(), 0, &organization_trail("o"), 10);
    assert_eq!(standing.verdict(later(15)), COMPLIANT);
    assert_eq!(standing.verdict(later(16)), unknown(Reason::Stale));
}

#[test]
fn a_stand_in_is_not_the_members_own_reading() {
    let standing = joined(&new(), 10, &organization_trail("o"), 9);
    let held = &standing.trails()[0];
    assert_eq!((&held.status, &held.selectors), (&None, &None));
    let failing = &standing.last_poll().expect("a poll").failing;
    let denied = Failure::AccessDenied;
    let expected = [
        (Operation::GetTrailStatus, denied),
        (Operation::GetEventSelectors, denied),
    ];
    assert_eq!(*failing, expected);
    assert!(standing.last_poll().expect("a poll").up);
}

#[test]
fn the_owner_proves_a_member_non_compliant_too() {
    let standing = joined(&new(), 0, &organization_trail("o").stopped(), 0);
    assert_eq!(standing.verdict(now()), no(Reason::NotLogging));
    let broken = organization_trail("o").failing("NoSuchBucket");
    let standing = joined(&under(&[Check::Delivery]), 0, &broken, 0);
    assert_eq!(standing.verdict(now()), no(Reason::DeliveryFailing));
}

#[test]
fn what_a_members_own_answers_prove_is_as_fresh_as_they_are() {
    let held = held_by_owner(&organization_trail("o").encrypted(), later(4));
    let mut facts = refused();
    facts.trails.insert(0, trail("a"));
    facts.trails[1].trail.kms_key_id = Some("key".into());
    let standing = new().after(&poll(facts, later(10)), |_| Some(owned(&held)), later(10));
    let kms = |after| standing.check(Check::KmsEncryption, later(after));
    assert_eq!((kms(19), kms(20)), (Some(true), None), "the owner's word");
    for (after, known) in [(25, Some(true)), (26, None)] {
        assert_eq!(standing.check(Check::Logging, later(after)), known);
        let read = standing.management_events(EventKind::Read, later(after));
        assert_eq!(read, known);
    }
    assert_eq!(standing.verdict(later(25)), COMPLIANT);
    assert_eq!(standing.verdict(later(26)), unknown(Reason::Stale));
}

#[test]
fn the_same_poll_applied_again_changes_nothing() {
    for facts in [whole([trail("a")]), whole([]), silence(), refused()] {
        let before = heard(&new(), &whole([trail("a"), trail("b").single_region()]), 0);
        let once = heard(&before, &facts, 5);
        assert_eq!(heard(&once, &facts, 5), once);
    }
    let once = wrong_account(&new(), 5);
    assert_eq!(wrong_account(&once, 5), once);
    let once = without_session(&once, Failure::Tls, 5);
    assert_eq!(without_session(&once, Failure::Tls, 5), once);
}

#[test]
fn the_same_poll_applied_again_with_a_better_owner_is_as_if_applied_so_at_once() {
    let before = heard(&new(), &whole([trail("a").stopped()]), 0);
    let better = |standing: &Standing| joined(standing, 5, &organization_trail("o"), 4);
    let at_once = better(&before);
    assert_eq!(at_once.verdict(later(5)), COMPLIANT);
    assert_eq!(better(&heard(&before, &refused(), 5)), at_once);
    let older = joined(&before, 5, &organization_trail("o").stopped(), 1);
    assert_eq!(better(&older), at_once);
}

#[test]
fn another_policy_with_the_same_checks_judges_nothing_anew() {
    let required = [Check::Logging, Check::ManagementEvents];
    let standing = heard(&under(&required), &whole([trail("a").stopped()]), 0);
    let partly = trail("a").selectors_failed(Failure::Throttled);
    let standing = heard(&standing, &whole([partly]), 5);
    let reversed = [Check::ManagementEvents, Check::Logging];
    let mut policy = requiring(&reversed);
    policy.stale_after = minutes(60);
    let standing = standing.with_policy(Arc::new(policy), later(5));
    assert_eq!(standing.verdict(later(5)), no(Reason::NotLogging));
    assert_eq!(standing.check(Check::Logging, later(60)), Some(true));
}

#[test]
fn a_shorter_stale_after_counts_at_once() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let mut policy = rule();
    policy.stale_after = minutes(5);
    let standing = standing.with_policy(Arc::new(policy), now());
    assert_eq!(standing.verdict(later(5)), COMPLIANT);
    assert_eq!(standing.verdict(later(6)), unknown(Reason::Stale));
}

#[test]
fn a_stricter_policy_judges_what_is_held() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let strict = requiring(&[Check::Logging, Check::KmsEncryption]);
    let standing = standing.with_policy(Arc::new(strict), now());
    assert_eq!(
        standing.verdict(later(500)),
        no(Reason::KmsEncryptionDisabled)
    );
    assert_eq!(standing.evidence(now()), None);
    assert!(standing.last_poll().expect("a poll").up);
}

#[test]
fn a_laxer_policy_judges_what_is_held_and_finds_the_evidence() {
    let trails = [
        trail("a").single_region(),
        trail("b").stopped(),
        trail("c"),
        trail("d"),
    ];
    let strict = under(&[Check::Logging, Check::KmsEncryption]);
    let standing = heard(&strict, &whole(trails), 0);
    assert_eq!(standing.verdict(now()), no(Reason::KmsEncryptionDisabled));
    let standing = standing.with_policy(Arc::new(rule()), now());
    assert_eq!(standing.verdict(later(15)), COMPLIANT);
    assert_eq!(standing.evidence(later(15)), Some(&arn(ME, "c")));
    assert_eq!(standing.verdict(later(16)), unknown(Reason::Stale));
}

#[test]
fn a_check_that_was_never_determined_leaves_the_new_verdict_open() {
    let unread = trail("a").selectors_failed(Failure::Throttled);
    let standing = heard(&new(), &whole([unread]), 0);
    let policy = Arc::new(requiring(&[Check::Logging, Check::ManagementEvents]));
    let standing = standing.with_policy(policy, now());
    assert_eq!(standing.verdict(now()), failed(Failure::Throttled));
    let last = standing.last_poll().expect("a poll");
    let reason = Some(Reason::Failed(Failure::Throttled));
    assert_eq!((last.up, last.open_reason), (false, reason));
    assert_eq!(standing.evidence(now()), None);
}

#[test]
fn a_policy_that_needs_less_than_failed_makes_the_last_poll_a_success() {
    let unread = trail("a").selectors_failed(Failure::Throttled);
    let strict = under(&[Check::Logging, Check::ManagementEvents]);
    let standing = heard(&strict, &whole([unread]), 0);
    assert_eq!(standing.last_success(), None);
    let standing = standing.with_policy(Arc::new(rule()), now());
    assert_eq!(standing.verdict(now()), COMPLIANT);
    assert!(standing.last_poll().expect("a poll").up);
    assert_eq!(standing.last_success(), Some(now().wall()));
}

#[test]
fn a_verdict_judged_anew_is_as_old_as_the_oldest_check_it_needs() {
    let all = [
        Check::MultiRegionTrail,
        Check::Logging,
        Check::LogFileValidation,
    ];
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let unread = trail("a").status_failed(Failure::Timeout);
    let standing = heard(&standing, &whole([unread]), 10);
    let standing = standing.with_policy(Arc::new(requiring(&all)), later(10));
    assert_eq!(standing.verdict(later(15)), COMPLIANT);
    assert_eq!(standing.verdict(later(16)), failed(Failure::Timeout));
    let least = requiring(&[Check::MultiRegionTrail]);
    let standing = standing.with_policy(Arc::new(least), later(15));
    assert_eq!(standing.verdict(later(25)), COMPLIANT);
    assert_eq!(standing.verdict(later(26)), unknown(Reason::Stale));
}

#[test]
fn the_evidence_of_a_stand_in_outlives_a_new_policy() {
    let standing = joined(&new(), 0, &organization_trail("o"), 0);
    let policy = requiring(&[Check::Logging, Check::Delivery]);
    let standing = standing.with_policy(Arc::new(policy), now());
    assert_eq!(standing.verdict(now()), COMPLIANT);
    assert_eq!(standing.evidence(now()), Some(&arn(OWNER, "o")));
}

#[test]
fn a_policy_for_an_account_never_polled_or_not_ones_own_changes_no_verdict() {
    let strict = || Arc::new(requiring(&Check::ALL));
    let standing = new().with_policy(strict(), now());
    assert_eq!(standing.verdict(now()), unknown(Reason::NotPolled));
    let standing = wrong_account(&new(), 0).with_policy(strict(), now());
    assert_eq!(standing.verdict(now()), unknown(Reason::WrongAccount));
    assert_eq!(standing.wrong_account(), Some(id(OWNER)));
}

/// When the state of so many minutes after `now()` began.
fn since(standing: &Standing, after: u64) -> SystemTime {
    standing.since(later(after)).expect("it was polled")
}

fn wall(after: u64) -> SystemTime {
    later(after).wall()
}

fn stopped_at(name: &str, before: u64) -> TrailFacts {
    let at = (now() - minutes(before)).wall();
    let stopped = trail(name).stopped();
    stopped.with_status(|status| status.stopped = crate::facts::Moment::At(at))
}

#[test]
fn a_state_begins_with_the_first_proof_of_its_run() {
    assert_eq!(new().since(now()), None);
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let standing = heard(&standing, &whole([trail("a")]), 5);
    assert_eq!(since(&standing, 5), wall(0));
    let failed = heard(&standing, &silence(), 10);
    assert_eq!(since(&failed, 10), wall(0));
    let standing = heard(&failed, &whole([]), 15);
    assert_eq!(since(&standing, 15), wall(15));
    let other_reason = heard(&standing, &whole([stopped_at("a", 100)]), 20);
    assert_eq!(other_reason.verdict(later(20)), no(Reason::NotLogging));
    assert_eq!(
        since(&other_reason, 20),
        wall(15),
        "no change of reason moves it"
    );
}

#[test]
fn an_account_first_polled_as_the_wrong_one_has_been_unknown_since_then() {
    let wrong = wrong_account(&new(), 0);
    let right = heard(&wrong, &silence(), 5);
    assert_eq!(right.verdict(later(5)), failed(Failure::Timeout));
    assert_eq!(since(&right, 5), wall(0), "no change of reason moves it");
    let proven = heard(&right, &whole([trail("a")]), 10);
    assert_eq!(since(&proven, 10), wall(10));
}

#[test]
fn a_run_that_begins_without_logging_began_when_the_last_trail_was_stopped() {
    let ago = |before| (now() - minutes(before)).wall();
    let two = whole([
        stopped_at("a", 100),
        stopped_at("b", 30),
        trail("c").single_region(),
    ]);
    assert_eq!(since(&heard(&new(), &two, 0), 0), ago(30));
    let unsaid = whole([trail("a").stopped()]);
    assert_eq!(since(&heard(&new(), &unsaid, 0), 0), wall(0));
    let ahead = heard(&new(), &whole([stopped_at("a", 0)]), 0);
    assert_eq!(since(&ahead, 0), wall(0));
    let mut later_than_proof = whole([trail("a").stopped()]);
    if let Ok(status) = &mut later_than_proof.trails[0].status {
        status.stopped = crate::facts::Moment::At(later(3).wall());
    }
    assert_eq!(since(&heard(&new(), &later_than_proof, 0), 0), wall(0));
}

#[test]
fn unknown_begins_when_the_last_proof_lapsed_or_with_the_end_of_the_first_poll() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    for after in [16, 20, 400] {
        assert_eq!(since(&standing, after), wall(15), "between two looks");
    }
    let looked = standing.lapsed(later(16)).expect("it lapsed");
    assert_eq!(since(&looked, 400), wall(15));
    let failed = heard(&standing, &silence(), 20);
    assert_eq!(since(&failed, 20), wall(15));
    let again = heard(&failed, &whole([trail("a")]), 25);
    assert_eq!(since(&again, 25), wall(25));
    let never = heard(&heard(&new(), &silence(), 5), &silence(), 10);
    assert_eq!(since(&never, 10), wall(5));
    let denied = without_session(&new(), Failure::AccessDenied, 5);
    assert_eq!(since(&denied, 5), wall(5));
}

#[test]
fn a_verdict_made_by_a_reload_begins_with_it_and_no_other_does() {
    let standing = heard(&new(), &whole([trail("a")]), 0);
    let strict = Arc::new(requiring(&[Check::Logging, Check::KmsEncryption]));
    let judged = standing.with_policy(strict, later(7));
    assert_eq!(judged.verdict(later(7)).state, State::NonCompliant);
    assert_eq!(since(&judged, 7), wall(7));
    let mut longer = rule();
    longer.stale_after = minutes(60);
    let kept = standing.with_policy(Arc::new(longer), later(7));
    assert_eq!(since(&kept, 40), wall(0));
}

#[test]
fn evidence_never_names_a_trail_that_was_heard_to_have_stopped() {
    let both = heard(&new(), &whole([trail("a"), trail("b")]), 0);
    assert_eq!(both.evidence(later(0)), Some(&arn(ME, "a")));
    let throttled = || trail("b").status_failed(Failure::Throttled);
    let open = heard(&both, &whole([trail("a").stopped(), throttled()]), 5);
    assert_eq!(open.verdict(later(5)), COMPLIANT);
    assert_eq!(open.evidence(later(5)), Some(&arn(ME, "b")));
    let gone = heard(&both, &whole([throttled()]), 5);
    assert_eq!(gone.evidence(later(5)), Some(&arn(ME, "b")));
    let single = trail("a").single_region().status_failed(Failure::Throttled);
    let narrowed = heard(&both, &whole([single, throttled()]), 5);
    assert_eq!(narrowed.evidence(later(5)), Some(&arn(ME, "b")));
    let one = heard(&new(), &whole([trail("a"), throttled()]), 0);
    let none = heard(&one, &whole([trail("a").stopped(), throttled()]), 5);
    assert_eq!(none.verdict(later(5)), COMPLIANT, "held");
    assert_eq!(none.evidence(later(5)), None);
}

#[test]
fn a_shadow_copy_decides_logging_and_never_disproves_a_delivery() {
    let from_afar = |heard: TrailFacts| {
        let mut heard = heard.selectors_failed(Failure::AccessDenied);
        heard.shadow = Some(Failure::AccessDenied);
        whole([heard])
    };
    let both = [Check::Logging, Check::Delivery];
    let standing = heard(&under(&both), &from_afar(trail("a")), 0);
    assert_eq!(standing.verdict(now()), COMPLIANT);
    assert_eq!(standing.counts().logging_multi_region, Some(1));
    let failing = &standing.last_poll().expect("a poll").failing;
    assert!(failing.contains(&(Operation::GetTrailStatus, Failure::AccessDenied)));
    let old = crate::compliance::fixtures::ago(10_000);
    for silent in [
        trail("a").s3(old).digest(old),
        trail("a").failing("NoSuchBucket"),
    ] {
        let standing = heard(&under(&both), &from_afar(silent), 0);
        let unreadable = unknown(Reason::TrailStatusUnreadable);
        assert_eq!(standing.verdict(now()), unreadable);
        assert_eq!(standing.check(Check::Logging, now()), Some(true));
        let held = standing.trails()[0].status.as_ref().expect("a status");
        assert_eq!(
            held.value.deliveries,
            <[crate::facts::Delivery; 4]>::default()
        );
    }
    let stopped = heard(&new(), &from_afar(trail("a").stopped()), 0);
    assert_eq!(stopped.verdict(now()), no(Reason::NotLogging));
}

#[test]
fn a_standing_is_small() {
    assert!(size_of::<Standing>() <= 1024, "{}", size_of::<Standing>());
    assert!(size_of::<HeldTrail>() <= 512, "{}", size_of::<HeldTrail>());
}
