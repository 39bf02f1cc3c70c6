//! The directory: the accounts this process is responsible for, from configuration, AWS Organizations and the ambient credentials.
//!
//! A value, replaced whole when it changes. It says who to ask; [`crate::poller`] decides when.

use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;

use crate::account::{AccountId, Partition, Region};
use crate::compliance::Policy;
use crate::config::Access;

/// What an account is known by for as long as the process is responsible for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKey {
    /// By its id.
    Id(AccountId),
    /// By its name, where only its credentials will tell the id.
    Name(Arc<str>),
}

/// Where an account was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The configuration file.
    Config,
    /// AWS Organizations.
    Organizations,
    /// The exporter's own credentials, without a configuration.
    Ambient,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Config, Self::Organizations, Self::Ambient];

    /// The value of the `source` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Organizations => "organizations",
            Self::Ambient => "ambient",
        }
    }
}

/// One account and how to ask it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// What it is known by.
    pub key: AccountKey,
    /// Its id; `None` until its credentials tell.
    pub id: Option<AccountId>,
    /// Its name; the id stands in where it has none.
    pub name: Option<Arc<str>>,
    /// Its partition.
    pub partition: Partition,
    /// Where it was found.
    pub source: Source,
    /// The id of its direct parent in the organization, where that was asked for.
    pub organizational_unit: Option<Arc<str>>,
    /// How a session is opened in it.
    pub access: Access,
    /// The Regions asked, first the one that also serves STS; at least one.
    pub regions: Vec<Region>,
    /// From one poll to the next.
    pub interval: Duration,
    /// What is required of it.
    pub policy: Arc<Policy>,
    /// The most trails read of it.
    pub max_trails: usize,
}

/// The accounts of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    /// By key.
    pub accounts: OrdMap<AccountKey, Arc<Account>>,
    /// Every discovery that is configured was attempted at least once.
    pub complete: bool,
}
