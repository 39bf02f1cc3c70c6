use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::compliance::Policy;
use crate::config::Access;
use crate::directory::{AccountKey, Source};
use crate::facts::{Dated, Delivery, Moment, Trail, TrailStatus};
use crate::timestamp::Timestamp;

const OWN: &str = "210987654321";

fn account(partition: Partition, region: &str) -> Account {
    let id: AccountId = OWN.parse().expect("an id");
    Account {
        key: AccountKey::Id(id),
        id: Some(id),
        found: None,
        name: None,
        partition,
        source: Source::Config,
        organizational_unit: None,
        access: Access::Role {
            role: "arn:aws:iam::210987654321:role/read"
                .parse()
                .expect("a role"),
            external_id: None,
            base_profile: None,
        },
        regions: vec![region.parse().expect("a Region")],
        interval: Duration::from_mins(5),
        policy: Arc::new(Policy {
            required: Vec::new(),
            max_delivery_age: Duration::ZERO,
            stale_after: Duration::ZERO,
        }),
        max_trails: 1,
    }
}

fn trail(owner: &str, name: &str, multi_region: bool) -> HeldTrail {
    let arn = format!("arn:aws:cloudtrail:eu-west-1:{owner}:trail/{name}");
    HeldTrail {
        trail: Trail {
            arn: arn.parse().expect("an ARN"),
            name: name.into(),
            home_region: "eu-west-1".parse().ok(),
            multi_region,
            organization: owner != OWN,
            log_file_validation: None,
            recursive_logging: None,
            s3_bucket: Some("logs".into()),
            kms_key_id: None,
            log_group_arn: None,
            sns_topic_arn: None,
        },
        status: None,
        selectors: None,
        shadow: None,
    }
}

fn failing(mut held: HeldTrail, error: &str) -> HeldTrail {
    let mut status = TrailStatus {
        logging: true,
        deliveries: std::array::from_fn(|_| Delivery::default()),
        started: Moment::Never,
        stopped: Moment::Never,
    };
    status.deliveries[0].error = Some(error.into());
    held.status = Some(Dated {
        value: status,
        at: Timestamp::new(SystemTime::UNIX_EPOCH, Duration::ZERO),
    });
    held
}

fn told(reason: Reason, account: &Account, trails: &[HeldTrail]) -> (Vec<String>, String) {
    let place = Place {
        account,
        id: account.id,
        trails,
    };
    let steps = steps(reason, &place);
    let words: Vec<_> = steps.iter().map(|step| step.text.as_str()).collect();
    let words = words.join("\n");
    let commands = steps.into_iter().filter_map(|step| step.command);
    (commands.collect(), words)
}

fn every_reason() -> Vec<Reason> {
    use Failure::{
        AccessDenied, ClockSkew, Credentials, Malformed, Network, Other, RegionDisabled,
        ServerError, Throttled, Timeout, Tls,
    };
    let failures = [
        AccessDenied,
        ClockSkew,
        Credentials,
        Malformed,
        Network,
        Other,
        RegionDisabled,
        ServerError,
        Throttled,
        Timeout,
        Tls,
    ];
    let own = [
        Reason::NoTrail,
        Reason::NoMultiRegionTrail,
        Reason::NotLogging,
        Reason::DeliveryFailing,
        Reason::DeliveryStale,
        Reason::ManagementEventsIncomplete,
        Reason::LogFileValidationDisabled,
        Reason::KmsEncryptionDisabled,
        Reason::CloudWatchLogsDisabled,
        Reason::NotPolled,
        Reason::WrongAccount,
        Reason::TrailStatusUnreadable,
        Reason::Stale,
    ];
    let failed = failures.map(Reason::Failed);
    own.into_iter().chain(failed).collect()
}

#[test]
fn every_reason_but_ok_has_something_to_do() {
    let account = account(Partition::Aws, "eu-west-1");
    let own = [trail(OWN, "main", true)];
    for reason in every_reason() {
        for trails in [&own[..], &[]] {
            let (_, words) = told(reason, &account, trails);
            assert!(!words.is_empty(), "{reason:?}");
        }
    }
    assert_eq!(told(Reason::Ok, &account, &own).1, "");
}

#[test]
fn a_trail_of_one_region_is_extended() {
    let account = account(Partition::Aws, "us-east-1");
    let (commands, _) = told(
        Reason::NoMultiRegionTrail,
        &account,
        &[trail(OWN, "local", false)],
    );
    let named = "--name arn:aws:cloudtrail:eu-west-1:210987654321:trail/local --region eu-west-1";
    assert_eq!(
        commands[0],
        format!("aws cloudtrail update-trail {named} --is-multi-region-trail")
    );
    assert_eq!(commands[1], format!("aws cloudtrail start-logging {named}"));
    assert_eq!(
        commands[2],
        format!("aws cloudtrail get-trail-status {named}")
    );
}

#[test]
fn a_new_trail_has_a_bucket_it_may_write_to_and_is_started() {
    let account = account(Partition::AwsUsGov, "us-gov-west-1");
    let (commands, words) = told(Reason::NoTrail, &account, &[]);
    let bucket = "cloudtrail-210987654321-us-gov-west-1";
    let arn = "arn:aws-us-gov:cloudtrail:us-gov-west-1:210987654321:trail/management-events";
    assert!(words.contains("--is-organization-trail"));
    assert!(
        commands[0].contains("LocationConstraint=us-gov-west-1"),
        "{}",
        commands[0]
    );
    assert!(commands[1].contains(&format!(
        "\"Resource\":[\"arn:aws-us-gov:s3:::{bucket}/AWSLogs/{OWN}/*\"]"
    )));
    assert!(commands[1].contains(&format!("\"aws:SourceArn\":\"{arn}\"")));
    assert_eq!(
        commands[2],
        format!(
            "aws cloudtrail create-trail --name management-events --s3-bucket-name {bucket} --is-multi-region-trail --enable-log-file-validation --region us-gov-west-1"
        )
    );
    assert_eq!(
        commands[3],
        format!("aws cloudtrail start-logging --name {arn} --region us-gov-west-1")
    );
    assert_eq!(
        commands[4],
        format!("aws cloudtrail get-trail-status --name {arn} --region us-gov-west-1")
    );
    let home = self::account(Partition::Aws, "us-east-1");
    let (commands, _) = told(Reason::NoTrail, &home, &[]);
    assert!(
        !commands[0].contains("LocationConstraint"),
        "{}",
        commands[0]
    );
}

#[test]
fn an_organization_trail_is_changed_by_its_owner() {
    let account = account(Partition::Aws, "us-east-1");
    let (commands, words) = told(
        Reason::NotLogging,
        &account,
        &[trail("012345678901", "org", true)],
    );
    assert!(words.contains("belongs to account 012345678901"), "{words}");
    assert!(commands.iter().any(|c| c.contains("start-logging --name arn:aws:cloudtrail:eu-west-1:012345678901:trail/org --region eu-west-1")));
}

#[test]
fn an_own_trail_is_mended_before_a_foreign_one() {
    let account = account(Partition::Aws, "us-east-1");
    let both = [trail("012345678901", "org", true), trail(OWN, "main", true)];
    let (commands, _) = told(Reason::NotLogging, &account, &both);
    assert!(
        commands.iter().all(|c| !c.contains(":trail/org")),
        "{commands:?}"
    );
}

#[test]
fn a_bucket_in_trouble_is_looked_at_with_its_own_error() {
    let account = account(Partition::Aws, "us-east-1");
    let held = failing(trail(OWN, "main", true), "NoSuchBucket");
    let (commands, words) = told(Reason::DeliveryFailing, &account, &[held]);
    assert!(words.contains("NoSuchBucket"));
    assert!(commands.contains(&"aws s3api head-bucket --bucket logs".into()));
    assert!(
        commands
            .iter()
            .any(|c| c.starts_with("aws s3api put-bucket-policy --bucket logs "))
    );
}

#[test]
fn the_policy_of_an_organization_trails_bucket_lets_the_members_in() {
    let account = account(Partition::Aws, "us-east-1");
    let mut held = failing(trail(OWN, "org", true), "AccessDenied");
    held.trail.organization = true;
    let (commands, words) = told(Reason::DeliveryFailing, &account, &[held]);
    let members = format!(
        "[\"arn:aws:s3:::logs/AWSLogs/{OWN}/*\",\"arn:aws:s3:::logs/AWSLogs/ORGANIZATION_ID/*\"]"
    );
    assert!(
        commands.iter().any(|c| c.contains(&members)),
        "{commands:?}"
    );
    assert!(words.contains("in place of ORGANIZATION_ID"), "{words}");
}

#[test]
fn a_key_is_looked_for_in_its_own_region() {
    let account = account(Partition::Aws, "us-east-1");
    for (key, region) in [
        (
            "arn:aws:kms:us-west-2:210987654321:key/1f3a6c1e",
            "us-west-2",
        ),
        ("1f3a6c1e", "eu-west-1"),
    ] {
        let mut held = trail(OWN, "main", true);
        held.trail.kms_key_id = Some(key.into());
        let (commands, _) = told(Reason::DeliveryStale, &account, &[held]);
        let line = format!("aws kms describe-key --key-id {key} --region {region}");
        assert!(commands.contains(&line), "{commands:?}");
    }
}

#[test]
fn every_command_names_at_most_one_region_and_no_abbreviated_flag() {
    let account = account(Partition::Aws, "eu-west-1");
    for reason in every_reason() {
        for trails in [
            vec![],
            vec![trail(OWN, "main", true)],
            vec![trail(OWN, "one", false)],
        ] {
            for command in told(reason, &account, &trails).0 {
                assert!(command.matches("--region ").count() <= 1, "{command}");
                assert!(!command.contains("--is-multi-region "), "{command}");
                assert!(!command.contains("describe-trails --trail"), "{command}");
            }
        }
    }
}

#[test]
fn a_hostile_name_stays_one_word() {
    let account = account(Partition::Aws, "eu-west-1");
    let mut held = trail(OWN, "x", true);
    held.trail.s3_bucket = Some("b; rm -rf / #'".into());
    let (commands, _) = told(Reason::DeliveryStale, &account, &[held]);
    let line = r"aws s3api head-bucket --bucket 'b; rm -rf / #'\'''";
    assert!(commands.iter().any(|c| c == line), "{commands:?}");
}
