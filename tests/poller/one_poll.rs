//! One poll of one account.

use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, TrailArn};
use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::directory::Account;
use cloudtrail_exporter::facts::{
    AccountFacts, EventSelectors, Failure, Operation, PollOutcome, RegionAnswer,
};
use cloudtrail_exporter::poller::{Identity, Report, Terms, poll};
use std::sync::Arc;
use tokio::time::Instant;

use super::fake::{Answers, Fake, error};
use super::world::*;

const SECOND: Duration = Duration::from_secs(1);

async fn polled_by(
    account: Account,
    answers: Answers,
    terms: Terms<
        impl Fn(AccountId) -> Identity,
        impl Fn(AccountId) -> bool,
        impl Fn(&TrailArn) -> bool,
    >,
) -> (Fake, Report) {
    let fake = Fake::default();
    fake.answer(&account.key, answers);
    let account = Arc::new(account);
    let session = fake.open(&account);
    let report = poll(&fake, &session, &account, &terms, &clock()).await;
    (fake, report)
}

async fn polled_leaving(
    account: Account,
    answers: Answers,
    left_to_owner: impl Fn(AccountId) -> bool,
) -> (Fake, Report) {
    let id = account.id;
    let terms = Terms {
        timeout: TIMEOUT,
        identity: |found| {
            if id.is_none_or(|id| id == found) {
                return Identity::Own;
            }
            Identity::Other
        },
        left_to_owner,
        held_by_owner: |_: &TrailArn| false,
    };
    polled_by(account, answers, terms).await
}

/// Where the status of trails was asked for.
fn asked_for_status(fake: &Fake) -> Vec<String> {
    let journal = fake.journal().into_iter();
    let status = journal.filter(|call| call.operation == Operation::GetTrailStatus);
    status.filter_map(|call| call.region).collect()
}

async fn polled(account: Account, answers: Answers) -> (Fake, Report) {
    polled_leaving(account, answers, |_| false).await
}

fn facts(report: &Report) -> &AccountFacts {
    match &report.poll.outcome {
        PollOutcome::Answered(facts) => facts,
        other => panic!("{other:?}"),
    }
}

fn region_answers(report: &Report) -> Vec<RegionAnswer> {
    let regions = facts(report).regions.iter();
    regions.map(|(_, answer)| *answer).collect()
}

#[tokio::test(start_paused = true)]
async fn one_trail_costs_one_call_of_each_kind() {
    let main = trail(1, HOME, "main");
    let (fake, report) = polled(account(1), Answers::of(id(1)).with(HOME, &main, true)).await;
    let operations = fake.operations(&key(1));
    assert_eq!(
        operations,
        [
            Operation::AssumeRole,
            Operation::DescribeTrails,
            Operation::GetTrailStatus,
            Operation::GetEventSelectors
        ]
    );
    let heard = &facts(&report).trails[0];
    assert_eq!(heard.trail, main);
    assert_eq!(heard.status, Ok(status(true)));
    assert_eq!(heard.selectors, Ok(EventSelectors::Default));
    assert_eq!(report.identity, Some(id(1)));
    assert_eq!(report.errors, []);
}

#[tokio::test(start_paused = true)]
async fn a_trail_seen_in_two_regions_is_asked_about_once_in_its_home_region() {
    let main = trail(1, "eu-west-1", "main");
    let answers = Answers::of(id(1))
        .with(HOME, &main, true)
        .with("eu-west-1", &main, true);
    let account = in_regions(&[HOME, "eu-west-1"], account(1));
    let (fake, report) = polled(account, answers).await;
    let asked: Vec<_> = fake
        .journal()
        .into_iter()
        .filter_map(|c| c.region)
        .collect();
    assert_eq!(asked, [HOME, "eu-west-1", "eu-west-1", "eu-west-1"]);
    assert_eq!(facts(&report).trails.len(), 1);
    assert_eq!(region_answers(&report), [RegionAnswer::Whole; 2]);
}

#[tokio::test(start_paused = true)]
async fn regions_answer_in_the_order_asked_whichever_is_faster() {
    let regions = [
        "us-east-1",
        "eu-west-1",
        "ap-south-1",
        "us-west-2",
        "sa-east-1",
        "ca-central-1",
    ];
    let answers = Answers::of(id(1)).region_fails("ap-south-1", Failure::Throttled, false);
    let (_, report) = polled(in_regions(&regions, account(1)), answers).await;
    let asked: Vec<String> = facts(&report)
        .regions
        .iter()
        .map(|(r, _)| r.to_string())
        .collect();
    assert_eq!(asked, regions);
    assert_eq!(
        region_answers(&report)[2],
        RegionAnswer::Failed(Failure::Throttled)
    );
    assert_eq!(report.errors.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_was_heard_is_kept_and_the_rest_is_a_timeout() {
    let main = trail(1, HOME, "main");
    let answers = Answers::of(id(1)).with(HOME, &main, true);
    let answers = answers.takes(Operation::GetEventSelectors, Duration::from_hours(1));
    let (_, report) = polled(account(1), answers).await;
    let heard = &facts(&report).trails[0];
    assert_eq!(heard.status, Ok(status(true)));
    assert_eq!(heard.selectors, Err(Failure::Timeout));
    assert_eq!(report.poll.duration, TIMEOUT);
    assert_eq!(report.poll.ended, epoch() + TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_leaves_time_to_ask_about_the_trails_of_the_others() {
    let main = trail(1, HOME, "main");
    let mut answers = Answers::of(id(1)).with(HOME, &main, true);
    answers.hanging = vec!["ap-east-1".to_owned()];
    let (_, report) = polled(in_regions(&["ap-east-1", HOME], account(1)), answers).await;
    assert_eq!(
        region_answers(&report),
        [RegionAnswer::Failed(Failure::Timeout), RegionAnswer::Whole]
    );
    assert_eq!(facts(&report).trails[0].status, Ok(status(true)));
    assert_eq!(report.poll.duration, TIMEOUT / 2);
}

#[tokio::test(start_paused = true)]
async fn where_no_region_has_answered_each_has_the_time_of_the_whole_poll() {
    let late = TIMEOUT * 3 / 4;
    let answers = Answers::of(id(1)).takes(Operation::DescribeTrails, late);
    let (_, report) = polled(in_regions(&[HOME, "ap-east-1"], account(1)), answers).await;
    assert_eq!(region_answers(&report), [RegionAnswer::Whole; 2]);
    assert_eq!(report.poll.duration, late);
}

#[tokio::test(start_paused = true)]
async fn past_the_deadline_no_further_call_is_made() {
    let answers = (0..10).fold(Answers::of(id(1)), |answers, n| {
        answers.with(HOME, &trail(1, HOME, &format!("t{n}")), true)
    });
    let answers = answers.takes(Operation::GetTrailStatus, Duration::from_hours(1));
    let began = Instant::now();
    let (fake, report) = polled(account(1), answers).await;
    assert_eq!(began.elapsed(), TIMEOUT);
    assert!(
        facts(&report)
            .trails
            .iter()
            .all(|heard| heard.status == Err(Failure::Timeout))
    );
    let asked = fake.operations(&key(1));
    let statuses = asked.iter().filter(|o| **o == Operation::GetTrailStatus);
    assert_eq!(statuses.count(), 2, "two trails at once");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_open_in_time_is_no_session() {
    for (account, operation) in [
        (account(1), Operation::AssumeRole),
        (by_name("monitoring"), Operation::GetCallerIdentity),
    ] {
        let answers = Answers::of(id(1)).takes(Operation::AssumeRole, 2 * TIMEOUT);
        let (_, report) = polled(account, answers).await;
        let failure = Failure::Timeout;
        assert_eq!(
            report.poll.outcome,
            PollOutcome::NoSession { operation, failure }
        );
        assert_eq!((report.identity, report.errors.len()), (None, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_role_is_no_session_and_nothing_else_is_asked() {
    let mut answers = Answers::of(id(1));
    answers.identity = Err(error(Operation::AssumeRole, Failure::AccessDenied, false));
    let (fake, report) = polled(account(1), answers).await;
    assert_eq!(fake.operations(&key(1)), [Operation::AssumeRole]);
    let no_session = PollOutcome::NoSession {
        operation: Operation::AssumeRole,
        failure: Failure::AccessDenied,
    };
    assert_eq!(report.poll.outcome, no_session);
}

#[tokio::test(start_paused = true)]
async fn an_identity_refused_as_invalid_is_a_matter_of_credentials() {
    let mut answers = Answers::of(id(1));
    answers.identity = Err(error(
        Operation::GetCallerIdentity,
        Failure::RegionDisabled,
        true,
    ));
    let (_, report) = polled(by_name("monitoring"), answers).await;
    let no_session = PollOutcome::NoSession {
        operation: Operation::GetCallerIdentity,
        failure: Failure::Credentials,
    };
    assert_eq!(report.poll.outcome, no_session);
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_end_the_poll() {
    let (fake, report) = polled(account(1), Answers::of(id(2))).await;
    assert_eq!(fake.operations(&key(1)), [Operation::AssumeRole]);
    assert_eq!(
        report.poll.outcome,
        PollOutcome::WrongAccount { found: id(2) }
    );
}

#[tokio::test(start_paused = true)]
async fn a_disabled_region_is_an_answer_and_not_an_error() {
    let answers = Answers::of(id(1)).region_fails("ap-east-1", Failure::Credentials, true);
    let (_, report) = polled(in_regions(&["ap-east-1", HOME], account(1)), answers).await;
    assert_eq!(
        region_answers(&report),
        [RegionAnswer::Disabled, RegionAnswer::Whole]
    );
    assert_eq!(report.errors, []);
}

#[tokio::test(start_paused = true)]
async fn an_ambiguous_refusal_about_a_trail_depends_on_whether_its_region_answered() {
    let (here, there) = (trail(1, HOME, "here"), trail(1, "ap-east-1", "there"));
    let answers = Answers::of(id(1))
        .with(HOME, &here, true)
        .with(HOME, &there, true);
    let answers = answers.trail_fails(&here, Failure::Other, true);
    let answers = answers.trail_fails(&there, Failure::Other, true);
    let (_, report) = polled(account(1), answers).await;
    let trails = facts(&report).trails.iter();
    let statuses: Vec<_> = trails.map(|heard| heard.status.clone()).collect();
    let region_of = |n: usize| facts(&report).trails[n].trail.home_region.clone();
    assert_eq!(
        region_of(0).map(|r| r.to_string()).as_deref(),
        Some("ap-east-1")
    );
    assert_eq!(
        statuses,
        [Err(Failure::RegionDisabled), Err(Failure::Credentials)]
    );
    assert_eq!(report.errors.len(), 2, "the disabled Region is no error");
}

#[tokio::test(start_paused = true)]
async fn a_trail_without_a_region_is_not_asked_about() {
    let mut homeless = trail(1, HOME, "main");
    homeless.home_region = None;
    let (fake, report) = polled(account(1), Answers::of(id(1)).with(HOME, &homeless, true)).await;
    assert_eq!(fake.operations(&key(1)).len(), 2);
    assert_eq!(facts(&report).trails[0].status, Err(Failure::Malformed));
    assert_eq!(facts(&report).trails[0].selectors, Err(Failure::Malformed));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_refused_in_the_middle_is_told_as_what_it_was() {
    let main = trail(1, HOME, "main");
    let mut answers = Answers::of(id(1)).with(HOME, &main, true);
    let refused = error(Operation::AssumeRole, Failure::AccessDenied, false);
    answers
        .status
        .insert(main.arn.clone(), Err(refused.clone()));
    let (_, report) = polled(account(1), answers).await;
    assert_eq!(facts(&report).trails[0].status, Err(Failure::AccessDenied));
    assert_eq!(report.errors, [refused]);
}

#[tokio::test(start_paused = true)]
async fn an_organization_trail_left_to_its_owner_costs_the_member_one_call() {
    let org = organization_trail(9);
    let own = trail(1, HOME, "own");
    let answers = Answers::of(id(1)).with(HOME, &org, true);
    let (fake, report) = polled_leaving(account(1), answers.clone(), |owner| owner == id(9)).await;
    assert_eq!(
        fake.operations(&key(1)),
        [Operation::AssumeRole, Operation::DescribeTrails]
    );
    assert_eq!(facts(&report).trails[0].status, Err(Failure::NotAsked));
    assert_eq!(report.errors, []);

    let answers = answers.with(HOME, &own, true);
    let (fake, _) = polled_leaving(account(1), answers.clone(), |owner| owner == id(9)).await;
    assert_eq!(
        fake.operations(&key(1)).len(),
        4,
        "its own trail is its own business"
    );
    let (fake, _) = polled_leaving(account(1), answers.clone(), |_| false).await;
    assert_eq!(
        fake.operations(&key(1)).len(),
        6,
        "the owner is not polled here"
    );
    let (fake, _) = polled_leaving(account(9), answers, |_| true).await;
    assert_eq!(
        fake.operations(&key(9)).len(),
        1,
        "the credentials are another account's"
    );
    let (fake, _) = polled_leaving(
        account(9),
        Answers::of(id(9)).with(HOME, &org, true),
        |_| true,
    )
    .await;
    assert_eq!(
        fake.operations(&key(9)).len(),
        4,
        "the owner reads its own trail"
    );
}

#[tokio::test(start_paused = true)]
async fn an_organization_trail_whose_home_region_is_disabled_is_not_left_to_its_owner() {
    let mut org = organization_trail(9);
    org.home_region = Some("ap-east-1".parse().expect("a Region"));
    let answers = Answers::of(id(1)).with(HOME, &org, true);
    let answers = answers.region_fails("ap-east-1", Failure::RegionDisabled, false);
    let account = in_regions(&[HOME, "ap-east-1"], account(1));
    let (_, report) = polled_leaving(account, answers, |_| true).await;
    assert_eq!(
        facts(&report).trails[0].status,
        Err(Failure::RegionDisabled)
    );
}

#[tokio::test(start_paused = true)]
async fn an_organization_trail_whose_home_region_tells_nothing_is_not_left_to_its_owner() {
    let mut org = organization_trail(9);
    org.home_region = Some("ap-east-1".parse().expect("a Region"));
    let answers = Answers::of(id(1)).with(HOME, &org, true);
    let (fake, _) = polled_leaving(account(1), answers.clone(), |_| true).await;
    assert_eq!(fake.operations(&key(1)).len(), 4, "not among those asked");

    let answers = answers.region_fails("ap-east-1", Failure::Throttled, false);
    let account = in_regions(&[HOME, "ap-east-1"], account(1));
    let (fake, _) = polled_leaving(account, answers, |_| true).await;
    assert_eq!(fake.operations(&key(1)).len(), 5, "it gave no answer");
}

#[tokio::test(start_paused = true)]
async fn a_poll_of_a_trail_takes_as_long_as_three_calls_in_a_row() {
    let answers = Answers::of(id(1)).with(HOME, &trail(1, HOME, "main"), true);
    let all = Operation::ALL.into_iter();
    let answers = all.fold(answers, |answers, operation| {
        answers.takes(operation, SECOND)
    });
    let (_, report) = polled(account(1), answers).await;
    assert_eq!(
        report.poll.duration,
        3 * SECOND,
        "status and selectors are asked for at once"
    );
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_not_the_expected_one_is_believed_for_one_poll_alone() {
    use Operation::{AssumeRole, DescribeTrails};
    for (identity, distrusted, asked) in [
        (Identity::Own, 0, vec![AssumeRole, DescribeTrails]),
        (Identity::New, 1, vec![AssumeRole, DescribeTrails]),
        (Identity::Other, 1, vec![AssumeRole]),
    ] {
        let terms = Terms {
            timeout: TIMEOUT,
            identity: |_| identity,
            left_to_owner: |_| false,
            held_by_owner: |_: &TrailArn| false,
        };
        let account = by_name("monitoring");
        let key = account.key.clone();
        let (fake, report) = polled_by(account, Answers::of(id(7)), terms).await;
        assert_eq!(fake.distrusted().len(), distrusted, "{identity:?}");
        assert_eq!(fake.operations(&key), asked, "{identity:?}");
        let wrong = matches!(report.poll.outcome, PollOutcome::WrongAccount { .. });
        assert_eq!(wrong, identity == Identity::Other);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_dated_when_their_calls_began_and_not_when_the_poll_ended() {
    let main = trail(1, HOME, "main");
    let answers = Answers::of(id(1)).with(HOME, &main, true);
    let answers = answers
        .takes(Operation::DescribeTrails, Duration::from_secs(2))
        .takes(Operation::GetTrailStatus, Duration::from_secs(3))
        .takes(Operation::GetEventSelectors, Duration::from_secs(50));
    let (_, report) = polled(account(1), answers).await;
    let facts = facts(&report);
    let asked = epoch() + Duration::from_secs(2);
    assert_eq!(facts.described, epoch());
    let dates = facts.trails[0].dates;
    assert_eq!(dates.described, epoch());
    assert_eq!((dates.status, dates.selectors), (asked, asked));
    assert_eq!(report.poll.ended, epoch() + Duration::from_secs(52));
}

/// An account whose trail lives in `HOME` and is seen from two other Regions as well.
fn seen_from_afar(failure: Failure) -> (Account, Answers) {
    let main = trail(1, HOME, "main");
    let account = in_regions(&[HOME, "eu-west-1", "eu-west-2"], account(1));
    let answers = Answers::of(id(1))
        .with("eu-west-1", &main, true)
        .with("eu-west-2", &main, true);
    (account, answers.closed(HOME, failure))
}

#[tokio::test(start_paused = true)]
async fn where_the_home_region_is_closed_a_shadow_copy_is_asked_once() {
    for failure in [Failure::AccessDenied, Failure::Timeout, Failure::Network] {
        let (account, answers) = seen_from_afar(failure);
        let (fake, report) = polled(account, answers).await;
        let heard = &facts(&report).trails[0];
        assert_eq!(heard.status.as_ref().map(|status| status.logging), Ok(true));
        assert_eq!(heard.shadow, Some(failure));
        assert_eq!(heard.selectors, Err(failure), "not asked elsewhere");
        assert_eq!(asked_for_status(&fake), [HOME, "eu-west-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_shadow_copy_is_asked_after_another_failure_or_for_an_owners_trail() {
    for failure in [
        Failure::NotFound,
        Failure::Throttled,
        Failure::RegionDisabled,
    ] {
        let (account, answers) = seen_from_afar(failure);
        let (fake, report) = polled(account, answers).await;
        assert_eq!(facts(&report).trails[0].status, Err(failure));
        assert_eq!(asked_for_status(&fake), [HOME], "{failure:?}");
    }
    let (account, answers) = seen_from_afar(Failure::AccessDenied);
    let fake = Fake::default();
    fake.answer(&key(1), answers);
    let account = Arc::new(account);
    let session = fake.open(&account);
    let terms = Terms {
        timeout: TIMEOUT,
        identity: |_| Identity::Own,
        left_to_owner: |_| false,
        held_by_owner: |_: &TrailArn| true,
    };
    poll(&fake, &session, &account, &terms, &clock()).await;
    assert_eq!(asked_for_status(&fake), [HOME]);
}

#[tokio::test(start_paused = true)]
async fn a_shadow_copy_that_does_not_answer_leaves_the_home_regions_failure() {
    let (account, answers) = seen_from_afar(Failure::AccessDenied);
    let mut answers = answers;
    answers.closed.insert("eu-west-1".into(), Failure::Timeout);
    let (fake, report) = polled(account, answers).await;
    let heard = &facts(&report).trails[0];
    assert_eq!(
        (&heard.status, heard.shadow),
        (&Err(Failure::AccessDenied), None)
    );
    assert_eq!(asked_for_status(&fake), [HOME, "eu-west-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_home_region_that_hangs_leaves_time_for_a_shadow_copy() {
    let main = trail(1, HOME, "main");
    let account = in_regions(&[HOME, "eu-west-1"], account(1));
    let mut answers = Answers::of(id(1)).with("eu-west-1", &main, true);
    answers.hanging.push(HOME.into());
    let (_, report) = polled(account, answers).await;
    let heard = &facts(&report).trails[0];
    assert_eq!(heard.status.as_ref().map(|status| status.logging), Ok(true));
    assert_eq!(heard.shadow, Some(Failure::Timeout));
    assert_eq!(heard.dates.status, epoch() + TIMEOUT * 3 / 4);
}
