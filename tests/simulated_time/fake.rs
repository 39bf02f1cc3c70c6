//! An AWS that answers what is true, goes wrong as it is told, and writes down what it said.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, Region, TrailArn};
use cloudtrail_exporter::aws::{Aws, CallError, TrailList};
use cloudtrail_exporter::directory::Account;
use cloudtrail_exporter::facts::{EventSelectors, Failure, Operation, TrailStatus};
use tokio::time::sleep;

use crate::clock::Clocks;
use crate::journal::Journal;
use crate::step::{ACCOUNTS, Fault, Jump, NAMED};
use crate::world::{STRANGER, World, call, id, key, status};

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(30);

/// What it knows.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) journal: Journal,
    /// What the clocks do in the next call of this kind.
    pub(crate) jump: Option<(Operation, Jump)>,
}

/// The fake. Clones share everything.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    clocks: Clocks,
}

impl Fake {
    pub(crate) fn new(world: World, clocks: Clocks) -> Self {
        let state = State {
            world,
            journal: Journal::default(),
            jump: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clocks,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A sequence that panicked is told; the state is its own.
        self.state.lock().expect("not poisoned")
    }

    /// A call: it is sent, takes its time, and fails if it is told to.
    async fn call(&self, place: usize, operation: Operation) -> Result<Option<Fault>, CallError> {
        let fault = self.state().world.faults[place][call(operation)];
        if fault == Some(Fault::Hangs) {
            std::future::pending::<()>().await;
        }
        sleep(LATENCY).await;
        self.jump(operation);
        match fault {
            Some(Fault::Fails(failure)) => Err(failed(operation, failure)),
            fault => Ok(fault),
        }
    }

    fn jump(&self, operation: Operation) {
        let mut state = self.state();
        if let Some((during, jump)) = state.jump
            && during == operation
        {
            state.jump = None;
            match jump {
                Jump::Sleep(seconds) => self.clocks.sleep(seconds),
                Jump::Wall(seconds) => self.clocks.set_wall(seconds),
            }
        }
    }
}

fn failed(operation: Operation, failure: Failure) -> CallError {
    CallError::new(operation, failure, "simulated")
}

impl Aws for Fake {
    type Session = usize;

    fn open(&self, account: &Arc<Account>) -> usize {
        let place = (0..ACCOUNTS).find(|place| key(*place) == account.key);
        place.expect("an account of the world")
    }

    async fn identify(&self, session: &usize) -> Result<AccountId, CallError> {
        match self.call(*session, Operation::AssumeRole).await? {
            // An account by name is whichever its credentials tell.
            Some(Fault::WrongAccount) if *session != NAMED => Ok(id(STRANGER)),
            _ => Ok(self.state().world.id_of(*session)),
        }
    }

    async fn distrust(&self, _: &usize) {}

    async fn describe_trails(&self, session: &usize, _: &Region) -> Result<TrailList, CallError> {
        let at = self.clocks.now();
        let fault = self.call(*session, Operation::DescribeTrails).await?;
        let mut state = self.state();
        let whole = fault != Some(Fault::Partial);
        let seen = if whole {
            state.world.sees(*session)
        } else {
            Vec::new()
        };
        let trails: Vec<_> = seen.into_iter().map(|(trail, _)| trail).collect();
        let slot = state.world.trail_of(*session);
        state.journal.described(slot, at, whole, &trails);
        Ok(TrailList {
            trails,
            malformed: usize::from(!whole),
        })
    }

    async fn trail_status(
        &self,
        session: &usize,
        _: &Region,
        arn: &TrailArn,
    ) -> Result<TrailStatus, CallError> {
        let at = self.clocks.now();
        let operation = Operation::GetTrailStatus;
        self.call(*session, operation).await?;
        let mut state = self.state();
        let seen = state.world.sees(*session);
        let Some((_, logging)) = seen.into_iter().find(|(trail, _)| trail.arn == *arn) else {
            return Err(failed(operation, Failure::NotFound));
        };
        let slot = state.world.trail_of(*session);
        state.journal.status(slot, at, arn, logging);
        Ok(status(logging))
    }

    async fn event_selectors(
        &self,
        session: &usize,
        _: &Region,
        _: &TrailArn,
    ) -> Result<EventSelectors, CallError> {
        self.call(*session, Operation::GetEventSelectors).await?;
        Ok(EventSelectors::Default)
    }
}
