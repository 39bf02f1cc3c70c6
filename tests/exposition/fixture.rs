//! Accounts in every state, as polls make them, and the scrape that shows them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cloudtrail_exporter::account::{AccountId, Partition, Region};
use cloudtrail_exporter::compliance::{Check, Freshness, HeldTrail, OwnersTrail, Policy, Standing};
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::directory::{Account, AccountKey, Source};
use cloudtrail_exporter::exposition::{Exposition, Format};
use cloudtrail_exporter::facts::{
    AccountFacts, Dates, Delivery, EventSelectors, Failure, Moment, Operation, Poll, PollOutcome,
    RegionAnswer, Trail, TrailFacts, TrailStatus,
};
use cloudtrail_exporter::snapshot::{AccountState, Snapshot};
use cloudtrail_exporter::timestamp::Timestamp;

use crate::strict::{self, Family, Sample};

/// When every scrape of these tests happens.
pub(crate) fn now() -> Timestamp {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_250);
    Timestamp::new(wall, Duration::from_hours(20_000))
}

pub(crate) fn ago(seconds: u64) -> Timestamp {
    now() - Duration::from_secs(seconds)
}

pub(crate) fn policy() -> Arc<Policy> {
    Arc::new(Policy {
        required: vec![Check::MultiRegionTrail, Check::Logging],
        max_delivery_age: Duration::from_hours(3),
        stale_after: Duration::from_mins(15),
    })
}

pub(crate) fn id(digits: u64) -> AccountId {
    format!("{digits:012}").parse().expect("12 digits")
}

pub(crate) fn region(code: &str) -> Region {
    code.parse().expect(code)
}

/// An account with this id and name, from the configuration.
pub(crate) fn account(digits: u64, name: &str) -> Account {
    Account {
        key: AccountKey::Id(id(digits)),
        id: Some(id(digits)),
        found: None,
        name: Some(name.into()),
        partition: Partition::Aws,
        source: Source::Config,
        organizational_unit: None,
        access: Access::Ambient,
        regions: vec![region("us-east-1")],
        interval: Duration::from_mins(5),
        policy: policy(),
        max_trails: 100,
    }
}

/// A multi-Region trail that is well in every respect.
pub(crate) fn trail(owner: u64, name: &str) -> TrailFacts {
    let arn = format!("arn:aws:cloudtrail:us-east-1:{owner:012}:trail/{name}");
    TrailFacts {
        trail: Trail {
            arn: arn.parse().expect("a trail"),
            name: name.into(),
            home_region: Some(region("us-east-1")),
            multi_region: true,
            organization: false,
            log_file_validation: Some(true),
            recursive_logging: None,
            s3_bucket: Some("audit-logs".into()),
            kms_key_id: Some("arn:aws:kms:us-east-1:012345678901:key/1f3a".into()),
            log_group_arn: Some("arn:aws:logs:us-east-1:012345678901:log-group:audit:*".into()),
            sns_topic_arn: Some("arn:aws:sns:us-east-1:012345678901:audit".into()),
        },
        status: Ok(status(true)),
        shadow: None,
        selectors: Ok(EventSelectors::Default),
        dates: Dates::all(ago(60)),
    }
}

/// Everything delivered a few minutes before the poll.
pub(crate) fn status(logging: bool) -> TrailStatus {
    let at = |seconds| Delivery {
        latest: Moment::At(ago(seconds).wall()),
        error: None,
    };
    TrailStatus {
        logging,
        deliveries: [at(360), at(2_400), at(120), at(361)],
        started: Moment::At(ago(40_000_000).wall()),
        stopped: Moment::Never,
    }
}

/// A poll that ended a minute ago and was answered whole by one Region.
pub(crate) fn answered(account: u64, trails: Vec<TrailFacts>) -> Poll {
    let regions = vec![(region("us-east-1"), RegionAnswer::Whole)];
    poll(PollOutcome::Answered(AccountFacts {
        account: id(account),
        regions,
        described: ago(60),
        trails,
    }))
}

pub(crate) fn poll(outcome: PollOutcome) -> Poll {
    Poll {
        ended: ago(60),
        duration: Duration::from_millis(417),
        outcome,
    }
}

pub(crate) fn no_session(failure: Failure) -> Poll {
    poll(PollOutcome::NoSession {
        operation: Operation::AssumeRole,
        failure,
    })
}

/// The account after these polls, each applied when it ended, as it would be published.
pub(crate) fn state(account: Account, polls: &[Poll]) -> AccountState {
    state_with(account, polls, None)
}

/// The same, where `owner` is what another polled account holds of the trails it owns.
pub(crate) fn state_with(
    account: Account,
    polls: &[Poll],
    owner: Option<&HeldTrail>,
) -> AccountState {
    let mut standing = Standing::new(account.policy.clone());
    for poll in polls {
        standing = standing.after(
            poll,
            |arn| {
                let held = owner.filter(|o| o.trail.arn == *arn)?;
                let lasts = policy().stale_after;
                let lapsed = None;
                let fresh = Freshness { lasts, lapsed };
                Some(OwnersTrail { held, fresh })
            },
            poll.ended,
        );
    }
    let id = account.id;
    AccountState::new(Arc::new(account), id, standing)
}

pub(crate) fn snapshot(states: impl IntoIterator<Item = AccountState>) -> Arc<Snapshot> {
    let keyed = states
        .into_iter()
        .map(|s| (s.account.key.clone(), Arc::new(s)));
    Arc::new(Snapshot {
        accounts: keyed.collect(),
        ready: true,
        ..Snapshot::default()
    })
}

/// The whole text of a scrape without self metrics.
pub(crate) fn scrape(snapshot: &Arc<Snapshot>, format: Format) -> String {
    let chunks = Exposition::new(snapshot, Vec::new(), now(), format);
    let bytes = chunks.collect::<Vec<_>>().concat();
    String::from_utf8(bytes).expect("UTF-8")
}

/// The families of a scrape; both formats must say the same.
pub(crate) fn families(snapshot: &Arc<Snapshot>) -> Vec<Family> {
    let text = strict::text(&scrape(snapshot, Format::Text)).expect("strict text");
    let open = strict::open_metrics(&scrape(snapshot, Format::OpenMetrics)).expect("OpenMetrics");
    let unitless = |mut f: Family| {
        f.unit = None;
        f
    };
    let open: Vec<_> = open.into_iter().map(unitless).collect();
    assert_eq!(text, open, "the formats differ");
    text
}

/// The samples of one family in a scrape of one account.
pub(crate) fn samples(state: AccountState, family: &str) -> Vec<Sample> {
    let all = families(&snapshot([state]));
    let found = all.into_iter().find(|f| f.name == family);
    found.expect("a family of the contract").samples
}
