//! When `/-/ready` begins to say yes: discovery was attempted, and every account known then was polled once. It never says no again.

use std::collections::BTreeSet;

use crate::directory::AccountKey;

/// What is still to be waited for.
#[derive(Debug, Default)]
pub struct Readiness {
    /// Discovery was attempted; accounts that come later are not waited for.
    complete: bool,
    unpolled: BTreeSet<AccountKey>,
    ready: bool,
}

impl Readiness {
    /// An account came into the directory.
    pub fn appeared(&mut self, key: &AccountKey) {
        if !self.complete {
            self.unpolled.insert(key.clone());
        }
    }

    /// An account was polled, or is gone: it is not waited for.
    pub fn settled(&mut self, key: &AccountKey) {
        self.unpolled.remove(key);
    }

    /// All accounts of a directory have appeared.
    pub fn followed(&mut self, complete: bool) {
        self.complete = self.complete || complete;
    }

    /// Whether there is nothing to wait for, or once was.
    pub fn is_ready(&mut self) -> bool {
        self.ready = self.ready || (self.complete && self.unpolled.is_empty());
        self.ready
    }
}
