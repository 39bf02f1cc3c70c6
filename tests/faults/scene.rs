//! One process for one row: three accounts, one in each state, and what becomes of them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::canaries;
use crate::difference::{Series, difference, of_account, of_exporter};
use crate::expected::{held, held_stopped, lapsed};
use crate::harness::{Daemon, Samples};
use crate::invariants;
use crate::sim::Sim;

/// How long a difference may take to show on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(100);

pub const GOOD: &str = "111111111111";
pub const STOPPED: &str = "222222222222";
pub const BARE: &str = "333333333333";
pub const ACCOUNTS: [&str; 3] = [GOOD, STOPPED, BARE];

pub const WORLD: &str = "
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222', trails: [{ name: main, logging: false }] }
  - { id: '333333333333' }
";
/// Short enough to see a lapse.
pub const CONFIG: &str = "
poll: { interval: 2s, timeout: 2s, stale_after: 5s }
accounts: [{ id: '111111111111' }, { id: '222222222222' }, { id: '333333333333' }]
";

/// What differs from before, of each account and of the exporter itself.
#[derive(Default)]
pub struct Expected {
    pub good: Vec<String>,
    pub stopped: Vec<String>,
    pub bare: Vec<String>,
    pub exporter: Vec<String>,
}

impl Expected {
    /// All calls of this operation fail: the all-clear lapses, the alarms are held.
    pub fn outage(operation: &str, reason: &str) -> Self {
        Self {
            good: lapsed(operation, reason),
            stopped: held_stopped(operation, reason),
            bare: held(operation, reason),
            exporter: Vec::new(),
        }
    }

    /// Only the exporter's own gauges differ.
    pub fn exporter(lines: &[&str]) -> Self {
        Self {
            exporter: crate::expected::lines(lines),
            ..Self::default()
        }
    }
}

/// A daemon, its AWS and its folder.
pub struct Scene {
    pub sim: Sim,
    pub daemon: Daemon,
    pub folder: TempDir,
    before: Samples,
}

impl Scene {
    /// The usual world and configuration; `change` adds to the command.
    pub fn new(change: impl FnOnce(&Sim, &Path, &mut Command)) -> Self {
        Self::of(WORLD, CONFIG, change)
    }

    pub fn of(world: &str, config: &str, change: impl FnOnce(&Sim, &Path, &mut Command)) -> Self {
        let sim = Sim::start(world);
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, config).expect("written");
        let flag = format!("--config.file={}", file.display());
        let mut command = canaries::set(sim.command(&[&flag, "--log.level=debug"]));
        change(&sim, folder.path(), &mut command);
        let daemon = Daemon::start(command);
        eventually("it is ready", || match daemon.get("/-/ready").status {
            200 => Ok(()),
            status => Err(status.to_string()),
        });
        let before = daemon.metrics();
        Self {
            sim,
            daemon,
            folder,
            before,
        }
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The usual accounts are in their states; what differs from now on is the fault.
    pub fn well(mut self) -> Self {
        let right = [
            ("compliant", "ok"),
            ("non_compliant", "not_logging"),
            ("non_compliant", "no_trail"),
        ];
        self.before = eventually("the states before the fault", || {
            let now = self.daemon.metrics();
            let verdicts = ACCOUNTS.map(|id| now.verdict(id));
            let wanted = right.map(|(state, reason)| (state.to_owned(), reason.to_owned()));
            let well = verdicts == wanted && ACCOUNTS.iter().all(|id| is_up(&now, id));
            if well {
                Ok(now)
            } else {
                Err(format!("{verdicts:?}"))
            }
        });
        self
    }

    /// Waits until one scrape shows what is expected of all accounts and of the exporter.
    pub fn shows(&self, phase: &str, expected: &Expected) {
        eventually(phase, || {
            let now = self.look();
            let shown = [
                (self.account(&now, GOOD), &expected.good),
                (self.account(&now, STOPPED), &expected.stopped),
                (self.account(&now, BARE), &expected.bare),
                (self.exporter(&now), &expected.exporter),
            ];
            let wrong = shown.iter().filter(|(shown, right)| shown != *right);
            let wrong: Vec<_> = wrong.map(|(shown, right)| report(shown, right)).collect();
            if wrong.is_empty() {
                Ok(())
            } else {
                Err(wrong.join("\n"))
            }
        });
    }

    /// Nothing differs from before.
    pub fn is_healed(&self) {
        self.shows("after the fault", &Expected::default());
    }

    /// The difference of one account to before.
    pub fn account(&self, now: &Samples, id: &str) -> Vec<String> {
        difference(&series(&self.before, id), &series(now, id))
    }

    /// The difference of the exporter's own gauges to before.
    pub fn exporter(&self, now: &Samples) -> Vec<String> {
        difference(&of_exporter(&self.before), &of_exporter(now))
    }

    /// A scrape in which everything holds that always holds, and in which no account is in a state
    /// that neither it was in nor is unknown.
    pub fn look(&self) -> Samples {
        let now = self.daemon.metrics();
        invariants::hold(&now);
        for id in ACCOUNTS {
            let (state, reason) = now.verdict(id);
            let (was, _) = self.before.verdict(id);
            assert!(
                state == was || state == "unknown",
                "{id}: {state} {reason}, was {was}"
            );
        }
        now
    }

    /// No secret anywhere, and nothing asked that should not be.
    pub fn end(self) {
        assert_eq!(self.sim.aws().unexpected(), []);
        canaries::absent(&self.daemon);
    }
}

fn series(samples: &Samples, id: &str) -> Series {
    of_account(samples, id, id)
}

/// The last poll proved the verdict, and no call of it failed.
fn is_up(samples: &Samples, id: &str) -> bool {
    let account = [("account_id", id)];
    let mut failing = samples.all("cloudtrail_account_call_failing", &account);
    failing.next().is_none()
        && samples.one("cloudtrail_account_up", &[("account_id", id)]) == Some(1.0)
}

/// The lines that are too many and too few.
pub fn report(shown: &[String], right: &[String]) -> String {
    let extra: Vec<_> = shown.iter().filter(|l| !right.contains(l)).collect();
    let missing: Vec<_> = right.iter().filter(|l| !shown.contains(l)).collect();
    format!("not expected {extra:#?}, missing {missing:#?}")
}

/// Looks until it is well, or fails with what was wrong last.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(wrong) => assert!(Instant::now() < deadline, "{what}: {wrong}"),
        }
        std::thread::sleep(LOOK);
    }
}
