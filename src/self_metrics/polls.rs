//! Polls of accounts: how many, how long, how many left their verdict open and why.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Result};

use super::SelfMetrics;
use super::registrar::{InFlight, Registrar};
use crate::compliance::Reason;

/// Buckets of whole polls, in seconds: from three quick calls to the account deadline.
const BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Clone)]
pub(super) struct Metrics {
    ended: IntCounter,
    failures: IntCounterVec,
    duration: Histogram,
    in_flight: IntGauge,
    overruns: IntCounter,
}

impl Metrics {
    pub(super) fn new(r: &Registrar) -> Result<Self> {
        let metrics = Self {
            ended: r.counter(
                "cloudtrail_exporter_polls_total",
                "Polls of accounts that ended.",
            )?,
            failures: r.counters(
                "cloudtrail_exporter_poll_failures_total",
                "Polls that left the verdict of their account open, by reason.",
                &["reason"],
            )?,
            duration: r.histogram(
                "cloudtrail_exporter_poll_duration_seconds",
                "How long polls of accounts took.",
                BUCKETS,
            )?,
            in_flight: r.gauge(
                "cloudtrail_exporter_polls_in_flight",
                "Polls of accounts under way.",
            )?,
            overruns: r.counter(
                "cloudtrail_exporter_poll_overruns_total",
                "Polls that were still waiting or running when the next one of their account was due.",
            )?,
        };
        for reason in Reason::unknown_labels() {
            metrics.failures.with_label_values(&[reason]);
        }
        Ok(metrics)
    }
}

/// A poll that has begun. A panic ends it, too.
pub struct PollUnderWay {
    _in_flight: InFlight,
    ended: IntCounter,
}

impl Drop for PollUnderWay {
    fn drop(&mut self) {
        self.ended.inc();
    }
}

impl SelfMetrics {
    /// A poll begins; it is in flight until the guard is dropped, and counted then however it ended.
    pub fn poll_begins(&self) -> PollUnderWay {
        PollUnderWay {
            _in_flight: InFlight::new(&self.polls.in_flight),
            ended: self.polls.ended.clone(),
        }
    }

    /// A poll came to its end after `duration`.
    pub fn poll_ended(&self, duration: Duration) {
        self.polls.duration.observe(duration.as_secs_f64());
    }

    /// A poll left its account's verdict open. A reason that leaves no verdict open is counted as `other`.
    pub fn poll_failed(&self, reason: Reason) {
        let label = reason.as_str();
        let listed = Reason::unknown_labels().any(|known| known == label);
        let label = if listed { label } else { "other" };
        self.polls.failures.with_label_values(&[label]).inc();
    }

    /// A poll was still waiting or running when the next one was due.
    pub fn poll_overran(&self) {
        self.polls.overruns.inc();
    }
}
