//! What is true: a few accounts, their trails, and how AWS answers about them.

use std::sync::Arc;
use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, Partition, RoleArn};
use cloudtrail_exporter::compliance::{Check, Policy};
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::directory::{Account, AccountKey, Directory, Found, Source};
use cloudtrail_exporter::facts::{Moment, Operation, Trail, TrailStatus};

use crate::step::{ACCOUNTS, ALONE, Change, Fault, MEMBER, NAMED, OWNER};

pub(crate) const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";
/// Whose the named account's credentials are, by turns.
const IDENTITIES: [u64; 2] = [40, 41];
/// Whose they are said to be where a session is another account's.
pub(crate) const STRANGER: u64 = 99;

/// The accounts there are: the named one is one of two.
pub(crate) const SLOTS: usize = ACCOUNTS + 1;

/// How long a proof of an account lasts: the owner is polled once an hour.
pub(crate) fn stale_after(place: usize) -> Duration {
    match place {
        OWNER => Duration::from_hours(3),
        _ => Duration::from_mins(15),
    }
}

/// One trail, as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrueTrail {
    pub(crate) exists: bool,
    pub(crate) multi_region: bool,
    pub(crate) logging: bool,
}

impl TrueTrail {
    fn change(&mut self, change: Change) {
        let what = match change {
            Change::Exists => &mut self.exists,
            Change::MultiRegion => &mut self.multi_region,
            Change::Logging => &mut self.logging,
        };
        *what = !*what;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// The trail of each account; the named account has one for each identity.
    trails: [TrueTrail; SLOTS],
    pub(crate) faults: [[Option<Fault>; 4]; ACCOUNTS],
    pub(crate) watched: [bool; ACCOUNTS],
    pub(crate) logging_required: bool,
    second_identity: bool,
    /// Whose the directory knows the named account's credentials to be.
    pub(crate) found: Option<AccountId>,
}

pub(crate) fn id(number: u64) -> AccountId {
    format!("{number:012}").parse().expect("12 digits")
}

pub(crate) fn call(operation: Operation) -> usize {
    let calls = [
        Operation::AssumeRole,
        Operation::DescribeTrails,
        Operation::GetTrailStatus,
    ];
    let place = calls.iter().position(|call| *call == operation);
    place.unwrap_or(calls.len())
}

impl World {
    pub(crate) fn new() -> Self {
        let trail = TrueTrail {
            exists: true,
            multi_region: true,
            logging: true,
        };
        let mut trails = [trail; SLOTS];
        trails[MEMBER].exists = false;
        Self {
            trails,
            faults: Default::default(),
            watched: [true; ACCOUNTS],
            logging_required: true,
            second_identity: false,
            found: None,
        }
    }

    pub(crate) fn change(&mut self, place: usize, change: Change) {
        let place = self.trail_of(place);
        self.trails[place].change(change);
    }

    pub(crate) fn swap_identity(&mut self) {
        self.second_identity = !self.second_identity;
    }

    /// Where the journal has the answers of the account that is published at a place.
    pub(crate) fn slot(&self, place: usize) -> usize {
        match place {
            NAMED if self.found == Some(id(IDENTITIES[1])) => ACCOUNTS,
            place => place,
        }
    }

    /// Where the trail and the answers of an account are, as its credentials have it now.
    pub(crate) fn trail_of(&self, place: usize) -> usize {
        match place {
            NAMED if self.second_identity => ACCOUNTS,
            place => place,
        }
    }

    /// The id of an account, as its credentials have it now.
    pub(crate) fn id_of(&self, place: usize) -> AccountId {
        match place {
            NAMED => id(IDENTITIES[usize::from(self.second_identity)]),
            place => id(10 * (place as u64 + 1)),
        }
    }

    /// The id under which an account is published.
    pub(crate) fn published_id(&self, place: usize) -> Option<AccountId> {
        match place {
            NAMED => self.found,
            place => Some(self.id_of(place)),
        }
    }

    /// The trails that an account sees now, and whether each is logging.
    pub(crate) fn sees(&self, place: usize) -> Vec<(Trail, bool)> {
        let own = self.trails[self.trail_of(place)];
        let organizations = self.trails[OWNER];
        let mut seen = Vec::new();
        if place == MEMBER && organizations.exists {
            let trail = trail(self.id_of(OWNER), organizations, true);
            seen.push((trail, organizations.logging));
        }
        if own.exists {
            let trail = trail(self.id_of(place), own, place == OWNER);
            seen.push((trail, own.logging));
        }
        seen
    }

    /// Whether an account is compliant by the policy in force.
    pub(crate) fn is_compliant(&self, place: usize) -> bool {
        let required = self.logging_required;
        let passes =
            |(trail, logging): &(Trail, bool)| trail.multi_region && (*logging || !required);
        self.sees(place).iter().any(passes)
    }

    /// Whether all calls of an account succeed.
    pub(crate) fn is_healthy(&self, place: usize) -> bool {
        self.faults[place].iter().all(Option::is_none)
    }

    pub(crate) fn policy(&self, place: usize) -> Arc<Policy> {
        let required = if self.logging_required {
            vec![Check::MultiRegionTrail, Check::Logging]
        } else {
            vec![Check::MultiRegionTrail]
        };
        Arc::new(Policy {
            required,
            max_delivery_age: Duration::from_hours(3),
            stale_after: stale_after(place),
        })
    }

    /// The directory that the inventory makes of what is configured and known.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        let watched = (0..ACCOUNTS).filter(|place| self.watched[*place]);
        let accounts = watched.map(|place| {
            let account = self.account(place);
            (account.key.clone(), Arc::new(account))
        });
        let found = self.found.filter(|_| self.watched[NAMED]);
        Arc::new(Directory {
            accounts: accounts.collect(),
            found: found.map(|id| (id, key(NAMED))).into_iter().collect(),
            complete: true,
            ..Directory::default()
        })
    }

    pub(crate) fn account(&self, place: usize) -> Account {
        let named = place == NAMED;
        let id = (!named).then(|| self.id_of(place));
        let regions: &[&str] = if place == ALONE {
            &[HOME, AWAY]
        } else {
            &[HOME]
        };
        let access = id.map_or(Access::Ambient, |id| Access::Role {
            role: RoleArn::new(Partition::Aws, id, "read").expect("a role"),
            external_id: None,
            base_profile: None,
        });
        Account {
            key: key(place),
            id,
            found: self.found.filter(|_| named).map(Found::Own),
            name: named.then(|| "named".into()),
            partition: Partition::Aws,
            source: Source::Config,
            organizational_unit: None,
            access,
            regions: regions
                .iter()
                .map(|r| r.parse().expect("a Region"))
                .collect(),
            interval: stale_after(place) / 3,
            policy: self.policy(place),
            max_trails: 100,
        }
    }
}

pub(crate) fn key(place: usize) -> AccountKey {
    match place {
        NAMED => AccountKey::Name("named".into()),
        place => AccountKey::Id(id(10 * (place as u64 + 1))),
    }
}

fn trail(owner: AccountId, is: TrueTrail, organization: bool) -> Trail {
    let arn = format!("arn:aws:cloudtrail:{HOME}:{owner}:trail/main");
    Trail {
        arn: arn.parse().expect("an ARN"),
        name: "main".into(),
        home_region: Some(HOME.parse().expect("a Region")),
        multi_region: is.multi_region,
        organization,
        log_file_validation: Some(false),
        recursive_logging: None,
        s3_bucket: Some("logs".into()),
        kms_key_id: None,
        log_group_arn: None,
        sns_topic_arn: None,
    }
}

pub(crate) fn status(logging: bool) -> TrailStatus {
    TrailStatus {
        logging,
        deliveries: Default::default(),
        started: Moment::Never,
        stopped: Moment::Never,
    }
}
