//! Which account an identity belongs to, where credentials tell it: two names for one account must not publish it twice.
//!
//! The account that is known by its id has it; else the first by name. All others are the wrong account.

use std::collections::{BTreeSet, HashMap};

use crate::account::AccountId;
use crate::directory::AccountKey;

/// The identities that credentials told.
#[derive(Debug, Default)]
pub struct Identities {
    found: HashMap<AccountKey, AccountId>,
    keys: HashMap<AccountId, BTreeSet<AccountKey>>,
}

impl Identities {
    /// Takes note of whose credentials an account's are.
    pub fn found(&mut self, key: &AccountKey, id: AccountId) {
        if self.found.get(key) != Some(&id) {
            self.gone(key);
            self.found.insert(key.clone(), id);
            self.keys.entry(id).or_default().insert(key.clone());
        }
    }

    /// Forgets an account.
    pub fn gone(&mut self, key: &AccountKey) {
        let Some(id) = self.found.remove(key) else {
            return;
        };
        if let Some(keys) = self.keys.get_mut(&id) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&id);
            }
        }
    }

    /// Whose credentials an account's were found to be.
    pub fn of(&self, key: &AccountKey) -> Option<AccountId> {
        self.found.get(key).copied()
    }

    /// The accounts by name that were found to be this one, first the one that has it if no account is known by the id.
    pub fn keys(&self, id: AccountId) -> impl Iterator<Item = &AccountKey> {
        self.keys.get(&id).into_iter().flatten()
    }

    /// The first account by name that was found to be this one.
    pub fn first(&self, id: AccountId) -> Option<&AccountKey> {
        self.keys(id).next()
    }
}
