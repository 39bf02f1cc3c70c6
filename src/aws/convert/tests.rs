use std::time::Duration;

use aws_sdk_cloudtrail::types::builders::{AdvancedFieldSelectorBuilder, TrailBuilder};
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType,
};

use super::*;

const ARN: &str = "arn:aws:cloudtrail:eu-west-1:012345678901:trail/main";

fn own() -> AccountId {
    "012345678901".parse().expect("an account id")
}

fn member() -> AccountId {
    "210987654321".parse().expect("an account id")
}

fn entry() -> TrailBuilder {
    types::Trail::builder()
        .trail_arn(ARN)
        .name("main")
        .home_region("eu-west-1")
        .is_multi_region_trail(true)
}

fn listed(entries: Vec<TrailBuilder>) -> TrailList {
    let entries = entries.into_iter().map(TrailBuilder::build).collect();
    let answer = DescribeTrailsOutput::builder().set_trail_list(Some(entries));
    trails(&answer.build(), own(), Partition::Aws).expect("a list")
}

fn one(entry: TrailBuilder) -> Trail {
    let mut list = listed(vec![entry]);
    assert_eq!(list.malformed, 0);
    list.trails.pop().expect("a trail")
}

#[test]
fn an_answer_without_a_list_is_no_empty_list() {
    let answer = DescribeTrailsOutput::builder().build();
    assert!(trails(&answer, own(), Partition::Aws).is_err());
    assert_eq!(listed(vec![]), TrailList::default());
}

#[test]
fn a_trail_is_taken_as_described() {
    let trail = one(entry()
        .is_organization_trail(false)
        .log_file_validation_enabled(true)
        .recursive_logging(false)
        .s3_bucket_name("logs")
        .kms_key_id("key")
        .cloud_watch_logs_log_group_arn("group")
        .sns_topic_arn("topic"));
    assert_eq!(
        trail,
        Trail {
            arn: ARN.parse().expect("an ARN"),
            name: "main".into(),
            home_region: "eu-west-1".parse().ok(),
            multi_region: true,
            organization: false,
            log_file_validation: Some(true),
            recursive_logging: Some(false),
            s3_bucket: Some("logs".into()),
            kms_key_id: Some("key".into()),
            log_group_arn: Some("group".into()),
            sns_topic_arn: Some("topic".into()),
        }
    );
}

#[test]
fn entries_without_an_arn_or_a_reach_are_counted_and_dropped() {
    let list = listed(vec![
        entry(),
        entry().set_trail_arn(None),
        entry().trail_arn("arn:aws:s3:::bucket"),
        entry().trail_arn(format!("{ARN}{}", "x".repeat(256))),
        entry().set_is_multi_region_trail(None),
    ]);
    assert_eq!((list.trails.len(), list.malformed), (1, 4));
}

#[test]
fn empty_texts_say_nothing() {
    let trail = one(entry()
        .name("")
        .s3_bucket_name("")
        .kms_key_id("")
        .cloud_watch_logs_log_group_arn("")
        .sns_topic_arn(""));
    assert_eq!(&*trail.name, "main", "the ARN's name stands in");
    let texts = [
        trail.s3_bucket,
        trail.kms_key_id,
        trail.log_group_arn,
        trail.sns_topic_arn,
    ];
    assert_eq!(texts, [None, None, None, None]);
    let flags = [trail.log_file_validation, trail.recursive_logging];
    assert_eq!(flags, [None, None]);
}

#[test]
fn endless_texts_are_cut() {
    let trail = one(entry().s3_bucket_name("x".repeat(1_000_000)));
    assert_eq!(trail.s3_bucket.map(|text| text.len()), Some(1024));
}

#[test]
fn a_foreign_trail_is_an_organizations_or_none_at_all() {
    let heard = |entry: TrailBuilder| {
        let answer = DescribeTrailsOutput::builder().trail_list(entry.build());
        trails(&answer.build(), member(), Partition::Aws).expect("a list")
    };
    assert!(heard(entry()).trails[0].organization);
    assert!(heard(entry().is_organization_trail(true)).trails[0].organization);
    let stranger = heard(entry().is_organization_trail(false));
    assert_eq!((stranger.trails.len(), stranger.malformed), (0, 1));
    assert!(!one(entry()).organization);
}

#[test]
fn a_trail_described_in_two_ways_by_one_answer_is_dropped() {
    let single = || entry().is_multi_region_trail(false);
    let other = || entry().trail_arn(format!("{ARN}-2"));
    for pair in [[entry(), single()], [single(), entry()]] {
        let list = listed(pair.into_iter().chain([other()]).collect());
        assert_eq!((list.trails.len(), list.malformed), (1, 2));
    }
    let twice = listed(vec![entry(), entry()]);
    assert_eq!((twice.trails.len(), twice.malformed), (2, 0));
}

#[test]
fn a_home_region_is_of_the_accounts_partition_or_unknown() {
    let home = |region: Option<&str>| {
        let named = entry().set_home_region(region.map(str::to_owned));
        one(named).home_region.map(|region| region.to_string())
    };
    assert_eq!(home(Some("us-east-2")).as_deref(), Some("us-east-2"));
    for elsewhere in [None, Some(""), Some("evil.example/"), Some("cn-north-1")] {
        assert_eq!(home(elsewhere).as_deref(), Some("eu-west-1"), "the ARN's");
    }
    let lost = entry()
        .set_home_region(None)
        .trail_arn("arn:aws:cloudtrail:nowhere:012345678901:trail/main");
    assert_eq!(one(lost).home_region, None);
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

fn seconds(seconds: i64) -> DateTime {
    DateTime::from_secs(seconds)
}

#[test]
fn a_status_without_is_logging_is_malformed() {
    let answer = GetTrailStatusOutput::builder().latest_delivery_time(seconds(1_799_999_000));
    assert!(status(&answer.build(), now()).is_err());
}

#[test]
fn a_status_is_taken_as_described() {
    let at = |ago: u64| Moment::At(now() - Duration::from_secs(ago));
    let answer = GetTrailStatusOutput::builder()
        .is_logging(true)
        .latest_delivery_time(seconds(1_799_999_999))
        .latest_delivery_error("NoSuchBucket")
        .latest_digest_delivery_time(seconds(1_799_999_998))
        .latest_digest_delivery_error("AccessDenied")
        .latest_cloud_watch_logs_delivery_time(seconds(1_799_999_997))
        .latest_cloud_watch_logs_delivery_error("Throttled")
        .latest_notification_time(seconds(1_799_999_996))
        .latest_notification_error("NotFound")
        .start_logging_time(seconds(1_799_999_995))
        .stop_logging_time(seconds(1_799_999_994))
        .build();
    let delivery = |ago, error: &str| Delivery {
        latest: at(ago),
        error: Some(error.into()),
    };
    assert_eq!(
        status(&answer, now()),
        Ok(TrailStatus {
            logging: true,
            deliveries: [
                delivery(1, "NoSuchBucket"),
                delivery(2, "AccessDenied"),
                delivery(3, "Throttled"),
                delivery(4, "NotFound"),
            ],
            started: at(5),
            stopped: at(6),
        })
    );
}

#[test]
fn what_a_status_leaves_out_never_happened() {
    let answer = GetTrailStatusOutput::builder().is_logging(false).build();
    let status = status(&answer, now()).expect("a status");
    assert!(!status.logging);
    assert_eq!(status.deliveries, <[Delivery; 4]>::default());
    assert_eq!(
        (status.started, status.stopped),
        (Moment::Never, Moment::Never)
    );
}

#[test]
fn times_that_cannot_be_are_implausible() {
    for wrong in [0, -1_000_000_000_000, 1_800_100_000, i64::MAX, i64::MIN] {
        let answer = GetTrailStatusOutput::builder()
            .is_logging(true)
            .latest_delivery_time(seconds(wrong));
        let status = status(&answer.build(), now()).expect("a status");
        assert_eq!(status.deliveries[0].latest, Moment::Implausible, "{wrong}");
    }
}

#[test]
fn absent_empty_and_none_mean_no_delivery_error() {
    for none in [None, Some(""), Some("  "), Some("None"), Some(" NONE\n")] {
        assert_eq!(delivery_error(none), None, "{none:?}");
    }
    let error = delivery_error(Some(" NoSuchBucket "));
    assert_eq!(error.as_deref(), Some("NoSuchBucket"));
}

#[test]
fn a_delivery_error_is_cut_on_a_character() {
    let error = delivery_error(Some(&"é".repeat(1_000))).expect("an error");
    assert_eq!(error.len(), 256);
    let odd = format!("x{}", "é".repeat(1_000));
    let error = delivery_error(Some(&odd)).expect("an error");
    assert_eq!(error.len(), 255);
}

fn heard(
    basic: Option<Vec<EventSelector>>,
    advanced: Option<Vec<AdvancedEventSelector>>,
) -> Result<EventSelectors, Misshapen> {
    let answer = GetEventSelectorsOutput::builder()
        .set_event_selectors(basic)
        .set_advanced_event_selectors(advanced);
    selectors(&answer.build(), &ARN.parse().expect("an ARN"))
}

fn field(condition: AdvancedFieldSelectorBuilder) -> AdvancedFieldSelector {
    condition.field("eventCategory").build().expect("complete")
}

fn advanced(conditions: Vec<AdvancedFieldSelector>) -> AdvancedEventSelector {
    AdvancedEventSelector::builder()
        .set_field_selectors(Some(conditions))
        .build()
        .expect("complete")
}

fn management() -> AdvancedFieldSelector {
    field(AdvancedFieldSelector::builder().equals("Management"))
}

#[test]
fn the_two_lists_make_one_kind_of_selectors() {
    let basic = || vec![EventSelector::builder().build()];
    let some = || vec![advanced(vec![management()])];
    assert!(heard(None, None).is_err());
    assert!(heard(Some(basic()), Some(some())).is_err());
    let default = Ok(EventSelectors::Default);
    assert_eq!(heard(Some(vec![]), Some(vec![])), default);
    assert_eq!(heard(Some(vec![]), None), default);
    let nothing = Ok(EventSelectors::Advanced(vec![]));
    assert_eq!(heard(None, Some(vec![])), nothing);
    for empty in [None, Some(vec![])] {
        let heard = heard(Some(basic()), empty);
        assert!(matches!(heard, Ok(EventSelectors::Basic(one)) if one.len() == 1));
    }
    for empty in [None, Some(vec![])] {
        let heard = heard(empty, Some(some()));
        assert!(matches!(heard, Ok(EventSelectors::Advanced(one)) if one.len() == 1));
    }
}

#[test]
fn a_basic_selector_has_awss_defaults() {
    let selector = basic_selector(&EventSelector::builder().build());
    let default = BasicSelector {
        management_events: true,
        read_write: ReadWrite::All,
        excluded_sources: vec![],
    };
    assert_eq!(selector, Ok(default));
}

#[test]
fn a_basic_selector_is_taken_as_described() {
    let selector = EventSelector::builder()
        .include_management_events(false)
        .read_write_type(ReadWriteType::WriteOnly)
        .exclude_management_event_sources("kms.amazonaws.com");
    let taken = BasicSelector {
        management_events: false,
        read_write: ReadWrite::WriteOnly,
        excluded_sources: vec!["kms.amazonaws.com".into()],
    };
    assert_eq!(basic_selector(&selector.build()), Ok(taken));
    assert_eq!(
        read_write(Some(&ReadWriteType::ReadOnly)),
        Ok(ReadWrite::ReadOnly)
    );
}

#[test]
fn an_unknown_read_write_type_is_malformed() {
    let selector = EventSelector::builder().read_write_type("SomeOnly".into());
    assert!(heard(Some(vec![selector.build()]), None).is_err());
}

#[test]
fn a_condition_keeps_its_operators() {
    let plain = field_selector(&field(
        AdvancedFieldSelector::builder().equals("a").not_equals("b"),
    ));
    let taken = FieldSelector {
        field: "eventCategory".into(),
        equals: vec!["a".into()],
        not_equals: vec!["b".into()],
        other_operators: false,
    };
    assert_eq!(plain, Ok(taken));
    let builder = AdvancedFieldSelector::builder;
    for other in [
        builder().starts_with("x"),
        builder().ends_with("x"),
        builder().not_starts_with("x"),
        builder().not_ends_with("x"),
    ] {
        let taken = field_selector(&field(other)).expect("a condition");
        assert!(taken.other_operators);
    }
}

#[test]
fn a_condition_that_says_nothing_is_malformed() {
    let silent = field(AdvancedFieldSelector::builder());
    assert!(heard(None, Some(vec![advanced(vec![silent])])).is_err());
    let nameless = AdvancedFieldSelector::builder().field("").equals("x");
    let nameless = nameless.build().expect("complete");
    assert!(heard(None, Some(vec![advanced(vec![nameless])])).is_err());
    assert!(heard(None, Some(vec![advanced(vec![])])).is_err());
}

#[test]
fn a_trail_of_another_partition_is_malformed() {
    for arn in [
        "arn:aws-us-gov:cloudtrail:us-gov-west-1:012345678901:trail/main",
        "arn:aws-cn:cloudtrail:cn-north-1:012345678901:trail/main",
        "arn:aws:cloudtrail:us-gov-west-1:012345678901:trail/main",
        "arn:aws-us-gov:cloudtrail:eu-west-1:012345678901:trail/main",
    ] {
        let list = listed(vec![entry(), entry().trail_arn(arn)]);
        assert_eq!((list.trails.len(), list.malformed), (1, 1), "{arn}");
    }
}

#[test]
fn selectors_of_another_trail_are_malformed() {
    let about = |arn: &str| {
        let answer = GetEventSelectorsOutput::builder().trail_arn(arn);
        let answer = answer.set_event_selectors(Some(vec![])).build();
        selectors(&answer, &ARN.parse().expect("an ARN"))
    };
    assert_eq!(about(ARN), Ok(EventSelectors::Default));
    assert!(about(&ARN.replace("main", "other")).is_err());
    assert!(about("").is_err());
}
