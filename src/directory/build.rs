//! The merge: configured and discovered accounts become one directory. Pure; an account that did not change keeps its `Arc`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Account, AccountKey, Directory, Member, Shard, Source};
use crate::account::{AccountId, RoleArn};
use crate::compliance::Policy;
use crate::config::{Access, Config, ConfiguredAccount};

/// The name of the ambient account where nobody named it.
const AMBIENT: &str = "ambient";

/// What a directory is made of.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The last listing of the organization that was believed; empty if there is none.
    pub members: &'a [Member],
    /// A first listing was attempted, whether it succeeded or failed.
    pub attempted: bool,
    /// The part this process takes.
    pub shard: Shard,
}

/// The directory that `inputs` make, sharing with `previous` what did not change.
pub fn build(inputs: &Inputs<'_>, previous: &Directory) -> Directory {
    let members = members(inputs);
    let mut policies = Policies::new(inputs.config, previous);
    let mut limited = Limited::new(inputs, previous);
    for configured in &inputs.config.accounts {
        let member = configured.id.and_then(|id| members.get(&id).copied());
        limited.take(of_file(configured, member, inputs.config, &mut policies));
    }
    let in_file: HashSet<AccountId> = inputs.config.accounts.iter().filter_map(|c| c.id).collect();
    let excluded = excluded(inputs.config);
    let discovered = members
        .values()
        .filter(|member| !in_file.contains(&member.id) && !excluded.contains(&member.id));
    for member in discovered {
        if let Some(account) = of_organization(member, inputs.config, &mut policies) {
            limited.take(account);
        }
    }
    let discovers = inputs.config.organizations.is_some();
    Directory {
        unlisted: discovers && inputs.members.is_empty(),
        complete: inputs.attempted || !discovers,
        ..limited.directory
    }
}

/// The members by id, if discovery is configured.
fn members<'a>(inputs: &Inputs<'a>) -> BTreeMap<AccountId, &'a Member> {
    let asked = inputs.config.organizations.is_some();
    let members = if asked { inputs.members } else { &[] };
    members.iter().map(|member| (member.id, member)).collect()
}

fn excluded(config: &Config) -> &[AccountId] {
    let organizations = config.organizations.as_ref();
    organizations.map_or(&[], |asked| &asked.exclude_accounts)
}

/// An account of the file: its settings win, the organization adds what the file leaves open.
fn of_file(
    configured: &ConfiguredAccount,
    member: Option<&Member>,
    config: &Config,
    policies: &mut Policies<'_>,
) -> Account {
    let nameless = configured.name.is_none() && configured.id.is_none();
    let source = match configured.access {
        Access::Ambient if nameless => Source::Ambient,
        _ => Source::Config,
    };
    let name = configured.name.clone();
    let name = name.or_else(|| member.and_then(|member| member.name.clone()));
    let name = name.or_else(|| nameless.then(|| stand_in_name(&configured.access)));
    let region = configured.regions.first();
    Account {
        key: key(configured.id, name.as_ref()),
        id: configured.id,
        name,
        partition: region.unwrap_or(&config.aws.region).partition(),
        source,
        organizational_unit: member.and_then(|member| member.organizational_unit.clone()),
        access: configured.access.clone(),
        regions: configured.regions.clone(),
        interval: configured.interval,
        policy: policies.of(configured.interval),
        max_trails: config.limits.max_trails_per_account,
    }
}

fn key(id: Option<AccountId>, name: Option<&Arc<str>>) -> AccountKey {
    let by_name = || AccountKey::Name(name.cloned().unwrap_or_else(|| AMBIENT.into()));
    id.map_or_else(by_name, AccountKey::Id)
}

/// What an account is called that has neither id nor name.
fn stand_in_name(access: &Access) -> Arc<str> {
    match access {
        Access::Profile(profile) => Arc::clone(profile),
        Access::Ambient | Access::Role { .. } => AMBIENT.into(),
    }
}

/// A discovered account; `None` if the default role's name makes no ARN, which the configuration has ruled out.
fn of_organization(
    member: &Member,
    config: &Config,
    policies: &mut Policies<'_>,
) -> Option<Account> {
    let partition = config.aws.region.partition();
    let role = RoleArn::new(partition, member.id, &config.defaults.role_name).ok()?;
    let mut regions = vec![config.aws.region.clone()];
    let further = config.defaults.regions.iter();
    regions.extend(further.filter(|r| **r != config.aws.region).cloned());
    Some(Account {
        key: AccountKey::Id(member.id),
        id: Some(member.id),
        name: member.name.clone(),
        partition,
        source: Source::Organizations,
        organizational_unit: member.organizational_unit.clone(),
        access: Access::Role {
            role,
            external_id: config.defaults.external_id.clone(),
            base_profile: None,
        },
        regions,
        interval: config.poll.interval,
        policy: policies.of(config.poll.interval),
        max_trails: config.limits.max_trails_per_account,
    })
}

/// One policy per life of a proof, shared by all accounts that have it.
struct Policies<'a> {
    config: &'a Config,
    by_life: HashMap<Duration, Arc<Policy>>,
}

impl<'a> Policies<'a> {
    fn new(config: &'a Config, previous: &Directory) -> Self {
        let held = previous.accounts.values().map(|account| &account.policy);
        let fits = |policy: &&Arc<Policy>| {
            policy.required == config.compliance.required
                && policy.max_delivery_age == config.compliance.max_delivery_age
        };
        let by_life = held.filter(fits).map(|p| (p.stale_after, Arc::clone(p)));
        Self {
            config,
            by_life: by_life.collect(),
        }
    }

    fn of(&mut self, interval: Duration) -> Arc<Policy> {
        let stale_after = self.config.poll.stale_after(interval);
        let make = || {
            Arc::new(Policy {
                required: self.config.compliance.required.clone(),
                max_delivery_age: self.config.compliance.max_delivery_age,
                stale_after,
            })
        };
        Arc::clone(self.by_life.entry(stale_after).or_insert_with(make))
    }
}

/// A directory in the making that never grows beyond the limit. What comes first stays: the file in its order, then the organization by id.
struct Limited<'a> {
    directory: Directory,
    previous: &'a Directory,
    shard: Shard,
    max: usize,
}

impl<'a> Limited<'a> {
    fn new(inputs: &Inputs<'_>, previous: &'a Directory) -> Self {
        Self {
            directory: Directory::default(),
            previous,
            shard: inputs.shard,
            max: inputs.config.limits.max_accounts,
        }
    }

    fn take(&mut self, account: Account) {
        let ours = self.shard.owns(&account.key);
        let side = if ours {
            &mut self.directory.accounts
        } else {
            &mut self.directory.neighbours
        };
        if side.len() < self.max || side.contains_key(&account.key) {
            let account = unchanged(self.previous, account);
            side.insert(account.key.clone(), account);
        } else if ours {
            self.directory.cut += 1;
        }
    }
}

/// The account as the previous directory holds it, if it is the same.
fn unchanged(previous: &Directory, account: Account) -> Arc<Account> {
    match previous.find(&account.key) {
        Some(held) if **held == account => Arc::clone(held),
        _ => Arc::new(account),
    }
}

#[cfg(test)]
mod tests;
