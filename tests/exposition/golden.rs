//! Goldens: accounts in every state, in both formats, to the byte. `UPDATE_GOLDENS=1 cargo test --test exposition` writes them anew, for review.

use std::path::Path;
use std::time::Duration;

use cloudtrail_exporter::account::Partition;
use cloudtrail_exporter::compliance::Reason;
use cloudtrail_exporter::directory::{Account, AccountKey, Source};
use cloudtrail_exporter::exposition::{Exposition, Format};
use cloudtrail_exporter::facts::{
    AccountFacts, Failure, Moment, Poll, PollOutcome, RegionAnswer, TrailFacts,
};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::snapshot::{AccountState, Snapshot};

use crate::fixture::*;

fn hold(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exposition")
        .join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&file, text).expect("a golden is written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (is, was)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "{name}:{}", number + 1);
    }
    assert_eq!(text.len(), golden.len(), "{name}: one is longer");
}

#[test]
fn a_fleet_in_every_state_reads_as_the_golden() {
    let fleet = snapshot(fleet());
    families(&fleet);
    hold("fleet.prom", &scrape(&fleet, Format::Text));
    hold("fleet.om", &scrape(&fleet, Format::OpenMetrics));
}

#[test]
fn a_process_without_accounts_reads_as_the_golden() {
    for (name, format) in [("own.prom", Format::Text), ("own.om", Format::OpenMetrics)] {
        let mut own = self_metrics().gather();
        own.retain(|family| !family.name().starts_with("process_"));
        let chunks = Exposition::new(&Snapshot::default(), own, now(), format);
        let bytes = chunks.collect::<Vec<_>>().concat();
        hold(name, &String::from_utf8(bytes).expect("UTF-8"));
    }
}

/// Self metrics of a process in which everything happened once.
pub(crate) fn self_metrics() -> SelfMetrics {
    let build = Build {
        version: "0.1.0",
        revision: "4c1f0a2",
        rustc: "1.95.0",
        target: "x86_64-unknown-linux-gnu",
    };
    let own = SelfMetrics::new(build).expect("names and labels are right");
    own.config_loaded("9f86d081884c7d65", 1_799_990_000.5);
    own.set_accounts(Source::Config, 17);
    own.set_ready(true);
    own.discovery_succeeded(Source::Organizations, 1_799_999_400.0, 243);
    own.set_certificate_expiry(1_830_000_000);
    let poll = own.poll_begins();
    own.poll_ended(Duration::from_millis(417));
    drop(poll);
    own.poll_failed(Reason::Failed(Failure::Throttled));
    own.aws_attempt(
        "cloudtrail",
        "DescribeTrails",
        Duration::from_millis(75),
        true,
    );
    own.aws_attempt_failed("cloudtrail", "DescribeTrails", Failure::Throttled);
    own.set_clock_skew(-0.25);
    own.http_answered("metrics", 200);
    own
}

fn fleet() -> Vec<AccountState> {
    let mut fleet = proven();
    fleet.extend(open());
    fleet.extend(elsewhere());
    fleet
}

/// Accounts whose last poll determined the verdict.
fn proven() -> Vec<AccountState> {
    vec![
        one(12_345_678_901, "audit", vec![trail(12_345_678_901, "main")]),
        one(100_000_000_001, "no-trail", Vec::new()),
        one(100_000_000_002, "single-region", vec![single_region()]),
        one(100_000_000_003, "stopped", vec![stopped()]),
        one(100_000_000_004, "bucket-gone", vec![bucket_gone()]),
        one(100_000_000_005, "never-delivered", vec![never_delivered()]),
        one(
            100_000_000_006,
            "two-trails",
            vec![trail(100_000_000_006, "a"), trail(100_000_000_006, "b")],
        ),
    ]
}

/// Accounts whose last poll left the verdict open, or that had none.
fn open() -> Vec<AccountState> {
    let mut old = answered(200_000_000_002, vec![trail(200_000_000_002, "main")]);
    old.ended = ago(3_600);
    if let PollOutcome::Answered(facts) = old.outcome {
        old.outcome = PollOutcome::Answered(facts.dated(ago(3_600)));
    }
    let was_stopped = answered(200_000_000_005, vec![stopped()]);
    let throttled = poll(PollOutcome::Answered(AccountFacts {
        account: id(200_000_000_004),
        regions: vec![(
            region("us-east-1"),
            RegionAnswer::Failed(Failure::Throttled),
        )],
        described: ago(60),
        trails: Vec::new(),
    }));
    vec![
        state(account(200_000_000_001, "not-polled"), &[]),
        state(account(200_000_000_002, "stale"), &[old.clone()]),
        state(
            account(200_000_000_003, "denied"),
            &[no_session(Failure::AccessDenied)],
        ),
        state(account(200_000_000_004, "throttled"), &[throttled]),
        state(
            account(200_000_000_005, "held"),
            &[was_stopped, no_session(Failure::Timeout)],
        ),
        state(account(200_000_000_006, "wrong"), &[wrong_account()]),
        state(
            account(200_000_000_007, "decayed"),
            &[old, no_session(Failure::Network)],
        ),
        one(
            200_000_000_008,
            "member",
            vec![unreadable_organization_trail()],
        ),
    ]
}

/// Accounts that are told of in other ways.
fn elsewhere() -> Vec<AccountState> {
    let unknown_id = Account {
        key: AccountKey::Name("gov".into()),
        id: None,
        partition: Partition::AwsUsGov,
        ..account(0, "gov")
    };
    let discovered = Account {
        source: Source::Organizations,
        organizational_unit: Some("ou-ab12-cdefgh34".into()),
        name: None,
        regions: vec![
            region("us-east-1"),
            region("eu-west-1"),
            region("af-south-1"),
        ],
        ..account(300_000_000_001, "")
    };
    let hostile = account(300_000_000_002, "} 1\nup 0 \"\\\u{202e}\0");
    vec![
        state(unknown_id, &[]),
        state(discovered, &[regions(300_000_000_001)]),
        state(hostile, &[]),
    ]
}

fn one(digits: u64, name: &str, trails: Vec<TrailFacts>) -> AccountState {
    state(account(digits, name), &[answered(digits, trails)])
}

fn single_region() -> TrailFacts {
    let mut held = trail(100_000_000_002, "local");
    held.trail.multi_region = false;
    held
}

fn stopped() -> TrailFacts {
    let mut held = trail(100_000_000_003, "main");
    let mut stopped = status(false);
    stopped.stopped = Moment::At(ago(7_200).wall());
    held.status = Ok(stopped);
    held
}

fn bucket_gone() -> TrailFacts {
    let mut held = trail(100_000_000_004, "main");
    let mut failing = status(true);
    failing.deliveries[0].error = Some("NoSuchBucket".into());
    failing.deliveries[3].error = Some("the topic sulks".into());
    held.status = Ok(failing);
    held
}

fn never_delivered() -> TrailFacts {
    let mut held = trail(100_000_000_005, "main");
    let mut fresh = status(true);
    fresh.deliveries = Default::default();
    fresh.deliveries[1].latest = Moment::Implausible;
    fresh.started = Moment::Never;
    held.status = Ok(fresh);
    held.trail.log_file_validation = None;
    held.trail.kms_key_id = None;
    held.trail.log_group_arn = None;
    held.trail.sns_topic_arn = None;
    held
}

fn unreadable_organization_trail() -> TrailFacts {
    let mut held = trail(999_999_999_999, "org");
    held.trail.organization = true;
    held.status = Err(Failure::AccessDenied);
    held.selectors = Err(Failure::AccessDenied);
    held
}

fn wrong_account() -> Poll {
    poll(PollOutcome::WrongAccount { found: id(1) })
}

fn regions(digits: u64) -> Poll {
    poll(PollOutcome::Answered(AccountFacts {
        account: id(digits),
        regions: vec![
            (region("us-east-1"), RegionAnswer::Whole),
            (region("eu-west-1"), RegionAnswer::Failed(Failure::Timeout)),
            (region("af-south-1"), RegionAnswer::Disabled),
        ],
        described: ago(60),
        trails: vec![trail(digits, "main")],
    }))
}
