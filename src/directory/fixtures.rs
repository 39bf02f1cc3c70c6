//! Configurations and members for the tests of this room.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Member;
use crate::account::{AccountId, RoleArn};
use crate::config::{Access, Config, ConfiguredAccount, Variables};

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

const CONFIG: &str = "
aws: { region: us-gov-west-1 }
defaults: { role_name: audit/read, regions: [us-gov-east-1] }
discovery: { organizations: { enabled: true, refresh_interval: 15m } }
compliance: { required: [multi_region_trail] }
limits: { max_accounts: 1000 }
";

/// A configuration with these accounts and discovery.
pub(super) fn config(accounts: Vec<ConfiguredAccount>) -> Config {
    let path = Path::new("config.yaml");
    let config = Config::parse(CONFIG.as_bytes(), path, &Variables::default());
    Config {
        accounts,
        ..config.expect("a good configuration")
    }
}
