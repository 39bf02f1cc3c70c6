//! CloudTrail: which trails an account sees from a Region, and what it is told of each. Visibility follows AWS: a Region's own trails, the shadows of multi-Region trails, and the
//! organization trails of the management account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::call::Call;
use crate::names::{AccountId, Partition};
use crate::reply::{AwsError, Payload};
use crate::timeline::merge;
use crate::trail::{Selectors, Trail};
use crate::world::World;

/// Deliveries of different owners are this far apart, so that a fleet does not move in step.
const PHASE_STEP: Duration = Duration::from_secs(37);

/// A trail as one account sees it.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    owner: AccountId,
    partition: Partition,
    trail: &'a Trail,
}

/// What an account asks from: where, and when.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) id: AccountId,
    pub(crate) account: &'a Account,
    pub(crate) region: &'a str,
    pub(crate) now: SystemTime,
}

impl Seen<'_> {
    fn arn(&self) -> String {
        self.trail.arn(self.partition, self.owner)
    }

    /// Whether it covers the Region asked.
    fn reaches(&self, region: &str) -> bool {
        self.trail.multi_region || self.trail.home_region == region
    }

    fn phase(&self) -> Duration {
        PHASE_STEP * u32::try_from(self.owner.number() % 97).unwrap_or(0)
    }
}

impl<'a> View<'a> {
    fn own(self) -> impl Iterator<Item = Seen<'a>> {
        let seen = move |trail| Seen {
            owner: self.id,
            partition: self.account.partition,
            trail,
        };
        self.account.trails.iter().map(seen)
    }

    fn organization_trails(self) -> impl Iterator<Item = Seen<'a>> {
        let owner = self
            .world
            .organization_of(self.account)
            .map(|organization| organization.management_account);
        let owner = owner.filter(|owner| *owner != self.id);
        let account = owner.and_then(|owner| Some((owner, self.world.account(owner)?)));
        account.into_iter().flat_map(|(owner, account)| {
            let seen = move |trail| Seen {
                owner,
                partition: account.partition,
                trail,
            };
            account
                .trails
                .iter()
                .filter(|trail| trail.organization)
                .map(seen)
        })
    }

    fn visible(self) -> impl Iterator<Item = Seen<'a>> {
        self.own()
            .chain(self.organization_trails())
            .filter(move |seen| seen.reaches(self.region))
    }

    /// The trail a caller names: by ARN any visible one, by name only one at home here and its own.
    fn find(self, wanted: Option<&str>) -> Result<Seen<'a>, AwsError> {
        let wanted = wanted.ok_or_else(|| invalid_name("Trail name cannot be blank!"))?;
        let found = if wanted.starts_with("arn:") {
            check_arn(wanted)?;
            self.visible().find(|seen| seen.arn() == wanted)
        } else {
            check_name(wanted)?;
            self.own()
                .find(|seen| seen.trail.name == wanted && seen.trail.home_region == self.region)
        };
        let unknown = || {
            AwsError::new(
                "TrailNotFoundException",
                format!("Unknown trail: {wanted} for the user: {}", self.id),
            )
        };
        found.ok_or_else(unknown)
    }

    /// `DescribeTrails`.
    pub(crate) fn describe_trails(self, call: &Call) -> Result<Payload, AwsError> {
        let field = |name: &str| call.input.as_ref().and_then(|input| input.get(name));
        let named: Vec<&str> = field("trailNameList")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        named.iter().try_for_each(|name| {
            if name.starts_with("arn:") {
                check_arn(name)
            } else {
                check_name(name)
            }
        })?;
        let shadows = field("includeShadowTrails")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let wanted = |seen: &Seen<'_>| {
            let at_home = seen.owner == self.id && seen.trail.home_region == self.region;
            let is_named =
                |name: &&str| **name == seen.arn() || (at_home && **name == seen.trail.name);
            (shadows || at_home) && (named.is_empty() || named.iter().any(is_named))
        };
        let list: Vec<Value> = self.visible().filter(wanted).map(describe).collect();
        Ok(Payload::Json(json!({"trailList": list})))
    }

    /// `GetTrailStatus`.
    pub(crate) fn get_trail_status(self, call: &Call) -> Result<Payload, AwsError> {
        self.find(call.text("Name"))
            .map(|seen| Payload::Json(status(seen, self.now)))
    }

    /// `GetEventSelectors`.
    pub(crate) fn get_event_selectors(self, call: &Call) -> Result<Payload, AwsError> {
        self.find(call.text("TrailName"))
            .map(|seen| Payload::Json(event_selectors(seen)))
    }
}

fn invalid_name(message: &str) -> AwsError {
    AwsError::new("InvalidTrailNameException", message)
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(3..=128).contains(&name.len()) {
        return Err(invalid_name(
            "Trail name must have a minimum length of 3 characters and a maximum length of 128 characters.",
        ));
    }
    let valid = name.bytes().all(allowed);
    valid.then_some(()).ok_or_else(|| {
        invalid_name("Trail name can have uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).")
    })
}

fn check_arn(arn: &str) -> Result<(), AwsError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let valid = matches!(parts.as_slice(), [_, partition, "cloudtrail", region, account, resource]
        if Partition::of_region(region).as_str() == *partition
            && account.parse::<AccountId>().is_ok()
            && resource.strip_prefix("trail/").is_some_and(|name| check_name(name).is_ok()));
    valid.then_some(()).ok_or_else(|| {
        AwsError::new(
            "CloudTrailARNInvalidException",
            format!("Specified ARN is not valid: {arn}"),
        )
    })
}

fn describe(seen: Seen<'_>) -> Value {
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

fn status(seen: Seen<'_>, now: SystemTime) -> Value {
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

fn event_selectors(seen: Seen<'_>) -> Value {
    let basic = |selectors: Value| json!({"TrailARN": seen.arn(), "EventSelectors": selectors});
    let advanced =
        |selectors: Value| json!({"TrailARN": seen.arn(), "AdvancedEventSelectors": selectors});
    match &seen.trail.selectors {
        Selectors::All => basic(json!([basic_selector("All", true, &[])])),
        Selectors::ReadOnly => basic(json!([basic_selector("ReadOnly", true, &[])])),
        Selectors::WriteOnly => basic(json!([basic_selector("WriteOnly", true, &[])])),
        Selectors::DataOnly => basic(json!([basic_selector("All", false, &[])])),
        Selectors::ExcludeKms => {
            basic(json!([basic_selector("All", true, &["kms.amazonaws.com"])]))
        }
        Selectors::AdvancedAll => advanced(json!([advanced_selector(&[])])),
        Selectors::AdvancedExcludeKms => {
            advanced(json!([advanced_selector(&["kms.amazonaws.com"])]))
        }
        Selectors::Empty => {
            json!({"TrailARN": seen.arn(), "EventSelectors": [], "AdvancedEventSelectors": []})
        }
        Selectors::Basic(list) => basic(Value::Array(list.clone())),
        Selectors::Advanced(list) => advanced(Value::Array(list.clone())),
        Selectors::Raw(body) => body.clone(),
    }
}

fn basic_selector(kind: &str, management: bool, excluded: &[&str]) -> Value {
    let data = if management {
        json!([])
    } else {
        json!([{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}])
    };
    json!({"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": data, "ExcludeManagementEventSources": excluded})
}

fn advanced_selector(excluded: &[&str]) -> Value {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
    if !excluded.is_empty() {
        fields.push(json!({"Field": "eventSource", "NotEquals": excluded}));
    }
    json!({"Name": "Management events selector", "FieldSelectors": fields})
}
