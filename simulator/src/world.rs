//! A world in one file: the accounts, their trails, their organization, what goes wrong and what changes. Read from YAML (or JSON, which is YAML), and checked whole before it is used.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::account::Account;
use crate::faults::Fault;
use crate::names::{AccountId, Partition};
use crate::organization::Organization;
use crate::timeline::Change;
use crate::when::Offset;

mod check;
mod fleet;

pub use fleet::Fleet;

/// The documented example key of AWS: the one a world accepts when it names none.
pub const DEFAULT_ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret that goes with it. No signature is verified; clients want one.
pub const DEFAULT_SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The account that key belongs to when there is no organization to own it.
const DEFAULT_CALLER: u64 = 999_999_999_999;

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// Decides every throw of dice.
    pub seed: u64,
    /// How far AWS's clock is off ours: `Date` headers, expiry, and the refusal of skewed signatures.
    pub clock_offset: Offset,
    /// How long every session lasts, whatever was asked for.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub session_length: Option<Duration>,
    /// CloudTrail throttles an account's Region above this many requests a second (AWS: 10).
    pub requests_per_second: Option<u32>,
    /// Long-lived access keys. None named: the example key of AWS's documentation, in the management account.
    pub credentials: Vec<AccessKey>,
    /// The organization, if there is one.
    pub organization: Option<Organization>,
    /// Many accounts alike.
    pub fleets: Vec<Fleet>,
    /// The accounts, each once.
    #[serde(serialize_with = "as_list", deserialize_with = "from_list")]
    pub accounts: BTreeMap<AccountId, Account>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What changes, and when.
    pub changes: Vec<Change>,
}

/// A long-lived access key of an IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// The key id.
    pub access_key_id: String,
    /// The account it belongs to; it need not be one of the world's.
    pub account: AccountId,
    /// The partition it is good in.
    #[serde(default)]
    pub partition: Partition,
    /// The IAM user.
    #[serde(default = "default_user")]
    pub user: String,
}

fn default_user() -> String {
    "monitoring".to_owned()
}

/// Why a world cannot be used: one sentence, with the line where there is one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WorldError(String);

impl World {
    /// Reads and checks a world.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let world: Self =
            serde_saphyr::from_str(text).map_err(|error| WorldError(error.to_string()))?;
        world.check()?;
        Ok(world)
    }

    /// The account of this id: one of its own, or what a fleet says of it.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).or_else(|| {
            self.fleets
                .iter()
                .find(|fleet| fleet.number_of(id).is_some())
                .map(|fleet| &fleet.like)
        })
    }

    /// The account of this id, to change it. One of a fleet becomes an account of its own.
    pub fn account_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        if !self.accounts.contains_key(&id) {
            let account = self.fleets.iter().find_map(|fleet| fleet.account(id))?;
            self.accounts.insert(id, account);
        }
        self.accounts.get_mut(&id)
    }

    /// Every account id with its account.
    pub(crate) fn all(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        let fleets = self
            .fleets
            .iter()
            .flat_map(|fleet| fleet.ids().map(move |id| (id, &fleet.like)));
        let own = self.accounts.iter().map(|(id, account)| (*id, account));
        own.chain(fleets.filter(|(id, _)| !self.accounts.contains_key(id)))
    }

    /// The accounts of an organization: those of its partition that do not stand alone.
    pub(crate) fn members(
        &self,
        organization: &Organization,
    ) -> impl Iterator<Item = (AccountId, &Account)> {
        let partition = self
            .account(organization.management_account)
            .map(|account| account.partition);
        self.all()
            .filter(move |(_, account)| !account.standalone && Some(account.partition) == partition)
    }

    /// The name of an account.
    pub(crate) fn name_of(&self, id: AccountId) -> String {
        match self.accounts.get(&id) {
            Some(account) => account.name.clone(),
            None => self
                .fleets
                .iter()
                .find_map(|fleet| fleet.name_of(id))
                .unwrap_or_default(),
        }
    }

    /// The organization, if this account is in it.
    pub(crate) fn organization_of(&self, account: &Account) -> Option<&Organization> {
        let organization = self.organization.as_ref()?;
        let management = self.account(organization.management_account)?;
        (!account.standalone && account.partition == management.partition).then_some(organization)
    }

    /// The access key of this id.
    pub(crate) fn access_key(&self, id: &str) -> Option<AccessKey> {
        if self.credentials.is_empty() && id == DEFAULT_ACCESS_KEY {
            return Some(self.default_key());
        }
        self.credentials
            .iter()
            .find(|key| key.access_key_id == id)
            .cloned()
    }

    fn default_key(&self) -> AccessKey {
        let account = match &self.organization {
            Some(organization) => organization.management_account,
            None => AccountId::new(DEFAULT_CALLER).unwrap_or_default(),
        };
        AccessKey {
            access_key_id: DEFAULT_ACCESS_KEY.to_owned(),
            account,
            partition: self
                .account(account)
                .map(|account| account.partition)
                .unwrap_or_default(),
            user: default_user(),
        }
    }

    /// Turns every age into a time and makes each trail's times agree with whether it logs.
    pub(crate) fn pin(&mut self, now: SystemTime) {
        let fleets = self.fleets.iter_mut().map(|fleet| &mut fleet.like);
        for account in self.accounts.values_mut().chain(fleets) {
            account.trails.iter_mut().for_each(|trail| trail.pin(now));
        }
    }
}

fn as_list<S: Serializer>(
    accounts: &BTreeMap<AccountId, Account>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(accounts.values())
}

fn from_list<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<AccountId, Account>, D::Error> {
    let mut accounts = BTreeMap::new();
    for account in Vec::<Account>::deserialize(deserializer)? {
        let id = account.id;
        if id == AccountId::default() {
            return Err(serde::de::Error::custom("an account has no id"));
        }
        if accounts.insert(id, account).is_some() {
            return Err(serde::de::Error::custom(format!(
                "account {id} is described twice"
            )));
        }
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests;
