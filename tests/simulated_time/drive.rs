//! A sequence under way: the poller's poll and the publisher, a step at a time.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, TrailArn};
use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::poller::{Identity, Report, Terms, poll};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::snapshot::{Publisher, Snapshot};
use tokio::sync::watch;

use crate::clock::Clocks;
use crate::fake::Fake;
use crate::invariants::{Invariants, published};
use crate::step::{ACCOUNTS, NAMED, Step};
use crate::world::{World, call};

const TIMEOUT: Duration = Duration::from_mins(1);

/// Self metrics are no part of what is tested: one set serves every sequence.
fn metrics() -> SelfMetrics {
    static METRICS: OnceLock<SelfMetrics> = OnceLock::new();
    let build = Build {
        version: "0",
        revision: "0",
        rustc: "0",
        target: "0",
    };
    let make = || SelfMetrics::new(build).expect("self metrics");
    METRICS.get_or_init(make).clone()
}

pub(crate) struct Drive {
    clocks: Clocks,
    fake: Fake,
    publisher: Publisher,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    invariants: Invariants,
}

impl Drive {
    /// Of a new world. Within the runtime, whose time its clocks go with.
    pub(crate) fn new(rendered: bool) -> Self {
        let clocks = Clocks::new();
        let fake = Fake::new(World::new(), clocks.clone());
        let publisher = Publisher::new(metrics());
        let snapshot = publisher.subscribe();
        Self {
            clocks,
            fake,
            publisher,
            snapshot,
            invariants: Invariants::new(rendered),
        }
    }

    /// Runs the steps; what the first that broke an invariant broke.
    pub(crate) async fn run(mut self, steps: &[Step]) -> Option<String> {
        self.follow();
        for step in steps {
            if let Err(broken) = self.step(*step).await {
                return Some(broken);
            }
        }
        None
    }

    /// The same, told.
    pub(crate) async fn story(mut self, steps: &[Step]) -> String {
        self.follow();
        let mut story = String::new();
        let mut tell = |line: String| writeln!(story, "{line}").expect("text");
        for (nth, step) in steps.iter().enumerate() {
            tell(format!("{:>2}. {step}", nth + 1));
            let broken = self.step(*step).await;
            tell(format!(
                "    {}",
                published(&self.snapshot.borrow(), self.clocks.now())
            ));
            if let Err(broken) = broken {
                tell(format!("    BROKEN: {broken}"));
                break;
            }
        }
        story
    }

    async fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Poll(place, jump) => {
                self.fake.state().jump = jump;
                self.poll(place).await;
                self.fake.state().jump = None;
            }
            Step::Change(place, change) => self.fake.state().world.change(place, change),
            Step::Fault(place, operation, fault) => {
                self.fake.state().world.faults[place][call(operation)] = Some(fault);
            }
            Step::Heal(place) => self.fake.state().world.faults[place] = Default::default(),
            Step::Wait(seconds) => tokio::time::advance(Duration::from_secs(seconds.into())).await,
            Step::Sleep(seconds) => self.clocks.sleep(seconds),
            Step::SetWall(seconds) => self.clocks.set_wall(seconds),
            Step::Policy => {
                let mut state = self.fake.state();
                state.world.logging_required = !state.world.logging_required;
                drop(state);
                self.follow();
            }
            Step::Membership(place) => self.membership(place),
            Step::Identity => self.fake.state().world.swap_identity(),
        }
        let now = self.clocks.now();
        self.publisher.look(now);
        let state = self.fake.state();
        let snapshot = self.snapshot.borrow();
        self.invariants.hold(step, &state, &snapshot, now)
    }

    fn membership(&mut self, place: usize) {
        let mut state = self.fake.state();
        state.world.watched[place] = !state.world.watched[place];
        state.world.found = state.world.found.filter(|_| place != NAMED);
        state.journal.forget(place);
        if place == NAMED {
            state.journal.forget(ACCOUNTS);
        }
        drop(state);
        self.follow();
    }

    /// The inventory makes the directory anew.
    fn follow(&mut self) {
        let directory = self.fake.state().world.directory();
        self.publisher.follow(directory, self.clocks.now());
    }

    async fn poll(&mut self, place: usize) {
        let (account, found, watched) = {
            let state = self.fake.state();
            let account = Arc::new(state.world.account(place));
            (account, state.world.found, state.world.watched[place])
        };
        if !watched {
            return;
        }
        let terms = Terms {
            timeout: TIMEOUT,
            identity: |told| match account.id.or(found) {
                Some(known) if known == told => Identity::Own,
                _ if account.id.is_some() => Identity::Other,
                _ => Identity::New,
            },
            left_to_owner: |_: AccountId| false,
            held_by_owner: |_: &TrailArn| false,
        };
        let session = self.fake.open(&account);
        let now = || self.clocks.now();
        let report = poll(&self.fake, &session, &account, &terms, &now).await;
        let is_new = self.identified(place, &report);
        self.publisher.report(report, self.clocks.now());
        if is_new {
            self.follow();
        }
    }

    /// The inventory hears whose the named account's credentials are. Whether that is new.
    fn identified(&self, place: usize, report: &Report) -> bool {
        let told = report.identity.filter(|_| place == NAMED);
        let mut state = self.fake.state();
        let is_new = told.is_some() && told != state.world.found;
        if is_new {
            state.world.found = told;
        }
        is_new
    }
}
