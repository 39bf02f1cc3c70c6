//! The least-privilege IAM documents a configuration needs: what the exporter's own role may do and
//! who may become it, what the role in each account may do and who may assume it. Pure: nothing is
//! asked of AWS, so what only AWS knows, and every external ID, are placeholders to fill in.

mod platform;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::account::{Partition, Region, RoleArn};
use crate::config::{Access, Config, OrganizationsSettings};
pub use platform::Platform;
use policy::{Policy, Statement};

/// The calls made in every account.
pub const READ_ACTIONS: [&str; 3] = [
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:GetEventSelectors",
];
/// The calls discovery makes.
const ORGANIZATIONS_ACTIONS: [&str; 3] = [
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
];
/// What IAM takes in one managed policy, in characters that are no white space, less what stands
/// around the roles.
const MAX_RESOURCES_LENGTH: usize = 6_144 - 600;

/// One policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is and whom it is attached to.
    pub title: String,
    /// The policy, as IAM takes it once the placeholders are filled in.
    pub json: String,
}

/// Credentials that open sessions in accounts: the exporter's own, or those of a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hub {
    partition: Partition,
    profile: Option<Arc<str>>,
}

/// What a hub is used for.
#[derive(Debug, Default)]
struct Duties {
    /// Accounts are read with its own permissions.
    reads: bool,
    /// Discovery is done with its own permissions.
    lists: bool,
    /// The roles of configured accounts, and that of discovery.
    roles: BTreeSet<String>,
    /// The pattern of the roles of discovered accounts.
    discovered: Option<String>,
    /// The trust policies of the roles it assumes in accounts.
    trusts: BTreeSet<Trust>,
}

/// What a trust policy towards the exporter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Trust {
    partition: Partition,
    /// The exporter belongs to this organization.
    organization: bool,
    /// The external ID is sent.
    external_id: bool,
}

/// Every document a configuration needs, where the exporter runs on one of `platforms`.
pub fn documents(config: &Config, platforms: &[Platform]) -> Vec<Document> {
    let hubs = hubs(config);
    let mut documents = Vec::new();
    for (hub, duties) in &hubs {
        documents.extend(hub_permissions(hub, duties));
    }
    for hub in hubs.keys().filter(|hub| hub.profile.is_none()) {
        documents.extend(platforms.iter().map(|platform| hub_trust(hub, *platform)));
    }
    if hubs.values().any(|duties| !duties.trusts.is_empty()) {
        let title = "Permissions policy of the role in each account".to_owned();
        documents.push(Document::new(title, vec![Statement::read()]));
    }
    for (hub, duties) in &hubs {
        documents.extend(duties.trusts.iter().map(|trust| member_trust(hub, *trust)));
    }
    if let Some(organizations) = &config.organizations {
        documents.extend(organizations_role(organizations));
    }
    documents
}

fn hubs(config: &Config) -> BTreeMap<Hub, Duties> {
    let mut hubs: BTreeMap<Hub, Duties> = BTreeMap::new();
    for account in &config.accounts {
        let partition = account.regions.first().map(Region::partition);
        let partition = partition.unwrap_or(config.aws.region.partition());
        let hub = |profile| Hub { partition, profile };
        match &account.access {
            Access::Ambient => hubs.entry(hub(None)).or_default().reads = true,
            Access::Profile(name) => hubs.entry(hub(Some(name.clone()))).or_default().reads = true,
            Access::Role {
                role,
                external_id,
                base_profile,
            } => {
                let duties = hubs.entry(hub(base_profile.clone())).or_default();
                duties.roles.insert(role.to_string());
                duties.trusts.insert(Trust {
                    partition,
                    organization: false,
                    external_id: external_id.is_some(),
                });
            }
        }
    }
    if let Some(organizations) = &config.organizations {
        let partition = config.aws.region.partition();
        let profile = None;
        let duties = hubs.entry(Hub { partition, profile }).or_default();
        discover(duties, config, organizations, partition);
    }
    hubs
}

/// Discovered accounts are not known here: a pattern stands for their roles. The pattern holds
/// inside the organization only, so configured accounts keep their own place beside it.
fn discover(
    duties: &mut Duties,
    config: &Config,
    organizations: &OrganizationsSettings,
    partition: Partition,
) {
    let name = &config.defaults.role_name;
    duties.discovered = Some(format!("arn:{partition}:iam::*:role/{name}"));
    duties.trusts.insert(Trust {
        partition,
        organization: true,
        external_id: config.defaults.external_id.is_some(),
    });
    match &organizations.role {
        Some(role) => drop(duties.roles.insert(role.to_string())),
        None => duties.lists = true,
    }
}

impl Document {
    fn new(title: String, statements: Vec<Statement>) -> Self {
        let json = Policy::new(statements).to_json();
        Self { title, json }
    }
}

impl Hub {
    fn name(&self) -> String {
        let partition = self.partition;
        match &self.profile {
            Some(profile) => {
                format!("the credentials of profile {profile} (partition {partition})")
            }
            None => format!("the exporter's own credentials (partition {partition})"),
        }
    }
}

/// The hub's own policy; further ones where its roles do not fit into one.
fn hub_permissions(hub: &Hub, duties: &Duties) -> Vec<Document> {
    let mut own = Vec::new();
    own.extend(duties.reads.then(Statement::read));
    own.extend(duties.lists.then(Statement::list));
    own.extend(duties.discovered.clone().map(Statement::assume_discovered));
    let assume = parts(&duties.roles).into_iter().map(Statement::assume);
    let mut policies: Vec<Vec<Statement>> = assume.map(|statement| vec![statement]).collect();
    match policies.first_mut() {
        Some(first) => first.splice(0..0, own).for_each(drop),
        None => policies.push(own),
    }
    let number = policies.len();
    let named = policies.into_iter().enumerate().map(|(index, statements)| {
        let part = if number == 1 {
            String::new()
        } else {
            format!(", {} of {number}", index + 1)
        };
        let title = format!("Permissions policy of {}{part}", hub.name());
        Document::new(title, statements)
    });
    named.collect()
}

/// Cuts a set of roles where a policy would grow longer than IAM takes.
fn parts(roles: &BTreeSet<String>) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut length = MAX_RESOURCES_LENGTH;
    for role in roles {
        // Two quotes and a comma.
        length += role.len() + 3;
        match parts.last_mut() {
            Some(part) if length <= MAX_RESOURCES_LENGTH => part.push(role.clone()),
            _ => {
                length = role.len() + 3;
                parts.push(vec![role.clone()]);
            }
        }
    }
    parts
}

/// Who may become the exporter's own role.
fn hub_trust(hub: &Hub, platform: Platform) -> Document {
    let title = format!(
        "Trust policy of the exporter's own role (partition {}) on {platform}",
        hub.partition
    );
    Document::new(title, vec![platform.trust(hub.partition)])
}

fn member_trust(hub: &Hub, trust: Trust) -> Document {
    let accounts = if trust.organization {
        "each account of the organization"
    } else {
        "each configured account"
    };
    let asking = if trust.external_id {
        ", asking for the external ID"
    } else {
        ""
    };
    let title = format!(
        "Trust policy of the role in {accounts} read from {}{asking}",
        hub.name()
    );
    Document::new(title, vec![Statement::trust(trust)])
}

/// The role of discovery is in the exporter's organization by its nature.
fn organizations_role(organizations: &OrganizationsSettings) -> Vec<Document> {
    let Some(role) = &organizations.role else {
        return Vec::new();
    };
    let trust = Trust {
        partition: role.partition(),
        organization: true,
        external_id: organizations.external_id.is_some(),
    };
    vec![
        Document::new(permissions_of(role), vec![Statement::list()]),
        Document::new(
            format!("Trust policy of {role}"),
            vec![Statement::trust(trust)],
        ),
    ]
}

fn permissions_of(role: &RoleArn) -> String {
    format!("Permissions policy of {role}")
}
