//! From the SDK's answers to facts: pure. What is missing, null or out of its range is malformed or unknown, never a default that judges.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_cloudtrail::operation::describe_trails::DescribeTrailsOutput;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types;

use crate::account::{AccountId, Partition, Region, TrailArn};
use crate::aws::TrailList;
use crate::facts::{
    AdvancedSelector, BasicSelector, Delivery, EventSelectors, FieldSelector, Moment, ReadWrite,
    Trail, TrailStatus,
};

/// The longest name or ARN of anything that is kept; labels show less.
const MAX_TEXT_BYTES: usize = 1024;
/// The longest delivery error that is kept; AWS's are codes such as `NoSuchBucket`.
const MAX_ERROR_BYTES: usize = 256;

/// An answer that does not have the documented shape; says what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misshapen(pub &'static str);

/// The trails of `DescribeTrails`, as heard by `account` in `partition`.
pub fn trails(
    answer: &DescribeTrailsOutput,
    account: AccountId,
    partition: Partition,
) -> Result<TrailList, Misshapen> {
    let entries = answer
        .trail_list
        .as_ref()
        .ok_or(Misshapen("the answer has no trailList"))?;
    let mut trails: Vec<_> = entries
        .iter()
        .filter_map(|entry| trail(entry, account, partition))
        .collect();
    let contradicted = contradicted(&trails);
    trails.retain(|trail| !contradicted.contains(&trail.arn));
    let malformed = entries.len() - trails.len();
    Ok(TrailList { trails, malformed })
}

/// The trails that one answer describes in two ways: which of them is true cannot be told.
fn contradicted(trails: &[Trail]) -> HashSet<TrailArn> {
    let mut first: HashMap<&TrailArn, &Trail> = HashMap::new();
    let mut contradicted = HashSet::new();
    for trail in trails {
        if *first.entry(&trail.arn).or_insert(trail) != trail {
            contradicted.insert(trail.arn.clone());
        }
    }
    contradicted
}

fn trail(entry: &types::Trail, account: AccountId, partition: Partition) -> Option<Trail> {
    let arn: TrailArn = entry.trail_arn()?.parse().ok()?;
    // Credentials do not cross partitions, so this cannot be the account's answer.
    let elsewhere = |region: &Region| region.partition() != partition;
    if arn.partition() != partition || arn.region().is_some_and(elsewhere) {
        return None;
    }
    let foreign = arn.owner() != account;
    // Only an organization's trail is visible outside the account that owns it. One that says it is none covers nobody here.
    let organization = entry.is_organization_trail().unwrap_or(foreign);
    if foreign && !organization {
        return None;
    }
    Some(Trail {
        name: text(entry.name()).unwrap_or_else(|| arn.name().into()),
        home_region: home_region(entry.home_region(), &arn, partition),
        multi_region: entry.is_multi_region_trail()?,
        organization,
        log_file_validation: entry.log_file_validation_enabled(),
        recursive_logging: entry.recursive_logging(),
        s3_bucket: text(entry.s3_bucket_name()),
        kms_key_id: text(entry.kms_key_id()),
        log_group_arn: text(entry.cloud_watch_logs_log_group_arn()),
        sns_topic_arn: text(entry.sns_topic_arn()),
        arn,
    })
}

/// The Region named by the answer, else by the ARN; only one of the account's own partition, since calls go there with its credentials.
fn home_region(named: Option<&str>, arn: &TrailArn, partition: Partition) -> Option<Region> {
    let named = named.and_then(|text| text.parse().ok());
    [named, arn.region().cloned()]
        .into_iter()
        .flatten()
        .find(|region| region.partition() == partition)
}

/// A text that says something.
fn text(value: Option<&str>) -> Option<Arc<str>> {
    let value = value.filter(|text| !text.is_empty());
    value.map(|text| cut(text, MAX_TEXT_BYTES).into())
}

/// The status of `GetTrailStatus`.
pub fn status(answer: &GetTrailStatusOutput, now: SystemTime) -> Result<TrailStatus, Misshapen> {
    let when = |time| moment(time, now);
    let delivery = |time, error| Delivery {
        latest: moment(time, now),
        error: delivery_error(error),
    };
    Ok(TrailStatus {
        logging: answer
            .is_logging()
            .ok_or(Misshapen("the answer has no IsLogging"))?,
        deliveries: [
            delivery(
                answer.latest_delivery_time(),
                answer.latest_delivery_error(),
            ),
            delivery(
                answer.latest_digest_delivery_time(),
                answer.latest_digest_delivery_error(),
            ),
            delivery(
                answer.latest_cloud_watch_logs_delivery_time(),
                answer.latest_cloud_watch_logs_delivery_error(),
            ),
            delivery(
                answer.latest_notification_time(),
                answer.latest_notification_error(),
            ),
        ],
        started: when(answer.start_logging_time()),
        stopped: when(answer.stop_logging_time()),
    })
}

fn moment(time: Option<&DateTime>, now: SystemTime) -> Moment {
    time.map_or(Moment::Never, |time| Moment::new(time.as_secs_f64(), now))
}

/// AWS's text for a trouble. Absent, empty and `None` all mean that there is none.
fn delivery_error(value: Option<&str>) -> Option<Arc<str>> {
    let error = value.unwrap_or_default().trim();
    if error.is_empty() || error.eq_ignore_ascii_case("none") {
        return None;
    }
    Some(cut(error, MAX_ERROR_BYTES).into())
}

/// The beginning of a text, at most `bytes` long.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// The selectors of `GetEventSelectors`, asked about `trail`.
pub fn selectors(
    answer: &GetEventSelectorsOutput,
    trail: &TrailArn,
) -> Result<EventSelectors, Misshapen> {
    if answer
        .trail_arn()
        .is_some_and(|named| named != trail.as_str())
    {
        return Err(Misshapen("the answer is about another trail"));
    }
    let basic = answer.event_selectors.as_deref();
    let advanced = answer.advanced_event_selectors.as_deref();
    match (basic, advanced) {
        (None, None) => Err(Misshapen("the answer has neither list of selectors")),
        (Some([_, ..]), Some([_, ..])) => Err(Misshapen("the answer has both kinds of selectors")),
        (Some(basic @ [_, ..]), _) => all(basic, basic_selector).map(EventSelectors::Basic),
        (Some([]), None | Some([])) => Ok(EventSelectors::Default),
        (_, Some(advanced)) => all(advanced, advanced_selector).map(EventSelectors::Advanced),
    }
}

fn all<T, U>(entries: &[T], one: impl Fn(&T) -> Result<U, Misshapen>) -> Result<Vec<U>, Misshapen> {
    entries.iter().map(one).collect()
}

fn basic_selector(entry: &types::EventSelector) -> Result<BasicSelector, Misshapen> {
    Ok(BasicSelector {
        management_events: entry.include_management_events().unwrap_or(true),
        read_write: read_write(entry.read_write_type())?,
        excluded_sources: texts(entry.exclude_management_event_sources()),
    })
}

fn read_write(value: Option<&types::ReadWriteType>) -> Result<ReadWrite, Misshapen> {
    match value {
        None | Some(types::ReadWriteType::All) => Ok(ReadWrite::All),
        Some(types::ReadWriteType::ReadOnly) => Ok(ReadWrite::ReadOnly),
        Some(types::ReadWriteType::WriteOnly) => Ok(ReadWrite::WriteOnly),
        Some(_) => Err(Misshapen("a selector has an unknown ReadWriteType")),
    }
}

fn advanced_selector(entry: &types::AdvancedEventSelector) -> Result<AdvancedSelector, Misshapen> {
    if entry.field_selectors().is_empty() {
        return Err(Misshapen("an advanced selector has no condition"));
    }
    let fields = all(entry.field_selectors(), field_selector)?;
    Ok(AdvancedSelector { fields })
}

fn field_selector(entry: &types::AdvancedFieldSelector) -> Result<FieldSelector, Misshapen> {
    let others = [
        entry.starts_with(),
        entry.ends_with(),
        entry.not_starts_with(),
        entry.not_ends_with(),
    ];
    let condition = FieldSelector {
        field: entry.field().into(),
        equals: texts(entry.equals()),
        not_equals: texts(entry.not_equals()),
        other_operators: others.iter().any(|values| !values.is_empty()),
    };
    let says_nothing = condition.equals.is_empty() && condition.not_equals.is_empty();
    if condition.field.is_empty() || (says_nothing && !condition.other_operators) {
        return Err(Misshapen("a condition of an advanced selector is empty"));
    }
    Ok(condition)
}

fn texts(values: &[String]) -> Vec<Arc<str>> {
    values.iter().map(|text| text.as_str().into()).collect()
}

#[cfg(test)]
mod tests;
