//! Metrics about the exporter itself, in a `prometheus::Registry` of our own. Metrics about AWS accounts are no business of this room: they are
//! read from the snapshot by [`crate::exposition`] and never held in a gauge.
//!
//! Every child of a closed label list exists from the start at 0.

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

use crate::compliance::Reason;
use crate::directory::Source;
use crate::facts::Failure;

/// Latency buckets of AWS calls, in seconds: from a near endpoint to the attempt deadline.
const REQUEST_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Buckets of whole polls, in seconds: from three quick calls to the account deadline.
const POLL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

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

/// The HTTP handlers, as the `handler` label names them.
pub const HANDLERS: [&str; 8] = [
    "metrics", "index", "account", "api", "healthy", "ready", "reload", "other",
];
/// The status codes the server answers with; anything else is counted as `other`.
pub const CODES: [&str; 13] = [
    "200", "400", "401", "403", "404", "405", "408", "413", "429", "431", "500", "503", "other",
];

/// What this build is, for `cloudtrail_exporter_build_info`.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// Crate version.
    pub version: &'static str,
    /// Git revision, or `unknown`.
    pub revision: &'static str,
    /// Compiler version.
    pub rustc: &'static str,
    /// Target triple.
    pub target: &'static str,
}

/// All self metrics. Cheap to clone.
#[derive(Clone)]
pub struct SelfMetrics {
    registry: Registry,
    accounts: IntGaugeVec,
    ready: IntGauge,
    polls: IntCounter,
    poll_failures: IntCounterVec,
    poll_duration: Histogram,
    polls_in_flight: IntGauge,
    poll_overruns: IntCounter,
    aws: AwsMetrics,
    discovery: DiscoveryMetrics,
    shard_ordinal: IntGauge,
    shards: IntGauge,
    reload_successful: IntGauge,
    reload_success_time: Gauge,
    config_info: IntGaugeVec,
    http_requests: IntCounterVec,
    http_in_flight: IntGauge,
}

#[derive(Clone)]
struct AwsMetrics {
    requests: IntCounterVec,
    retries: IntCounterVec,
    failures: IntCounterVec,
    duration: HistogramVec,
    clock_skew: Gauge,
}

#[derive(Clone)]
struct DiscoveryMetrics {
    up: IntGaugeVec,
    last_success: GaugeVec,
    accounts: IntGaugeVec,
}

/// Registers what `make` builds. Names and labels are constants of this file, so a failure is a fault of this file that every test meets.
struct Registrar(Registry);

impl Registrar {
    fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let collector = made?;
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.add(IntGauge::new(name, help))
    }

    fn float_gauge(&self, name: &str, help: &str) -> prometheus::Result<Gauge> {
        self.add(Gauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.add(IntCounter::new(name, help))
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }
}

impl SelfMetrics {
    /// All self metrics, their closed children at 0.
    pub fn new(build: Build) -> prometheus::Result<Self> {
        let r = Registrar(Registry::new());
        let metrics = Self {
            accounts: r.gauges("cloudtrail_exporter_accounts", "Accounts this process polls.", &["source"])?,
            ready: r.gauge("cloudtrail_exporter_ready", "1 once discovery was attempted and every account known then was polled once; mirrors /-/ready.")?,
            polls: r.counter("cloudtrail_exporter_polls_total", "Polls of accounts that ended.")?,
            poll_failures: r.counters("cloudtrail_exporter_poll_failures_total", "Polls that left the verdict of their account open, by reason.", &["reason"])?,
            poll_duration: r.add(Histogram::with_opts(HistogramOpts::new("cloudtrail_exporter_poll_duration_seconds", "How long polls of accounts took.").buckets(POLL_BUCKETS.to_vec())))?,
            polls_in_flight: r.gauge("cloudtrail_exporter_polls_in_flight", "Polls of accounts under way.")?,
            poll_overruns: r.counter("cloudtrail_exporter_poll_overruns_total", "Polls that were still waiting or running when the next one of their account was due.")?,
            aws: AwsMetrics::new(&r)?,
            discovery: DiscoveryMetrics::new(&r)?,
            shard_ordinal: r.gauge("cloudtrail_exporter_shard_ordinal", "The shard this process is, from 0.")?,
            shards: r.gauge("cloudtrail_exporter_shards", "How many shards the directory is divided into.")?,
            reload_successful: r.gauge("cloudtrail_exporter_config_last_reload_successful", "1 if the last attempt to read the configuration succeeded.")?,
            reload_success_time: r.float_gauge("cloudtrail_exporter_config_last_reload_success_timestamp_seconds", "When the configuration was last read with success, in seconds since the UNIX epoch.")?,
            config_info: r.gauges("cloudtrail_exporter_config_info", "1, labelled with the short SHA-256 of the configuration in force.", &["sha256"])?,
            http_requests: r.counters("cloudtrail_exporter_http_requests_total", "HTTP requests answered.", &["handler", "code"])?,
            http_in_flight: r.gauge("cloudtrail_exporter_http_requests_in_flight", "HTTP requests being answered.")?,
            registry: r.0.clone(),
        };
        let info = r.gauges(
            "cloudtrail_exporter_build_info",
            "1, labelled with what this build is.",
            &["version", "revision", "rustc", "target"],
        )?;
        info.with_label_values(&[build.version, build.revision, build.rustc, build.target])
            .set(1);
        #[cfg(target_os = "linux")]
        r.0.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// Creates every child of a closed label list.
    fn start_at_zero(&self) {
        self.shards.set(1);
        for reason in Reason::unknown_labels() {
            self.poll_failures.with_label_values(&[reason]);
        }
        for source in Source::ALL {
            self.accounts.with_label_values(&[source.as_str()]);
        }
        for handler in HANDLERS {
            for code in CODES {
                self.http_requests.with_label_values(&[handler, code]);
            }
        }
        self.aws.start_at_zero();
    }

    /// All families, read now, with `process_*`.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// The number of accounts from a source.
    pub fn set_accounts(&self, source: Source, accounts: usize) {
        self.accounts
            .with_label_values(&[source.as_str()])
            .set(count(accounts));
    }

    /// Mirrors `/-/ready`.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// A poll begins; it is in flight until the guard is dropped.
    pub fn poll_begins(&self) -> InFlight {
        InFlight::new(&self.polls_in_flight)
    }

    /// A poll ended after `duration`.
    pub fn poll_ended(&self, duration: Duration) {
        self.polls.inc();
        self.poll_duration.observe(duration.as_secs_f64());
    }

    /// A poll left its account's verdict open.
    pub fn poll_failed(&self, reason: Reason) {
        self.poll_failures
            .with_label_values(&[reason.as_str()])
            .inc();
    }

    /// A poll was still waiting or running when the next one was due.
    pub fn poll_overran(&self) {
        self.poll_overruns.inc();
    }

    /// One attempt of an AWS call, one of [`AWS_OPERATIONS`]; `retry` if it was not the first.
    pub fn aws_attempt(&self, service: &str, operation: &str, took: Duration, retry: bool) {
        let labels = [service, operation];
        self.aws.requests.with_label_values(&labels).inc();
        self.aws
            .duration
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
        if retry {
            self.aws.retries.with_label_values(&labels).inc();
        }
    }

    /// One attempt of an AWS call that failed.
    pub fn aws_attempt_failed(&self, service: &str, operation: &str, failure: Failure) {
        self.aws
            .failures
            .with_label_values(&[service, operation, failure.as_str()])
            .inc();
    }

    /// AWS's clock minus ours, in seconds.
    pub fn set_clock_skew(&self, seconds: f64) {
        self.aws.clock_skew.set(seconds);
    }

    /// A discovery from `source` succeeded at `at` (seconds since the UNIX epoch) and found so many accounts.
    pub fn discovery_succeeded(&self, source: Source, at: f64, accounts: usize) {
        let labels = [source.as_str()];
        self.discovery.up.with_label_values(&labels).set(1);
        self.discovery
            .last_success
            .with_label_values(&labels)
            .set(at);
        self.discovery
            .accounts
            .with_label_values(&labels)
            .set(count(accounts));
    }

    /// A discovery from `source` failed; what it found before stays.
    pub fn discovery_failed(&self, source: Source) {
        self.discovery
            .up
            .with_label_values(&[source.as_str()])
            .set(0);
    }

    /// This process is shard `ordinal` of `shards`.
    pub fn set_shard(&self, ordinal: usize, shards: usize) {
        self.shard_ordinal.set(count(ordinal));
        self.shards.set(count(shards));
    }

    /// The configuration with this short hash came into force at `at` (seconds since the UNIX epoch).
    pub fn config_loaded(&self, sha256: &str, at: f64) {
        self.reload_successful.set(1);
        self.reload_success_time.set(at);
        self.config_info.reset();
        self.config_info.with_label_values(&[sha256]).set(1);
    }

    /// A new configuration was refused; the old one stays in force.
    pub fn config_refused(&self) {
        self.reload_successful.set(0);
    }

    /// An HTTP request begins; it is in flight until the guard is dropped.
    pub fn http_begins(&self) -> InFlight {
        InFlight::new(&self.http_in_flight)
    }

    /// An HTTP request was answered by one of [`HANDLERS`].
    pub fn http_answered(&self, handler: &str, code: u16) {
        let text = code.to_string();
        let code = CODES
            .into_iter()
            .find(|known| *known == text)
            .unwrap_or("other");
        self.http_requests.with_label_values(&[handler, code]).inc();
    }
}

impl AwsMetrics {
    fn new(r: &Registrar) -> prometheus::Result<Self> {
        let call = ["aws_service", "operation"];
        let duration = HistogramOpts::new(
            "cloudtrail_exporter_aws_request_duration_seconds",
            "How long attempts of AWS calls took.",
        )
        .buckets(REQUEST_BUCKETS.to_vec());
        Ok(Self {
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
            duration: r.add(HistogramVec::new(duration, &call))?,
            clock_skew: r.float_gauge(
                "cloudtrail_exporter_clock_skew_seconds",
                "AWS's clock minus ours in seconds, from the Date of AWS's last answer.",
            )?,
        })
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

impl DiscoveryMetrics {
    fn new(r: &Registrar) -> prometheus::Result<Self> {
        Ok(Self {
            up: r.gauges("cloudtrail_exporter_discovery_up", "1 if the last discovery of accounts succeeded.", &["source"])?,
            last_success: r.add(GaugeVec::new(Opts::new("cloudtrail_exporter_discovery_last_success_timestamp_seconds", "When accounts were last discovered with success, in seconds since the UNIX epoch."), &["source"]))?,
            accounts: r.gauges("cloudtrail_exporter_discovery_accounts", "Accounts found by the last successful discovery.", &["source"])?,
        })
    }
}

/// One more of something in flight, until dropped.
pub struct InFlight(IntGauge);

impl InFlight {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A count as a gauge takes it.
fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
