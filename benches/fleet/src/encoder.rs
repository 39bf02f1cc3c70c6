//! The peer of the exposition: the `prometheus` crate, holding the same series in fresh vectors, since its own keep series that are gone.

use std::collections::BTreeMap;
use std::hint::black_box;

use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};

/// A family: its name, the names of its labels, and of each sample the values and the value.
struct Family<'a> {
    labels: Vec<&'a str>,
    samples: Vec<(Vec<&'a str>, f64)>,
}

/// The families of an exposition, to be encoded again and again.
pub(crate) struct Peer<'a>(BTreeMap<&'a str, Family<'a>>);

impl<'a> Peer<'a> {
    /// Reads the series about accounts and trails; their values hold nothing that is escaped.
    pub(crate) fn of(text: &'a str) -> Self {
        let mut families: BTreeMap<_, Family> = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("cloudtrail_")) {
            let Some((name, labels, value)) = series(line) else {
                continue;
            };
            let (names, values) = labels.into_iter().unzip();
            let family = families.entry(name).or_insert_with(|| Family {
                labels: names,
                samples: Vec::new(),
            });
            family.samples.push((values, value));
        }
        Self(families)
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> usize {
        self.0.values().map(|family| family.samples.len()).sum()
    }

    /// Fills fresh vectors and writes them.
    pub(crate) fn encode(&self) {
        let registry = Registry::new();
        for (name, family) in &self.0 {
            let gauges = GaugeVec::new(Opts::new(*name, "help"), &family.labels).expect("good");
            registry.register(Box::new(gauges.clone())).expect("new");
            for (values, value) in &family.samples {
                gauges.with_label_values(values).set(*value);
            }
        }
        let mut out = Vec::new();
        let written = TextEncoder::new().encode(&registry.gather(), &mut out);
        written.expect("text");
        black_box(out);
    }
}

type Series<'a> = (&'a str, Vec<(&'a str, &'a str)>, f64);

fn series(line: &str) -> Option<Series<'_>> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.strip_suffix("\"}")?.split_once('{')?;
    let pairs = labels.split("\",").map(|pair| pair.split_once("=\""));
    Some((name, pairs.collect::<Option<_>>()?, value.parse().ok()?))
}
