//! Our own client: the poller's polls through the SDK, and the publisher that judges and publishes each.

use std::fmt::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cloudtrail_exporter::account::TrailArn;
use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::aws::limits::CallLimits;
use cloudtrail_exporter::aws::sdk::SdkAws;
use cloudtrail_exporter::aws::session::Session;
use cloudtrail_exporter::clock;
use cloudtrail_exporter::config::{Config, Secret, Variables};
use cloudtrail_exporter::directory::{Account, Directory, Identities, Inputs, Shard, build};
use cloudtrail_exporter::facts::PollOutcome;
use cloudtrail_exporter::poller::{Identity, Report, Terms, poll};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::snapshot::Publisher;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::scrape::scrape;
use crate::sweep::{resident, sweep};
use crate::{ACCESS_KEY, Plan, SECRET_KEY};

/// As in the engine.
const REPORTS_WAITING: usize = 256;
/// The simulator need not be spared.
const UNPACED: NonZeroU32 = NonZeroU32::new(1_000_000).expect("not zero");

struct Fleet {
    aws: SdkAws,
    accounts: Vec<(Session, Arc<Account>)>,
    reports: mpsc::Sender<Report>,
}

pub(crate) async fn run(plan: &Plan) -> Value {
    let bare = resident();
    let config = configuration(plan);
    let metrics = SelfMetrics::new(BUILD).expect("self metrics");
    let aws = aws(&config, &metrics).await;
    let directory = Arc::new(directory(&config));
    drop(config);
    let accounts = directory.accounts.values();
    let accounts = accounts.map(|account| (aws.open(account), Arc::clone(account)));
    let mut publisher = Publisher::new(metrics.clone());
    publisher.follow(Arc::clone(&directory), clock::now());
    let snapshot = publisher.subscribe();
    let (reports, reported) = mpsc::channel(REPORTS_WAITING);
    let publishing = tokio::spawn(publish(publisher, reported));
    let fleet = Arc::new(Fleet {
        accounts: accounts.collect(),
        aws,
        reports,
    });

    let mut sweeps = Vec::new();
    for _ in 0..plan.sweeps {
        let fleet = Arc::clone(&fleet);
        let places = fleet.accounts.len();
        let poll = move |place| polled(Arc::clone(&fleet), place);
        sweeps.push(sweep(places, plan.concurrency, poll).await);
    }
    let scraped = scrape(&snapshot.borrow().clone(), &metrics);
    drop(fleet);
    let mut took = publishing.await.expect("the publisher ends");
    json!({
        "bare": bare,
        "sweeps": sweeps,
        "publish_median": share(&mut took, 2),
        "publish_p99": share(&mut took, 100),
        "scrape": scraped,
    })
}

const BUILD: Build = Build {
    version: "0",
    revision: "0",
    rustc: "0",
    target: "0",
};

fn configuration(plan: &Plan) -> Config {
    let mut text = format!("aws: {{ endpoint_url: {} }}\naccounts:\n", plan.url);
    for id in plan.ids() {
        writeln!(text, "  - {{ id: \"{id}\", name: account-{id} }}").expect("a string grows");
    }
    Config::parse(text.as_bytes(), Path::new("bench"), &Variables::default()).expect("good")
}

async fn aws(config: &Config, metrics: &SelfMetrics) -> SdkAws {
    let given = GivenCredentials::default().with(None, ACCESS_KEY, &Secret::new(SECRET_KEY));
    let limits = CallLimits {
        calls_per_second: UNPACED,
        sts_per_second: UNPACED,
        ..CallLimits::default()
    };
    let aws = SdkAws::new(&config.aws, metrics.clone(), limits, given).await;
    aws.expect("a way to AWS")
}

fn directory(config: &Config) -> Directory {
    let inputs = Inputs {
        config,
        members: &[],
        attempted: true,
        identities: &Identities::default(),
        shard: Shard::new(0, 1).expect("the only shard"),
    };
    build(&inputs, &Directory::default())
}

async fn polled(fleet: Arc<Fleet>, place: usize) -> bool {
    let Some((session, account)) = fleet.accounts.get(place) else {
        return false;
    };
    let terms = Terms {
        timeout: std::time::Duration::from_mins(1),
        identity: |_| Identity::Own,
        left_to_owner: |_| false,
        held_by_owner: |_: &TrailArn| false,
    };
    // Boxed as in the poller's task.
    let report = Box::pin(poll(&fleet.aws, session, account, &terms, &clock::now));
    let report = report.await;
    let good = matches!(&report.poll.outcome, PollOutcome::Answered(facts) if facts.trails.len() == 1)
        && report.errors.is_empty();
    fleet.reports.send(report).await.is_ok() && good
}

/// The publisher's loop; gives the time each report took, in nanoseconds.
async fn publish(mut publisher: Publisher, mut reports: mpsc::Receiver<Report>) -> Vec<u32> {
    let mut took = Vec::new();
    while let Some(report) = reports.recv().await {
        let began = Instant::now();
        publisher.report(report, clock::now());
        took.push(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    took
}

/// The value that one in `of` is above.
fn share(took: &mut [u32], of: usize) -> f64 {
    took.sort_unstable();
    let at = took.len() - 1 - took.len() / of;
    took.get(at)
        .copied()
        .map_or(f64::NAN, |nanos| f64::from(nanos) / 1e9)
}
