//! The publisher: the one writer of the snapshot. It takes reports and directories, has them judged, and publishes the next snapshot.
//!
//! Publishing one account touches that account alone; a snapshot shares all others with the one before it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use tokio::sync::{mpsc, watch};

use super::identities::Identities;
use super::readiness::Readiness;
use super::told::tell;
use super::waiting::{Waiting, changed};
use super::{AccountState, Snapshot};
use crate::account::{AccountId, TrailArn};
use crate::compliance::{HeldTrail, Standing};
use crate::directory::{Account, AccountKey, Directory, Source};
use crate::facts::{Poll, PollOutcome};
use crate::poller::Report;
use crate::self_metrics::SelfMetrics;
use crate::timestamp::Timestamp;

/// The one writer of the snapshot.
pub struct Publisher {
    directory: Arc<Directory>,
    accounts: OrdMap<AccountKey, Arc<AccountState>>,
    /// How the accounts of other shards stand that are polled for the sake of their organization trails.
    neighbours: HashMap<AccountKey, Arc<Standing>>,
    identities: Identities,
    waiting: Waiting,
    readiness: Readiness,
    snapshot: watch::Sender<Arc<Snapshot>>,
    metrics: SelfMetrics,
}

impl Publisher {
    /// A publisher of an empty snapshot.
    pub fn new(metrics: SelfMetrics) -> Self {
        Self {
            directory: Arc::default(),
            accounts: OrdMap::new(),
            neighbours: HashMap::new(),
            identities: Identities::default(),
            waiting: Waiting::default(),
            readiness: Readiness::default(),
            snapshot: watch::Sender::default(),
            metrics,
        }
    }

    /// The snapshot, now and whenever a new one is published.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Publishes until `shutdown`, or until nobody reports any more.
    pub async fn run(
        mut self,
        mut directory: watch::Receiver<Arc<Directory>>,
        mut reports: mpsc::Receiver<Report>,
        now: impl Fn() -> Timestamp,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut shutdown = std::pin::pin!(shutdown);
        directory.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                Ok(()) = directory.changed() => {
                    let next = Arc::clone(&directory.borrow_and_update());
                    self.follow(next, now());
                }
                report = reports.recv() => match report {
                    Some(report) => self.report(report, now()),
                    None => return,
                },
            }
        }
    }

    /// Publishes a new directory: what is gone is gone, what is new is there and unknown.
    pub fn follow(&mut self, directory: Arc<Directory>, now: Timestamp) {
        let before = std::mem::replace(&mut self.directory, directory);
        let directory = Arc::clone(&self.directory);
        for key in before.accounts.keys() {
            if !directory.accounts.contains_key(key) {
                self.forget(key);
            }
        }
        self.neighbours
            .retain(|key, _| directory.neighbours.contains_key(key));
        for id in directory.accounts.values().filter_map(|account| account.id) {
            self.one_account_only(id, now);
        }
        for account in directory.accounts.values() {
            self.enrol(account, now);
        }
        self.readiness.followed(directory.complete);
        self.count_accounts();
        self.publish();
    }

    /// Publishes what one poll showed. A report of an account that is no longer in the directory is dropped.
    pub fn report(&mut self, report: Report, now: Timestamp) {
        let key = report.key.clone();
        if self.directory.accounts.contains_key(&key) {
            self.account_polled(report, now);
        } else if self.directory.neighbours.contains_key(&key) {
            self.neighbour_polled(&report, now);
        } else {
            return;
        }
        self.publish();
    }

    fn account_polled(&mut self, report: Report, now: Timestamp) {
        let Report {
            key,
            identity,
            mut poll,
            errors,
        } = report;
        let Some(before) = self.accounts.get(&key).cloned() else {
            return;
        };
        let anew = self.take_identity(&before, identity);
        let held = anew.as_ref().unwrap_or(&before.standing);
        if let Some(found) = identity
            && before.account.id.is_none()
            && self.is_taken(&key, found)
        {
            poll.outcome = PollOutcome::WrongAccount { found };
        }
        let after = self.judge(&before.account, held, &poll, now);
        tell(&before.standing, &after, &errors, now);
        let last = after.standing.last_poll();
        if let Some(reason) = last
            .filter(|last| !last.up)
            .and_then(|last| last.open_reason)
        {
            self.metrics.poll_failed(reason);
        }
        self.readiness.settled(&key);
        let after = self.put(after);
        self.waiting.polled(&key, poll);
        if let Some(id) = identity {
            self.one_account_only(id, now);
        }
        self.judge_members_again(before.standing.trails(), after.standing.trails(), now);
    }

    /// Takes note of a told identity. What is held of another account under the same name counts no more: gives the standing to begin with anew.
    fn take_identity(&mut self, state: &AccountState, told: Option<AccountId>) -> Option<Standing> {
        let key = &state.account.key;
        let (None, Some(found)) = (state.account.id, told) else {
            return None;
        };
        let other = self.identities.of(key).is_some_and(|held| held != found);
        self.identities.found(key, found);
        other.then(|| Standing::new(Arc::clone(&state.account.policy)))
    }

    /// Whether an identity that the credentials of `key` told belongs to another account of the directory.
    fn is_taken(&self, key: &AccountKey, id: AccountId) -> bool {
        self.directory.accounts.contains_key(&AccountKey::Id(id))
            || self.identities.first(id).is_some_and(|first| first != key)
    }

    /// Whatever was published of `id` under further names before it was known that it is the same account is taken back.
    fn one_account_only(&mut self, id: AccountId, now: Timestamp) {
        let keys = self.identities.keys(id);
        let taken: Vec<AccountKey> = keys.filter(|key| self.is_taken(key, id)).cloned().collect();
        for key in taken {
            let Some(state) = self.accounts.get(&key).cloned() else {
                continue;
            };
            if state.id.is_none() {
                continue;
            }
            let duration = state
                .standing
                .last_poll()
                .map_or(Duration::ZERO, |last| last.duration);
            let outcome = PollOutcome::WrongAccount { found: id };
            let poll = Poll {
                ended: now,
                duration,
                outcome,
            };
            let after = self.judge(&state.account, &state.standing, &poll, now);
            tell(&state.standing, &after, &[], now);
            self.put(after);
            self.waiting.gone(&key);
        }
    }

    fn neighbour_polled(&mut self, report: &Report, now: Timestamp) {
        let Some(account) = self.directory.neighbours.get(&report.key).cloned() else {
            return;
        };
        let new = || Arc::new(Standing::new(Arc::clone(&account.policy)));
        let before = self
            .neighbours
            .get(&report.key)
            .cloned()
            .unwrap_or_else(new);
        let after = before.after(
            &report.poll,
            |arn| self.held_by_owner(arn, &report.key),
            now,
        );
        let after = Arc::new(after);
        self.neighbours
            .insert(report.key.clone(), Arc::clone(&after));
        self.judge_members_again(before.trails(), after.trails(), now);
    }

    /// Judges again the accounts that wait for the organization trails whose facts changed with their owner's poll.
    fn judge_members_again(&mut self, before: &[HeldTrail], after: &[HeldTrail], now: Timestamp) {
        if self.waiting.is_empty() {
            return;
        }
        for arn in changed(before, after) {
            let waiting = self.waiting.on(arn);
            let waiting: Vec<_> = waiting
                .map(|(key, poll)| (key.clone(), Arc::clone(poll)))
                .collect();
            for (key, poll) in waiting {
                if let Some(state) = self.accounts.get(&key).cloned() {
                    let judged = self.judge(&state.account, &state.standing, &poll, now);
                    tell(&state.standing, &judged, &[], now);
                    self.put(judged);
                }
            }
        }
    }

    fn judge(
        &self,
        account: &Arc<Account>,
        held: &Standing,
        poll: &Poll,
        now: Timestamp,
    ) -> AccountState {
        let standing = held.after(poll, |arn| self.held_by_owner(arn, &account.key), now);
        self.state(account, standing)
    }

    /// What the account that owns a trail holds of it, if this process polls that account; an account is no stand-in for itself.
    fn held_by_owner(&self, arn: &TrailArn, but: &AccountKey) -> Option<&HeldTrail> {
        let by_id = AccountKey::Id(arn.owner());
        let by_name = || self.identities.first(arn.owner());
        let of = |key: &AccountKey| self.accounts.get(key).map(|state| &state.standing);
        let standing = of(&by_id)
            .filter(|_| by_id != *but)
            .or_else(|| by_name().filter(|key| *key != but).and_then(of))
            .or_else(|| self.neighbours.get(&by_id).map(AsRef::as_ref))?;
        let trails = standing.trails();
        let at = trails.binary_search_by(|held| held.trail.arn.cmp(arn));
        trails.get(at.ok()?)
    }

    /// An account as published: under its id, if that is known and its own.
    fn state(&self, account: &Arc<Account>, standing: Standing) -> AccountState {
        let wrong = standing.wrong_account().is_some();
        let told = self.identities.of(&account.key);
        let told = told.filter(|id| !wrong && !self.is_taken(&account.key, *id));
        let id = account.id.or(told);
        AccountState::new(Arc::clone(account), id, standing)
    }

    fn put(&mut self, state: AccountState) -> Arc<AccountState> {
        let state = Arc::new(state);
        let key = state.account.key.clone();
        self.accounts.insert(key, Arc::clone(&state));
        state
    }

    /// Takes in an account of the directory: new, changed, or as it was.
    fn enrol(&mut self, account: &Arc<Account>, now: Timestamp) {
        let policy = Arc::clone(&account.policy);
        let Some(held) = self.accounts.get(&account.key).cloned() else {
            self.readiness.appeared(&account.key);
            self.put(self.state(account, Standing::new(policy)));
            return;
        };
        if !Arc::ptr_eq(&held.account, account) {
            let standing = held.standing.with_policy(policy);
            let after = self.state(account, standing);
            tell(&held.standing, &after, &[], now);
            self.put(after);
        }
    }

    fn forget(&mut self, key: &AccountKey) {
        self.accounts.remove(key);
        self.identities.gone(key);
        self.waiting.gone(key);
        self.readiness.settled(key);
    }

    fn count_accounts(&self) {
        let accounts = &self.directory.accounts;
        for source in Source::ALL {
            let of_source = accounts.values().filter(|account| account.source == source);
            self.metrics.set_accounts(source, of_source.count());
        }
    }

    fn publish(&mut self) {
        let snapshot = Snapshot {
            accounts: self.accounts.clone(),
            ready: self.readiness.is_ready(),
            partial: self.directory.is_partial(),
            elsewhere: self.directory.neighbours.len(),
        };
        self.metrics.set_ready(snapshot.ready);
        self.snapshot.send_replace(Arc::new(snapshot));
    }
}
