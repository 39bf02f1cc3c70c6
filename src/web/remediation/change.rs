//! Steps that change the account: for verdicts of non-compliant.

use super::{Place, Step, bucket, bucket_error, quoted};
use crate::account::Region;
use crate::compliance::HeldTrail;

/// A trail of one Region is extended; without one, a new trail is made.
pub(super) fn cover_all_regions(place: &Place<'_>) -> Vec<Step> {
    let single = |held: &&HeldTrail| !held.trail.multi_region && !place.is_foreign(held);
    match place.trails.iter().find(single) {
        Some(held) => extend(place, held),
        None => create(place),
    }
}

fn extend(place: &Place<'_>, held: &HeldTrail) -> Vec<Step> {
    let named = place.named(held);
    vec![
        Step::run(
            format!("Extend the trail {} to all Regions.", held.trail.name),
            format!("aws cloudtrail update-trail {named} --is-multi-region-trail"),
        ),
        Step::run(
            "Start it, if it is not logging; on one that is, this does nothing.",
            format!("aws cloudtrail start-logging {named}"),
        ),
        place.verify(held),
    ]
}

/// The name of a new trail.
const NEW_TRAIL: &str = "management-events";

fn create(place: &Place<'_>) -> Vec<Step> {
    let (region, bucket) = (quoted(place.region()), bucket::proposed(place));
    let arn = format!(
        "arn:{}:cloudtrail:{}:{}:trail/{NEW_TRAIL}",
        place.partition(),
        place.region(),
        place.id()
    );
    let named = format!("--name {} --region {region}", quoted(&arn));
    vec![
        Step::words(
            "If this account is part of an organization, one organization trail, made in the management account with --is-organization-trail, covers it and every other: prefer that. For a trail of this account alone:",
        ),
        bucket::create(place, &bucket),
        bucket::allow(place, &bucket, &arn, &[place.id()]),
        Step::run(
            "Make a trail for all Regions.",
            format!(
                "aws cloudtrail create-trail --name {NEW_TRAIL} --s3-bucket-name {} --is-multi-region-trail --enable-log-file-validation --region {region}",
                quoted(&bucket)
            ),
        ),
        Step::run(
            "Start it: a new trail does not log until it is told to.",
            format!("aws cloudtrail start-logging {named}"),
        ),
        Step::run(
            "See that it helped: IsLogging is true, and LatestDeliveryTime appears within some 15 minutes.",
            format!("aws cloudtrail get-trail-status {named}"),
        ),
    ]
}

/// Starts the trail that counts.
pub(super) fn start_logging(place: &Place<'_>) -> Vec<Step> {
    let Some(held) = place.most_hopeful() else {
        return cover_all_regions(place);
    };
    vec![
        Step::words(
            "Find out who stopped it, and why, before evidence ages: look for StopLogging in the event history of its home Region.",
        ),
        Step::run(
            "The calls that stopped it:",
            format!(
                "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=StopLogging --region {}",
                quoted(place.home(held))
            ),
        ),
        Step::run(
            format!("Start the trail {}.{}", held.trail.name, place.whose(held)),
            format!("aws cloudtrail start-logging {}", place.named(held)),
        ),
        place.verify(held),
    ]
}

/// Finds out what is wrong with the bucket and mends it.
pub(super) fn deliver(place: &Place<'_>) -> Vec<Step> {
    let Some(held) = place.most_hopeful() else {
        return cover_all_regions(place);
    };
    let mut steps = vec![Step::run(
        told(held, &place.whose(held)),
        format!("aws cloudtrail get-trail-status {}", place.named(held)),
    )];
    let bucket = held.trail.s3_bucket.as_deref();
    if let Some(name) = bucket.map(quoted) {
        steps.push(Step::run(
            "Does the bucket exist, and may it be reached? A deleted one must be made again under the same name.",
            format!("aws s3api head-bucket --bucket {name}"),
        ));
        steps.push(Step::run(
            "Does its policy let cloudtrail.amazonaws.com call s3:GetBucketAcl on it and s3:PutObject below AWSLogs/ for this trail?",
            format!("aws s3api get-bucket-policy --bucket {name} --query Policy --output text"),
        ));
    }
    if let (Some(name), false) = (bucket, place.is_foreign(held)) {
        let mut folders = vec![place.id()];
        if held.trail.organization {
            folders.push(bucket::ORGANIZATION.into());
        }
        steps.push(bucket::allow(
            place,
            name,
            held.trail.arn.as_str(),
            &folders,
        ));
    }
    if let Some(key) = held.trail.kms_key_id.as_deref() {
        let region = key_region(key).unwrap_or_else(|| place.home(held));
        let (key, region) = (quoted(key), quoted(region));
        steps.push(Step::run(
            "Is the KMS key enabled, and does its policy let CloudTrail call kms:GenerateDataKey*?",
            format!("aws kms describe-key --key-id {key} --region {region}"),
        ));
    }
    steps.push(place.verify(held));
    steps
}

/// The Region of a key's ARN: that of the bucket, which need not be the trail's.
fn key_region(key: &str) -> Option<&str> {
    let region = key.strip_prefix("arn:")?.split(':').nth(2)?;
    region.parse::<Region>().is_ok().then_some(region)
}

fn told(held: &HeldTrail, whose: &str) -> String {
    let name = &held.trail.name;
    match bucket_error(held) {
        Some(error) => {
            format!("AWS says of the last delivery of {name}: {error}. What it says now:{whose}")
        }
        None => format!(
            "AWS reports no error for {name}, yet nothing arrived in time. What it says now:{whose}"
        ),
    }
}

/// Records read and write events of all sources.
pub(super) fn record_all_events(place: &Place<'_>) -> Vec<Step> {
    let Some(held) = place.most_hopeful() else {
        return cover_all_regions(place);
    };
    let (arn, home) = (quoted(held.trail.arn.as_str()), quoted(place.home(held)));
    let named = format!("--trail-name {arn} --region {home}");
    let all = r#"[{"ReadWriteType":"All","IncludeManagementEvents":true}]"#;
    vec![
        Step::run(
            "See what is recorded now. Keep a copy: the next step replaces it whole, selectors of data events too.",
            format!("aws cloudtrail get-event-selectors {named}"),
        ),
        Step::run(
            format!(
                "Record all management events. If there are data events among the selectors, add this one to them rather than replacing them.{}",
                place.whose(held)
            ),
            format!(
                "aws cloudtrail put-event-selectors {named} --event-selectors {}",
                quoted(all)
            ),
        ),
    ]
}

/// Writes digest files.
pub(super) fn validate(place: &Place<'_>) -> Vec<Step> {
    update(
        place,
        "Write digest files, which show when log files were changed.",
        "--enable-log-file-validation",
    )
}

/// Encrypts with a key.
pub(super) fn encrypt(place: &Place<'_>) -> Vec<Step> {
    let mut steps = vec![Step::words(
        "You need a KMS key in the Region of the bucket whose policy lets cloudtrail.amazonaws.com call kms:GenerateDataKey* and kms:DescribeKey, and readers call kms:Decrypt.",
    )];
    steps.extend(update(
        place,
        "Encrypt log files with it; put the key's ARN in place of KEY_ARN.",
        "--kms-key-id KEY_ARN",
    ));
    steps
}

/// Sends events to CloudWatch Logs.
pub(super) fn send_to_logs(place: &Place<'_>) -> Vec<Step> {
    let home = place
        .most_hopeful()
        .map_or(place.region(), |held| place.home(held));
    let mut steps = vec![Step::run(
        "Make a log group, and a role that CloudTrail may assume and that may call logs:CreateLogStream and logs:PutLogEvents on it.",
        format!(
            "aws logs create-log-group --log-group-name cloudtrail --region {}",
            quoted(home)
        ),
    )];
    steps.extend(update(
        place,
        "Send events there; put the ARNs in place of LOG_GROUP_ARN (it ends in :*) and ROLE_ARN.",
        "--cloud-watch-logs-log-group-arn LOG_GROUP_ARN --cloud-watch-logs-role-arn ROLE_ARN",
    ));
    steps
}

fn update(place: &Place<'_>, text: &str, flags: &str) -> Vec<Step> {
    let Some(held) = place.most_hopeful() else {
        return cover_all_regions(place);
    };
    vec![
        Step::run(
            format!("{text}{}", place.whose(held)),
            format!("aws cloudtrail update-trail {} {flags}", place.named(held)),
        ),
        place.verify(held),
    ]
}
