//! The directory: the accounts this process is responsible for, from configuration, AWS Organizations and the ambient credentials.
//!
//! A value, replaced whole when it changes. It says who to ask; the poller decides when. In data order:
//!
//! - [`listing`]: listings of the organization, and which of them are believed;
//! - [`shard`]: the part of the directory this process takes;
//! - [`identities`]: whose the credentials are of accounts that are configured without an id;
//! - [`mod@build`]: configuration, listing and identities merged, excluded, cut and sharded;
//! - [`discovery`]: the loop that keeps the directory.

pub mod build;
pub mod discovery;
#[cfg(test)]
mod fixtures;
pub mod identities;
pub mod listing;
pub mod shard;

use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use siphasher::sip::SipHasher13;

pub use build::{Inputs, build};
pub use identities::{Identified, Identities};
pub use shard::Shard;

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

impl AccountKey {
    /// Keys of the hash. Constants, so that shards and phases are the same in every process and version.
    const HASH_KEYS: (u64, u64) = (0x636c_6f75_6474_7261, 0x696c_2d65_7870_6f72);

    /// A hash that is the same everywhere and always; `salt` makes independent ones.
    pub fn stable_hash(&self, salt: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(Self::HASH_KEYS.0, Self::HASH_KEYS.1);
        hasher.write(&salt.to_le_bytes());
        match self {
            Self::Id(id) => hasher.write(&id.as_u64().to_le_bytes()),
            Self::Name(name) => hasher.write(name.as_bytes()),
        }
        hasher.finish()
    }
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
    /// Its id as configured or listed; `None` where its credentials tell it.
    pub id: Option<AccountId>,
    /// Whose its credentials were found to be, where `id` leaves that to them.
    pub found: Option<Found>,
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

/// Whose the credentials of an account without a configured id were found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Of an account that no other entry of the file has: this entry is that account.
    Own(AccountId),
    /// Of an account that another entry of the file has: this entry is the wrong account.
    Taken(AccountId),
}

impl Found {
    /// The account, whoever has it.
    pub fn id(self) -> AccountId {
        match self {
            Self::Own(id) | Self::Taken(id) => id,
        }
    }

    /// The account, if this entry has it.
    pub fn own(self) -> Option<AccountId> {
        match self {
            Self::Own(id) => Some(id),
            Self::Taken(_) => None,
        }
    }
}

impl Account {
    /// Its id, configured or found, as far as it is its own.
    pub fn known_id(&self) -> Option<AccountId> {
        self.id.or_else(|| self.found.and_then(Found::own))
    }

    /// Whether this account is asked exactly as `other` is, so that a session and a phase serve both.
    pub fn is_asked_like(&self, other: &Self) -> bool {
        self.id == other.id
            && self.partition == other.partition
            && self.access == other.access
            && self.regions == other.regions
            && self.interval == other.interval
            && self.max_trails == other.max_trails
    }
}

/// One account as the organization lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: AccountId,
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
    /// The id of its direct parent, where that was asked for.
    pub organizational_unit: Option<Arc<str>>,
}

/// The accounts of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    /// By key.
    pub accounts: OrdMap<AccountKey, Arc<Account>>,
    /// The accounts of the other shards. Not polled and not published, except for one that owns an organization trail which an account of this shard
    /// cannot read: it is polled here too, so that its facts can stand in.
    pub neighbours: OrdMap<AccountKey, Arc<Account>>,
    /// The accounts known by a name whose credentials told their id, by that id.
    pub found: OrdMap<AccountId, AccountKey>,
    /// How many accounts were left out because of `limits.max_accounts`.
    pub cut: usize,
    /// The organization's accounts are asked for, and were never listed.
    pub unlisted: bool,
    /// Every discovery that is configured was attempted at least once.
    pub complete: bool,
}

impl Directory {
    /// Whether accounts that the configuration asks for are known to be missing.
    pub fn is_partial(&self) -> bool {
        self.unlisted || self.cut > 0
    }

    /// Whether this process polls the account for itself, under whichever key.
    fn watches(&self, account: &Account) -> bool {
        let by_id = account.known_id().and_then(|id| self.key_of(id));
        by_id.is_some() || self.accounts.contains_key(&account.key)
    }

    /// The key under which this process polls the account of an id for itself.
    pub fn key_of(&self, id: AccountId) -> Option<AccountKey> {
        let key = AccountKey::Id(id);
        if self.accounts.contains_key(&key) {
            return Some(key);
        }
        self.found.get(&id).cloned()
    }

    /// The account of an id, whichever shard takes it.
    pub fn account_of(&self, id: AccountId) -> Option<&Arc<Account>> {
        let found = self.found.get(&id).and_then(|key| self.accounts.get(key));
        self.find(&AccountKey::Id(id)).or(found)
    }

    /// The account, whichever shard takes it.
    pub fn find(&self, key: &AccountKey) -> Option<&Arc<Account>> {
        self.accounts.get(key).or_else(|| self.neighbours.get(key))
    }
}
