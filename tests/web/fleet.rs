//! A made-up fleet in every state, for the pages and the JSON.

use std::sync::Arc;
use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, Partition, Region};
use cloudtrail_exporter::clock;
use cloudtrail_exporter::compliance::{Check, Policy, Standing};
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::directory::{Account, AccountKey, Source};
use cloudtrail_exporter::facts::{
    AccountFacts, Dates, Delivery, EventSelectors, Failure, Moment, Operation, Poll, PollOutcome,
    RegionAnswer, Trail, TrailFacts, TrailStatus,
};
use cloudtrail_exporter::snapshot::{AccountState, Snapshot};
use cloudtrail_exporter::timestamp::Timestamp;

const FIRST: u64 = 210_987_654_000;
const MINUTE: u64 = 60;

/// An account in every state and reason a fleet may have, and compliant ones up to `count`.
pub(crate) fn many(count: u64) -> Arc<Snapshot> {
    let special = special();
    let names = ["payments", "ledger", "search", "identity", "media", "edge"];
    let rest = (special.len() as u64..count).map(|n| {
        let kind = names[usize::try_from(n).expect("small") % names.len()];
        polled(n, &format!("{kind}-{n:04}"), vec![trail(n)])
    });
    snapshot(special.into_iter().chain(rest.collect::<Vec<_>>()))
}

fn special() -> Vec<AccountState> {
    let denied = session_refused(Failure::AccessDenied);
    let mut long_ago = trail(8);
    let mut status = status(true);
    status.deliveries[0].latest = Moment::At(ago(190 * MINUTE).wall());
    status.deliveries[1].latest = Moment::At(ago(200 * MINUTE).wall());
    long_ago.status = Ok(status);
    let old = answered(8, vec![long_ago], 180 * MINUTE);
    let mut role = account(7, "sandbox");
    role.access = Access::Role {
        role: "arn:aws:iam::210987654007:role/cloudtrail-exporter-read"
            .parse()
            .expect("a role"),
        external_id: None,
        base_profile: None,
    };
    let unknown_id = Account {
        key: AccountKey::Name("gov audit".into()),
        id: None,
        partition: Partition::AwsUsGov,
        ..account(0, "gov audit")
    };
    let hostile = "<script>alert(1)</script> \"'&\u{202e}";
    vec![
        polled(0, "audit", vec![trail(0)]),
        polled(1, "marketing-site", Vec::new()),
        polled(2, "data-lake", vec![single_region(2)]),
        polled(3, "billing", vec![stopped(3)]),
        polled(4, "warehouse", vec![bucket_gone(4)]),
        polled(5, "two-trails", vec![trail(5), single_region(5)]),
        state(account(6, "newcomer"), &[]),
        state(role, std::slice::from_ref(&denied)),
        state(account(8, "quiet"), &[old]),
        state(
            account(9, "held"),
            &[answered(9, vec![stopped(9)], 30 * MINUTE), denied],
        ),
        state(unknown_id, &[]),
        polled(11, hostile, vec![hostile_trail(11)]),
        polled(12, "member", vec![organization(12)]),
        state(account(13, "elsewhere"), &[wrong_account()]),
        in_two_regions(14),
    ]
}

fn policy() -> Arc<Policy> {
    Arc::new(Policy {
        required: vec![Check::MultiRegionTrail, Check::Logging, Check::Delivery],
        max_delivery_age: Duration::from_hours(3),
        stale_after: Duration::from_mins(15),
    })
}

fn ago(seconds: u64) -> Timestamp {
    clock::now() - Duration::from_secs(seconds)
}

fn id(n: u64) -> AccountId {
    format!("{:012}", FIRST + n).parse().expect("12 digits")
}

fn region(code: &str) -> Region {
    code.parse().expect("a Region")
}

fn account(n: u64, name: &str) -> Account {
    Account {
        key: AccountKey::Id(id(n)),
        id: Some(id(n)),
        found: None,
        name: Some(name.into()),
        partition: Partition::Aws,
        source: Source::Organizations,
        organizational_unit: Some("ou-ab12-cdefgh34".into()),
        access: Access::Ambient,
        regions: vec![region("eu-west-1")],
        interval: Duration::from_mins(5),
        policy: policy(),
        max_trails: 100,
    }
}

fn trail(n: u64) -> TrailFacts {
    let arn = format!(
        "arn:aws:cloudtrail:eu-west-1:{}:trail/management-events",
        id(n)
    );
    TrailFacts {
        trail: Trail {
            arn: arn.parse().expect("an ARN"),
            name: "management-events".into(),
            home_region: Some(region("eu-west-1")),
            multi_region: true,
            organization: false,
            log_file_validation: Some(true),
            recursive_logging: None,
            s3_bucket: Some("example-audit-logs".into()),
            kms_key_id: Some("arn:aws:kms:eu-west-1:012345678901:key/1f3a6c1e".into()),
            log_group_arn: None,
            sns_topic_arn: None,
        },
        status: Ok(status(true)),
        shadow: None,
        selectors: Ok(EventSelectors::Default),
        dates: Dates::all(ago(0)),
    }
}

fn status(logging: bool) -> TrailStatus {
    let at = |minutes| Delivery {
        latest: Moment::At(ago(minutes * MINUTE).wall()),
        error: None,
    };
    TrailStatus {
        logging,
        deliveries: [at(6), at(40), Delivery::default(), Delivery::default()],
        started: Moment::At(ago(40_000_000).wall()),
        stopped: Moment::Never,
    }
}

fn single_region(n: u64) -> TrailFacts {
    let mut heard = trail(n);
    let arn = heard
        .trail
        .arn
        .as_str()
        .replace("management-events", "ireland-only");
    heard.trail.arn = arn.parse().expect("an ARN");
    heard.trail.name = "ireland-only".into();
    heard.trail.multi_region = false;
    heard.trail.kms_key_id = None;
    heard
}

fn stopped(n: u64) -> TrailFacts {
    let mut heard = trail(n);
    let mut stopped = status(false);
    stopped.stopped = Moment::At(ago(130 * MINUTE).wall());
    stopped.deliveries[0].latest = Moment::At(ago(128 * MINUTE).wall());
    heard.status = Ok(stopped);
    heard
}

fn bucket_gone(n: u64) -> TrailFacts {
    let mut heard = trail(n);
    let mut failing = status(true);
    failing.deliveries[0].error = Some("NoSuchBucket".into());
    failing.deliveries[0].latest = Moment::At(ago(3 * 86_400).wall());
    heard.status = Ok(failing);
    heard
}

fn hostile_trail(n: u64) -> TrailFacts {
    let mut heard = stopped(n);
    heard.trail.name = "x</h3><img src=x onerror=alert(1)>".into();
    heard.trail.s3_bucket = Some("b'; rm -rf / #".into());
    heard
}

fn organization(n: u64) -> TrailFacts {
    let mut heard = trail(n);
    let arn = "arn:aws:cloudtrail:eu-west-1:012345678901:trail/organization";
    heard.trail.arn = arn.parse().expect("an ARN");
    heard.trail.name = "organization".into();
    heard.trail.organization = true;
    heard.status = Err(Failure::AccessDenied);
    heard.selectors = Err(Failure::AccessDenied);
    heard
}

fn in_two_regions(n: u64) -> AccountState {
    let regions = vec![
        (region("eu-west-1"), RegionAnswer::Whole),
        (region("af-south-1"), RegionAnswer::Failed(Failure::Timeout)),
    ];
    let facts = AccountFacts {
        account: id(n),
        regions,
        described: ago(MINUTE),
        trails: vec![trail(n)],
    };
    state(
        account(n, "two-regions"),
        &[poll(PollOutcome::Answered(facts), MINUTE)],
    )
}

fn wrong_account() -> Poll {
    poll(PollOutcome::WrongAccount { found: id(999) }, MINUTE)
}

fn session_refused(failure: Failure) -> Poll {
    let outcome = PollOutcome::NoSession {
        operation: Operation::AssumeRole,
        failure,
    };
    poll(outcome, MINUTE)
}

fn answered(n: u64, trails: Vec<TrailFacts>, seconds: u64) -> Poll {
    let facts = AccountFacts {
        account: id(n),
        regions: vec![(region("eu-west-1"), RegionAnswer::Whole)],
        described: ago(seconds),
        trails,
    };
    let facts = facts.dated(ago(seconds));
    poll(PollOutcome::Answered(facts), seconds)
}

fn poll(outcome: PollOutcome, seconds: u64) -> Poll {
    Poll {
        ended: ago(seconds),
        duration: Duration::from_millis(417),
        outcome,
    }
}

fn polled(n: u64, name: &str, trails: Vec<TrailFacts>) -> AccountState {
    state(account(n, name), &[answered(n, trails, 2 * MINUTE)])
}

fn state(account: Account, polls: &[Poll]) -> AccountState {
    let mut standing = Standing::new(account.policy.clone());
    for poll in polls {
        standing = standing.after(poll, |_| None, poll.ended);
    }
    let id = account.id;
    AccountState::new(Arc::new(account), id, standing)
}

fn snapshot(states: impl IntoIterator<Item = AccountState>) -> Arc<Snapshot> {
    let keyed = states
        .into_iter()
        .map(|s| (s.account.key.clone(), Arc::new(s)));
    Arc::new(Snapshot {
        accounts: keyed.collect(),
        ready: true,
        ..Snapshot::default()
    })
}
