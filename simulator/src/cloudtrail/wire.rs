//! A trail as `DescribeTrails` and `GetTrailStatus` write it. Fields without a value are left out, as AWS leaves them out.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::selectors::Selectors;
use crate::timeline::merge;

use super::Seen;

pub(super) fn describe(seen: Seen<'_>) -> Value {
    let trail = seen.trail;
    let bucket = trail
        .bucket
        .clone()
        .unwrap_or_else(|| format!("cloudtrail-logs-{}", seen.owner));
    let mut value = json!({
        "Name": trail.name,
        "S3BucketName": bucket,
        "IncludeGlobalServiceEvents": trail.multi_region || trail.global_service_events,
        "IsMultiRegionTrail": trail.multi_region,
        "HomeRegion": trail.home_region,
        "TrailARN": seen.arn(),
        "LogFileValidationEnabled": trail.log_file_validation,
        "HasCustomEventSelectors": trail.selectors != Selectors::All,
        "HasInsightSelectors": false,
        "IsOrganizationTrail": trail.organization,
    });
    let topic_name = trail
        .sns_topic
        .as_deref()
        .and_then(|arn| arn.rsplit(':').next());
    let role = trail.log_group.as_ref().map(|_| {
        format!(
            "arn:{}:iam::{}:role/CloudTrail_CloudWatchLogs_Role",
            seen.partition, seen.owner
        )
    });
    let optional = [
        ("S3KeyPrefix", trail.prefix.as_deref()),
        ("SnsTopicName", topic_name),
        ("SnsTopicARN", trail.sns_topic.as_deref()),
        ("CloudWatchLogsLogGroupArn", trail.log_group.as_deref()),
        ("CloudWatchLogsRoleArn", role.as_deref()),
        ("KmsKeyId", trail.kms_key.as_deref()),
    ];
    let given: Map<String, Value> = optional
        .into_iter()
        .filter_map(|(key, text)| Some((key.to_owned(), text?.into())))
        .collect();
    merge(&mut value, &given);
    merge(&mut value, &trail.describe_patch);
    value
}

pub(super) fn status(seen: Seen<'_>, now: SystemTime) -> Value {
    let trail = seen.trail;
    let delivered = trail.delivered(now, seen.phase());
    let times = [
        ("LatestDeliveryTime", delivered.s3),
        ("LatestDigestDeliveryTime", delivered.digest),
        ("LatestCloudWatchLogsDeliveryTime", delivered.logs),
        ("LatestNotificationTime", delivered.sns),
        ("StartLoggingTime", trail.started_at()),
        ("StopLoggingTime", trail.stopped_at()),
    ];
    let errors = [
        ("LatestDeliveryError", &trail.errors.s3),
        ("LatestDigestDeliveryError", &trail.errors.digest),
        ("LatestCloudWatchLogsDeliveryError", &trail.errors.logs),
        ("LatestNotificationError", &trail.errors.sns),
    ];
    // The six strings of old still arrive, empty where there is nothing to tell.
    let legacy = [
        ("LatestDeliveryAttemptTime", delivered.s3),
        ("LatestNotificationAttemptTime", delivered.sns),
        ("LatestNotificationAttemptSucceeded", delivered.sns),
        ("LatestDeliveryAttemptSucceeded", delivered.s3),
        ("TimeLoggingStarted", trail.started_at()),
        ("TimeLoggingStopped", trail.stopped_at()),
    ];
    let mut fields = Map::from_iter([("IsLogging".to_owned(), Value::Bool(trail.logging))]);
    fields.extend(
        times
            .into_iter()
            .filter_map(|(key, time)| Some((key.to_owned(), epoch(time?)))),
    );
    fields.extend(
        errors
            .into_iter()
            .filter_map(|(key, error)| Some((key.to_owned(), error.clone()?.into()))),
    );
    fields.extend(
        legacy
            .into_iter()
            .map(|(key, time)| (key.to_owned(), text(time).into())),
    );
    let mut value = Value::Object(fields);
    merge(&mut value, &trail.status_patch);
    value
}

/// Seconds since 1970 with milliseconds, as the JSON protocol writes times.
fn epoch(time: SystemTime) -> Value {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    json!((since.as_secs_f64() * 1_000.0).round() / 1_000.0)
}

fn text(time: Option<SystemTime>) -> String {
    time.map(|time| humantime::format_rfc3339_seconds(time).to_string())
        .unwrap_or_default()
}
