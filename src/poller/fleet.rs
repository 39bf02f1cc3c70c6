//! The fleet: one task per account of the directory, kept in step with it. A task that fails is started again and takes no other with it.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::gate::Gate;
use super::phase::{Anchor, Phase};
use super::poll::first_call;
use super::readings::Readings;
use super::refused::Refused;
use super::task::{InForce, Shared, Start};
use super::{Report, Settings};
use crate::account::AccountId;
use crate::aws::{Aws, CallError};
use crate::directory::{Account, AccountKey, Directory, Identified};
use crate::facts::{Failure, Poll, PollOutcome};
use crate::self_metrics::SelfMetrics;
use crate::timestamp::Timestamp;

/// Calls for owners of organization trails that may wait; more are dropped and come again with the next polls.
const OWNERS_WAITING: usize = 64;

/// Polls all accounts of a directory.
pub struct Poller<A, N> {
    /// AWS.
    pub aws: A,
    /// The clocks; answers are dated by them.
    pub now: N,
    /// The accounts to poll.
    pub directory: watch::Receiver<Arc<Directory>>,
    /// What to go by.
    pub settings: watch::Receiver<Settings>,
    /// Where the identities go that polls find out.
    pub identified: mpsc::Sender<Identified>,
    /// Where the reports go.
    pub reports: mpsc::Sender<Report>,
    /// Where polls are counted.
    pub metrics: SelfMetrics,
}

impl<A: Aws, N: Fn() -> Timestamp + Send + Sync + 'static> Poller<A, N> {
    /// Polls until `shutdown`; then no poll is under way any more.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (owners, calls) = mpsc::channel(OWNERS_WAITING);
        let in_force = watch::Sender::new(in_force(*self.settings.borrow()));
        let shared = Shared {
            aws: self.aws,
            anchor: Anchor::new((self.now)().wall(), Instant::now()),
            now: self.now,
            directory: self.directory.clone(),
            in_force: in_force.subscribe(),
            identified: self.identified,
            reports: self.reports,
            owners,
            refused: Refused::default(),
            readings: Readings::default(),
            metrics: self.metrics,
        };
        let mut fleet = Fleet {
            shared: Arc::new(shared),
            in_force,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            keys: HashMap::new(),
            owners: HashSet::new(),
        };
        tokio::select! {
            () = shutdown => {}
            () = fleet.follow(self.directory, self.settings, calls) => {}
        }
        fleet.tasks.shutdown().await;
    }
}

fn in_force(settings: Settings) -> Arc<InForce> {
    let gate = Gate::new(settings.concurrency);
    Arc::new(InForce { settings, gate })
}

/// One account's task.
struct Running {
    account: Arc<Account>,
    handle: AbortHandle,
}

struct Fleet<A, N> {
    shared: Arc<Shared<A, N>>,
    in_force: watch::Sender<Arc<InForce>>,
    tasks: JoinSet<()>,
    running: HashMap<AccountKey, Running>,
    keys: HashMap<Id, AccountKey>,
    /// Accounts of other shards that are polled for the sake of their organization trails.
    owners: HashSet<AccountId>,
}

impl<A: Aws, N: Fn() -> Timestamp + Send + Sync + 'static> Fleet<A, N> {
    /// One loop, one select. It ends when the directory is no longer kept.
    async fn follow(
        &mut self,
        mut directory: watch::Receiver<Arc<Directory>>,
        mut settings: watch::Receiver<Settings>,
        mut calls: mpsc::Receiver<AccountId>,
    ) {
        let now = Arc::clone(&directory.borrow_and_update());
        self.keep_in_step(&now);
        loop {
            tokio::select! {
                changed = directory.changed() => {
                    if changed.is_err() { return }
                    let now = Arc::clone(&directory.borrow_and_update());
                    self.keep_in_step(&now);
                }
                Ok(()) = settings.changed() => self.settle(*settings.borrow_and_update()),
                Some(owner) = calls.recv() => self.also_poll(owner, &directory.borrow()),
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended).await,
            }
        }
    }

    fn settle(&self, settings: Settings) {
        if self.in_force.borrow().settings != settings {
            let next = in_force(settings);
            next.gate.expect(self.rate());
            self.in_force.send_replace(next);
        }
    }

    /// Ends the tasks of accounts that are gone or are now asked otherwise, and starts those that are missing.
    fn keep_in_step(&mut self, directory: &Directory) {
        self.owners
            .retain(|owner| directory.neighbours.contains_key(&AccountKey::Id(*owner)));
        let owners = &self.owners;
        let wanted = |key: &AccountKey| match key {
            AccountKey::Id(id) if owners.contains(id) => directory.find(key),
            _ => directory.accounts.get(key),
        };
        let keys = &mut self.keys;
        self.running.retain(|key, running| {
            let stays = wanted(key).filter(|now| now.is_asked_like(&running.account));
            match stays {
                Some(now) => running.account = Arc::clone(now),
                None => end(running, keys),
            }
            stays.is_some()
        });
        let owners = self.owners.iter().map(|owner| AccountKey::Id(*owner));
        let owners: Vec<AccountKey> = owners.collect();
        let owners = owners
            .iter()
            .filter_map(|key| directory.neighbours.get(key));
        for account in directory.accounts.values().chain(owners) {
            if !self.running.contains_key(&account.key) {
                self.start(account, Start::AtOnce);
            }
        }
        self.in_force.borrow().gate.expect(self.rate());
    }

    /// How many polls a second the accounts' intervals come to.
    fn rate(&self) -> f64 {
        let accounts = self.running.values().map(|running| &running.account);
        let rates = accounts.map(|account| account.interval.as_secs_f64().recip());
        rates.sum()
    }

    /// Also polls an account of another shard, whose organization trails an account of this one cannot read.
    fn also_poll(&mut self, owner: AccountId, directory: &Directory) {
        let account = directory.neighbours.get(&AccountKey::Id(owner));
        if let Some(account) = account
            && self.owners.insert(owner)
        {
            tracing::info!(account_id = %owner, "an account of another shard is polled too: it owns an organization trail that accounts of this shard do not read themselves");
            self.start(account, Start::AtOnce);
        }
    }

    fn start(&mut self, account: &Arc<Account>, start: Start) {
        let phase = self.phase(account);
        let task = Arc::clone(&self.shared).follow(Arc::clone(account), phase, start);
        let handle = self.tasks.spawn(task);
        self.keys.insert(handle.id(), account.key.clone());
        let account = Arc::clone(account);
        let key = account.key.clone();
        self.running.insert(key, Running { account, handle });
    }

    /// All shards may poll an owner of another one: not at the same moment.
    fn phase(&self, account: &Account) -> Phase {
        match &account.key {
            AccountKey::Id(id) if self.owners.contains(id) => Phase::of_its_own(account.interval),
            key => Phase::of(key, account.interval),
        }
    }

    /// A task that ended by itself has panicked (or nobody takes reports): it starts again at its next tick.
    async fn task_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let Err(error) = ended else { return };
        let running = self.keys.remove(&error.id());
        let Some(running) = running.and_then(|key| self.running.remove(&key)) else {
            return;
        };
        let account = running.account;
        let (id, name) = (
            account.id.map(tracing::field::display),
            account.name.as_deref(),
        );
        tracing::error!(account_id = id, account_name = name, %error, "the poll of an account broke off; it goes on at the account's next tick");
        self.start(&account, Start::AtNextTick);
        let report = broken(&account, (self.shared.now)(), &error);
        let _ = self.shared.reports.send(report).await;
    }
}

fn end(running: &Running, keys: &mut HashMap<Id, AccountKey>) {
    running.handle.abort();
    keys.remove(&running.handle.id());
}

/// What is reported of a poll that broke off: nothing was heard.
fn broken(account: &Account, ended: Timestamp, error: &JoinError) -> Report {
    let (operation, failure) = (first_call(&account.access), Failure::Other);
    Report {
        key: account.key.clone(),
        identity: None,
        poll: Poll {
            ended,
            duration: Duration::ZERO,
            outcome: PollOutcome::NoSession { operation, failure },
        },
        errors: vec![CallError::new(operation, failure, error.to_string())],
    }
}
