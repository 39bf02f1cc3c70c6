//! The self metrics, as the `prometheus` crate gathers them, in the formats of the table.

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::format::{Format, Kind};
use super::number;
use crate::labels::escaped;

/// The kind of a gathered family; the self metrics have no other.
pub fn kind(family: &MetricFamily) -> Option<Kind> {
    match family.get_field_type() {
        MetricType::GAUGE => Some(Kind::Gauge),
        MetricType::COUNTER => Some(Kind::Counter),
        MetricType::HISTOGRAM => Some(Kind::Histogram),
        MetricType::SUMMARY | MetricType::UNTYPED => None,
    }
}

/// A family with all its samples.
pub(super) fn text(family: &MetricFamily, format: Format) -> String {
    let mut out = String::new();
    let Some(kind) = kind(family) else {
        return out;
    };
    format.open(&mut out, family.name(), kind, family.help());
    for metric in family.get_metric() {
        let mut metric = Sampled {
            out: &mut out,
            name: family.name(),
            metric,
        };
        match kind {
            Kind::Gauge => metric.value(metric.metric.get_gauge().get_value()),
            Kind::Counter => metric.value(metric.metric.get_counter().get_value()),
            Kind::Histogram => metric.histogram(format),
        }
    }
    out
}

/// One child of a family and where its samples go.
struct Sampled<'a> {
    out: &'a mut String,
    name: &'a str,
    metric: &'a Metric,
}

impl Sampled<'_> {
    fn value(&mut self, value: f64) {
        self.line("", None, &number::float(value));
    }

    fn histogram(&mut self, format: Format) {
        let seen = self.metric.get_histogram();
        let all = seen.get_sample_count();
        let finite = seen.get_bucket().iter();
        let finite = finite.map(|b| (b.upper_bound(), b.cumulative_count()));
        for (bound, count) in finite.chain([(f64::INFINITY, all)]) {
            let bound = number::bound(bound, format == Format::OpenMetrics);
            self.line("_bucket", Some(&bound), &count.to_string());
        }
        self.line("_sum", None, &number::float(seen.get_sample_sum()));
        self.line("_count", None, &all.to_string());
    }

    fn line(&mut self, suffix: &str, bound: Option<&str>, value: &str) {
        self.out.push_str(self.name);
        self.out.push_str(suffix);
        let own = self.metric.get_label().iter().map(pair);
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (name, value) in own.chain(bound) {
            self.out.push(before);
            self.label(name, value);
            before = ',';
        }
        let close = if before == ',' { "} " } else { " " };
        self.out.push_str(close);
        self.out.push_str(value);
        self.out.push('\n');
    }

    fn label(&mut self, name: &str, value: &str) {
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.out.push_str(&escaped(value));
        self.out.push('"');
    }
}

fn pair(pair: &LabelPair) -> (&str, &str) {
    (pair.name(), pair.value())
}
