//! Configurations and members for the tests of this room.

use std::sync::Arc;
use std::time::Duration;

use super::Member;
use crate::account::{AccountId, RoleArn};
use crate::compliance::Check;
use crate::config::{
    Access, AwsSettings, ComplianceSettings, Config, ConfiguredAccount, Defaults, Limits,
    OrganizationsSettings, PollSettings,
};

pub(super) const INTERVAL: Duration = Duration::from_mins(5);
pub(super) const REFRESH: Duration = Duration::from_mins(15);

pub(super) fn id(number: u64) -> AccountId {
    format!("{number:012}").parse().expect("12 digits")
}

pub(super) fn member(number: u64) -> Member {
    Member {
        id: id(number),
        name: Some(format!("member-{number}").into()),
        organizational_unit: Some("ou-root-1".into()),
    }
}

pub(super) fn members(numbers: impl IntoIterator<Item = u64>) -> Vec<Member> {
    numbers.into_iter().map(member).collect()
}

pub(super) fn configured(number: u64) -> ConfiguredAccount {
    let role = RoleArn::new(crate::account::Partition::Aws, id(number), "other");
    ConfiguredAccount {
        id: Some(id(number)),
        name: None,
        access: Access::Role {
            role: role.expect("a role"),
            external_id: None,
            base_profile: None,
        },
        regions: vec!["eu-west-1".parse().expect("a Region")],
        interval: Duration::from_mins(1),
    }
}

pub(super) fn ambient(name: Option<&str>) -> ConfiguredAccount {
    ConfiguredAccount {
        id: None,
        name: name.map(Arc::from),
        access: Access::Ambient,
        ..configured(0)
    }
}

pub(super) fn organizations() -> OrganizationsSettings {
    OrganizationsSettings {
        role: None,
        refresh_interval: REFRESH,
        include_ous: Vec::new(),
        exclude_accounts: Vec::new(),
    }
}

/// A configuration with these accounts and discovery.
pub(super) fn config(accounts: Vec<ConfiguredAccount>) -> Config {
    Config {
        poll: PollSettings {
            interval: INTERVAL,
            timeout: Duration::from_mins(1),
            concurrency: 64,
            stale_after: None,
        },
        aws: AwsSettings {
            region: "us-gov-west-1".parse().expect("a Region"),
            endpoint_url: None,
            use_fips: false,
            max_attempts: 3,
        },
        defaults: Defaults {
            role_name: "audit/read".to_owned(),
            external_id: None,
            regions: vec!["us-gov-east-1".parse().expect("a Region")],
        },
        accounts,
        organizations: Some(organizations()),
        compliance: ComplianceSettings {
            required: vec![Check::MultiRegionTrail],
            max_delivery_age: Duration::from_hours(3),
        },
        limits: Limits {
            max_accounts: 1000,
            max_trails_per_account: 100,
        },
        sha256: String::new(),
    }
}
