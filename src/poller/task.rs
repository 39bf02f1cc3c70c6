//! One account's task: poll, wait for the account's next tick, poll again. Small while it waits; the poll itself is on the heap only while it runs.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::gate::{Gate, Haste};
use super::phase::{Anchor, Phase};
use super::poll::{Identity, Terms, poll};
use super::readings::Readings;
use super::refused::Refused;
use super::{Report, Settings, unread_organization_trails};
use crate::account::{AccountId, TrailArn};
use crate::aws::Aws;
use crate::config::OrganizationTrailStatus;
use crate::directory::{Account, AccountKey, Directory, Found, Identified, Source};
use crate::self_metrics::SelfMetrics;
use crate::timestamp::Timestamp;

/// What all accounts' tasks share.
pub(super) struct Shared<A, N> {
    pub(super) aws: A,
    pub(super) now: N,
    /// What ties polls to the time of day.
    pub(super) anchor: Anchor,
    pub(super) directory: watch::Receiver<Arc<Directory>>,
    pub(super) in_force: watch::Receiver<Arc<InForce>>,
    pub(super) identified: mpsc::Sender<Identified>,
    pub(super) reports: mpsc::Sender<Report>,
    /// Owners of organization trails that an account of this shard could not read.
    pub(super) owners: mpsc::Sender<AccountId>,
    /// Owners that cannot tell how their organization trails are.
    pub(super) refused: Refused,
    /// What owners read of their organization trails.
    pub(super) readings: Readings,
    pub(super) metrics: SelfMetrics,
}

/// The settings in force, and the gate that goes with them.
pub(super) struct InForce {
    pub(super) settings: Settings,
    pub(super) gate: Gate,
}

/// When a task polls first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// As soon as there is a place.
    AtOnce,
    /// At the account's next tick.
    AtNextTick,
}

impl<A: Aws, N: Fn() -> Timestamp + Send + Sync + 'static> Shared<A, N> {
    /// Polls an account at its phase for as long as anybody takes the reports.
    pub(super) async fn follow(self: Arc<Self>, account: Arc<Account>, phase: Phase, start: Start) {
        let mut tick = None;
        if start == Start::AtNextTick {
            tick = Some(self.tick(phase, None).await);
        }
        let session = self.aws.open(&account);
        // Boxed, or a task would keep room for a whole report while it waits.
        while Box::pin(self.poll_and_report(&session, &account, tick)).await {
            self.count_overrun(&account, tick);
            tick = Some(self.tick(phase, tick).await);
        }
    }

    /// Waits for the next tick. One that comes too late, since the process was stopped, is not made
    /// up for, or a fleet would poll all at once; two in a row are not left out.
    async fn tick(&self, phase: Phase, last: Option<Instant>) -> Instant {
        let tick = self.sleep_to_next(phase, last).await;
        if phase.is_missed(tick, Instant::now()) {
            return self.sleep_to_next(phase, Some(tick)).await;
        }
        tick
    }

    async fn sleep_to_next(&self, phase: Phase, last: Option<Instant>) -> Instant {
        let now = Instant::now();
        let tick = phase.next(self.anchor, last.map_or(now, |last| last.max(now)));
        sleep_until(tick).await;
        tick
    }

    fn count_overrun(&self, account: &Account, tick: Option<Instant>) {
        if tick.is_some_and(|tick| Instant::now() >= tick + account.interval) {
            self.metrics.poll_overran();
        }
    }

    /// Polls once; false if nobody takes reports any more.
    async fn poll_and_report(
        &self,
        session: &A::Session,
        account: &Account,
        tick: Option<Instant>,
    ) -> bool {
        let in_force = Arc::clone(&self.in_force.borrow());
        let haste = tick.map_or(Haste::AtOnce, |_| Haste::InTurn);
        let poll = || Box::pin(self.poll(session, account, in_force.settings));
        let report = in_force.gate.pass(haste, poll).await;
        self.tell_identity(account, &report).await;
        self.refused.note(account, &report);
        self.readings.note(account, &report);
        self.call_for_owners(&report);
        self.reports.send(report).await.is_ok()
    }

    async fn poll(&self, session: &A::Session, account: &Account, settings: Settings) -> Report {
        let _under_way = self.metrics.poll_begins();
        let owner_reads = settings.organization_trails == OrganizationTrailStatus::Owner;
        let terms = Terms {
            timeout: settings.timeout,
            identity: |found| identity(account, found, &self.directory.borrow()),
            left_to_owner: |owner| {
                owner_reads && self.knows(owner) && !self.refused.contains(owner)
            },
            held_by_owner: |arn: &TrailArn| self.readings.has(arn, (self.now)()),
        };
        let report = poll(&self.aws, session, account, &terms, &self.now).await;
        self.metrics.poll_ended(report.poll.duration);
        report
    }

    fn knows(&self, owner: AccountId) -> bool {
        self.directory.borrow().account_of(owner).is_some()
    }

    /// Tells the directory whose the credentials are of an account that is known by a name.
    async fn tell_identity(&self, account: &Account, report: &Report) {
        let Some(id) = report.identity.filter(|_| account.id.is_none()) else {
            return;
        };
        let access = account.access.clone();
        let identified = Identified { access, id };
        // Without a directory that is kept, there is no account to be told from another.
        let _ = self.identified.send(identified).await;
    }

    /// Asks for the owners, in other shards, of the organization trails this poll could not read.
    fn call_for_owners(&self, report: &Report) {
        for owner in unread_organization_trails(&report.poll).map(TrailArn::owner) {
            let neighbour = |d: &Directory| d.neighbours.contains_key(&AccountKey::Id(owner));
            if neighbour(&self.directory.borrow()) {
                // A full channel is no loss: the next poll asks again.
                let _ = self.owners.try_send(owner);
            }
        }
    }
}

/// What it means for `account` that its credentials are those of `found`.
fn identity(account: &Account, found: AccountId, directory: &Directory) -> Identity {
    if let Some(id) = account.id {
        return if id == found {
            Identity::Own
        } else {
            Identity::Other
        };
    }
    let known = directory.accounts.get(&account.key);
    if known.and_then(|known| known.found) == Some(Found::Own(found)) {
        return Identity::Own;
    }
    let holder = directory.account_of(found);
    if holder.is_some_and(|holder| holder.source != Source::Organizations) {
        return Identity::Other;
    }
    Identity::New
}
