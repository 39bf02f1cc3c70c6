//! One process, many accounts, a fault for each: before, during and after, all rows at once.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use aws_simulator::{Account, Fault};

use crate::canaries;
use crate::difference::{Series, difference, of_account, of_exporter};
use crate::harness::{Daemon, Samples};
use crate::invariants;
use crate::rows::aws::Row;
use crate::scene;
use crate::sim::{Sim, file};

/// How long all rows together may take to show their fault, or to be well again, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(500);
/// Short enough to see lapses, long enough for a hundred accounts on a busy machine.
const POLL: &str =
    "poll: { interval: 8s, timeout: 8s, stale_after: 18s }\naws: { max_attempts: 1 }";

/// Accounts without a fault, in each state, that nothing may touch.
const BYSTANDERS: [&str; 3] = [
    "trails: [{ name: main }], roles: [{ name: cloudtrail-exporter-read, \
     external_id: canary-external-id-7f3a }]",
    "trails: [{ name: main, logging: false }], roles: [{ name: cloudtrail-exporter-read, \
     external_id: canary-inline-external-id-81cc }]",
    "trails: []",
];

/// Their external IDs: secrets.
const BYSTANDERS_CONFIGURED: [&str; 3] = [
    "external_id_env: CANARY_EXTERNAL_ID",
    "external_id: canary-inline-external-id-81cc",
    "",
];

/// The process and its AWS.
pub struct Shared<'a> {
    rows: &'a [Row],
    sim: Sim,
    daemon: Daemon,
    before: Look,
}

/// All series of a moment, account by account.
struct Look {
    accounts: Vec<Series>,
    exporter: Series,
    samples: Samples,
}

impl<'a> Shared<'a> {
    /// Starts the process; every account was polled when this returns.
    pub fn start(rows: &'a [Row]) -> Self {
        let sim = Sim::start(&world(rows));
        let file = file(&config(rows));
        let flag = format!("--config.file={}", file.display());
        let daemon = Daemon::start(canaries::set(sim.command(&[&flag, "--log.level=debug"])));
        daemon.ready();
        let before = scene::eventually("all are compliant before the faults", || {
            let before = look(&daemon, rows.len());
            let places = rows.iter().zip(0..);
            let ill = places.filter(|(_, place)| !before.is_compliant(*place));
            let ill: Vec<_> = ill.map(|(row, _)| row.name).collect();
            if ill.is_empty() {
                Ok(before)
            } else {
                Err(format!("{ill:?}"))
            }
        });
        Self {
            rows,
            sim,
            daemon,
            before,
        }
    }

    /// All faults at once.
    pub fn break_all(&self) {
        self.sim.aws().change(|world| {
            for (row, place) in self.rows.iter().zip(0..) {
                if let Some(changed) = row.changed {
                    let id = id(place).parse().expect("an id");
                    *world.account_mut(id).expect("an account") = account(place, changed);
                }
                let faults = row.faults.iter().map(|rule| fault(place, rule));
                world.faults.extend(faults);
            }
        });
    }

    /// No fault any more.
    pub fn heal_all(&self) {
        self.sim.aws().change(|world| {
            world.faults.clear();
            for (row, place) in self.rows.iter().zip(0..) {
                let id = id(place).parse().expect("an id");
                *world.account_mut(id).expect("an account") = account(place, row.account);
            }
        });
    }

    /// Waits until one scrape shows the difference of every row; what it waits for may be no other
    /// verdict than the one before and the one expected.
    pub fn shows(&self, phase: &str, expected: impl Fn(&Row) -> &[String]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = look(&self.daemon, self.rows.len());
            let wrong = self.wrong(&now, &expected);
            if wrong.is_empty() {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{phase}: {} of {} rows\n{}",
                wrong.len(),
                self.rows.len(),
                wrong.join("\n")
            );
            std::thread::sleep(LOOK);
        }
    }

    /// Nothing that nobody should have asked, and no secret anywhere.
    pub fn end(self) {
        assert_eq!(self.sim.aws().unexpected(), []);
        canaries::absent(&self.daemon);
    }

    fn wrong<'b>(&self, now: &Look, expected: &impl Fn(&'b Row) -> &'b [String]) -> Vec<String>
    where
        'a: 'b,
    {
        invariants::hold(&now.samples);
        let mut wrong = self.others(now);
        for (row, place) in self.rows.iter().zip(0..) {
            Self::no_other_verdict(now, row, place);
            let told = difference(&self.before.accounts[place], &now.accounts[place]);
            let right = expected(row);
            if told != right {
                wrong.push(format!("{}: {}", row.name, scene::report(&told, right)));
            }
        }
        wrong
    }

    fn no_other_verdict(now: &Look, row: &Row, place: usize) {
        let (state, reason) = now.samples.verdict(&id(place));
        let allowed = ["compliant", "unknown", row.verdict.0];
        assert!(allowed.contains(&&*state), "{}: {state} {reason}", row.name);
    }

    /// What differs of accounts without a fault and of the exporter. Their verdicts never do.
    fn others(&self, now: &Look) -> Vec<String> {
        let places = self.rows.len()..self.rows.len() + BYSTANDERS.len();
        let accounts = places.map(|place| {
            let (state, _) = now.samples.verdict(&id(place));
            let (was, _) = self.before.samples.verdict(&id(place));
            assert!(state == was || state == "unknown", "{state}, was {was}");
            difference(&self.before.accounts[place], &now.accounts[place])
        });
        let exporter = difference(&self.before.exporter, &now.exporter);
        let differ = accounts.chain([exporter]).filter(|lines| !lines.is_empty());
        differ
            .map(|lines| format!("untouched: {lines:#?}"))
            .collect()
    }
}

impl Look {
    fn is_compliant(&self, place: usize) -> bool {
        let series = &self.accounts[place];
        let is = |key: &str| series.get(key).is_some_and(|value| value == "1");
        is("account_up") && is("account_compliance{state=compliant}")
    }
}

fn look(daemon: &Daemon, rows: usize) -> Look {
    let samples = daemon.metrics();
    let places = 0..rows + BYSTANDERS.len();
    Look {
        accounts: places
            .map(|place| of_account(&samples, &id(place), &id(place)))
            .collect(),
        exporter: of_exporter(&samples),
        samples,
    }
}

fn id(place: usize) -> String {
    format!("{:012}", 100_000_000_000 + place)
}

fn account(place: usize, keys: &str) -> Account {
    let world = format!("accounts: [{{ id: '{}', {keys} }}]", id(place));
    let mut world = aws_simulator::World::parse(&world).expect("an account");
    world.accounts.pop_first().expect("one").1
}

fn fault(place: usize, rule: &str) -> Fault {
    let world = format!("faults: [{{ accounts: ['{}'], {rule} }}]", id(place));
    let mut world = aws_simulator::World::parse(&world).expect("a fault");
    world.faults.remove(0)
}

fn world(rows: &[Row]) -> String {
    let mut world = String::from("accounts:\n");
    let all = rows.iter().map(|row| row.account).chain(BYSTANDERS);
    for (keys, place) in all.zip(0..) {
        writeln!(world, "  - {{ id: '{}', {keys} }}", id(place)).expect("text");
    }
    world
}

fn config(rows: &[Row]) -> String {
    let mut config = format!("{POLL}\naccounts:\n");
    let all = rows
        .iter()
        .map(|row| row.config)
        .chain(BYSTANDERS_CONFIGURED);
    for (keys, place) in all.zip(0..) {
        writeln!(config, "  - {{ id: '{}', {keys} }}", id(place)).expect("text");
    }
    config
}
