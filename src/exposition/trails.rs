//! The families about trails, as each account sees them, in the order of the contract.

use std::time::SystemTime;

use super::column::Column;
use super::delivery_error;
use super::family::{Family, Read, Seen};
use crate::compliance::standing::EventKind;
use crate::facts::{Delivery, Destination, Moment, Trail, TrailStatus};
use crate::timestamp::Timestamp;

/// Every family about trails.
pub static FAMILIES: &[Family] = &[
    gauge(
        "cloudtrail_trail_info",
        &[
            "owner_account_id",
            "s3_bucket",
            "kms_key_id",
            "log_group_arn",
            "sns_topic_arn",
        ],
        "1 for every trail the account sees, with where it delivers to (cached from the last poll that could read it).",
        info,
    ),
    gauge(
        "cloudtrail_trail_logging",
        &[],
        "1 if the trail is logging, 0 if it is stopped, absent while unknown (cached from the last poll that could read it).",
        logging,
    ),
    gauge(
        "cloudtrail_trail_multi_region",
        &[],
        "1 if the trail covers every enabled Region, 0 if one (cached from the last poll that could read it).",
        |seen, _, column| column.flag([], seen.held.trail.multi_region),
    ),
    gauge(
        "cloudtrail_trail_organization",
        &[],
        "1 if the trail covers every account of an organization, 0 if not (cached from the last poll that could read it).",
        |seen, _, column| column.flag([], seen.held.trail.organization),
    ),
    gauge(
        "cloudtrail_trail_log_file_validation",
        &[],
        "1 if the trail writes digest files, 0 if not, absent while unknown (cached from the last poll that could read it).",
        log_file_validation,
    ),
    gauge(
        "cloudtrail_trail_kms_encryption",
        &[],
        "1 if the trail encrypts its log files with a KMS key, 0 if not (cached from the last poll that could read it).",
        |seen, _, column| column.flag([], seen.held.trail.kms_key_id.is_some()),
    ),
    gauge(
        "cloudtrail_trail_cloudwatch_logs",
        &[],
        "1 if the trail sends events to CloudWatch Logs, 0 if not (cached from the last poll that could read it).",
        |seen, _, column| column.flag([], seen.held.trail.log_group_arn.is_some()),
    ),
    gauge(
        "cloudtrail_trail_management_events",
        &["kind"],
        "1 if the trail's selectors record all management events of the kind, logging or not, 0 if not, absent while unknown (cached from the last poll).",
        management_events,
    ),
    gauge(
        "cloudtrail_trail_last_delivery_timestamp_seconds",
        &["destination"],
        "When AWS says the trail last delivered, in seconds since the UNIX epoch, absent if AWS reports none (cached from the last poll that could read it).",
        last_delivery,
    ),
    gauge(
        "cloudtrail_trail_last_delivery_age_seconds",
        &["destination"],
        "How long ago the trail last delivered, computed at scrape time from AWS's timestamp (cached from the last poll that could read it).",
        last_delivery_age,
    ),
    gauge(
        "cloudtrail_trail_delivery_failing",
        &["destination"],
        "1 if AWS reports an error of the trail's latest delivery, 0 if not, for each configured destination (cached from the last poll that could read it).",
        delivery_failing,
    ),
    gauge(
        "cloudtrail_trail_delivery_error_info",
        &["destination", "code"],
        "1 while AWS reports an error of the trail's latest delivery, labelled with AWS's code (cached from the last poll that could read it).",
        delivery_error_info,
    ),
    gauge(
        "cloudtrail_trail_logging_started_timestamp_seconds",
        &[],
        "When logging of the trail was last started, in seconds since the UNIX epoch (cached from the last poll that could read it).",
        |seen, _, column| moment(seen, column, |status| status.started),
    ),
    gauge(
        "cloudtrail_trail_logging_stopped_timestamp_seconds",
        &[],
        "When logging of the trail was last stopped, in seconds since the UNIX epoch (cached from the last poll that could read it).",
        |seen, _, column| moment(seen, column, |status| status.stopped),
    ),
];

const fn gauge(
    name: &'static str,
    extra: &'static [&'static str],
    help: &'static str,
    read: fn(&Seen<'_>, Timestamp, &mut Column),
) -> Family {
    Family::gauge(name, extra, help, Read::OfTrail(read))
}

fn info(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    let trail = &seen.held.trail;
    let extra = [
        trail.arn.owner_digits(),
        trail.s3_bucket.as_deref().unwrap_or_default(),
        trail.kms_key_id.as_deref().unwrap_or_default(),
        trail.log_group_arn.as_deref().unwrap_or_default(),
        trail.sns_topic_arn.as_deref().unwrap_or_default(),
    ];
    column.flag_of(extra, true);
}

fn logging(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    if let Some(status) = status(seen) {
        column.flag([], status.logging);
    }
}

fn log_file_validation(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    if let Some(on) = seen.held.trail.log_file_validation {
        column.flag([], on);
    }
}

fn management_events(seen: &Seen<'_>, now: Timestamp, column: &mut Column) {
    for kind in EventKind::ALL {
        let standing = &seen.by.standing;
        if let Some(recorded) = standing.trail_management_events(seen.held, kind, now) {
            column.flag([kind.as_str()], recorded);
        }
    }
}

fn last_delivery(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    for (to, at) in deliveries(seen) {
        column.time([to.as_str()], at);
    }
}

/// A delivery ahead of our clock is zero seconds old.
fn last_delivery_age(seen: &Seen<'_>, now: Timestamp, column: &mut Column) {
    for (to, at) in deliveries(seen) {
        column.seconds(
            [to.as_str()],
            now.wall().duration_since(at).unwrap_or_default(),
        );
    }
}

fn delivery_failing(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    for (to, delivery) in configured(seen) {
        column.flag([to.as_str()], delivery.error.is_some());
    }
}

fn delivery_error_info(seen: &Seen<'_>, _: Timestamp, column: &mut Column) {
    for (to, delivery) in configured(seen) {
        if let Some(error) = &delivery.error {
            column.flag([to.as_str(), delivery_error::code(error)], true);
        }
    }
}

fn moment(seen: &Seen<'_>, column: &mut Column, moment: impl Fn(&TrailStatus) -> Moment) {
    if let Some(at) = status(seen).and_then(|status| moment(status).known()) {
        column.time([], at);
    }
}

/// The status, if it could be read.
fn status<'a>(seen: &Seen<'a>) -> Option<&'a TrailStatus> {
    seen.held.status.as_ref().map(|status| &status.value)
}

/// The last deliveries that AWS reports.
fn deliveries(seen: &Seen<'_>) -> impl Iterator<Item = (Destination, SystemTime)> {
    let status = status(seen).into_iter();
    status.flat_map(|status| {
        let known = |to| Some((to, status.delivery(to).latest.known()?));
        Destination::ALL.into_iter().filter_map(known)
    })
}

/// The destinations that the trail is configured to deliver to.
fn configured<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (Destination, &'a Delivery)> {
    let trail = &seen.held.trail;
    let status = status(seen).into_iter();
    status.flat_map(move |status| {
        let all = Destination::ALL.into_iter();
        let configured = all.filter(|to| is_configured(trail, *to));
        configured.map(|to| (to, status.delivery(to)))
    })
}

fn is_configured(trail: &Trail, to: Destination) -> bool {
    match to {
        Destination::S3 => true,
        Destination::S3Digest => trail.log_file_validation == Some(true),
        Destination::CloudWatchLogs => trail.log_group_arn.is_some(),
        Destination::Sns => trail.sns_topic_arn.is_some(),
    }
}
