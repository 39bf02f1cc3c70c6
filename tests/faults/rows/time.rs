//! Time, signals and the resources of the machine: a process for each row.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_simulator::{Effect, Fault};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Samples, request};
use crate::row::Kind;
use crate::run::Row;
use crate::scene::{BARE, CONFIG, Expected, GOOD, STOPPED, Scene, WORLD, eventually};
use crate::sim::Sim;

macro_rules! rows {
    ($($name:literal: $kind:ident $run:ident;)*) => {
        /// The rows.
        pub fn rows() -> Vec<Row> {
            vec![$(Row { name: $name, kind: Kind::$kind, run: $run }),*]
        }
    };
}

rows! {
    "two hundred reloads at once": FilesAndSignals reloads;
    "stopped and continued": FilesAndSignals stopped_and_continued;
    "ended while AWS hangs": FilesAndSignals ended_while_aws_hangs;
    "the log's reader is gone": FilesAndSignals log_reader_gone;
    "B1 the log's reader does not read": FilesAndSignals log_reader_asleep;
    "the log's disk is full": FilesAndSignals log_disk_full;
    "sessions of three seconds": TimeAndResources short_sessions;
    "AWS's clock is three minutes off": TimeAndResources aws_clock_off;
    "AWS's clock is off for some calls": TimeAndResources aws_clock_jumps;
    "an outage of everything": TimeAndResources outage;
    "one answer in three fails": TimeAndResources flapping;
    "forty-eight descriptors": TimeAndResources few_descriptors;
    "clients that say nothing": TimeAndResources silent_clients;
    "clients that never read": TimeAndResources deaf_clients;
    "requests that are none": TimeAndResources nonsense_requests;
}

/// Long enough for a lapse.
const LAPSE: Duration = Duration::from_secs(7);

fn usual() -> Scene {
    Scene::new(|_, _, _| {}).well()
}

/// Nothing differs for longer than a lapse takes.
fn nothing_differs(scene: &Scene) {
    let until = Instant::now() + LAPSE;
    while Instant::now() < until {
        scene.look();
        std::thread::sleep(Duration::from_millis(200));
    }
    scene.is_healed();
}

fn reloads() {
    let scene = usual();
    for _ in 0..200 {
        scene.daemon.signal(Signal::SIGHUP);
    }
    scene.is_healed();
    scene.end();
}

fn stopped_and_continued() {
    let scene = usual();
    scene.daemon.signal(Signal::SIGSTOP);
    std::thread::sleep(LAPSE);
    scene.daemon.signal(Signal::SIGCONT);
    let first = scene.daemon.metrics().verdict(GOOD);
    assert_eq!(first.0, "unknown", "the proof is {LAPSE:?} old: {first:?}");
    scene.is_healed();
    scene.end();
}

fn ended_while_aws_hangs() {
    let mut scene = usual();
    scene
        .sim
        .aws()
        .change(|world| world.faults.push(Fault::always(Effect::Hang)));
    scene.shows(
        "during the hang",
        &Expected::outage("DescribeTrails", "timeout"),
    );
    let began = Instant::now();
    scene.daemon.signal(Signal::SIGTERM);
    assert_eq!(scene.daemon.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
}

/// Polls go on although nothing can be logged.
fn goes_on_with(stderr: Stdio) {
    let sim = Sim::start(WORLD);
    let file = crate::sim::file(CONFIG);
    let flag = format!("--config.file={}", file.display());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let listen = format!("--web.listen-address={address}");
    let mut child = sim
        .command(&[&flag, &listen, "--log.level=debug"])
        .env_remove("CLOUDTRAIL_EXPORTER_WEB_LISTEN_ADDRESS")
        .stderr(stderr)
        .spawn()
        .unwrap();
    let verdict = |id| {
        let answer = request(&address, "GET", "/metrics", &[]).ok()?;
        Some(Samples::parse(&answer.body).verdict(id))
    };
    let states = || [GOOD, STOPPED, BARE].map(|id| verdict(id).unwrap_or_default().1);
    eventually("it polls", || well(&states()));
    sim.aws().reset_counts();
    eventually("it goes on", || {
        let polls = sim.aws().requests("DescribeTrails");
        if polls > 6 {
            well(&states())
        } else {
            Err(format!("{polls} polls"))
        }
    });
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    eventually("it ends", || match child.try_wait().unwrap() {
        Some(ended) if ended.code() == Some(0) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

fn well(reasons: &[String; 3]) -> Result<(), String> {
    let right = ["ok", "not_logging", "no_trail"];
    if reasons == &right {
        Ok(())
    } else {
        Err(format!("{reasons:?}"))
    }
}

fn log_reader_gone() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    goes_on_with(writer.into());
}

/// The pipe is full before the first poll.
fn log_reader_asleep() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filled = writer.try_clone().unwrap();
    filled.write_all(&vec![b'x'; 65_536]).unwrap();
    goes_on_with(writer.into());
    drop(reader);
}

fn log_disk_full() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    goes_on_with(full.into());
}

fn short_sessions() {
    let world = format!("session_length: 3s\n{WORLD}");
    let scene = Scene::of(&world, CONFIG, |_, _, _| {}).well();
    nothing_differs(&scene);
    scene.end();
}

fn aws_clock_off() {
    let scene = Scene::of(&format!("clock_offset: -3m\n{WORLD}"), CONFIG, |_, _, _| {}).well();
    nothing_differs(&scene);
    let skew = scene
        .daemon
        .metrics()
        .one("cloudtrail_exporter_clock_skew_seconds", &[])
        .unwrap();
    assert!((-190.0..-170.0).contains(&skew), "{skew}");
    scene.end();
}

/// A `Date` of another day on good answers changes nothing.
fn aws_clock_jumps() {
    let scene = usual();
    scene.sim.aws().change(|world| {
        let rule = "faults: [{ operations: [GetTrailStatus], effect: { clock_offset: -4m } }]";
        world.faults = aws_simulator::World::parse(rule).unwrap().faults;
    });
    nothing_differs(&scene);
    scene.end();
}

fn outage() {
    let scene = usual();
    scene
        .sim
        .aws()
        .change(|world| world.faults.push(Fault::always(Effect::Status(503))));
    scene.shows(
        "during the outage",
        &Expected::outage("DescribeTrails", "server_error"),
    );
    // Over and over: the alarms stay.
    std::thread::sleep(LAPSE);
    scene.shows("still", &Expected::outage("DescribeTrails", "server_error"));
    scene.sim.aws().change(|world| world.faults.clear());
    scene.is_healed();
    scene.end();
}

/// Retries hide it.
fn flapping() {
    let config = CONFIG
        .replace("timeout: 2s", "timeout: 10s")
        .replace("interval: 2s", "interval: 10s");
    let config = config.replace("stale_after: 5s", "stale_after: 25s");
    let scene = Scene::of(WORLD, &config, |_, _, _| {}).well();
    scene.sim.aws().change(|world| {
        let rule = "faults: [{ probability: 0.3, effect: close }]";
        world.faults = aws_simulator::World::parse(rule).unwrap().faults;
    });
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let now = scene.look();
        assert_eq!(now.verdict(GOOD).0, "compliant");
        std::thread::sleep(Duration::from_millis(500));
    }
    scene.sim.aws().change(|world| world.faults.clear());
    scene.is_healed();
    scene.end();
}

/// The same command under a bound of the shell's.
fn bounded(limit: &str, command: &mut Command) {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("ulimit {limit}; exec \"$0\" \"$@\""))
        .arg(command.get_program());
    shell.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    *command = shell;
}

fn few_descriptors() {
    let scene = Scene::new(|_, _, command| bounded("-n 48", command)).well();
    let idle: Vec<_> = (0..60)
        .filter_map(|_| TcpStream::connect(&scene.daemon.address).ok())
        .collect();
    std::thread::sleep(LAPSE);
    drop(idle);
    scene.is_healed();
    scene.end();
}

fn silent_clients() {
    let scene = usual();
    let idle: Vec<_> = (0..300)
        .filter_map(|_| TcpStream::connect(&scene.daemon.address).ok())
        .collect();
    assert!(idle.len() > 250, "{}", idle.len());
    scene.is_healed();
    scene.end();
}

fn deaf_clients() {
    let scene = usual();
    let deaf: Vec<_> = (0..16)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(&scene.daemon.address).ok()?;
            let ask = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
            stream.write_all(ask.as_bytes()).ok()?;
            Some(stream)
        })
        .collect();
    nothing_differs(&scene);
    drop(deaf);
    scene.end();
}

fn nonsense_requests() {
    let scene = usual();
    let nonsense: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\
        Transfer-Encoding: chunked\r\n\r\nabc",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for bytes in nonsense {
        let mut stream = TcpStream::connect(&scene.daemon.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = String::from_utf8_lossy(&answer)
            .split(' ')
            .nth(1)
            .unwrap_or("none")
            .to_owned();
        assert!(
            status == "none" || status.starts_with('4'),
            "{status}: {bytes:?}"
        );
    }
    scene.is_healed();
    scene.end();
}
