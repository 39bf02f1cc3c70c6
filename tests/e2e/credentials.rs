//! Credentials that are no good: the reason, the log and the counters; and what a profile says beside
//! them.

use std::process::Command;

use crate::harness::{Daemon, command, eventually};
use crate::sim::{Sim, file};

const ONE: &str =
    "poll: { interval: 1s, timeout: 1s }\naccounts: [{ id: '111111111111', name: one }]";
const WORLD: &str = "accounts: [{ id: '111111111111', trails: [{ name: main }] }]";

fn daemon(mut command: Command, config: &str) -> Daemon {
    let file = file(config);
    command.arg(format!("--config.file={}", file.display()));
    Daemon::start(command)
}

#[test]
fn a_key_with_a_line_break_is_a_matter_of_credentials_and_breaks_no_line_of_the_log() {
    let sim = Sim::start(WORLD);
    let mut command = sim.command(&["--log.format=json"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE\n");
    let daemon = daemon(command, ONE);
    let metrics = eventually("three polls", || {
        let metrics = daemon.metrics();
        let polls = metrics.one("cloudtrail_exporter_polls_total", &[])?;
        (polls >= 3.0).then_some(metrics)
    });
    let reason = [("reason", "credentials")];
    let failures = metrics.one("cloudtrail_exporter_poll_failures_total", &reason);
    assert!(failures.unwrap() >= 2.0, "{failures:?}");
    let expected = ("unknown".to_owned(), "credentials".to_owned());
    assert_eq!(metrics.verdict("111111111111"), expected);
    let log = daemon.log();
    for line in log.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
    let said = "AWS_ACCESS_KEY_ID holds a control character (a line feed); remove it";
    assert!(log.contains(said), "{log}");
    assert!(
        !log.contains("AKIAIOSFODNN7EXAMPLE") && !log.contains("panic"),
        "{log}"
    );
}

#[test]
fn a_variable_that_the_sdk_would_ignore_is_refused_by_name_before_anything_starts() {
    let file = file(ONE);
    let flag = format!("--config.file={}", file.display());
    for args in [&["--config.check"][..], &[], &["check"]] {
        let output = command(args)
            .arg(&flag)
            .env("AWS_USE_FIPS_ENDPOINT", "1")
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(78), "{text}");
        assert!(text.contains("AWS_USE_FIPS_ENDPOINT"), "{text}");
        assert!(text.contains("write true or false"), "{text}");
    }
}

#[test]
fn the_region_of_a_profile_is_that_of_its_account() {
    let sim = Sim::start(
        "credentials: [{ access_key_id: AKIAGOVCLOUDEXAMPLE0, account: '310000000001', partition: aws-us-gov, user: x }]\n\
         accounts: [{ id: '310000000001', name: gov, partition: aws-us-gov, standalone: true, trails: [{ name: main, home_region: us-gov-west-1 }] }]",
    );
    let profiles = file(
        "[profile audit]\nregion = us-gov-west-1\naws_access_key_id = AKIAGOVCLOUDEXAMPLE0\n\
         aws_secret_access_key = any\n",
    );
    let config = format!(
        "aws: {{ endpoint_url: '{}' }}\naccounts: [{{ name: p, profile: audit }}]",
        sim.aws().url()
    );
    let mut command = command(&[]);
    command.env("AWS_CONFIG_FILE", &*profiles);
    let daemon = daemon(command, &config);
    daemon.ready();
    let expected = ("compliant".to_owned(), "ok".to_owned());
    assert_eq!(daemon.metrics().verdict("310000000001"), expected);
}

/// Every line of the log of a process in which a task panics.
#[test]
fn a_panic_is_one_line_of_the_log() {
    for format in ["json", "logfmt"] {
        let run = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--ignored",
                "--nocapture",
                "credentials::a_task_panics",
            ])
            .env("TEST_FORMAT", format)
            .output()
            .unwrap();
        let log = String::from_utf8(run.stderr).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        for part in [
            "a bug: a task ended in a panic",
            "first  second [redacted]",
            "credentials.rs:",
        ] {
            assert!(log.contains(part), "{part} in {log}");
        }
        let is_json = serde_json::from_str::<serde_json::Value>(&log).is_ok();
        assert_eq!(is_json, format == "json", "{log}");
    }
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn a_task_panics() {
    use clap::ValueEnum as _;
    use cloudtrail_exporter::logging::{self, Delivery, LogFormat};
    let format = std::env::var("TEST_FORMAT").unwrap();
    let format = LogFormat::from_str(&format, false).unwrap();
    let _logs = logging::init("info", format, Delivery::Direct);
    cloudtrail_exporter::panics::log();
    let _held = cloudtrail_exporter::redaction::register(["secret-of-a-task"]);
    let task = std::thread::spawn(|| panic!("first\n\u{1b}second secret-of-a-task"));
    assert!(task.join().is_err());
}
