//! A log that is not read: nothing waits for it.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, Samples, command, eventually, request};
use crate::sim::{Sim, file};

const WORLD: &str = "accounts: [{ id: '111111111111', trails: [{ name: main }] }]";
const CONFIG: &str = "poll: { interval: 1s, timeout: 1s }\naccounts: [{ id: '111111111111' }]";
const DROPPED: &str = "cloudtrail_exporter_log_lines_dropped_total";
/// More than the pipe and the queue hold.
const LINES: usize = 2500;

/// A pipe that is full, and that is read by nobody for as long as the reader is kept.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (reader, writer)
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The daemon of a command with standard error and standard output stuck from the beginning.
fn start_stuck(mut command: Command) -> (Daemon, [PipeReader; 2]) {
    let address = free_address();
    let (stderr_reader, stderr) = full_pipe();
    let (stdout_reader, stdout) = full_pipe();
    let child = command
        .env("CLOUDTRAIL_EXPORTER_WEB_LISTEN_ADDRESS", &address)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap();
    let daemon = Daemon::adopt(child, address);
    (daemon, [stderr_reader, stdout_reader])
}

fn polls(samples: &Samples) -> f64 {
    samples
        .one("cloudtrail_exporter_polls_total", &[])
        .unwrap_or(0.0)
}

fn ends_in_time(daemon: &mut Daemon) {
    let began = Instant::now();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn log_that_is_not_read_stops_neither_polls_nor_scrapes_nor_reloads_nor_the_end() {
    let sim = Sim::start(WORLD);
    let config = file(CONFIG);
    let flag = format!("--config.file={}", config.display());
    let args = [&flag, "--log.level=debug", "--web.enable-lifecycle"];
    let (mut daemon, _readers) = start_stuck(sim.command(&args));
    daemon.ready();
    std::fs::write(&config, "accounts: [{ id: 12 }]").unwrap();
    for _ in 0..LINES {
        assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 500);
    }
    let before = daemon.metrics();
    let dropped = before.one(DROPPED, &[]).unwrap();
    assert!(dropped > 100.0, "{dropped}");
    eventually("polls go on", || {
        (polls(&daemon.metrics()) > polls(&before)).then_some(())
    });
    assert_eq!(daemon.get("/-/healthy").status, 200);
    std::fs::write(&config, CONFIG).unwrap();
    assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 200);
    ends_in_time(&mut daemon);
}

#[test]
fn demo_runs_although_neither_its_log_nor_its_output_is_read() {
    let (mut daemon, _readers) = start_stuck(command(&["demo"]));
    daemon.ready();
    assert_eq!(daemon.metrics().one(DROPPED, &[]), Some(0.0));
    ends_in_time(&mut daemon);
}

#[test]
fn closed_log_is_no_trouble() {
    let sim = Sim::start(WORLD);
    let config = file(CONFIG);
    let flag = format!("--config.file={}", config.display());
    let (mut daemon, readers) = start_stuck(sim.command(&[&flag, "--log.level=debug"]));
    drop(readers);
    daemon.ready();
    ends_in_time(&mut daemon);
}

#[test]
fn last_lines_of_a_log_that_is_read_are_not_lost() {
    let sim = Sim::start(WORLD);
    let mut daemon = sim.daemon(CONFIG);
    daemon.ready();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0));
    eventually("the last line", || {
        daemon.log().contains("stopping").then_some(())
    });
    let lines = format!("accounts: [{}]", "{ name: nowhere }, ".repeat(99));
    let config = file(&lines);
    let flag = format!("--config.file={}", config.display());
    let output = command(&[&flag]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(log.matches("accounts[").count(), 99, "{log}");
    assert!(request(&daemon.address, "GET", "/", &[]).is_err());
}
