//! The configuration in force, and whether the last attempt to read one succeeded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntGauge, Opts, Result};

use super::SelfMetrics;
use super::registrar::Registrar;

const INFO: &str = "cloudtrail_exporter_config_info";
const INFO_HELP: &str = "1, labelled with the short SHA-256 of the configuration in force.";

#[derive(Clone)]
pub(super) struct Metrics {
    successful: IntGauge,
    /// Of the configuration and the web configuration, whether the last attempt failed.
    failed: Arc<[AtomicBool; 2]>,
    success_time: Gauge,
    info: Info,
}

impl Metrics {
    pub(super) fn new(r: &Registrar) -> Result<Self> {
        Ok(Self {
            successful: r.gauge(
                "cloudtrail_exporter_config_last_reload_successful",
                "Whether the last attempt to read the configuration and the web configuration succeeded (1) or not (0).",
            )?,
            failed: Arc::default(),
            success_time: r.float_gauge(
                "cloudtrail_exporter_config_last_reload_success_timestamp_seconds",
                "When the configuration was last read with success, in seconds since the UNIX epoch.",
            )?,
            info: r.add(Info::new())?,
        })
    }
}

/// The places of the two configurations in [`Metrics::failed`].
const MAIN: usize = 0;
const WEB: usize = 1;

impl Metrics {
    fn set_failed(&self, which: usize, failed: bool) {
        if let Some(one) = self.failed.get(which) {
            one.store(failed, Ordering::Relaxed);
        }
        let any = self.failed.iter().any(|one| one.load(Ordering::Relaxed));
        self.successful.set(i64::from(!any));
    }
}

/// The series of the configuration in force: replaced in one step, so that every scrape sees exactly one.
#[derive(Clone)]
struct Info {
    desc: Desc,
    current: Arc<RwLock<Option<IntGauge>>>,
}

impl Info {
    fn new() -> Result<Self> {
        let labels = vec!["sha256".to_owned()];
        let desc = Desc::new(INFO.to_owned(), INFO_HELP.to_owned(), labels, [].into())?;
        let current = Arc::default();
        Ok(Self { desc, current })
    }

    fn set(&self, sha256: &str) -> Result<()> {
        let gauge = IntGauge::with_opts(Opts::new(INFO, INFO_HELP).const_label("sha256", sha256))?;
        gauge.set(1);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(gauge);
        Ok(())
    }
}

impl Collector for Info {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.iter().flat_map(Collector::collect).collect()
    }
}

impl SelfMetrics {
    /// The configuration with this short hash came into force at `at` (seconds since the UNIX epoch).
    pub fn config_loaded(&self, sha256: &str, at: f64) {
        self.config.set_failed(MAIN, false);
        self.config.success_time.set(at);
        // Fails only for a wrong label name, which is a constant.
        let _ = self.config.info.set(sha256);
    }

    /// A new configuration was refused; the old one stays in force.
    pub fn config_refused(&self) {
        self.config.set_failed(MAIN, true);
    }

    /// The web configuration was read, or could not be and the old one stays in force.
    pub fn web_config_read(&self, good: bool) {
        self.config.set_failed(WEB, !good);
    }
}
