//! The families about trails, as each account sees them, in the order of the contract.

use std::time::SystemTime;

use super::delivery_error;
use super::family::{Family, Samples, Subject};
use crate::compliance::HeldTrail;
use crate::compliance::standing::EventKind;
use crate::facts::{Delivery, Destination, Moment, Trail, TrailStatus};
use crate::labels::Labels;
use crate::snapshot::AccountState;

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
        |state, _, out| each(state, out, info),
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
        |state, _, out| each_flag(state, out, |trail| Some(trail.multi_region)),
    ),
    gauge(
        "cloudtrail_trail_organization",
        &[],
        "1 if the trail covers every account of an organization, 0 if not (cached from the last poll that could read it).",
        |state, _, out| each_flag(state, out, |trail| Some(trail.organization)),
    ),
    gauge(
        "cloudtrail_trail_log_file_validation",
        &[],
        "1 if the trail writes digest files, 0 if not, absent while unknown (cached from the last poll that could read it).",
        |state, _, out| each_flag(state, out, |trail| trail.log_file_validation),
    ),
    gauge(
        "cloudtrail_trail_kms_encryption",
        &[],
        "1 if the trail encrypts its log files with a KMS key, 0 if not (cached from the last poll that could read it).",
        |state, _, out| each_flag(state, out, |trail| Some(trail.kms_key_id.is_some())),
    ),
    gauge(
        "cloudtrail_trail_cloudwatch_logs",
        &[],
        "1 if the trail sends events to CloudWatch Logs, 0 if not (cached from the last poll that could read it).",
        |state, _, out| each_flag(state, out, |trail| Some(trail.log_group_arn.is_some())),
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
        |state, _, out| each_delivery(state, out, |labels, to, at, out| out.time(labels, [to], at)),
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
        |state, _, out| each_configured(state, out, delivery_error_info),
    ),
    gauge(
        "cloudtrail_trail_logging_started_timestamp_seconds",
        &[],
        "When logging of the trail was last started, in seconds since the UNIX epoch (cached from the last poll that could read it).",
        |state, _, out| each_moment(state, out, |status| status.started),
    ),
    gauge(
        "cloudtrail_trail_logging_stopped_timestamp_seconds",
        &[],
        "When logging of the trail was last stopped, in seconds since the UNIX epoch (cached from the last poll that could read it).",
        |state, _, out| each_moment(state, out, |status| status.stopped),
    ),
];

const fn gauge(
    name: &'static str,
    extra: &'static [&'static str],
    help: &'static str,
    samples: fn(&AccountState, SystemTime, &mut Samples<'_>),
) -> Family {
    Family::gauge(Subject::Trail, name, extra, help, samples)
}

/// Each trail with its labels; [`Labels::trails`] leaves out those that would be a series twice.
fn each(
    state: &AccountState,
    out: &mut Samples<'_>,
    write: impl Fn(&Labels, &HeldTrail, &mut Samples<'_>),
) {
    for (held, labels) in state.standing.trails().iter().zip(&state.trail_labels) {
        if !labels.is_empty() {
            write(labels, held, out);
        }
    }
}

/// Each trail of which it is known.
fn each_flag(state: &AccountState, out: &mut Samples<'_>, flag: impl Fn(&Trail) -> Option<bool>) {
    each(state, out, |labels, held, out| {
        if let Some(on) = flag(&held.trail) {
            out.flag(labels, [], on);
        }
    });
}

/// Each trail whose status could be read.
fn each_status(
    state: &AccountState,
    out: &mut Samples<'_>,
    write: impl Fn(&Labels, &Trail, &TrailStatus, &mut Samples<'_>),
) {
    each(state, out, |labels, held, out| {
        if let Some(status) = &held.status {
            write(labels, &held.trail, &status.value, out);
        }
    });
}

/// Each trail of which AWS reports a time.
fn each_moment(
    state: &AccountState,
    out: &mut Samples<'_>,
    moment: impl Fn(&TrailStatus) -> Moment,
) {
    each_status(state, out, |labels, _, status, out| {
        if let Some(at) = moment(status).known() {
            out.time(labels, [], at);
        }
    });
}

/// Each last delivery that AWS reports.
fn each_delivery(
    state: &AccountState,
    out: &mut Samples<'_>,
    write: impl Fn(&Labels, &'static str, SystemTime, &mut Samples<'_>),
) {
    each_status(state, out, |labels, _, status, out| {
        for to in Destination::ALL {
            if let Some(at) = status.delivery(to).latest.known() {
                write(labels, to.as_str(), at, out);
            }
        }
    });
}

/// Each destination that the trail is configured to deliver to.
fn each_configured(
    state: &AccountState,
    out: &mut Samples<'_>,
    write: impl Fn(&Labels, Destination, &Delivery, &mut Samples<'_>),
) {
    each_status(state, out, |labels, trail, status, out| {
        for to in Destination::ALL {
            if is_configured(trail, to) {
                write(labels, to, status.delivery(to), out);
            }
        }
    });
}

fn is_configured(trail: &Trail, to: Destination) -> bool {
    match to {
        Destination::S3 => true,
        Destination::S3Digest => trail.log_file_validation == Some(true),
        Destination::CloudWatchLogs => trail.log_group_arn.is_some(),
        Destination::Sns => trail.sns_topic_arn.is_some(),
    }
}

fn info(labels: &Labels, held: &HeldTrail, out: &mut Samples<'_>) {
    let trail = &held.trail;
    let extra = [
        trail.arn.owner_digits(),
        trail.s3_bucket.as_deref().unwrap_or_default(),
        trail.kms_key_id.as_deref().unwrap_or_default(),
        trail.log_group_arn.as_deref().unwrap_or_default(),
        trail.sns_topic_arn.as_deref().unwrap_or_default(),
    ];
    out.flag_of(labels, extra, true);
}

fn logging(state: &AccountState, _: SystemTime, out: &mut Samples<'_>) {
    each_status(state, out, |labels, _, status, out| {
        out.flag(labels, [], status.logging);
    });
}

fn management_events(state: &AccountState, now: SystemTime, out: &mut Samples<'_>) {
    each(state, out, |labels, held, out| {
        for kind in EventKind::ALL {
            let recorded = state.standing.trail_management_events(held, kind, now);
            if let Some(recorded) = recorded {
                out.flag(labels, [kind.as_str()], recorded);
            }
        }
    });
}

fn delivery_failing(state: &AccountState, _: SystemTime, out: &mut Samples<'_>) {
    each_configured(state, out, |labels, to, delivery, out| {
        out.flag(labels, [to.as_str()], delivery.error.is_some());
    });
}

/// A delivery ahead of our clock is zero seconds old.
fn last_delivery_age(state: &AccountState, now: SystemTime, out: &mut Samples<'_>) {
    each_delivery(state, out, |labels, to, at, out| {
        out.seconds(labels, [to], now.duration_since(at).unwrap_or_default());
    });
}

fn delivery_error_info(
    labels: &Labels,
    to: Destination,
    delivery: &Delivery,
    out: &mut Samples<'_>,
) {
    if let Some(error) = &delivery.error {
        out.flag(labels, [to.as_str(), delivery_error::code(error)], true);
    }
}
