//! The adapter on the wire: the real SDK against a server that plays AWS by a script, well and badly.

#![allow(
    clippy::expect_used,
    reason = "where the helpers of a test fail, the test fails"
)]

mod environment;
mod faults;
mod grid;
mod lines;
mod listing;
mod problems;
mod secrets;
mod sessions;
mod stage;

use std::num::NonZeroU32;
use std::time::Duration;

use cloudtrail_exporter::account::{Region, TrailArn};
use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::aws::limits::CallLimits;
use cloudtrail_exporter::aws::sdk::SdkAws;
use cloudtrail_exporter::config::{AwsSettings, EndpointsByProfile, Secret};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};

use crate::lines::TRAIL;

fn settings(url: &str) -> AwsSettings {
    AwsSettings {
        region: region(),
        endpoint_url: Some(url.to_owned()),
        use_fips: false,
        max_attempts: 3,
        by_profile: EndpointsByProfile::default(),
    }
}

fn region() -> Region {
    "eu-west-1".parse().expect("a Region")
}

fn trail() -> TrailArn {
    TRAIL.parse().expect("a trail")
}

fn metrics() -> SelfMetrics {
    let build = Build {
        version: "0",
        revision: "0",
        rustc: "0",
        target: "0",
    };
    SelfMetrics::new(build).expect("metrics")
}

/// Limits that no test of a well-behaved server meets.
fn limits() -> CallLimits {
    CallLimits {
        calls_per_second: NonZeroU32::new(1_000).expect("not zero"),
        sts_per_second: NonZeroU32::new(1_000).expect("not zero"),
        ..CallLimits::default()
    }
}

/// Deadlines short enough to wait for.
fn hasty() -> CallLimits {
    CallLimits {
        attempt: Duration::from_secs(1),
        operation: Duration::from_secs(2),
        ..limits()
    }
}

async fn adapter(url: &str) -> SdkAws {
    adapter_with(url, limits(), metrics()).await
}

async fn adapter_with(url: &str, limits: CallLimits, metrics: SelfMetrics) -> SdkAws {
    let key = GivenCredentials::default().with(None, "AKIAOWN", &Secret::new("made-up"));
    let adapter = SdkAws::new(&settings(url), metrics, limits, key).await;
    adapter.expect("a way to AWS")
}

/// The value of a counter or gauge, its labels in any order.
fn value(metrics: &SelfMetrics, family: &str, labels: &[(&str, &str)]) -> f64 {
    let families = metrics.gather();
    let family = families.iter().find(|found| found.name() == family);
    let children = family.expect("a family").get_metric();
    let has = |child: &prometheus::proto::Metric, (name, value): &(&str, &str)| {
        let mut pairs = child.get_label().iter();
        pairs.any(|pair| pair.name() == *name && pair.value() == *value)
    };
    let child = children
        .iter()
        .find(|child| labels.iter().all(|label| has(child, label)))
        .expect("a child");
    child.get_counter().get_value() + child.get_gauge().get_value()
}
