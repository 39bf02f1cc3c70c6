//! Discovery of accounts, by source. A source has series from the moment it is used.

use prometheus::{GaugeVec, IntGaugeVec, Opts, Result};

use super::SelfMetrics;
use super::registrar::{Registrar, count};
use crate::directory::Source;

#[derive(Clone)]
pub(super) struct Metrics {
    up: IntGaugeVec,
    last_success: GaugeVec,
    accounts: IntGaugeVec,
}

impl Metrics {
    pub(super) fn new(r: &Registrar) -> Result<Self> {
        let last_success = Opts::new(
            "cloudtrail_exporter_discovery_last_success_timestamp_seconds",
            "When accounts were last discovered with success, in seconds since the UNIX epoch; absent until then.",
        );
        Ok(Self {
            up: r.gauges(
                "cloudtrail_exporter_discovery_up",
                "1 if the last discovery of accounts succeeded.",
                &["source"],
            )?,
            last_success: r.add(GaugeVec::new(last_success, &["source"]))?,
            accounts: r.gauges(
                "cloudtrail_exporter_discovery_accounts",
                "Accounts found by the last successful discovery.",
                &["source"],
            )?,
        })
    }
}

impl SelfMetrics {
    /// A discovery from `source` succeeded at `at` (seconds since the UNIX epoch) and found so many accounts.
    pub fn discovery_succeeded(&self, source: Source, at: f64, accounts: usize) {
        let (metrics, labels) = (&self.discovery, [source.as_str()]);
        let found = metrics.accounts.with_label_values(&labels);
        found.set(count(accounts));
        metrics.last_success.with_label_values(&labels).set(at);
        metrics.up.with_label_values(&labels).set(1);
    }

    /// A discovery from `source` failed; what it found before stays.
    pub fn discovery_failed(&self, source: Source) {
        let labels = [source.as_str()];
        self.discovery.accounts.with_label_values(&labels);
        self.discovery.up.with_label_values(&labels).set(0);
    }

    /// Accounts are no longer discovered from `source`: its series go.
    pub fn discovery_ended(&self, source: Source) {
        let (metrics, labels) = (&self.discovery, [source.as_str()]);
        // Each fails only where there is no such series: nothing is left to remove.
        let _ = metrics.up.remove_label_values(&labels);
        let _ = metrics.last_success.remove_label_values(&labels);
        let _ = metrics.accounts.remove_label_values(&labels);
    }
}
