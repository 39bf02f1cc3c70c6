use std::sync::Arc;

use super::*;
use crate::facts::Operation;

fn region(text: &str) -> Region {
    text.parse().expect("a Region")
}

fn trail(home: &str, name: &str, multi_region: bool) -> Trail {
    let partition = region(home).partition();
    let arn = format!("arn:{partition}:cloudtrail:{home}:111122223333:trail/{name}");
    Trail {
        arn: arn.parse().expect("an ARN"),
        name: name.into(),
        home_region: Some(region(home)),
        multi_region,
        organization: false,
        log_file_validation: None,
        recursive_logging: None,
        s3_bucket: None,
        kms_key_id: None,
        log_group_arn: None,
        sns_topic_arn: None,
    }
}

fn to_bucket(bucket: &str, trail: Trail) -> Trail {
    let s3_bucket = Some(Arc::from(bucket));
    Trail { s3_bucket, ..trail }
}

fn answered(at: &str, trails: Vec<Trail>) -> Described {
    let malformed = 0;
    (region(at), Ok(TrailList { trails, malformed }))
}

fn failed(at: &str, failure: Failure, ambiguous_credentials: bool) -> Described {
    let error = CallError::new(Operation::DescribeTrails, failure, "");
    let error = CallError {
        ambiguous_credentials,
        ..error
    };
    (region(at), Err(error))
}

fn merged_trails(described: &[Described], max_trails: usize) -> Vec<Trail> {
    let merged = merge(described, max_trails);
    merged.trails.into_iter().map(|shown| shown.trail).collect()
}

fn answers(described: &[Described], max_trails: usize) -> Vec<RegionAnswer> {
    let merged = merge(described, max_trails);
    merged
        .regions
        .into_iter()
        .map(|(_, answer)| answer)
        .collect()
}

fn settled(mut described: Vec<Described>) -> Vec<RegionAnswer> {
    settle(&mut described);
    answers(&described, 100)
}

#[test]
fn a_trail_seen_in_two_regions_is_one_trail() {
    let org = trail("us-east-1", "org", true);
    let described = [
        answered("us-east-1", vec![org.clone()]),
        answered(
            "eu-west-1",
            vec![trail("eu-west-1", "local", false), org.clone()],
        ),
    ];
    assert_eq!(
        merged_trails(&described, 100),
        [trail("eu-west-1", "local", false), org]
    );
    assert_eq!(answers(&described, 100), [RegionAnswer::Whole; 2]);
}

#[test]
fn the_same_name_in_two_regions_is_two_trails() {
    let (a, b) = (
        trail("eu-west-1", "main", true),
        trail("us-east-1", "main", true),
    );
    let described = [answered("us-east-1", vec![b.clone(), a.clone()])];
    assert_eq!(merged_trails(&described, 100), [a, b]);
}

#[test]
fn the_home_region_has_the_word_wherever_it_stands_in_the_order() {
    let shadow = to_bucket("shadow", trail("eu-west-1", "main", true));
    let home = to_bucket("home", trail("eu-west-1", "main", true));
    let expected = [home.clone()];
    let far = || answered("us-east-1", vec![shadow.clone()]);
    let near = || answered("eu-west-1", vec![home.clone()]);
    for described in [[far(), near()], [near(), far()]] {
        assert_eq!(merged_trails(&described, 100), expected);
    }
}

#[test]
fn without_the_home_region_the_region_asked_first_has_the_word() {
    let first = to_bucket("first", trail("eu-west-1", "main", true));
    let second = to_bucket("second", trail("eu-west-1", "main", true));
    let described = [
        answered("us-east-1", vec![first.clone()]),
        answered("us-west-2", vec![second]),
    ];
    assert_eq!(merged_trails(&described, 100), [first]);
}

#[test]
fn beyond_the_limit_multi_region_trails_stay_and_the_cut_answer_is_partial() {
    let described = [
        answered(
            "us-east-1",
            vec![
                trail("us-east-1", "a", false),
                trail("us-east-1", "b", true),
            ],
        ),
        answered("eu-west-1", vec![trail("us-east-1", "b", true)]),
    ];
    assert_eq!(
        merged_trails(&described, 1),
        [trail("us-east-1", "b", true)]
    );
    assert_eq!(
        answers(&described, 1),
        [RegionAnswer::Partial, RegionAnswer::Whole]
    );
    assert_eq!(answers(&described, 2), [RegionAnswer::Whole; 2]);
}

#[test]
fn an_answer_with_malformed_entries_is_partial() {
    let list = TrailList {
        trails: vec![],
        malformed: 1,
    };
    assert_eq!(
        answers(&[(region("us-east-1"), Ok(list))], 9),
        [RegionAnswer::Partial]
    );
}

#[test]
fn an_ambiguous_refusal_is_a_disabled_region_where_another_region_answers() {
    let described = vec![
        failed("ap-east-1", Failure::Credentials, true),
        answered("us-east-1", vec![]),
    ];
    assert_eq!(
        settled(described),
        [RegionAnswer::Disabled, RegionAnswer::Whole]
    );
}

#[test]
fn an_ambiguous_refusal_is_bad_credentials_where_nothing_else_answers() {
    let described = vec![
        failed("ap-east-1", Failure::RegionDisabled, true),
        failed("us-east-1", Failure::AccessDenied, false),
    ];
    let credentials = RegionAnswer::Failed(Failure::Credentials);
    let denied = RegionAnswer::Failed(Failure::AccessDenied);
    assert_eq!(settled(described), [credentials, denied]);
}

#[test]
fn a_region_that_says_it_is_not_opted_into_is_disabled_whatever_others_answer() {
    let alone = vec![failed("ap-east-1", Failure::RegionDisabled, false)];
    assert_eq!(settled(alone), [RegionAnswer::Disabled]);
}

#[test]
fn an_ambiguous_refusal_about_a_trail_is_bad_credentials_in_a_region_that_answered() {
    let regions = [
        (region("us-east-1"), RegionAnswer::Whole),
        (region("eu-west-1"), RegionAnswer::Partial),
        (region("us-west-2"), RegionAnswer::Failed(Failure::Timeout)),
    ];
    let settled = |at: &str| {
        let mut error = CallError::new(Operation::GetTrailStatus, Failure::Other, "");
        error.ambiguous_credentials = true;
        settle_call(&mut error, &region(at), &regions);
        error.failure
    };
    assert_eq!(settled("us-east-1"), Failure::Credentials);
    assert_eq!(settled("eu-west-1"), Failure::Credentials);
    assert_eq!(settled("us-west-2"), Failure::RegionDisabled);
    assert_eq!(settled("ap-east-1"), Failure::RegionDisabled);
}

#[test]
fn a_trail_knows_which_answer_describes_it_and_where_else_it_was_shown() {
    let main = || vec![trail("eu-west-1", "main", true)];
    let regions = ["us-east-1", "eu-west-1", "us-west-2"];
    let seen = |answers: [Vec<Trail>; 3]| {
        let described: Vec<_> = regions.into_iter().zip(answers).collect();
        let described = described.into_iter().map(|(r, trails)| answered(r, trails));
        let merged = merge(&described.collect::<Vec<_>>(), 100);
        let [shown] = &merged.trails[..] else {
            panic!("one trail")
        };
        let elsewhere = shown.elsewhere.as_ref().map(|r| r.as_str().to_owned());
        (shown.place, elsewhere)
    };
    let other = |name: &str| Some(name.to_owned());
    assert_eq!(seen([main(), main(), main()]), (1, other("us-east-1")));
    assert_eq!(seen([vec![], main(), main()]), (1, other("us-west-2")));
    assert_eq!(seen([vec![], vec![], main()]), (2, other("us-west-2")));
    assert_eq!(seen([vec![], main(), vec![]]), (1, None));
}
