//! The least-privilege IAM documents a configuration needs: what the exporter's own credentials may do, what the role in each account may do, and
//! who may assume it. Pure: nothing is asked of AWS, so the exporter's own ARN and every external ID are placeholders to fill in.

mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::account::{Partition, Region, RoleArn};
use crate::config::{Access, Config, OrganizationsSettings};
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
/// What IAM takes in one managed policy, in characters that are no white space, less what stands around the roles.
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
    /// The roles it assumes, or patterns of them.
    roles: BTreeSet<String>,
    /// Whether trust policies towards it ask for an external ID: as many variants as there are.
    external_ids: BTreeSet<bool>,
}

/// Every document a configuration needs.
pub fn documents(config: &Config) -> Vec<Document> {
    let hubs = hubs(config);
    let mut documents = Vec::new();
    for (hub, duties) in &hubs {
        documents.extend(hub_permissions(hub, duties));
    }
    if hubs.values().any(|duties| !duties.external_ids.is_empty()) {
        let title = "Permissions policy of the role in each account".to_owned();
        documents.push(Document::new(title, vec![Statement::read()]));
    }
    for (hub, duties) in &hubs {
        documents.extend(trust(hub, duties));
    }
    if let Some(role) = config.organizations.as_ref().and_then(|o| o.role.as_ref()) {
        documents.extend(organizations_role(role));
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
                duties.external_ids.insert(external_id.is_some());
            }
        }
    }
    if let Some(organizations) = &config.organizations {
        let partition = config.aws.region.partition();
        let hub = Hub {
            partition,
            profile: None,
        };
        discover(
            hubs.entry(hub).or_default(),
            config,
            organizations,
            partition,
        );
    }
    hubs
}

/// Discovered accounts are not known here: a pattern stands for their roles, and for those configured roles it covers.
fn discover(
    duties: &mut Duties,
    config: &Config,
    organizations: &OrganizationsSettings,
    partition: Partition,
) {
    let suffix = format!(":role/{}", config.defaults.role_name);
    duties.roles.retain(|role| !role.ends_with(&suffix));
    duties
        .roles
        .insert(format!("arn:{partition}:iam::*{suffix}"));
    duties
        .external_ids
        .insert(config.defaults.external_id.is_some());
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

fn trust(hub: &Hub, duties: &Duties) -> Vec<Document> {
    let document = |external_id: &bool| {
        let asking = if *external_id {
            ", asking for the external ID"
        } else {
            ""
        };
        let title = format!(
            "Trust policy of the role in each account read from {}{asking}",
            hub.name()
        );
        Document::new(title, vec![Statement::trust(hub.partition, *external_id)])
    };
    duties.external_ids.iter().map(document).collect()
}

fn organizations_role(role: &RoleArn) -> [Document; 2] {
    let permissions = format!("Permissions policy of {role}");
    let trust = format!("Trust policy of {role}");
    [
        Document::new(permissions, vec![Statement::list()]),
        Document::new(trust, vec![Statement::trust(role.partition(), false)]),
    ]
}
