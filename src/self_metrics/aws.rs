//! Calls to AWS, per attempt.

use std::time::Duration;

use prometheus::{Gauge, HistogramVec, IntCounterVec, Result};

use super::SelfMetrics;
use super::registrar::Registrar;
use crate::facts::Failure;

/// Latency buckets of AWS calls, in seconds: from a near endpoint to the attempt deadline.
const BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Every call the exporter may make, as (`aws_service`, `operation`).
pub const AWS_OPERATIONS: [(&str, &str); 8] = [
    ("sts", "AssumeRole"),
    ("sts", "GetCallerIdentity"),
    ("cloudtrail", "DescribeTrails"),
    ("cloudtrail", "GetTrailStatus"),
    ("cloudtrail", "GetEventSelectors"),
    ("organizations", "ListAccounts"),
    ("organizations", "ListAccountsForParent"),
    ("organizations", "ListOrganizationalUnitsForParent"),
];

#[derive(Clone)]
pub(super) struct Metrics {
    requests: IntCounterVec,
    retries: IntCounterVec,
    failures: IntCounterVec,
    duration: HistogramVec,
    clock_skew: Gauge,
}

impl Metrics {
    pub(super) fn new(r: &Registrar) -> Result<Self> {
        let call = ["aws_service", "operation"];
        let metrics = Self {
            requests: r.counters(
                "cloudtrail_exporter_aws_requests_total",
                "Attempts of AWS calls.",
                &call,
            )?,
            retries: r.counters(
                "cloudtrail_exporter_aws_request_retries_total",
                "Attempts of AWS calls after the first.",
                &call,
            )?,
            failures: r.counters(
                "cloudtrail_exporter_aws_request_failures_total",
                "Attempts of AWS calls that failed, by reason.",
                &["aws_service", "operation", "reason"],
            )?,
            duration: r.histograms(
                "cloudtrail_exporter_aws_request_duration_seconds",
                "How long attempts of AWS calls took.",
                &call,
                BUCKETS,
            )?,
            clock_skew: r.float_gauge(
                "cloudtrail_exporter_clock_skew_seconds",
                "AWS's clock minus ours in seconds, from the Date of AWS's last answer.",
            )?,
        };
        metrics.start_at_zero();
        Ok(metrics)
    }

    fn start_at_zero(&self) {
        for (service, operation) in AWS_OPERATIONS {
            self.requests.with_label_values(&[service, operation]);
            self.retries.with_label_values(&[service, operation]);
            self.duration.with_label_values(&[service, operation]);
            for reason in Failure::LABELS {
                self.failures
                    .with_label_values(&[service, operation, reason]);
            }
        }
    }
}

impl SelfMetrics {
    /// One attempt of an AWS call, one of [`AWS_OPERATIONS`]; `retry` if it was not the first. Any other call makes no series.
    pub fn aws_attempt(&self, service: &str, operation: &str, took: Duration, retry: bool) {
        if !is_listed(service, operation) {
            return;
        }
        let (aws, labels) = (&self.aws, [service, operation]);
        let duration = aws.duration.with_label_values(&labels);
        duration.observe(took.as_secs_f64());
        aws.requests.with_label_values(&labels).inc();
        if retry {
            aws.retries.with_label_values(&labels).inc();
        }
    }

    /// One attempt of an AWS call, one of [`AWS_OPERATIONS`], that failed.
    pub fn aws_attempt_failed(&self, service: &str, operation: &str, failure: Failure) {
        if is_listed(service, operation) {
            let labels = [service, operation, failure.as_str()];
            self.aws.failures.with_label_values(&labels).inc();
        }
    }

    /// AWS's clock minus ours, in seconds.
    pub fn set_clock_skew(&self, seconds: f64) {
        if seconds.is_finite() {
            self.aws.clock_skew.set(seconds);
        }
    }
}

fn is_listed(service: &str, operation: &str) -> bool {
    AWS_OPERATIONS.contains(&(service, operation))
}
