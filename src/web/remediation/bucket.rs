//! The bucket a trail delivers to, and the policy without which CloudTrail may not write to it.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Place, Step, quoted};

/// Stands in for the organization's id, which no trail names.
pub(super) const ORGANIZATION: &str = "ORGANIZATION_ID";

/// The name proposed for a new bucket: bucket names are unique in all of AWS, account ids are too.
pub(super) fn proposed(place: &Place<'_>) -> String {
    format!("cloudtrail-{}-{}", place.id(), place.region())
}

/// Makes the bucket.
pub(super) fn create(place: &Place<'_>, bucket: &str) -> Step {
    let region = place.region();
    // The one Region that must not be named as a constraint.
    let constraint = match region {
        "us-east-1" => String::new(),
        other => format!(
            " --create-bucket-configuration {}",
            quoted(&format!("LocationConstraint={other}"))
        ),
    };
    let (name, region) = (quoted(bucket), quoted(region));
    let command = format!("aws s3api create-bucket --bucket {name} --region {region}{constraint}");
    Step::run(
        "Make a bucket for the log files; use another that you have for this, if there is one.",
        command,
    )
}

/// Lets CloudTrail write to the bucket, for this trail alone: below each of some folders.
pub(super) fn allow(place: &Place<'_>, bucket: &str, trail_arn: &str, folders: &[String]) -> Step {
    let command = format!(
        "aws s3api put-bucket-policy --bucket {} --policy {}",
        quoted(bucket),
        quoted(&policy(place, bucket, trail_arn, folders))
    );
    let mut words = String::from(
        "Let CloudTrail write to it. This replaces the bucket's policy: if it has one, add these two statements to it instead. A trail with a key prefix needs that prefix before AWSLogs.",
    );
    if folders.iter().any(|folder| folder == ORGANIZATION) {
        words.push_str(" Put the organization's id (o-...) in place of ORGANIZATION_ID: below it the members' log files lie.");
    }
    Step::run(words, command)
}

/// A bucket policy, in the order in which people read one.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    principal: Value,
    action: &'static str,
    resource: Value,
    condition: Value,
}

impl Statement {
    fn new(sid: &'static str, action: &'static str, resource: Value, equals: &Value) -> Self {
        Self {
            sid,
            effect: "Allow",
            principal: json!({"Service": "cloudtrail.amazonaws.com"}),
            action,
            resource,
            condition: json!({"StringEquals": equals}),
        }
    }
}

/// The two statements that CloudTrail needs, bound to the trail so that no other may write.
fn policy(place: &Place<'_>, bucket: &str, trail_arn: &str, folders: &[String]) -> String {
    let bucket = format!("arn:{}:s3:::{bucket}", place.partition());
    let files = folders
        .iter()
        .map(|folder| format!("{bucket}/AWSLogs/{folder}/*"));
    let files: Vec<_> = files.collect();
    let whose = json!({"aws:SourceArn": trail_arn});
    let how = json!({"aws:SourceArn": trail_arn, "s3:x-amz-acl": "bucket-owner-full-control"});
    let policy = Policy {
        version: "2012-10-17",
        statement: [
            Statement::new(
                "CloudTrailReadsAcl",
                "s3:GetBucketAcl",
                json!(bucket),
                &whose,
            ),
            Statement::new("CloudTrailWrites", "s3:PutObject", json!(files), &how),
        ],
    };
    serde_json::to_string(&policy).unwrap_or_default()
}
