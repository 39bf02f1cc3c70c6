//! The table, the scrape and `docs/metrics.md` are one contract.

use std::collections::BTreeMap;

use cloudtrail_exporter::exposition::{families as table, format, own};
use prometheus::proto::MetricFamily;

use crate::golden::self_metrics;
use crate::strict;

const DOC: &str = include_str!("../../docs/metrics.md");

/// What the contract says of a family.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: String,
    unit: Option<String>,
    labels: Vec<String>,
    help: String,
    example: String,
}

/// The families of the page, in its order.
fn documented() -> Vec<(String, Said)> {
    let sections = DOC.split("\n### `").skip(1);
    sections.map(section).collect()
}

fn section(text: &str) -> (String, Said) {
    let (name, rest) = text.split_once("`\n").expect("a heading");
    let field = |key: &str| {
        let start = format!("- {key}: ");
        let mut lines = rest.lines();
        lines.find_map(|line| line.strip_prefix(&start).map(str::to_owned))
    };
    let must = |key: &str| field(key).unwrap_or_else(|| panic!("{name}: no {key}"));
    let labels = must("labels");
    let labels = labels.split(", ").filter(|l| *l != "none");
    let said = Said {
        kind: must("type"),
        unit: field("unit"),
        labels: labels.map(|l| l.trim_matches('`').to_owned()).collect(),
        help: must("help"),
        example: must("example").trim_matches('`').to_owned(),
    };
    (name.to_owned(), said)
}

fn unit(name: &str) -> Option<String> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    format::unit(name).map(str::to_owned)
}

#[test]
fn the_page_lists_the_table_in_its_order() {
    let documented = documented();
    let about_aws = documented.iter().take(table().count());
    for (family, (name, said)) in table().zip(about_aws) {
        assert_eq!(family.name, name);
        assert_eq!(family.kind().as_str(), said.kind, "{name}");
        assert_eq!(unit(name), said.unit, "{name}");
        assert_eq!(family.labels().collect::<Vec<_>>(), said.labels, "{name}");
        assert_eq!(family.help, said.help, "{name}");
    }
}

#[test]
fn the_page_lists_every_self_metric_and_no_other() {
    let gathered = self_metrics().gather();
    let is: BTreeMap<_, _> = gathered.iter().map(|f| (f.name(), f)).collect();
    let documented: BTreeMap<_, _> = documented().into_iter().skip(table().count()).collect();
    assert_eq!(
        is.keys().copied().collect::<Vec<_>>(),
        documented.keys().collect::<Vec<_>>()
    );
    for (name, family) in is {
        let said = &documented[name];
        let kind = own::kind(family).expect("a kind of ours");
        assert_eq!(kind.as_str(), said.kind, "{name}");
        assert_eq!(unit(name), said.unit, "{name}");
        assert_eq!(labels(family), sorted(&said.labels), "{name}");
        assert_eq!(family.help(), said.help, "{name}");
    }
}

fn labels(family: &MetricFamily) -> Vec<String> {
    let first = family.get_metric().first().expect("a child");
    let names = first.get_label().iter().map(|l| l.name().to_owned());
    sorted(&names.collect::<Vec<_>>())
}

fn sorted(labels: &[String]) -> Vec<String> {
    let mut labels = labels.to_vec();
    labels.sort();
    labels
}

#[test]
fn every_example_is_a_sample_of_its_family() {
    for (name, said) in documented() {
        let scrape = format!(
            "# HELP {name} x\n# TYPE {name} {}\n{}\n",
            said.kind, said.example
        );
        let parsed = strict::text(&scrape).unwrap_or_else(|e| panic!("{name}: {e}"));
        let labels = parsed[0].samples[0].labels.iter().map(|l| l.0.clone());
        let labels: Vec<_> = labels.filter(|l| l != "le").collect();
        assert_eq!(sorted(&labels), sorted(&said.labels), "{name}");
    }
}

#[test]
fn no_label_clashes_with_a_target() {
    let gathered = self_metrics().gather();
    let own = gathered.iter().flat_map(labels);
    let all = table().flat_map(|f| f.labels().map(str::to_owned));
    for label in all.chain(own) {
        let taken = ["region", "service", "job", "instance", "le", "quantile"];
        assert!(!taken.contains(&label.as_str()), "{label}");
    }
}

#[test]
fn no_gauge_is_named_like_another_kind() {
    let gathered = self_metrics().gather();
    let gauges = gathered
        .iter()
        .filter(|f| own::kind(f).is_some_and(|k| k.as_str() == "gauge"));
    let gauges = gauges.map(|f| f.name().to_owned());
    for name in table().map(|f| f.name.to_owned()).chain(gauges) {
        for ending in ["_total", "_count", "_sum", "_bucket", "_created"] {
            assert!(!name.ends_with(ending), "{name}");
        }
    }
}

#[test]
fn every_counter_says_so() {
    let gathered = self_metrics().gather();
    for family in gathered {
        let counter = own::kind(&family).is_some_and(|k| k.as_str() == "counter");
        assert_eq!(
            counter,
            family.name().ends_with("_total"),
            "{}",
            family.name()
        );
    }
}

#[test]
fn what_comes_from_aws_says_that_it_is_cached() {
    let own_words = ["info", "timestamp_seconds", "poll_duration_seconds"];
    for family in table() {
        let about_us = family.name.starts_with("cloudtrail_account_")
            && own_words.iter().any(|w| family.name.ends_with(w));
        let cached = family.help.contains("(cached from the last poll");
        assert!(cached || about_us, "{}", family.name);
    }
}
