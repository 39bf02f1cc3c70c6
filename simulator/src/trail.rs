//! A trail: how it is set up, whether it logs, and when and whether it delivers. Its clockwork is here (what `every 5m` means after a stop), its wire form is not.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::{AccountId, Partition};
use crate::selectors::Selectors;
use crate::when::When;

/// How often CloudTrail writes log files.
const LOG_FILE_PERIOD: Duration = Duration::from_mins(5);
/// How often CloudTrail writes digest files.
const DIGEST_PERIOD: Duration = Duration::from_hours(1);
/// When a trail that says nothing else was started: long before any grace.
const DEFAULT_AGE: Duration = Duration::from_hours(30 * 24);

/// A trail. Every key but the name has a default: a healthy multi-Region trail of its own account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in AWS too"
)]
pub struct Trail {
    /// The name, without the ARN.
    pub name: String,
    /// The Region it was created in.
    pub home_region: String,
    /// Whether it records every enabled Region.
    pub multi_region: bool,
    /// Whether it records every account of the organization; only on the management account's trails.
    pub organization: bool,
    /// Whether digest files are written.
    pub log_file_validation: bool,
    /// Whether global service events are recorded; a multi-Region trail always says so.
    pub global_service_events: bool,
    /// The S3 bucket; made up from the owner when absent.
    pub bucket: Option<String>,
    /// The key prefix in the bucket.
    pub prefix: Option<String>,
    /// The KMS key ARN.
    pub kms_key: Option<String>,
    /// The CloudWatch Logs group ARN.
    pub log_group: Option<String>,
    /// The SNS topic ARN.
    pub sns_topic: Option<String>,
    /// Whether it logs. Turning it off or on sets `stopped` or `started`, as `StopLogging` and `StartLogging` do.
    pub logging: bool,
    /// When it was started last.
    pub started: Option<When>,
    /// When it was stopped last.
    pub stopped: Option<When>,
    /// When it delivered last, per destination; as a healthy trail does when absent.
    pub deliveries: Deliveries,
    /// The latest delivery error, per destination.
    pub errors: Errors,
    /// Which management events it records.
    pub selectors: Selectors,
    /// Merged into what `DescribeTrails` says of it; `null` takes a field away.
    pub describe_patch: Map<String, Value>,
    /// Merged into what `GetTrailStatus` says of it; `null` takes a field away.
    pub status_patch: Map<String, Value>,
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            name: String::new(),
            home_region: "us-east-1".to_owned(),
            multi_region: true,
            organization: false,
            log_file_validation: false,
            global_service_events: true,
            bucket: None,
            prefix: None,
            kms_key: None,
            log_group: None,
            sns_topic: None,
            logging: true,
            started: None,
            stopped: None,
            deliveries: Deliveries::default(),
            errors: Errors::default(),
            selectors: Selectors::default(),
            describe_patch: Map::new(),
            status_patch: Map::new(),
        }
    }
}

/// Delivery moments per destination. Absent: as a healthy trail with this destination would.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deliveries {
    /// Log files to S3.
    pub s3: Option<When>,
    /// Digest files to S3.
    pub digest: Option<When>,
    /// Events to CloudWatch Logs.
    pub logs: Option<When>,
    /// Notifications to SNS.
    pub sns: Option<When>,
}

/// Latest delivery errors per destination, as AWS words them (`NoSuchBucket`, `AccessDenied`). The text goes out as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Errors {
    /// Log files to S3.
    pub s3: Option<String>,
    /// Digest files to S3.
    pub digest: Option<String>,
    /// Events to CloudWatch Logs.
    pub logs: Option<String>,
    /// Notifications to SNS.
    pub sns: Option<String>,
}

/// What a trail delivered last, per destination, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) s3: Option<SystemTime>,
    pub(crate) digest: Option<SystemTime>,
    pub(crate) logs: Option<SystemTime>,
    pub(crate) sns: Option<SystemTime>,
}

impl Trail {
    /// The ARN, which names the owner whoever asks.
    pub fn arn(&self, partition: Partition, owner: AccountId) -> String {
        format!(
            "arn:{partition}:cloudtrail:{}:{owner}:trail/{}",
            self.home_region, self.name
        )
    }

    /// When it was started last, once pinned.
    pub fn started_at(&self) -> Option<SystemTime> {
        moment(self.started)
    }

    /// When it was stopped last, once pinned.
    pub fn stopped_at(&self) -> Option<SystemTime> {
        moment(self.stopped)
    }

    /// Turns ages into times and makes `logging` agree with the start and stop times, as the calls that change it do.
    pub(crate) fn pin(&mut self, now: SystemTime) {
        let deliveries = &mut self.deliveries;
        let ages = [
            &mut self.started,
            &mut self.stopped,
            &mut deliveries.s3,
            &mut deliveries.digest,
            &mut deliveries.logs,
            &mut deliveries.sns,
        ];
        for when in ages.into_iter().flatten() {
            *when = when.pinned(now);
        }
        if self.started.is_none() {
            self.started = Some(When::Ago(DEFAULT_AGE).pinned(now));
        }
        let stopped_last = self.stopped_at() > self.started_at();
        if self.logging && stopped_last {
            self.started = Some(When::At(now));
        } else if !self.logging && self.started_at().is_some() && !stopped_last {
            self.stopped = Some(When::At(now));
        }
    }

    /// The latest deliveries at `now`. `every` stops beating when the trail stops and starts again when it does.
    pub(crate) fn delivered(&self, now: SystemTime, phase: Duration) -> Delivered {
        let given = &self.deliveries;
        let latest = |when: Option<When>, usual: Option<Duration>| {
            self.beat(when.or(usual.map(When::Every))?, now, phase)
        };
        Delivered {
            s3: latest(given.s3, Some(LOG_FILE_PERIOD)),
            digest: latest(
                given.digest,
                self.log_file_validation.then_some(DIGEST_PERIOD),
            ),
            logs: latest(given.logs, self.log_group.as_ref().map(|_| LOG_FILE_PERIOD)),
            sns: latest(given.sns, self.sns_topic.as_ref().map(|_| LOG_FILE_PERIOD)),
        }
    }

    fn beat(&self, when: When, now: SystemTime, phase: Duration) -> Option<SystemTime> {
        if !matches!(when, When::Every(_)) {
            return when.latest(now, phase);
        }
        let started = self.started_at()?;
        let while_logging = when
            .latest(now, phase)
            .filter(|time| self.logging && *time >= started);
        while_logging.or_else(|| when.latest(self.stopped_at()?, phase))
    }
}

fn moment(when: Option<When>) -> Option<SystemTime> {
    match when? {
        When::At(time) => Some(time),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    const NOW: u64 = 1_700_000_200;

    fn pinned(mut trail: Trail) -> Trail {
        trail.pin(at(NOW));
        trail
    }

    fn s3(trail: &Trail, seconds: u64) -> Option<SystemTime> {
        trail.delivered(at(seconds), Duration::ZERO).s3
    }

    #[test]
    fn a_trail_with_nothing_said_is_old_logging_and_fresh_for_ever() {
        let trail = pinned(Trail::default());
        assert!(trail.logging && trail.stopped_at().is_none());
        for later in [0, 600, 86_400] {
            let delivered = s3(&trail, NOW + later).unwrap();
            assert!(at(NOW + later).duration_since(delivered).unwrap() <= LOG_FILE_PERIOD);
        }
    }

    #[test]
    fn only_configured_destinations_deliver() {
        let plain = pinned(Trail::default()).delivered(at(NOW), Duration::ZERO);
        assert_eq!((plain.digest, plain.logs, plain.sns), (None, None, None));
        let validated = pinned(Trail {
            log_file_validation: true,
            ..Trail::default()
        });
        assert!(
            validated
                .delivered(at(NOW), Duration::ZERO)
                .digest
                .is_some()
        );
    }

    #[test]
    fn deliveries_stand_still_after_a_stop_and_move_again_after_a_start() {
        let mut trail = pinned(Trail::default());
        trail.logging = false;
        trail.pin(at(NOW + 1_000));
        assert_eq!(trail.stopped_at(), Some(at(NOW + 1_000)));
        let last = s3(&trail, NOW + 1_000);
        assert_eq!(s3(&trail, NOW + 9_000), last);
        trail.logging = true;
        trail.pin(at(NOW + 10_000));
        assert_eq!(
            s3(&trail, NOW + 10_001),
            last,
            "nothing new in the first minutes"
        );
        assert!(s3(&trail, NOW + 10_600) > last);
    }

    #[test]
    fn a_trail_just_started_has_not_delivered() {
        let trail = pinned(Trail {
            started: Some(When::Ago(Duration::from_secs(1))),
            ..Trail::default()
        });
        let before_the_first_beat = s3(&trail, NOW);
        assert_eq!(before_the_first_beat, None);
    }

    #[test]
    fn a_trail_never_started_has_no_times_at_all() {
        let trail = pinned(Trail {
            logging: false,
            started: Some(When::Never),
            ..Trail::default()
        });
        assert_eq!(
            (trail.started_at(), trail.stopped_at(), s3(&trail, NOW)),
            (None, None, None)
        );
    }
}
