//! Configuration: text in, [`Config`] out; after this room nothing is optional that need not be, and nothing can be wrong.
//!
//! A file is read whole or refused whole, with every error in it told at once. It is a pure value: a reload reads a new one and compares.
//!
//! In data order:
//!
//! - `yaml`: text to a tree that knows its lines;
//! - `layers`, `variables`: the tree and the environment, merged by the `config` crate;
//! - [`keys`](KEYS): every key there is;
//! - `field`: a typed look at the merged tree that gathers errors;
//! - `forms`: the forms of single values;
//! - `settings`, `organizations`, `external_id`, `accounts`, `way`, `twins`: what the keys mean;
//! - `endpoints`: what they, AWS's variables and profiles say about AWS's endpoints;
//! - `load`: the whole way from bytes to a [`Config`].

mod accounts;
mod endpoints;
mod errors;
mod external_id;
mod field;
mod forms;
mod keys;
mod layers;
mod load;
mod nearest;
mod organizations;
mod secret;
mod settings;
mod twins;
mod variables;
mod way;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use crate::account::{AccountId, Region, RoleArn};
use crate::compliance::Check;

pub use endpoints::{AwsService, Endpoints, EndpointsByProfile};
pub(crate) use errors::one_line;
pub use errors::{ConfigError, ConfigErrors};
pub use keys::{Form, KEYS, Key};
pub use load::{ConfigFile, Fingerprint};
pub use secret::Secret;
pub use variables::Variables;

/// Everything a configuration says, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How often, how long and how many at once.
    pub poll: PollSettings,
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// What a discovered account inherits.
    pub defaults: Defaults,
    /// The accounts named in the file; the ambient account if there is no file.
    pub accounts: Vec<ConfiguredAccount>,
    /// Discovery from AWS Organizations, if enabled.
    pub organizations: Option<OrganizationsSettings>,
    /// What is required of every account.
    pub compliance: ComplianceSettings,
    /// Whose word about an organization trail is asked for.
    pub organization_trails: OrganizationTrailStatus,
    /// Bounds on what is taken in.
    pub limits: Limits,
    /// Short hex SHA-256 of the text this was read from.
    pub sha256: String,
}

/// `poll:`
#[derive(Debug, Clone, PartialEq)]
pub struct PollSettings {
    /// From one poll of an account to its next, unless the account says otherwise.
    pub interval: Duration,
    /// The whole poll of one account.
    pub timeout: Duration,
    /// Accounts polled at once.
    pub concurrency: usize,
    /// How long a proof of compliance lasts; `None`: [`PollSettings::stale_after`] of the account's interval.
    pub stale_after: Option<Duration>,
}

impl PollSettings {
    /// The shortest default life of a proof.
    const STALE_AFTER_AT_LEAST: Duration = Duration::from_mins(15);

    /// How long a proof lasts for an account polled every `interval`.
    pub fn stale_after(&self, interval: Duration) -> Duration {
        self.stale_after
            .unwrap_or_else(|| (interval * 3).max(Self::STALE_AFTER_AT_LEAST))
    }
}

/// `aws:`
#[derive(Debug, Clone, PartialEq)]
pub struct AwsSettings {
    /// The Region asked about accounts of the default partition, and the Region of STS.
    pub region: Region,
    /// One endpoint for every service, for tests and emulators.
    pub endpoint_url: Option<String>,
    /// FIPS endpoints.
    pub use_fips: bool,
    /// Attempts per call, the first included.
    pub max_attempts: u32,
    /// What these settings, AWS's variables and the profiles in use come to; see
    /// [`AwsSettings::endpoints`].
    pub by_profile: EndpointsByProfile,
}

/// `defaults:`, for discovered accounts; configured accounts have them worked in already.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// The role assumed in an account.
    pub role_name: String,
    /// The external ID its trust policy asks for.
    pub external_id: Option<Secret>,
    /// Further Regions to ask, after [`AwsSettings::region`].
    pub regions: Vec<Region>,
}

/// One account of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfiguredAccount {
    /// Its id; `None` where the credentials will tell (profile or ambient).
    pub id: Option<AccountId>,
    /// Its name; unique where there is no id. Neither has only the ambient account of a process without a file.
    pub name: Option<Arc<str>>,
    /// How a session is opened in it.
    pub access: Access,
    /// The Regions asked, first the one that also serves STS; at least one, all of one partition.
    pub regions: Vec<Region>,
    /// From one poll to the next.
    pub interval: Duration,
}

/// How a session is opened in an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// Assume a role.
    Role {
        /// The role.
        role: RoleArn,
        /// The external ID its trust policy asks for.
        external_id: Option<Secret>,
        /// The profile whose credentials assume it; ambient if `None`.
        base_profile: Option<Arc<str>>,
    },
    /// The credentials of a profile of the shared AWS configuration.
    Profile(Arc<str>),
    /// The exporter's own credentials.
    Ambient,
}

/// `discovery.organizations:`
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationsSettings {
    /// The role in the management or delegated-administrator account; ambient if `None`.
    pub role: Option<RoleArn>,
    /// The external ID that role's trust policy asks for.
    pub external_id: Option<Secret>,
    /// From one listing to the next.
    pub refresh_interval: Duration,
    /// OU or root ids taken, with everything below them; all if empty.
    pub include_ous: Vec<String>,
    /// Accounts left out.
    pub exclude_accounts: Vec<AccountId>,
}

/// `compliance:`
#[derive(Debug, Clone, PartialEq)]
pub struct ComplianceSettings {
    /// The checks that make the verdict, in the order of [`Check::ALL`], without duplicates; at least one.
    pub required: Vec<Check>,
    /// How old the last delivery may be.
    pub max_delivery_age: Duration,
}

/// `limits:`
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The most accounts one process takes.
    pub max_accounts: usize,
    /// The most trails of one account that are read.
    pub max_trails_per_account: usize,
    /// The most requests a second to one account and Region.
    pub requests_per_second: u32,
}

/// `organization_trails.status:`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationTrailStatus {
    /// Each member is asked about the trail; the owner stands in where it cannot tell.
    Member,
    /// The owner is asked once for all members.
    Owner,
}
