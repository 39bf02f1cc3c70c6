//! Accounts, trails and clocks for these tests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cloudtrail_exporter::account::{AccountId, Partition, RoleArn};
use cloudtrail_exporter::compliance::{Check, Policy};
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::directory::{Account, AccountKey, Directory, Source};
use cloudtrail_exporter::facts::{Delivery, Moment, Trail, TrailStatus};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::timestamp::Timestamp;
use tokio::time::Instant;

pub(super) const INTERVAL: Duration = Duration::from_mins(5);
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);
pub(super) const HOME: &str = "us-east-1";

pub(super) fn id(number: u64) -> AccountId {
    format!("{number:012}").parse().expect("12 digits")
}

pub(super) fn key(number: u64) -> AccountKey {
    AccountKey::Id(id(number))
}

pub(super) fn policy() -> Arc<Policy> {
    Arc::new(Policy {
        required: vec![Check::MultiRegionTrail, Check::Logging],
        max_delivery_age: Duration::from_hours(3),
        stale_after: Duration::from_mins(15),
    })
}

/// An account by role.
pub(super) fn account(number: u64) -> Account {
    let role = RoleArn::new(Partition::Aws, id(number), "read").expect("a role");
    Account {
        key: key(number),
        id: Some(id(number)),
        found: None,
        name: None,
        partition: Partition::Aws,
        source: Source::Config,
        organizational_unit: None,
        access: Access::Role {
            role,
            external_id: None,
            base_profile: None,
        },
        regions: vec![HOME.parse().expect("a Region")],
        interval: INTERVAL,
        policy: policy(),
        max_trails: 100,
    }
}

/// An account whose id its credentials tell.
pub(super) fn by_name(name: &str) -> Account {
    Account {
        key: AccountKey::Name(name.into()),
        id: None,
        name: Some(name.into()),
        access: Access::Ambient,
        ..account(0)
    }
}

pub(super) fn in_regions(regions: &[&str], account: Account) -> Account {
    let regions = regions.iter().map(|r| r.parse().expect("a Region"));
    Account {
        regions: regions.collect(),
        ..account
    }
}

pub(super) fn directory(accounts: impl IntoIterator<Item = Account>) -> Arc<Directory> {
    let accounts = accounts.into_iter().map(|a| (a.key.clone(), Arc::new(a)));
    Arc::new(Directory {
        accounts: accounts.collect(),
        complete: true,
        ..Directory::default()
    })
}

/// A multi-Region trail.
pub(super) fn trail(owner: u64, home: &str, name: &str) -> Trail {
    let arn = format!("arn:aws:cloudtrail:{home}:{}:trail/{name}", id(owner));
    Trail {
        arn: arn.parse().expect("an ARN"),
        name: name.into(),
        home_region: Some(home.parse().expect("a Region")),
        multi_region: true,
        organization: false,
        log_file_validation: Some(false),
        recursive_logging: None,
        s3_bucket: Some("logs".into()),
        kms_key_id: None,
        log_group_arn: None,
        sns_topic_arn: None,
    }
}

pub(super) fn organization_trail(owner: u64) -> Trail {
    Trail {
        organization: true,
        ..trail(owner, HOME, "org")
    }
}

pub(super) fn status(logging: bool) -> TrailStatus {
    let delivered = Delivery {
        latest: Moment::At(epoch().wall()),
        error: None,
    };
    let none = Delivery::default;
    TrailStatus {
        logging,
        deliveries: [delivered, none(), none(), none()],
        started: Moment::At(epoch().wall()),
        stopped: Moment::Never,
    }
}

/// When these tests begin.
pub(super) fn epoch() -> Timestamp {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    Timestamp::new(wall, Duration::from_hours(1_000))
}

/// Clocks that go with tokio's paused one.
pub(super) fn clock() -> impl Fn() -> Timestamp + Clone + Send + Sync + 'static {
    let began = Instant::now();
    move || epoch() + began.elapsed()
}

pub(super) fn metrics() -> SelfMetrics {
    let build = Build {
        version: "0",
        revision: "0",
        rustc: "0",
        target: "0",
    };
    SelfMetrics::new(build).expect("self metrics")
}

/// The value of a self metric without labels, or with this one label value.
pub(super) fn self_metric(metrics: &SelfMetrics, name: &str, label: Option<&str>) -> String {
    let families = metrics.gather();
    let family = families
        .iter()
        .find(|family| family.name() == name)
        .expect(name);
    let with_label = |metric: &&prometheus::proto::Metric| {
        label.is_none_or(|label| metric.get_label().iter().any(|pair| pair.value() == label))
    };
    let metric = family.get_metric().iter().find(with_label).expect(name);
    let value = metric.get_counter().get_value() + metric.get_gauge().get_value();
    value.to_string()
}
