//! The merge: configured and discovered accounts, and whose credentials are whose, become one directory. Pure; an account that did not change keeps its `Arc`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;

use super::{Account, AccountKey, Directory, Found, Identities, Member, Shard, Source};
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
    /// Whose the credentials are of accounts that are configured without an id.
    pub identities: &'a Identities,
    /// The part this process takes.
    pub shard: Shard,
}

/// The directory that `inputs` make, sharing with `previous` what did not change.
pub fn build(inputs: &Inputs<'_>, previous: &Directory) -> Directory {
    let mut merge = Merge::new(inputs, previous);
    for configured in &inputs.config.accounts {
        merge.configured(configured);
    }
    merge.discovered();
    let discovers = inputs.config.organizations.is_some();
    Directory {
        unlisted: discovers && inputs.members.is_empty(),
        complete: inputs.attempted || !discovers,
        ..merge.placed()
    }
}

/// The accounts that may be watched, in order: the file's as written, then the organization's by id.
struct Merge<'a> {
    config: &'a Config,
    identities: &'a Identities,
    shard: Shard,
    previous: &'a Directory,
    members: BTreeMap<AccountId, &'a Member>,
    /// The ids that entries of the file have, configured or found.
    taken: HashSet<AccountId>,
    policies: Policies<'a>,
    ours: Vec<Arc<Account>>,
    others: Vec<Arc<Account>>,
}

impl<'a> Merge<'a> {
    fn new(inputs: &Inputs<'a>, previous: &'a Directory) -> Self {
        Self {
            config: inputs.config,
            identities: inputs.identities,
            shard: inputs.shard,
            previous,
            members: members(inputs),
            taken: inputs.config.accounts.iter().filter_map(|c| c.id).collect(),
            policies: Policies::new(inputs.config, previous),
            ours: Vec::new(),
            others: Vec::new(),
        }
    }

    fn configured(&mut self, configured: &ConfiguredAccount) {
        let found = self.found(configured);
        let id = configured.id.or_else(|| found.and_then(Found::own));
        let member = id.and_then(|id| self.members.get(&id).copied());
        let account = of_file(configured, found, member, self.config, &mut self.policies);
        self.take(account);
    }

    /// Whose the credentials of an entry are. The first entry in the file that they belong to has
    /// the account, unless another one is configured with its id.
    fn found(&mut self, configured: &ConfiguredAccount) -> Option<Found> {
        if configured.id.is_some() {
            return None;
        }
        let id = self.identities.of(&configured.access)?;
        let is_first = self.taken.insert(id);
        Some(if is_first {
            Found::Own(id)
        } else {
            Found::Taken(id)
        })
    }

    /// Discovered accounts give way to entries of the file.
    fn discovered(&mut self) {
        let members = std::mem::take(&mut self.members);
        let excluded = excluded(self.config);
        for member in members.values() {
            if self.taken.contains(&member.id) || excluded.contains(&member.id) {
                continue;
            }
            if let Some(account) = of_organization(member, self.config, &mut self.policies) {
                self.take(account);
            }
        }
    }

    fn take(&mut self, account: Account) {
        let ours = self.shard.owns(&account.key);
        let account = unchanged(self.previous, account);
        let side = if ours {
            &mut self.ours
        } else {
            &mut self.others
        };
        side.push(account);
    }

    /// As many as `limits.max_accounts` allows.
    fn placed(self) -> Directory {
        let max = self.config.limits.max_accounts;
        let (accounts, cut) = place(self.ours, max, |a| self.previous.watches(a));
        let had_place = |a: &Account| self.previous.neighbours.contains_key(&a.key);
        let (neighbours, _) = place(self.others, max, had_place);
        let found = accounts.values().filter_map(found_under_name);
        Directory {
            found: found.collect(),
            accounts,
            neighbours,
            cut,
            ..Directory::default()
        }
    }
}

type Accounts = OrdMap<AccountKey, Arc<Account>>;

/// At most `max` of the candidates, and how many are left out: those that had a place keep it, then
/// the first in order.
fn place(
    mut candidates: Vec<Arc<Account>>,
    max: usize,
    had_place: impl Fn(&Account) -> bool,
) -> (Accounts, usize) {
    let left_out = candidates.len().saturating_sub(max);
    if left_out > 0 {
        candidates.sort_by_cached_key(|account| !had_place(account));
    }
    let placed = candidates.into_iter().take(max);
    (placed.map(|a| (a.key.clone(), a)).collect(), left_out)
}

fn found_under_name(account: &Arc<Account>) -> Option<(AccountId, AccountKey)> {
    let own = account.found.and_then(Found::own)?;
    Some((own, account.key.clone()))
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
    found: Option<Found>,
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
        key: key(configured),
        id: configured.id,
        found,
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

/// What an account of the file is known by.
fn key(configured: &ConfiguredAccount) -> AccountKey {
    let name = configured.name.clone();
    let by_name = || AccountKey::Name(name.unwrap_or_else(|| stand_in_name(&configured.access)));
    configured.id.map_or_else(by_name, AccountKey::Id)
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
        found: None,
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

/// The account as the previous directory holds it, if it is the same.
fn unchanged(previous: &Directory, account: Account) -> Arc<Account> {
    match previous.find(&account.key) {
        Some(held) if **held == account => Arc::clone(held),
        _ => Arc::new(account),
    }
}

#[cfg(test)]
mod tests;
