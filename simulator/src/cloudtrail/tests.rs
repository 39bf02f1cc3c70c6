//! Who sees which trail from where, asked through a probe.

use serde_json::{Value, json};

use crate::probe::Probe;

const OWNER: &str = "100000000001";
const MEMBER: &str = "100000000002";
const OUTSIDER: &str = "100000000003";
const NO_OPT_IN: &str = "100000000004";
const ORGANIZATION_ARN: &str = "arn:aws:cloudtrail:eu-south-1:100000000001:trail/everyone";

const WORLD: &str = r#"
organization: { management_account: "100000000001" }
accounts:
  - id: "100000000001"
    opt_in_regions: [eu-south-1]
    trails:
      - { name: everyone, home_region: eu-south-1, organization: true }
      - { name: local-org, home_region: eu-west-1, organization: true, multi_region: false }
  - id: "100000000002"
    opt_in_regions: [eu-south-1]
    trails:
      - { name: own, home_region: us-west-2 }
      - { name: single, home_region: eu-west-1, multi_region: false }
  - { id: "100000000003", standalone: true }
  - { id: "100000000004" }
"#;

fn probe(account: &str) -> Probe {
    let mut probe = Probe::new(WORLD);
    probe.enter(account);
    probe
}

fn status_of(probe: &mut Probe, region: &str, name: &str) -> Value {
    probe.cloudtrail(region, "GetTrailStatus", &json!({"Name": name}))
}

#[test]
fn a_multi_region_trail_has_a_shadow_in_every_enabled_region_and_a_single_region_trail_has_none() {
    let mut probe = probe(MEMBER);
    assert_eq!(probe.trails("us-west-2"), ["own", "everyone"]);
    assert_eq!(
        probe.trails("eu-west-1"),
        ["own", "single", "everyone", "local-org"]
    );
    assert_eq!(probe.trails("sa-east-1"), ["own", "everyone"]);
}

#[test]
fn without_shadows_only_the_trails_at_home_are_shown() {
    let input = json!({"includeShadowTrails": false});
    let answer = probe(MEMBER).cloudtrail("us-west-2", "DescribeTrails", &input);
    assert_eq!(
        (
            answer["trailList"].as_array().unwrap().len(),
            &answer["trailList"][0]["Name"]
        ),
        (1, &json!("own"))
    );
}

#[test]
fn an_organization_trail_keeps_its_owners_id_in_a_member_and_is_unknown_outside() {
    let answer = probe(MEMBER).cloudtrail(
        "us-east-1",
        "DescribeTrails",
        &json!({"trailNameList": [ORGANIZATION_ARN]}),
    );
    assert_eq!(answer["trailList"][0]["TrailARN"], ORGANIZATION_ARN);
    assert_eq!(answer["trailList"][0]["IsOrganizationTrail"], true);
    assert!(probe(OUTSIDER).trails("us-east-1").is_empty());
    assert_eq!(
        status_of(&mut probe(OUTSIDER), "us-east-1", ORGANIZATION_ARN)["__type"],
        "TrailNotFoundException"
    );
}

#[test]
fn a_shadow_answers_to_its_arn_and_not_to_its_name() {
    let mut probe = probe(MEMBER);
    let arn = "arn:aws:cloudtrail:us-west-2:100000000002:trail/own";
    assert_eq!(status_of(&mut probe, "us-west-2", "own")["IsLogging"], true);
    assert_eq!(status_of(&mut probe, "us-east-1", arn)["IsLogging"], true);
    let unknown = status_of(&mut probe, "us-east-1", "own");
    assert_eq!(
        unknown,
        json!({"__type": "TrailNotFoundException", "message": "Unknown trail: own for the user: 100000000002"})
    );
    assert_eq!(
        status_of(&mut probe, "eu-south-1", "everyone")["__type"],
        "TrailNotFoundException"
    );
}

#[test]
fn what_is_no_name_and_no_arn_is_refused_for_that() {
    let mut probe = probe(MEMBER);
    for arn in [
        "arn:aws:s3:::bucket",
        "arn:aws:cloudtrail:us-east-1:1:trail/own",
        "arn:aws-cn:cloudtrail:us-east-1:100000000002:trail/own",
    ] {
        assert_eq!(
            status_of(&mut probe, "us-east-1", arn)["__type"],
            "CloudTrailARNInvalidException",
            "{arn}"
        );
    }
    for name in ["", "a", "a b c"] {
        assert_eq!(
            status_of(&mut probe, "us-east-1", name)["__type"],
            "InvalidTrailNameException",
            "{name}"
        );
    }
}

#[test]
fn a_region_that_is_not_enabled_does_not_know_the_credentials() {
    let mut probe = probe(NO_OPT_IN);
    assert_eq!(
        probe.trails("us-east-1"),
        ["everyone"],
        "the shadow is there"
    );
    assert_eq!(
        status_of(&mut probe, "eu-south-1", ORGANIZATION_ARN)["__type"],
        "UnrecognizedClientException"
    );
}

#[test]
fn an_unknown_key_is_refused() {
    let mut probe = probe(MEMBER);
    let answer =
        probe
            .with_key("AKIAUNKNOWN")
            .cloudtrail("us-east-1", "DescribeTrails", &json!({}));
    assert_eq!(answer["__type"], "UnrecognizedClientException");
}

#[test]
fn an_error_stands_in_the_status_in_its_own_words_and_a_patch_can_forge_anything() {
    let mut probe = Probe::new(
        r#"{accounts: [{id: "100000000003", trails: [{name: main, errors: {s3: None}, log_file_validation: true,
            status_patch: {StartLoggingTime: null, LatestDeliveryTime: 1e308}, describe_patch: {HomeRegion: evil.example.com}}]}]}"#,
    );
    let status = status_of(probe.enter(OUTSIDER), "us-east-1", "main");
    assert_eq!(
        (
            &status["LatestDeliveryError"],
            &status["LatestDeliveryTime"]
        ),
        (&json!("None"), &json!(1e308))
    );
    assert!(
        status.get("StartLoggingTime").is_none() && status["LatestDigestDeliveryTime"].is_f64()
    );
    let trails = probe.cloudtrail("us-east-1", "DescribeTrails", &json!({}));
    assert_eq!(trails["trailList"][0]["HomeRegion"], "evil.example.com");
}

#[test]
fn the_owner_can_be_asked_by_name_at_home() {
    assert_eq!(
        status_of(&mut probe(OWNER), "eu-south-1", "everyone")["IsLogging"],
        true
    );
}
