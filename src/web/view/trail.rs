//! One trail as pages and JSON show it.

use std::borrow::Cow;

use serde::Serialize;

use super::{Events, Time};
use crate::account::Region;
use crate::compliance::standing::EventKind;
use crate::compliance::{HeldTrail, Standing};
use crate::facts::{Destination, Moment, TrailStatus};
use crate::fleet::clean;
use crate::timestamp::Timestamp;

/// A trail.
#[derive(Debug, Serialize)]
pub(crate) struct Trail<'a> {
    pub(crate) arn: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) home_region: Option<&'a str>,
    pub(crate) owner_account_id: String,
    /// It satisfies the rule.
    pub(crate) is_evidence: bool,
    pub(crate) multi_region: bool,
    pub(crate) organization: bool,
    /// Null, here and below: not known.
    pub(crate) logging: Option<bool>,
    pub(crate) log_file_validation: Option<bool>,
    pub(crate) s3_bucket: Option<Cow<'a, str>>,
    pub(crate) kms_key_id: Option<Cow<'a, str>>,
    pub(crate) log_group_arn: Option<Cow<'a, str>>,
    pub(crate) sns_topic_arn: Option<Cow<'a, str>>,
    pub(crate) management_events: Events,
    pub(crate) deliveries: Vec<Delivery<'a>>,
    pub(crate) logging_started_at: Option<Time>,
    pub(crate) logging_stopped_at: Option<Time>,
    /// When the account's own status call last answered.
    pub(crate) status_read_at: Option<Time>,
}

/// Deliveries of a trail to one destination.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery<'a> {
    pub(crate) destination: &'static str,
    pub(crate) last_at: Option<Time>,
    /// AWS's text for the trouble with the last attempt.
    pub(crate) error: Option<Cow<'a, str>>,
}

impl<'a> Trail<'a> {
    /// A trail of an account at `now`.
    pub(crate) fn new(held: &'a HeldTrail, standing: &Standing, now: Timestamp) -> Self {
        let trail = &held.trail;
        let status = held.status.as_ref().map(|status| &status.value);
        let time = |moment: fn(&TrailStatus) -> Moment| status.and_then(|s| moment(s).known());
        let events = |kind| standing.trail_management_events(held, kind, now);
        let text = |text: &'a Option<std::sync::Arc<str>>| text.as_deref().map(clean);
        Self {
            arn: clean(trail.arn.as_str()),
            name: clean(&trail.name),
            home_region: trail.home_region.as_ref().map(Region::as_str),
            owner_account_id: trail.arn.owner().to_string(),
            is_evidence: standing.evidence(now) == Some(&trail.arn),
            multi_region: trail.multi_region,
            organization: trail.organization,
            logging: status.map(|status| status.logging),
            log_file_validation: trail.log_file_validation,
            s3_bucket: text(&trail.s3_bucket),
            kms_key_id: text(&trail.kms_key_id),
            log_group_arn: text(&trail.log_group_arn),
            sns_topic_arn: text(&trail.sns_topic_arn),
            management_events: Events {
                read: events(EventKind::Read),
                write: events(EventKind::Write),
            },
            deliveries: status.map(deliveries).unwrap_or_default(),
            logging_started_at: time(|s| s.started).map(Time),
            logging_stopped_at: time(|s| s.stopped).map(Time),
            status_read_at: held.status.as_ref().map(|status| Time(status.at.wall())),
        }
    }
}

/// Destinations of which AWS says anything.
fn deliveries(status: &TrailStatus) -> Vec<Delivery<'_>> {
    let delivery = |to: Destination| {
        let delivery = status.delivery(to);
        Delivery {
            destination: to.as_str(),
            last_at: delivery.latest.known().map(Time),
            error: delivery.error.as_deref().map(clean),
        }
    };
    let all = Destination::ALL.map(delivery).into_iter();
    all.filter(|d| d.last_at.is_some() || d.error.is_some() || d.destination == "s3")
        .collect()
}
