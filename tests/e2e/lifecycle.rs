//! Start and stop, and how the log looks.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{Daemon, eventually};
use crate::sim::Sim;

const WORLD: &str = "accounts: [{ id: '111111111111', trails: [{ name: main }] }]";
const CONFIG: &str = "poll: { interval: 1s, timeout: 1s }\naccounts: [{ id: '111111111111' }]";
/// How long a stop may take.
const STOP: Duration = Duration::from_secs(3);

#[test]
fn sigterm_and_sigint_end_it_with_0_in_three_seconds() {
    let sim = Sim::start(WORLD);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut daemon = sim.daemon(CONFIG);
        daemon.ready();
        let began = Instant::now();
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(began.elapsed() < STOP, "{:?}", began.elapsed());
    }
}

#[test]
fn it_stops_in_time_while_aws_hangs() {
    let sim = Sim::start(&format!("{WORLD}\nfaults: [{{ name: all, effect: hang }}]"));
    let mut daemon =
        sim.daemon("poll: { interval: 1h, timeout: 60s }\naccounts: [{ id: '111111111111' }]");
    assert_eq!(daemon.get("/-/ready").status, 503);
    assert_eq!(daemon.get("/-/healthy").status, 200);
    daemon.signal(Signal::SIGTERM);
    let began = Instant::now();
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(began.elapsed() < STOP);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let sim = Sim::start(WORLD);
    let mut daemon = sim.daemon(CONFIG);
    daemon.ready();
    // More answers than the kernel holds for a client that reads none.
    let mut stream = TcpStream::connect(&daemon.address).unwrap();
    let asks = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    stream.write_all(asks.as_bytes()).unwrap();
    eventually("the answer is in flight", || {
        let metrics = daemon.metrics();
        (metrics.one("cloudtrail_exporter_http_requests_in_flight", &[]) == Some(2.0)).then_some(())
    });
    let began = Instant::now();
    daemon.signal(Signal::SIGTERM);
    eventually("it is stopping", || {
        daemon.log().contains("stopping").then_some(())
    });
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert!(daemon.log().contains("second signal"));
}

#[test]
fn json_logs_are_one_object_a_line() {
    let sim = Sim::start(WORLD);
    let mut command = sim.command(&["--log.format=json"]);
    command.env("CLOUDTRAIL_EXPORTER_LOG_LEVEL", "debug");
    let mut daemon = Daemon::start(command);
    daemon.ready();
    daemon.signal(Signal::SIGTERM);
    daemon.wait();
    let log = daemon.log();
    assert!(log.lines().count() >= 3, "{log}");
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["message"].is_string(), "{line}");
    }
}

/// A machine that was asleep for longer than an interval: every tick was slept through, and none is made up for.
#[test]
fn a_fleet_that_was_suspended_is_polled_at_its_phases_and_in_no_burst() {
    const ACCOUNTS: usize = 120;
    const INTERVAL: Duration = Duration::from_secs(12);
    let id = |n: usize| format!("{:012}", 500_000_000_000 + n);
    let sim = Sim::start(&format!(
        "fleets: [{{ accounts: {ACCOUNTS}, first_id: '{}', like: {{ trails: [{{ name: main }}] }} }}]",
        id(0)
    ));
    let mut config = String::from("poll: { interval: 12s, timeout: 5s }\naccounts:\n");
    (0..ACCOUNTS).for_each(|n| writeln!(config, "  - {{ id: '{}' }}", id(n)).unwrap());
    let daemon = sim.daemon(&config);
    daemon.ready();
    daemon.signal(Signal::SIGSTOP);
    std::thread::sleep(INTERVAL + INTERVAL / 2);
    sim.aws().reset_counts();
    daemon.signal(Signal::SIGCONT);
    std::thread::sleep(INTERVAL);
    let state = sim.aws().state();
    let told = |key: &str| state[key].as_u64().expect(key);
    let usual = ACCOUNTS as u64 * 3 / INTERVAL.as_secs();
    assert!(told("requests") <= 2 * ACCOUNTS as u64 * 3, "{state}");
    let peak = told("peak_requests_per_second");
    assert!(
        peak <= 5 * usual,
        "{peak} requests in a second; {usual} are usual"
    );
    crate::harness::eventually("all are polled again", || {
        let described = sim.aws().counts().into_iter();
        let described = described.filter(|count| count.operation == "DescribeTrails");
        (described.count() == ACCOUNTS).then_some(())
    });
}

#[test]
fn it_goes_on_after_it_was_stopped_and_continued() {
    let sim = Sim::start(WORLD);
    let daemon = sim.daemon(CONFIG);
    daemon.ready();
    let first = daemon
        .metrics()
        .one("cloudtrail_account_last_poll_timestamp_seconds", &[]);
    daemon.signal(Signal::SIGSTOP);
    daemon.signal(Signal::SIGCONT);
    eventually("it goes on after SIGCONT", || {
        let now = daemon
            .metrics()
            .one("cloudtrail_account_last_poll_timestamp_seconds", &[]);
        (now > first).then_some(())
    });
}
