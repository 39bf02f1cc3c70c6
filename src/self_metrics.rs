//! Metrics about the exporter itself, in a `prometheus::Registry` of our own. Metrics about AWS accounts are no business of this room: they are
//! read from the snapshot by [`crate::exposition`] and never held in a gauge.
//!
//! Every child of a closed label list exists from the start at 0; a value outside its list makes no child. Only what is about a source of accounts
//! waits until that source is used: a discovery that nobody asked for is not down.

mod aws;
mod config;
mod discovery;
mod http;
mod log;
mod polls;
mod registrar;

use prometheus::proto::MetricFamily;
use prometheus::{IntGauge, IntGaugeVec, Registry};

pub use aws::AWS_OPERATIONS;
pub use http::{CODES, HANDLERS};
pub use registrar::InFlight;

use crate::directory::Source;
use registrar::{Registrar, count};

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
    accounts_left_out: IntGauge,
    ready: IntGauge,
    shard_ordinal: IntGauge,
    shards: IntGauge,
    polls: polls::Metrics,
    aws: aws::Metrics,
    discovery: discovery::Metrics,
    config: config::Metrics,
    http: http::Metrics,
    log: log::Dropped,
}

impl SelfMetrics {
    /// All self metrics, their closed children at 0.
    pub fn new(build: Build) -> prometheus::Result<Self> {
        let r = Registrar::new();
        add_build_info(&r, build)?;
        add_process(&r)?;
        let metrics = Self {
            accounts: r.gauges(
                "cloudtrail_exporter_accounts",
                "Accounts this process polls.",
                &["source"],
            )?,
            accounts_left_out: r.gauge(
                "cloudtrail_exporter_accounts_left_out",
                "Accounts that are not polled because of limits.max_accounts; 0 if none.",
            )?,
            ready: r.gauge(
                "cloudtrail_exporter_ready",
                "1 once discovery was attempted and every account known then was polled once; mirrors /-/ready.",
            )?,
            shard_ordinal: r.gauge(
                "cloudtrail_exporter_shard_ordinal",
                "The shard this process is, from 0.",
            )?,
            shards: r.gauge(
                "cloudtrail_exporter_shards",
                "How many shards the directory is divided into.",
            )?,
            polls: polls::Metrics::new(&r)?,
            aws: aws::Metrics::new(&r)?,
            discovery: discovery::Metrics::new(&r)?,
            config: config::Metrics::new(&r)?,
            http: http::Metrics::new(&r)?,
            log: r.add(log::Dropped::new())?,
            registry: r.into_registry(),
        };
        metrics.set_shard(0, 1);
        for source in Source::ALL {
            metrics.set_accounts(source, 0);
        }
        Ok(metrics)
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

    /// The number of accounts beyond `limits.max_accounts`.
    pub fn set_accounts_left_out(&self, accounts: usize) {
        self.accounts_left_out.set(count(accounts));
    }

    /// Mirrors `/-/ready`.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// This process is shard `ordinal` of `shards`.
    pub fn set_shard(&self, ordinal: usize, shards: usize) {
        self.shard_ordinal.set(count(ordinal));
        self.shards.set(count(shards));
    }
}

fn add_build_info(r: &Registrar, build: Build) -> prometheus::Result<()> {
    let info = r.gauges(
        "cloudtrail_exporter_build_info",
        "1, labelled with what this build is.",
        &["version", "revision", "rustc", "target"],
    )?;
    let values = [build.version, build.revision, build.rustc, build.target];
    info.with_label_values(&values).set(1);
    Ok(())
}

#[cfg(target_os = "linux")]
fn add_process(r: &Registrar) -> prometheus::Result<()> {
    let process = prometheus::process_collector::ProcessCollector::for_self();
    r.add_boxed(Box::new(process))
}

#[cfg(not(target_os = "linux"))]
fn add_process(_: &Registrar) -> prometheus::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
