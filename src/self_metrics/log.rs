//! Log lines that were dropped. The log itself counts them.

use std::sync::{Arc, OnceLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, Result};

use super::SelfMetrics;

const NAME: &str = "cloudtrail_exporter_log_lines_dropped_total";
const HELP: &str = "Log lines dropped because the reader of the log did not take them in time.";

type Count = Box<dyn Fn() -> u64 + Send + Sync>;

/// Reads a count that is kept elsewhere; 0 until it is known where.
#[derive(Clone)]
pub(super) struct Dropped {
    desc: Desc,
    count: Arc<OnceLock<Count>>,
}

impl Dropped {
    pub(super) fn new() -> Result<Self> {
        let desc = Desc::new(NAME.to_owned(), HELP.to_owned(), Vec::new(), [].into())?;
        let count = Arc::default();
        Ok(Self { desc, count })
    }
}

impl Collector for Dropped {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(counter) = IntCounter::new(NAME, HELP) else {
            return Vec::new();
        };
        counter.inc_by(self.count.get().map_or(0, |count| count()));
        counter.collect()
    }
}

impl SelfMetrics {
    /// Publishes what `count` says. Only the first call has an effect: there is one log.
    pub fn count_dropped_log_lines(&self, count: impl Fn() -> u64 + Send + Sync + 'static) {
        let _ = self.log.count.set(Box::new(count));
    }
}
