//! Many accounts alike, without an entry for each.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::names::AccountId;

/// Accounts with consecutive ids that are all alike. They take no memory each; one that is changed becomes an account of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// How many.
    pub accounts: u64,
    /// The id of the first.
    pub first_id: AccountId,
    /// The name of each; `{n}` is its number, from 0.
    #[serde(default = "default_fleet_name")]
    pub name: String,
    /// What each is like; `id` and `name` are left out.
    #[serde(default)]
    pub like: Account,
}

fn default_fleet_name() -> String {
    "fleet-{n}".to_owned()
}

impl Fleet {
    pub(super) fn ids(&self) -> impl Iterator<Item = AccountId> + use<> {
        let first = self.first_id.number();
        (first..first + self.accounts).filter_map(AccountId::new)
    }

    pub(super) fn number_of(&self, id: AccountId) -> Option<u64> {
        id.number()
            .checked_sub(self.first_id.number())
            .filter(|number| *number < self.accounts)
    }

    pub(super) fn name_of(&self, id: AccountId) -> Option<String> {
        Some(self.name.replace("{n}", &self.number_of(id)?.to_string()))
    }

    pub(super) fn account(&self, id: AccountId) -> Option<Account> {
        Some(Account {
            id,
            name: self.name_of(id)?,
            ..self.like.clone()
        })
    }
}
