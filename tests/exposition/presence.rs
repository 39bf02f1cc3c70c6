//! When a series is there and when it is not.

use cloudtrail_exporter::directory::AccountKey;
use cloudtrail_exporter::facts::{
    AccountFacts, Failure, Moment, Operation, Poll, PollOutcome, RegionAnswer, TrailFacts,
};
use cloudtrail_exporter::snapshot::AccountState;

use crate::fixture::*;
use crate::strict::Sample;

const ID: u64 = 210_987_654_321;

fn polled(polls: &[Poll]) -> AccountState {
    state(account(ID, "sandbox"), polls)
}

fn with(trails: Vec<TrailFacts>) -> AccountState {
    polled(&[answered(ID, trails)])
}

fn asked(regions: &[(&str, RegionAnswer)]) -> Poll {
    let regions = regions.iter().map(|(code, answer)| (region(code), *answer));
    poll(PollOutcome::Answered(AccountFacts {
        account: id(ID),
        regions: regions.collect(),
        described: ago(60),
        trails: vec![trail(ID, "main")],
    }))
}

/// The values of a label and of the samples that carry it.
fn by<'a>(samples: &'a [Sample], label: &str) -> Vec<(&'a str, f64)> {
    samples.iter().map(|s| (s.label(label), s.value)).collect()
}

fn values(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|s| s.value).collect()
}

#[test]
fn an_account_is_there_before_its_first_poll() {
    let state = polled(&[]);
    assert_eq!(
        values(&samples(state.clone(), "cloudtrail_account_info")),
        [1.0]
    );
    assert!(samples(state.clone(), "cloudtrail_account_up").is_empty());
    let compliance = samples(state.clone(), "cloudtrail_account_compliance");
    assert_eq!(
        by(&compliance, "state"),
        [("compliant", 0.0), ("non_compliant", 0.0), ("unknown", 1.0)]
    );
    let reason = samples(state, "cloudtrail_account_compliance_reason");
    assert_eq!(by(&reason, "reason"), [("not_polled", 1.0)]);
}

#[test]
fn an_account_whose_id_is_not_known_yet_has_an_empty_one() {
    let mut unknown = account(0, "gov");
    (unknown.key, unknown.id) = (AccountKey::Name("gov".into()), None);
    let info = samples(state(unknown, &[]), "cloudtrail_account_info");
    assert_eq!(by(&info, "account_id"), [("", 1.0)]);
    assert_eq!(by(&info, "account_name"), [("gov", 1.0)]);
}

#[test]
fn an_account_without_a_name_is_called_by_its_id() {
    let mut nameless = account(ID, "");
    nameless.name = None;
    let info = samples(state(nameless, &[]), "cloudtrail_account_info");
    assert_eq!(by(&info, "account_name"), [("210987654321", 1.0)]);
}

#[test]
fn a_wrong_account_publishes_nothing_but_that() {
    let wrong = poll(PollOutcome::WrongAccount { found: id(1) });
    let known = answered(ID, vec![trail(ID, "main")]);
    for polls in [vec![wrong.clone()], vec![known, wrong]] {
        let all = families(&snapshot([polled(&polls)]));
        let told = all.iter().filter(|f| !f.samples.is_empty());
        let told: Vec<_> = told.map(|f| f.name.as_str()).collect();
        assert_eq!(
            told,
            [
                "cloudtrail_account_info",
                "cloudtrail_account_up",
                "cloudtrail_account_compliance",
                "cloudtrail_account_compliance_reason",
                "cloudtrail_account_compliance_since_timestamp_seconds",
            ]
        );
        let reason = samples(polled(&polls), "cloudtrail_account_compliance_reason");
        assert_eq!(by(&reason, "reason"), [("wrong_account", 1.0)]);
        assert_eq!(
            values(&samples(polled(&polls), "cloudtrail_account_up")),
            [0.0]
        );
    }
}

#[test]
fn each_kind_of_call_that_fails_is_one_series() {
    let (mut a, mut b) = (trail(ID, "a"), trail(ID, "b"));
    a.status = Err(Failure::NotFound);
    b.status = Err(Failure::Other);
    b.selectors = Err(Failure::AccessDenied);
    let failing = samples(with(vec![a, b]), "cloudtrail_account_call_failing");
    assert_eq!(
        by(&failing, "operation"),
        [("GetTrailStatus", 1.0), ("GetEventSelectors", 1.0)]
    );
    assert_eq!(
        by(&failing, "reason"),
        [("other", 1.0), ("access_denied", 1.0)]
    );
}

#[test]
fn no_session_is_told_by_its_call() {
    let failing = samples(
        polled(&[no_session(Failure::AccessDenied)]),
        "cloudtrail_account_call_failing",
    );
    let operation = Operation::AssumeRole.as_str();
    assert_eq!(by(&failing, "operation"), [(operation, 1.0)]);
}

#[test]
fn known_counts_are_zero_and_unknown_ones_are_absent() {
    for family in [
        "cloudtrail_account_trails",
        "cloudtrail_account_multi_region_trails",
        "cloudtrail_account_logging_multi_region_trails",
        "cloudtrail_account_organization_trails",
    ] {
        assert_eq!(
            values(&samples(with(Vec::new()), family)),
            [0.0],
            "{family}"
        );
        let denied = polled(&[no_session(Failure::AccessDenied)]);
        assert!(samples(denied, family).is_empty(), "{family}");
    }
}

#[test]
fn a_region_is_up_or_not_only_where_several_are_asked() {
    let whole = RegionAnswer::Whole;
    let one = polled(&[asked(&[("us-east-1", whole)])]);
    assert!(samples(one, "cloudtrail_region_up").is_empty());
    let three = polled(&[asked(&[
        ("us-east-1", whole),
        ("af-south-1", RegionAnswer::Disabled),
        ("eu-west-1", RegionAnswer::Failed(Failure::Timeout)),
    ])]);
    assert_eq!(
        by(&samples(three, "cloudtrail_region_up"), "aws_region"),
        [("us-east-1", 1.0), ("af-south-1", 0.0), ("eu-west-1", 0.0)]
    );
    let denied = polled(&[no_session(Failure::AccessDenied)]);
    assert!(samples(denied, "cloudtrail_region_up").is_empty());
}

#[test]
fn logging_is_absent_while_unknown() {
    let mut unread = trail(ID, "main");
    unread.status = Err(Failure::Timeout);
    assert!(samples(with(vec![unread]), "cloudtrail_trail_logging").is_empty());
    let known = with(vec![trail(ID, "main")]);
    assert_eq!(values(&samples(known, "cloudtrail_trail_logging")), [1.0]);
}

#[test]
fn only_configured_destinations_can_fail() {
    let family = "cloudtrail_trail_delivery_failing";
    let full = samples(with(vec![trail(ID, "main")]), family);
    assert_eq!(
        by(&full, "destination"),
        [
            ("s3", 0.0),
            ("s3_digest", 0.0),
            ("cloudwatch_logs", 0.0),
            ("sns", 0.0)
        ]
    );
    for validation in [None, Some(false)] {
        let mut bare = trail(ID, "main");
        bare.trail.log_file_validation = validation;
        (bare.trail.log_group_arn, bare.trail.sns_topic_arn) = (None, None);
        let samples = samples(with(vec![bare]), family);
        assert_eq!(by(&samples, "destination"), [("s3", 0.0)]);
    }
}

#[test]
fn a_delivery_error_is_told_by_its_code() {
    let mut gone = trail(ID, "main");
    let mut failing = status(true);
    failing.deliveries[0].error = Some("NoSuchBucket".into());
    failing.deliveries[2].error = Some("whatever\nthis is".into());
    gone.status = Ok(failing);
    let errors = samples(with(vec![gone]), "cloudtrail_trail_delivery_error_info");
    assert_eq!(
        by(&errors, "destination"),
        [("s3", 1.0), ("cloudwatch_logs", 1.0)]
    );
    assert_eq!(by(&errors, "code"), [("NoSuchBucket", 1.0), ("other", 1.0)]);
}

#[test]
fn a_time_aws_does_not_report_has_no_sample() {
    let mut silent = trail(ID, "main");
    let mut never = status(true);
    never.deliveries[0].latest = Moment::Never;
    never.deliveries[1].latest = Moment::Implausible;
    never.started = Moment::Implausible;
    silent.status = Ok(never);
    let state = with(vec![silent]);
    for family in [
        "cloudtrail_trail_last_delivery_timestamp_seconds",
        "cloudtrail_trail_last_delivery_age_seconds",
    ] {
        let told = samples(state.clone(), family);
        let told: Vec<_> = told.iter().map(|s| s.label("destination")).collect();
        assert_eq!(told, ["cloudwatch_logs", "sns"]);
    }
    let started = "cloudtrail_trail_logging_started_timestamp_seconds";
    assert!(samples(state, started).is_empty());
}

#[test]
fn the_age_is_computed_at_scrape_time_and_is_never_negative() {
    let mut ahead = trail(ID, "main");
    let mut status = status(true);
    status.deliveries[0].latest = Moment::At((now() + std::time::Duration::from_mins(4)).wall());
    ahead.status = Ok(status);
    let ages = samples(
        with(vec![ahead]),
        "cloudtrail_trail_last_delivery_age_seconds",
    );
    assert_eq!(
        by(&ages, "destination"),
        [
            ("s3", 0.0),
            ("s3_digest", 2400.0),
            ("cloudwatch_logs", 120.0),
            ("sns", 361.0)
        ]
    );
}

#[test]
fn the_owner_of_a_trail_is_the_account_in_its_arn() {
    let mut org = trail(999_999_999_999, "org");
    org.trail.organization = true;
    (org.trail.s3_bucket, org.trail.kms_key_id) = (None, None);
    let info = samples(with(vec![org]), "cloudtrail_trail_info");
    assert_eq!(by(&info, "owner_account_id"), [("999999999999", 1.0)]);
    assert_eq!(by(&info, "account_id"), [("210987654321", 1.0)]);
    assert_eq!(by(&info, "s3_bucket"), [("", 1.0)]);
}

#[test]
fn what_is_gone_is_gone_from_the_next_scrape() {
    let polls = [
        answered(ID, vec![trail(ID, "a"), trail(ID, "b")]),
        answered(ID, vec![trail(ID, "b")]),
    ];
    let info = samples(polled(&polls), "cloudtrail_trail_info");
    assert_eq!(by(&info, "trail"), [("b", 1.0)]);
}
