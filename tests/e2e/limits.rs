//! Where the system gives little: few file descriptors, and a resolver that never answers.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_simulator::{Effect, Fault};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, command, eventually};
use crate::sim::{SECRET, Sim, file};

/// Runs a command by way of a shell script that ends in `exec "$@"`.
fn by_way_of(shell: &[&str], script: &str, inner: &Command) -> Command {
    let mut outer = Command::new(shell[0]);
    outer.args(&shell[1..]).args(["-c", script, "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

/// A number in `/proc/PID/status`, or in `/proc/PID/limits`.
fn of_process(pid: u32, table: &str, row: &str, column: usize) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{table}")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(row))
        .unwrap();
    line.split_whitespace()
        .nth(column)
        .unwrap()
        .parse()
        .unwrap()
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .count()
}

const SIXTY: &str = "poll: { interval: 5s, timeout: 4s, concurrency: 64 }\n\
                     discovery: { organizations: { enabled: true } }";

fn sixty() -> Sim {
    Sim::start(
        "organization: { management_account: '210000000001' }\n\
         accounts: [{ id: '210000000001', name: management }]\n\
         fleets: [{ accounts: 60, first_id: '500000000000', like: { trails: [{ name: main }] } }]",
    )
}

#[test]
fn sixty_accounts_are_polled_and_served_with_32_descriptors() {
    let sim = sixty();
    let config = file(SIXTY);
    let inner = sim.command(&[&format!("--config.file={}", config.display())]);
    let daemon = Daemon::start(by_way_of(&["sh"], "ulimit -n 32; exec \"$@\"", &inner));
    let up = || {
        let metrics = daemon.metrics();
        metrics
            .all("cloudtrail_account_up", &[])
            .filter(|(_, up)| *up == 1.0)
            .count()
    };
    eventually("all sixty accounts are polled", || {
        (up() >= 60).then_some(())
    });
    // Whatever AWS does, the port answers and the descriptors are not used up.
    let hang = Fault::always(Effect::Hang).on(&["DescribeTrails"]);
    sim.aws().change(|world| world.faults.push(hang));
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        assert_eq!(daemon.get("/-/healthy").status, 200);
        assert!(descriptors(daemon.pid()) <= 32);
        std::thread::sleep(Duration::from_millis(100));
    }
    sim.aws().change(|world| world.faults.clear());
    eventually("all are up again", || (up() >= 60).then_some(()));
}

#[test]
fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let sim = sixty();
    let config = file(SIXTY);
    let inner = sim.command(&[&format!("--config.file={}", config.display())]);
    let lowered = "ulimit -Sn 100; ulimit -Hn 900; exec \"$@\"";
    let daemon = Daemon::start(by_way_of(&["sh"], lowered, &inner));
    for column in [0, 1] {
        let limit = of_process(daemon.pid(), "limits", "Max open files", column);
        assert_eq!(limit, 900);
    }
}

/// Sends every question for a name to an address that takes it and never answers.
const SILENT: &str = "mount --bind \"$RESOLV\" /etc/resolv.conf && ip link set lo up && \
                      ip route add 10.9.9.0/24 dev lo && exec \"$@\"";
/// Namespaces of mounts and networks, of one's own.
const APART: [&str; 3] = ["unshare", "-rmn", "sh"];

/// Whether this machine lets a test have namespaces of its own.
fn can_be_apart(resolv: &str) -> bool {
    let mut probe = Command::new(APART[0]);
    probe.args(&APART[1..]).args(["-c", SILENT, "sh", "true"]);
    probe
        .env("RESOLV", resolv)
        .output()
        .is_ok_and(|run| run.status.success())
}

/// Accounts in this many Regions, each with hosts of its own.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

#[test]
fn a_resolver_that_never_answers_keeps_few_threads_and_no_reload_waiting() {
    let resolv = file("nameserver 10.9.9.2\noptions timeout:30 attempts:3\n");
    let resolv = resolv.display().to_string();
    if !can_be_apart(&resolv) {
        eprintln!("not tested: this machine allows no namespaces of one's own");
        return;
    }
    let mut text = "poll: { interval: 10s, timeout: 8s, concurrency: 256 }\naccounts:\n".to_owned();
    for n in 0..300_usize {
        let region = REGIONS[n % REGIONS.len()];
        writeln!(text, "- {{ id: '5000000{n:05}', region: {region} }}").unwrap();
    }
    let config = file(&text);
    let mut inner = command(&[&format!("--config.file={}", config.display())]);
    inner
        .env("RESOLV", &resolv)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    inner.env("AWS_SECRET_ACCESS_KEY", SECRET);
    let daemon = Daemon::start(by_way_of(&APART, SILENT, &inner));
    let threads = || of_process(daemon.pid(), "status", "Threads:", 0);
    eventually("every look-up there may be is under way", || {
        (threads() > 12).then_some(())
    });
    for reloads in 1..=3 {
        let began = Instant::now();
        daemon.signal(Signal::SIGHUP);
        eventually("the configuration is reloaded", || {
            (daemon.log().matches("configuration reloaded").count() >= reloads).then_some(())
        });
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
        assert!(threads() <= 40, "{} threads", threads());
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// Clients that hold connections open and say nothing use up no descriptor that the port needs: it answers, and the accounts are polled on.
#[test]
fn idle_clients_and_sixty_accounts_leave_the_port_answering_with_32_descriptors() {
    let sim = sixty();
    let config = file(SIXTY);
    let inner = sim.command(&[&format!("--config.file={}", config.display())]);
    let daemon = Daemon::start(by_way_of(&["sh"], "ulimit -n 32; exec \"$@\"", &inner));
    let mut idle = Vec::new();
    let until = Instant::now() + Duration::from_secs(8);
    let (mut good, mut busy) = (0, 0);
    while Instant::now() < until {
        for _ in 0..8 {
            idle.extend(std::net::TcpStream::connect(&daemon.address));
        }
        idle.drain(..idle.len().saturating_sub(100));
        match daemon.get("/-/healthy").status {
            200 => good += 1,
            503 => busy += 1,
            other => panic!("{other}"),
        }
        assert!(descriptors(daemon.pid()) <= 32);
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("{good} times 200, {busy} times 503");
    assert!(good > 5, "{good} times 200, {busy} times 503");
    drop(idle);
    eventually("it recovers", || {
        let metrics = daemon.get("/metrics");
        let metrics = crate::harness::Samples::parse(&metrics.body);
        let up = metrics.all("cloudtrail_account_up", &[]);
        (up.filter(|(_, up)| *up == 1.0).count() >= 60).then_some(())
    });
    for _ in 0..20 {
        assert_eq!(daemon.get("/-/healthy").status, 200);
    }
}
