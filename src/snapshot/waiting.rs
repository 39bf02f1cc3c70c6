//! The members whose last poll could not read an organization trail. Their polls are kept, and only theirs, so that they can be judged again when the
//! owner's facts change.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::account::TrailArn;
use crate::compliance::HeldTrail;
use crate::directory::AccountKey;
use crate::facts::Poll;
use crate::poller::unread_organization_trails as unread;

/// Polls that wait for an owner's facts.
#[derive(Debug, Default)]
pub struct Waiting {
    polls: HashMap<AccountKey, Arc<Poll>>,
    by_trail: HashMap<TrailArn, BTreeSet<AccountKey>>,
}

impl Waiting {
    /// Takes the place of the account's poll before.
    pub fn polled(&mut self, key: &AccountKey, poll: Poll) {
        self.gone(key);
        let mut unread = unread(&poll).peekable();
        if unread.peek().is_none() {
            return;
        }
        for arn in unread {
            self.by_trail
                .entry(arn.clone())
                .or_default()
                .insert(key.clone());
        }
        self.polls.insert(key.clone(), Arc::new(poll));
    }

    /// Forgets an account.
    pub fn gone(&mut self, key: &AccountKey) {
        let Some(poll) = self.polls.remove(key) else {
            return;
        };
        for arn in unread(&poll) {
            if let Some(keys) = self.by_trail.get_mut(arn) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_trail.remove(arn);
                }
            }
        }
    }

    /// The accounts that could not read a trail, with their last polls.
    pub fn on(&self, arn: &TrailArn) -> impl Iterator<Item = (&AccountKey, &Arc<Poll>)> {
        let keys = self.by_trail.get(arn).into_iter().flatten();
        keys.filter_map(|key| self.polls.get_key_value(key))
    }

    /// The last poll of an account, if it could not read some organization trail.
    pub fn poll(&self, key: &AccountKey) -> Option<Arc<Poll>> {
        self.polls.get(key).cloned()
    }

    /// Whether anybody waits at all.
    pub fn is_empty(&self) -> bool {
        self.polls.is_empty()
    }
}

/// The organization trails that their owner described or read again, or otherwise, than before: each
/// of its polls keeps its members' verdicts fresh.
pub fn changed<'a>(before: &'a [HeldTrail], after: &'a [HeldTrail]) -> Vec<&'a TrailArn> {
    let same = |held: &HeldTrail| {
        let was = before.binary_search_by(|b| b.trail.arn.cmp(&held.trail.arn));
        let was = was.ok().and_then(|at| before.get(at));
        was == Some(held)
    };
    let organization = after.iter().filter(|held| held.trail.organization);
    let changed = organization.filter(|held| !same(held));
    changed.map(|held| &held.trail.arn).collect()
}
