//! What is held of an account goes along when another entry of the directory publishes it: when an
//! account configured without an id turns out to be a discovered one, when it leaves again, and when
//! its credentials become another account's and the right one's again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::account::AccountId;
use crate::compliance::Standing;
use crate::directory::{AccountKey, Directory, Found};
use crate::timestamp::Timestamp;

/// The most accounts kept for an entry that was found to be others in turn.
const KEPT_FOR_AN_ENTRY: usize = 8;

/// What is held of accounts that no entry publishes now, and may again: an account configured
/// without an id was found to be another one. By the entry that published them, the oldest first.
#[derive(Debug, Default)]
pub struct Handover(HashMap<AccountKey, Vec<(AccountId, Standing)>>);

/// What entries begin with, where that is not what they hold.
pub type Begins = HashMap<AccountKey, Standing>;

impl Handover {
    /// What entries of `after` begin with because accounts change their entry, or entries their
    /// account. `held` is what an entry of `before` holds.
    pub fn between(
        &mut self,
        before: &Directory,
        after: &Directory,
        held: impl Fn(&AccountKey) -> Option<Standing>,
    ) -> Begins {
        let mut moves = Moves::of(before, after);
        let mut begins = Begins::new();
        for (id, old, new) in moves.accounts.drain(..) {
            let standing = old.as_ref().and_then(&held).filter(is_polled);
            match (standing.or_else(|| self.take(id)), old, new) {
                (Some(standing), _, Some(new)) => drop(begins.insert(new, standing)),
                (Some(standing), Some(old), None) => self.keep(old, id, standing),
                _ => {}
            }
        }
        for key in moves.emptied {
            let Some(account) = after.accounts.get(&key) else {
                continue;
            };
            let new = || Standing::new(Arc::clone(&account.policy));
            begins.entry(key).or_insert_with(new);
        }
        self.0.retain(|key, _| after.accounts.contains_key(key));
        begins
    }

    /// Puts on record what has lapsed of what is kept, as it is done for what is published.
    pub fn look(&mut self, now: Timestamp) {
        for (_, standing) in self.0.values_mut().flatten() {
            if let Some(lapsed) = standing.lapsed(now) {
                *standing = lapsed;
            }
        }
    }

    fn keep(&mut self, key: AccountKey, id: AccountId, standing: Standing) {
        let kept = self.0.entry(key).or_default();
        kept.retain(|(known, _)| *known != id);
        kept.push((id, standing));
        let surplus = kept.len().saturating_sub(KEPT_FOR_AN_ENTRY);
        kept.drain(..surplus);
    }

    /// What is kept of an account, for whichever entry.
    fn take(&mut self, id: AccountId) -> Option<Standing> {
        let mut all = self.0.values_mut();
        all.find_map(|kept| {
            let at = kept.iter().position(|(known, _)| *known == id)?;
            Some(kept.remove(at).1)
        })
    }
}

/// An account that was never polled holds nothing to be handed over.
fn is_polled(standing: &Standing) -> bool {
    standing.last_poll().is_some()
}

/// What changes between two directories.
struct Moves {
    /// Accounts that another entry publishes than before: the entries then and now, if any.
    accounts: Vec<(AccountId, Option<AccountKey>, Option<AccountKey>)>,
    /// Entries that were one account and are none or another now.
    emptied: Vec<AccountKey>,
}

impl Moves {
    /// Only accounts that were found by their credentials can move.
    fn of(before: &Directory, after: &Directory) -> Self {
        let ids: BTreeSet<AccountId> = before
            .found
            .keys()
            .chain(after.found.keys())
            .copied()
            .collect();
        let accounts = ids.into_iter().filter_map(|id| {
            let (old, new) = (before.key_of(id), after.key_of(id));
            (old != new).then_some((id, old, new))
        });
        let is_other = |(id, key): &(&AccountId, &AccountKey)| {
            let now = after.accounts.get(*key).map(|account| account.found);
            now.is_some_and(|now| now != Some(Found::Own(**id)))
        };
        let emptied = before.found.iter().filter(is_other);
        Self {
            accounts: accounts.collect(),
            emptied: emptied.map(|(_, key)| key.clone()).collect(),
        }
    }
}
