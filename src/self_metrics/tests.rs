//! What a scrape of a process that has done nothing yet shows, and what may be added to it.

use std::collections::BTreeMap;

use super::*;
use crate::compliance::Reason;
use crate::facts::Failure;

fn metrics() -> SelfMetrics {
    SelfMetrics::new(Build {
        version: "0.1.0",
        revision: "unknown",
        rustc: "1.95.0",
        target: "x86_64-unknown-linux-gnu",
    })
    .expect("names and labels are right")
}

/// Every series but `process_*`, as its label values, and its value.
fn series(metrics: &SelfMetrics, family: &str) -> BTreeMap<Vec<String>, String> {
    let families = metrics.gather();
    let found = families.iter().filter(|f| f.name() == family);
    let children = found.flat_map(MetricFamily::get_metric);
    children
        .map(|m| {
            let labels = m.get_label().iter().map(|l| l.value().to_owned());
            let value = m.get_gauge().get_value() + m.get_counter().get_value();
            (labels.collect(), value.to_string())
        })
        .collect()
}

/// The value of a family with one series.
fn only(metrics: &SelfMetrics, family: &str) -> String {
    let values: Vec<_> = series(metrics, family).into_values().collect();
    assert_eq!(values.len(), 1, "{family}: {values:?}");
    values.concat()
}

fn children(metrics: &SelfMetrics) -> usize {
    metrics.gather().iter().map(|f| f.get_metric().len()).sum()
}

#[test]
fn every_child_of_a_closed_list_starts_at_zero() {
    let metrics = metrics();
    let calls = AWS_OPERATIONS.len();
    let unknown = Reason::unknown_labels().count();
    for (family, expected) in [
        ("cloudtrail_exporter_accounts", Source::ALL.len()),
        ("cloudtrail_exporter_ready", 1),
        ("cloudtrail_exporter_polls_total", 1),
        ("cloudtrail_exporter_poll_failures_total", unknown),
        ("cloudtrail_exporter_poll_duration_seconds", 1),
        ("cloudtrail_exporter_polls_in_flight", 1),
        ("cloudtrail_exporter_poll_overruns_total", 1),
        ("cloudtrail_exporter_aws_requests_total", calls),
        ("cloudtrail_exporter_aws_request_retries_total", calls),
        (
            "cloudtrail_exporter_aws_request_failures_total",
            calls * Failure::LABELS.len(),
        ),
        ("cloudtrail_exporter_aws_request_duration_seconds", calls),
        ("cloudtrail_exporter_shard_ordinal", 1),
        (
            "cloudtrail_exporter_http_requests_total",
            HANDLERS.len() * CODES.len(),
        ),
        ("cloudtrail_exporter_http_requests_in_flight", 1),
    ] {
        let series = series(&metrics, family);
        assert_eq!(series.len(), expected, "{family}");
        assert!(series.values().all(|v| v == "0"), "{family}");
    }
}

#[test]
fn one_process_alone_is_the_only_shard() {
    let metrics = metrics();
    assert_eq!(only(&metrics, "cloudtrail_exporter_shards"), "1");
}

#[test]
fn nothing_that_is_counted_makes_a_new_series() {
    let metrics = metrics();
    let before = children(&metrics);
    for (service, operation) in AWS_OPERATIONS
        .into_iter()
        .chain([("s3", "GetObject"), ("sts", "x")])
    {
        metrics.aws_attempt(service, operation, std::time::Duration::ZERO, true);
        for failure in [Failure::NotFound, Failure::Other, Failure::Tls] {
            metrics.aws_attempt_failed(service, operation, failure);
        }
    }
    for handler in ["metrics", "/etc/passwd", ""] {
        for code in [0, 200, 418, 65535] {
            metrics.http_answered(handler, code);
        }
    }
    for reason in [Reason::Ok, Reason::Stale, Reason::Failed(Failure::NotFound)] {
        metrics.poll_failed(reason);
    }
    assert_eq!(children(&metrics), before);
}

#[test]
fn what_is_in_flight_ends_with_its_guard() {
    let metrics = metrics();
    let in_flight = "cloudtrail_exporter_polls_in_flight";
    let guard = metrics.poll_begins();
    assert_eq!(only(&metrics, in_flight), "1");
    drop(guard);
    assert_eq!(only(&metrics, in_flight), "0");
}

#[test]
fn every_poll_that_began_is_counted_however_it_ended() {
    let metrics = metrics();
    let polls = metrics.clone();
    let ended = std::thread::spawn(move || {
        let _guard = polls.poll_begins();
        std::panic::resume_unwind(Box::new("a bug"));
    });
    assert!(ended.join().is_err());
    drop(metrics.poll_begins());
    assert_eq!(only(&metrics, "cloudtrail_exporter_polls_total"), "2");
}

#[test]
fn one_configuration_is_in_force() {
    let metrics = metrics();
    metrics.config_loaded("aaaa", 1.0);
    metrics.config_loaded("bbbb", 2.0);
    let info = series(&metrics, "cloudtrail_exporter_config_info");
    assert_eq!(
        info.into_iter().collect::<Vec<_>>(),
        [(vec!["bbbb".to_owned()], "1".to_owned())]
    );
}

#[test]
fn a_refused_configuration_leaves_the_old_one_in_force() {
    let metrics = metrics();
    metrics.config_loaded("aaaa", 1.0);
    metrics.config_refused();
    let one = |family| only(&metrics, family);
    assert_eq!(
        one("cloudtrail_exporter_config_last_reload_successful"),
        "0"
    );
    assert_eq!(
        one("cloudtrail_exporter_config_last_reload_success_timestamp_seconds"),
        "1"
    );
    assert_eq!(one("cloudtrail_exporter_config_info"), "1");
}

#[test]
fn a_discovery_nobody_asked_for_is_not_down() {
    let metrics = metrics();
    assert!(series(&metrics, "cloudtrail_exporter_discovery_up").is_empty());
    metrics.discovery_failed(Source::Organizations);
    let up = series(&metrics, "cloudtrail_exporter_discovery_up");
    assert_eq!(
        up.into_iter().collect::<Vec<_>>(),
        [(vec!["organizations".to_owned()], "0".to_owned())]
    );
    assert!(
        series(
            &metrics,
            "cloudtrail_exporter_discovery_last_success_timestamp_seconds"
        )
        .is_empty()
    );
}

#[test]
fn a_failed_discovery_keeps_what_it_found() {
    let metrics = metrics();
    metrics.discovery_succeeded(Source::Organizations, 5.0, 7);
    metrics.discovery_failed(Source::Organizations);
    let one = |family| only(&metrics, family);
    assert_eq!(one("cloudtrail_exporter_discovery_up"), "0");
    assert_eq!(one("cloudtrail_exporter_discovery_accounts"), "7");
    assert_eq!(
        one("cloudtrail_exporter_discovery_last_success_timestamp_seconds"),
        "5"
    );
    metrics.discovery_ended(Source::Organizations);
    assert!(series(&metrics, "cloudtrail_exporter_discovery_up").is_empty());
}
