//! The fleet, its faults, and what is asked of it.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime};

use crate::harness::{Daemon, Samples};
use crate::sim::Sim;

/// (the rule of the simulator, the reason told); each strikes [`OF_EACH`] accounts. Those that a poll overcomes leave them compliant: `ok`.
const FAULTS: [(&str, &str); 36] = [
    (
        "operations: [AssumeRole], effect: access_denied",
        "access_denied",
    ),
    (
        "operations: [AssumeRole], effect: { wrong_identity: '999999999998' }",
        "wrong_account",
    ),
    ("operations: [AssumeRole], effect: throttle", "throttled"),
    ("operations: [AssumeRole], effect: hang", "timeout"),
    (
        "operations: [AssumeRole], effect: { status: 500 }",
        "server_error",
    ),
    ("operations: [AssumeRole], effect: reset", "network"),
    ("operations: [AssumeRole], effect: malformed", "malformed"),
    (
        "operations: [DescribeTrails], effect: access_denied",
        "access_denied",
    ),
    (
        "operations: [DescribeTrails], effect: scp_denied",
        "access_denied",
    ),
    (
        "operations: [DescribeTrails], effect: throttle",
        "throttled",
    ),
    (
        "operations: [DescribeTrails], effect: { status: 500 }",
        "server_error",
    ),
    ("operations: [DescribeTrails], effect: hang", "timeout"),
    ("operations: [DescribeTrails], effect: hang_body", "timeout"),
    (
        "operations: [DescribeTrails], effect: { drip: 500ms }",
        "timeout",
    ),
    ("operations: [DescribeTrails], effect: reset", "network"),
    ("operations: [DescribeTrails], effect: close", "network"),
    (
        "operations: [DescribeTrails], effect: cut_body",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: truncate",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: malformed",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: empty_object",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { null_fields: [] }",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { drop_fields: [IsMultiRegionTrail] }",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { huge: 5000000 }",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { html: 200 }",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { html: 403 }",
        "other",
    ),
    (
        "operations: [DescribeTrails], effect: { redirect: 'http://127.0.0.1:1/' }",
        "malformed",
    ),
    (
        "operations: [DescribeTrails], effect: { clock_offset: -20m }",
        "clock_skew",
    ),
    (
        "operations: [DescribeTrails], effect: { error: { code: ExpiredTokenException } }",
        "credentials",
    ),
    (
        "operations: [DescribeTrails], effect: { error: { code: OptInRequired, status: 403 } }",
        "region_disabled",
    ),
    (
        "operations: [DescribeTrails], effect: { error: { code: UnrecognizedClientException } }",
        "credentials",
    ),
    (
        "operations: [DescribeTrails], effect: { error: { code: SomethingNew } }",
        "other",
    ),
    (
        "operations: [GetTrailStatus], effect: access_denied",
        "trail_status_unreadable",
    ),
    (
        "operations: [GetTrailStatus], effect: throttle",
        "throttled",
    ),
    (
        "operations: [GetTrailStatus], effect: empty_object",
        "malformed",
    ),
    (
        "operations: [GetEventSelectors], effect: access_denied",
        "ok",
    ),
    (
        "operations: [DescribeTrails], first: 1, effect: { status: 503 }",
        "ok",
    ),
];
const OF_EACH: usize = 3;

/// The fleets behind the faulty accounts: how many, their trails, and what is right of them.
const FLEETS: [(usize, &str, (&str, &str)); 3] = [
    (1_692, "[{ name: main }]", ("compliant", "ok")),
    (
        100,
        "[{ name: main, logging: false }]",
        ("non_compliant", "not_logging"),
    ),
    (100, "[]", ("non_compliant", "no_trail")),
];
const ACCOUNTS: usize = FAULTS.len() * OF_EACH + 1_892;
const FIRST: usize = 500_000_000_000;

/// Long enough for an unoptimized build on a busy machine.
const INTERVAL: Duration = Duration::from_secs(40);
/// Half a fleet's polls: enough to count.
const ROUND: Duration = Duration::from_secs(20);
/// Between two looks at all series, which cost the exporter as much as a dozen polls each.
const PAUSE: Duration = Duration::from_secs(2);
/// A poll, and what a busy machine adds; one tick left out is more.
const LATE: Duration = Duration::from_secs(25);
/// For the first round: two thousand sessions at the exporter's 100 a second, and the deadlines of those that hang.
const FIRST_ROUND: Duration = Duration::from_mins(5);

/// What a [`ROUND`]'s time brought AWS.
#[derive(Debug)]
pub struct Round {
    pub requests: u64,
    /// In the busiest second.
    pub peak: u64,
}

impl Round {
    pub fn mean(&self) -> u64 {
        self.requests / ROUND.as_secs()
    }
}

/// The daemon and its AWS.
pub struct Fleet {
    sim: Sim,
    daemon: Daemon,
}

impl Fleet {
    pub fn start() -> Self {
        let sim = Sim::start(&world());
        let daemon = sim.daemon(&config());
        Self { sim, daemon }
    }

    pub fn is_ready(&self) {
        let deadline = Instant::now() + FIRST_ROUND;
        while self.daemon.get("/-/ready").status != 200 {
            assert!(
                Instant::now() < deadline,
                "not ready within {FIRST_ROUND:?}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A rate is counted over time, so this takes its time whatever happens.
    pub fn round(&self) -> Round {
        self.sim.aws().reset_counts();
        std::thread::sleep(ROUND);
        let state = self.sim.aws().state();
        let told = |key: &str| state[key].as_u64().expect(key);
        Round {
            requests: told("requests"),
            peak: told("peak_requests_per_second"),
        }
    }

    /// Every request is refused with a 503, or no longer.
    pub fn outage(&self, on: bool) {
        self.sim.aws().change(|world| world.faults[0].enabled = on);
    }

    /// At the latest with their next polls: a machine that stood still for ten seconds has seen timeouts that were nobody's fault.
    pub fn is_judged_right(&self) {
        self.is_judged(|right| right);
    }

    /// While nothing is heard nobody is cleared and nobody is alarmed; only why nothing is known of an account may be another reason.
    pub fn is_judged_as_before(&self) {
        self.is_judged(|(state, _)| (state, "*"));
    }

    fn is_judged(
        &self,
        expected: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
    ) {
        soon(|| {
            let wrong = wrong(&self.daemon.metrics(), &expected);
            match wrong.len() {
                0 => Ok(()),
                n => Err(format!("{n} of {ACCOUNTS}: {wrong:#?}")),
            }
        });
    }

    /// Every account was polled within its interval: faulty ones make nobody late.
    pub fn is_on_time(&self) {
        soon(|| match self.late() {
            late if late.is_empty() => Ok(()),
            late => Err(format!("late, {} of {ACCOUNTS}: {late:?}", late.len())),
        });
    }

    /// The ids of late accounts, and the ages of their polls in seconds.
    fn late(&self) -> Vec<(String, f64)> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let metrics = self.daemon.metrics();
        let polled = metrics.all("cloudtrail_account_last_poll_timestamp_seconds", &[]);
        let ages = polled.map(|(l, at)| (l["account_id"].clone(), now.as_secs_f64() - at));
        let ages: Vec<_> = ages.collect();
        // An account whose credentials are another's publishes nothing of the sort.
        assert_eq!(ages.len(), ACCOUNTS - OF_EACH);
        let late = |(_, age): &(String, f64)| *age > (INTERVAL + LATE).as_secs_f64();
        ages.into_iter().filter(late).collect()
    }

    /// Resident, in bytes.
    pub fn memory(&self) -> f64 {
        let metrics = self.daemon.metrics();
        metrics
            .one("process_resident_memory_bytes", &[])
            .expect("it is told")
    }

    pub fn asked_nothing_else(&self) {
        assert_eq!(self.sim.aws().unexpected(), []);
    }
}

/// Looks until it is well, or fails with what was wrong last.
fn soon(look: impl Fn() -> Result<(), String>) {
    let deadline = Instant::now() + 2 * INTERVAL;
    while let Err(wrong) = look() {
        assert!(Instant::now() < deadline, "{wrong}");
        std::thread::sleep(PAUSE);
    }
}

fn id(place: usize) -> String {
    format!("{:012}", FIRST + place)
}

/// The state and reason that are right for every account, by id.
fn right() -> Vec<(String, (&'static str, &'static str))> {
    let struck = |reason| match reason {
        "ok" => ("compliant", reason),
        _ => ("unknown", reason),
    };
    let faulty = FAULTS
        .iter()
        .flat_map(|(_, reason)| [struck(*reason); OF_EACH]);
    let others = FLEETS
        .iter()
        .flat_map(|(accounts, _, right)| std::iter::repeat_n(*right, *accounts));
    let all = faulty.chain(others).enumerate();
    all.map(|(place, right)| (id(place), right)).collect()
}

/// The accounts that are told otherwise than `expected` makes of what is right; `*` stands for any reason.
fn wrong<'a>(
    metrics: &Samples,
    expected: impl Fn((&'a str, &'a str)) -> (&'a str, &'a str),
) -> Vec<String> {
    let states = told(metrics, "cloudtrail_account_compliance", "state");
    let reasons = told(metrics, "cloudtrail_account_compliance_reason", "reason");
    let mut wrong = Vec::new();
    for (id, is_right) in right() {
        let (state, reason) = expected(is_right);
        let (told_state, told_reason) = (states.get(&id), reasons.get(&id));
        let reason_fits = reason == "*" || told_reason.is_some_and(|told| told == reason);
        if told_state.is_none_or(|told| told != state) || !reason_fits {
            wrong.push(format!(
                "{id}: {told_state:?} {told_reason:?}, right: {state} {reason}"
            ));
        }
    }
    wrong
}

/// By account, the label of the one series that is 1.
fn told(metrics: &Samples, name: &str, label: &str) -> HashMap<String, String> {
    let ones = metrics.all(name, &[]).filter(|(_, value)| *value > 0.5);
    ones.map(|(l, _)| (l["account_id"].clone(), l[label].clone()))
        .collect()
}

fn world() -> String {
    let mut world = String::from("fleets:\n");
    let mut first = 0;
    let faulty = (FAULTS.len() * OF_EACH, FLEETS[0].1);
    let fleets = FLEETS
        .iter()
        .map(|(accounts, trails, _)| (*accounts, *trails));
    for (accounts, trails) in std::iter::once(faulty).chain(fleets) {
        let id = id(first);
        writeln!(
            world,
            "  - {{ accounts: {accounts}, first_id: '{id}', like: {{ trails: {trails} }} }}"
        )
        .unwrap();
        first += accounts;
    }
    world.push_str("faults:\n  - { name: outage, enabled: false, effect: { status: 503 } }\n");
    for (kind, (rule, _)) in FAULTS.iter().enumerate() {
        let struck: Vec<_> = (0..OF_EACH)
            .map(|n| format!("'{}'", id(kind * OF_EACH + n)))
            .collect();
        writeln!(world, "  - {{ accounts: [{}], {rule} }}", struck.join(", ")).unwrap();
    }
    world
}

fn config() -> String {
    let mut config = format!(
        "poll: {{ interval: {}s, timeout: 10s }}\naccounts:\n",
        INTERVAL.as_secs()
    );
    for (id, _) in right() {
        writeln!(config, "  - {{ id: '{id}' }}").unwrap();
    }
    config
}
