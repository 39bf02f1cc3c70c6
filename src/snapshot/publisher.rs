//! The publisher: the one writer of the snapshot. It takes reports and directories, has them judged, and publishes the next snapshot.
//!
//! Publishing one account touches that account alone; a snapshot shares all others with the one before it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::handover::Handover;
use super::readiness::Readiness;
use super::told::tell;
use super::unidentified::Unidentified;
use super::waiting::{Waiting, changed};
use super::{AccountState, Snapshot};
use crate::account::TrailArn;
use crate::compliance::{HeldTrail, OwnersTrail, Standing};
use crate::directory::{Account, AccountKey, Directory, Found, Source};
use crate::facts::{Poll, PollOutcome};
use crate::poller::Report;
use crate::self_metrics::SelfMetrics;
use crate::timestamp::Timestamp;

/// How often it is looked whether something has lapsed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The one writer of the snapshot.
pub struct Publisher {
    directory: Arc<Directory>,
    accounts: OrdMap<AccountKey, Arc<AccountState>>,
    /// How the accounts of other shards stand that are polled for the sake of their organization trails.
    neighbours: HashMap<AccountKey, Arc<Standing>>,
    handover: Handover,
    unidentified: Unidentified,
    waiting: Waiting,
    readiness: Readiness,
    /// When the next of what is held lapses.
    lapses: Option<Timestamp>,
    /// When the last look for lapses was taken.
    looked: Option<Timestamp>,
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
            handover: Handover::default(),
            unidentified: Unidentified::default(),
            waiting: Waiting::default(),
            readiness: Readiness::default(),
            lapses: None,
            looked: None,
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
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                Ok(()) = directory.changed() => {
                    let next = Arc::clone(&directory.borrow_and_update());
                    self.follow(next, now());
                }
                _ = looks.tick() => self.look(now()),
                report = reports.recv() => match report {
                    Some(report) => self.report(report, now()),
                    None => return,
                },
            }
        }
    }

    /// Publishes a new directory: what is gone is gone, what is new is there and unknown, and what another entry published of an account before is
    /// handed over.
    pub fn follow(&mut self, directory: Arc<Directory>, now: Timestamp) {
        let before = std::mem::replace(&mut self.directory, directory);
        let directory = Arc::clone(&self.directory);
        let held = |key: &AccountKey| self.accounts.get(key).map(|state| state.standing.clone());
        let mut begins = self.handover.between(&before, &directory, held);
        for key in before.accounts.keys() {
            if !directory.accounts.contains_key(key) {
                self.forget(key);
            }
        }
        self.neighbours.retain(|key, standing| {
            let account = directory.neighbours.get(key);
            if let Some(account) = account.filter(|a| a.policy.as_ref() != standing.policy()) {
                *standing = Arc::new(standing.with_policy(Arc::clone(&account.policy), now));
            }
            account.is_some()
        });
        for account in directory.accounts.values() {
            self.enrol(account, begins.remove(&account.key), now);
        }
        for report in self.unidentified.identified(&directory) {
            self.account_polled(report, now);
        }
        self.readiness.followed(directory.complete);
        self.count_accounts();
        self.publish();
    }

    /// Puts on record what has lapsed by `now`, so that it stays so whatever a clock shows later.
    /// All accounts are looked at only when something may have lapsed: by the date of the oldest
    /// answer, or because the wall clock was set back.
    pub fn look(&mut self, now: Timestamp) {
        let set_back = self.looked.is_some_and(|last| now.wall() < last.wall());
        self.looked = Some(now);
        self.handover.look(now);
        if !set_back && !self.lapses.is_some_and(|next| now.is_past(next)) {
            return;
        }
        self.lapses = None;
        let accounts = self.accounts.clone();
        let mut published = false;
        for state in accounts.values() {
            let Some(standing) = state.standing.lapsed(now) else {
                self.will_lapse(state.standing.lapses());
                continue;
            };
            let after = AccountState {
                standing,
                ..AccountState::clone(state)
            };
            tell(&state.standing, &after, &[], now);
            self.put(after);
            published = true;
        }
        self.look_at_neighbours(now);
        if published {
            self.publish();
        }
    }

    fn look_at_neighbours(&mut self, now: Timestamp) {
        let mut next = None;
        for standing in self.neighbours.values_mut() {
            if let Some(lapsed) = standing.lapsed(now) {
                *standing = Arc::new(lapsed);
            }
            let lapses = [next, standing.lapses()].into_iter().flatten();
            next = lapses.reduce(Timestamp::earliest);
        }
        self.will_lapse(next);
    }

    fn will_lapse(&mut self, at: Option<Timestamp>) {
        let lapses = [self.lapses, at].into_iter().flatten();
        self.lapses = lapses.reduce(Timestamp::earliest);
    }

    /// Publishes what one poll showed. A report of an account that is no longer in the directory is dropped; one that tells another identity than the
    /// directory knows waits for the directory.
    pub fn report(&mut self, report: Report, now: Timestamp) {
        if let Some(account) = self.directory.accounts.get(&report.key) {
            if let Some(report) = self.unidentified.unless_new(report, account) {
                self.account_polled(report, now);
            }
        } else if self.directory.neighbours.contains_key(&report.key) {
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
        match before.account.found {
            Some(Found::Taken(found)) if identity.is_some() => {
                poll.outcome = PollOutcome::WrongAccount { found };
            }
            // The account was another entry's when the poll began: it asked nothing.
            Some(Found::Own(_)) if is_wrong(&poll) => return,
            _ => {}
        }
        let after = self.judge(&before.account, &before.standing, &poll, now);
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
        self.judge_members_again(before.standing.trails(), after.standing.trails(), now);
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
        self.will_lapse(after.lapses());
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
        published(account, standing)
    }

    /// What the account that owns a trail holds of it, if this process polls that account; an account is no stand-in for itself.
    fn held_by_owner(&self, arn: &TrailArn, but: &AccountKey) -> Option<OwnersTrail<'_>> {
        let owner = self.directory.key_of(arn.owner());
        let owner = owner.filter(|key| key != but);
        let state = owner.and_then(|key| self.accounts.get(&key));
        let by_id = AccountKey::Id(arn.owner());
        let standing = state
            .map(|state| &state.standing)
            .or_else(|| self.neighbours.get(&by_id).map(AsRef::as_ref))?;
        let trails = standing.trails();
        let at = trails.binary_search_by(|held| held.trail.arn.cmp(arn));
        Some(OwnersTrail {
            held: trails.get(at.ok()?)?,
            fresh: standing.freshness(),
        })
    }

    fn put(&mut self, state: AccountState) -> Arc<AccountState> {
        let state = Arc::new(state);
        let key = state.account.key.clone();
        self.will_lapse(state.standing.lapses());
        self.accounts.insert(key, Arc::clone(&state));
        state
    }

    /// Takes in an account of the directory: new, changed, or as it was. `begins` is what it begins with, if that is not what is held of it.
    fn enrol(&mut self, account: &Arc<Account>, begins: Option<Standing>, now: Timestamp) {
        let policy = Arc::clone(&account.policy);
        let held = self.accounts.get(&account.key).cloned();
        if held.is_none() {
            self.readiness.appeared(&account.key);
        }
        if let Some(begins) = begins {
            self.waiting.gone(&account.key);
            self.put(published(account, begins.with_policy(policy, now)));
            return;
        }
        let Some(held) = held else {
            self.put(published(account, Standing::new(policy)));
            return;
        };
        if !Arc::ptr_eq(&held.account, account) {
            let standing = held.standing.with_policy(policy, now);
            // An owner's facts stand in by the new policy, not only from the next poll on.
            let after = match self.waiting.poll(&account.key) {
                Some(poll) => self.judge(account, &standing, &poll, now),
                None => published(account, standing),
            };
            tell(&held.standing, &after, &[], now);
            self.put(after);
        }
    }

    fn forget(&mut self, key: &AccountKey) {
        self.accounts.remove(key);
        self.waiting.gone(key);
        self.readiness.settled(key);
    }

    fn count_accounts(&self) {
        let accounts = &self.directory.accounts;
        for source in Source::ALL {
            let of_source = accounts.values().filter(|account| account.source == source);
            self.metrics.set_accounts(source, of_source.count());
        }
        self.metrics.set_accounts_left_out(self.directory.cut);
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

/// An account as published: under its id, if that is known and its own.
fn published(account: &Arc<Account>, standing: Standing) -> AccountState {
    AccountState::new(Arc::clone(account), account.known_id(), standing)
}

fn is_wrong(poll: &Poll) -> bool {
    matches!(poll.outcome, PollOutcome::WrongAccount { .. })
}
