//! Bad inputs: what the exit code, the log and `/metrics` say of each.

use std::process::Output;

use crate::harness::{Daemon, command};
use crate::sim::{SECRET, Sim, file};

const ONE: &str =
    "poll: { interval: 3s, timeout: 2s }\naccounts: [{ id: '111111111111', name: one }]";

/// The usual port may be in use on the machine of a test.
const ANY_PORT: &str = "--web.listen-address=127.0.0.1:0";

fn run(config: &str, args: &[&str]) -> (Option<i32>, String) {
    let file = file(config);
    let flag = format!("--config.file={}", file.display());
    finish(command(args).args([&flag, ANY_PORT]).output().unwrap())
}

fn finish(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_good_configuration_is_confirmed() {
    assert_eq!(run(ONE, &["--config.check"]).0, Some(0));
}

#[test]
fn every_error_of_a_file_is_told_at_once_with_78() {
    let bad =
        "poll: { interval: 5 }\naccounts: [{ id: 012345678901, regions: [moon] }, { id: 12 }]";
    for args in [&["--config.check"][..], &[], &["check"]] {
        let (code, text) = run(bad, args);
        assert_eq!(code, Some(78), "{text}");
        for key in ["poll.interval", "accounts[0].regions", "accounts[1].id"] {
            assert!(text.contains(key), "{key} in {text}");
        }
    }
}

#[test]
fn errors_stand_one_a_line_as_documented() {
    let file = file("poll: { interval: 5 }\naccounts: [{ id: 12 }]");
    let flag = format!("--config.file={}", file.display());
    let stderr = |args: &[&str]| {
        let output = command(args).arg(&flag).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let errors = [
        format!(
            "{}:1: poll.interval: \"5\" has no unit; write 5s for seconds or 5m for minutes",
            file.display()
        ),
        format!(
            "{}:2: accounts[0].id: \"12\" is not an account id: 12 digits; write all of them in quotes, leading zeros too",
            file.display()
        ),
    ];
    let plain = format!("bad configuration:\n{}\n", errors.join("\n"));
    for args in [&["--config.check"][..], &["check"], &["iam-policy"]] {
        assert_eq!(stderr(args), plain, "{args:?}");
    }
    let log = stderr(&[]);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3, "one line of a daemon's log each: {log}");
    assert!(lines.iter().all(|line| line.contains("level=error")));
    assert!(lines[1].contains(":1: poll.interval: "), "{log}");
    assert!(lines[2].contains(":2: accounts[0].id: "), "{log}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let output = command(&["--config.file=/nonexistent/config.yaml", ANY_PORT])
        .output()
        .unwrap();
    let (code, text) = finish(output);
    assert_eq!(code, Some(78));
    assert!(text.contains("/nonexistent/config.yaml"), "{text}");
}

#[test]
fn a_bad_web_configuration_is_told_with_78() {
    let web = file("basic_auth_users:\n  prometheus:\n");
    let flag = format!("--web.config.file={}", web.display());
    for args in [&[flag.as_str(), "--config.check"][..], &[flag.as_str()]] {
        let (code, told) = run(ONE, args);
        assert_eq!(code, Some(78), "{told}");
        assert!(told.contains("basic_auth_users.prometheus"), "{told}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--web.listen-address={}", taken.local_addr().unwrap());
    let (code, text) = finish(command(&[&address]).output().unwrap());
    assert_eq!(code, Some(1));
    assert!(text.contains("cannot listen"), "{text}");
}

#[test]
fn a_shard_outside_the_total_is_told() {
    let (code, text) = finish(
        command(&["--shard=3", "--total-shards=3", ANY_PORT])
            .output()
            .unwrap(),
    );
    assert_eq!(code, Some(78));
    assert!(text.contains("shard 3 of 3"), "{text}");
}

#[test]
fn an_unknown_flag_is_told() {
    let (code, text) = finish(command(&["--poll.interval=5m"]).output().unwrap());
    assert_eq!(code, Some(2));
    assert!(text.contains("--poll.interval"), "{text}");
}

#[test]
fn without_credentials_the_account_is_unknown_for_credentials() {
    let sim = Sim::start("accounts: [{ id: '111111111111' }]");
    let mut bare = sim.command(&[]);
    bare.env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let daemon = Daemon::start(bare);
    daemon.ready();
    assert_eq!(
        daemon.metrics().verdict(""),
        ("unknown".into(), "credentials".into())
    );
    assert!(daemon.log().contains("no credentials"), "{}", daemon.log());
    assert_eq!(daemon.get("/-/healthy").status, 200);
}

#[test]
fn without_a_file_the_ambient_account_tells_its_id() {
    let sim = Sim::start(
        "
credentials: [{ access_key_id: AKIAIOSFODNN7EXAMPLE, account: '111111111111', user: exporter }]
accounts: [{ id: '111111111111', trails: [{ name: main }] }]
",
    );
    let daemon = Daemon::start(sim.command(&[]));
    daemon.ready();
    let metrics = daemon.metrics();
    assert_eq!(
        metrics.verdict("111111111111"),
        ("compliant".into(), "ok".into())
    );
    assert_eq!(
        metrics.one(
            "cloudtrail_account_info",
            &[("source", "ambient"), ("account_id", "111111111111")]
        ),
        Some(1.0)
    );
    assert_eq!(sim.aws().requests("AssumeRole"), 0);
    assert_eq!(sim.aws().requests("GetCallerIdentity"), 1);
}

fn at_endpoint(url: &str) -> Daemon {
    let file = file(&format!("{ONE}\naws: {{ endpoint_url: '{url}' }}"));
    let flag = format!("--config.file={}", file.display());
    let mut command = command(&[&flag]);
    command
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y");
    let daemon = Daemon::start(command);
    daemon.ready();
    daemon
}

#[test]
fn an_endpoint_that_refuses_is_a_network_failure() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let daemon = at_endpoint(&format!("http://{closed}"));
    let metrics = daemon.metrics();
    let (state, reason) = metrics.verdict("111111111111");
    assert_eq!(state, "unknown");
    assert!(
        ["network", "timeout"].contains(&reason.as_str()),
        "{reason}: retried until the poll's deadline"
    );
    assert_eq!(metrics.one("cloudtrail_account_up", &[]), Some(0.0));
    let failing = metrics
        .all(
            "cloudtrail_account_call_failing",
            &[("operation", "AssumeRole")],
        )
        .count();
    assert_eq!(failing, 1);
}

#[test]
fn an_endpoint_that_hangs_is_a_timeout() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = at_endpoint(&format!("http://{}", silent.local_addr().unwrap()));
    assert_eq!(
        daemon.metrics().verdict("111111111111"),
        ("unknown".into(), "timeout".into())
    );
}

#[test]
fn a_refused_role_is_access_denied_and_the_log_says_which() {
    let sim = Sim::start("accounts: [{ id: '111111111111', roles: [] }]");
    let daemon = sim.daemon(ONE);
    daemon.ready();
    assert_eq!(
        daemon.metrics().verdict("111111111111"),
        ("unknown".into(), "access_denied".into())
    );
    let log = daemon.log();
    assert!(log.contains("role/cloudtrail-exporter-read"), "{log}");
}

#[test]
fn an_external_id_comes_from_the_environment_and_is_never_shown() {
    let sim = Sim::start(
        "accounts: [{ id: '111111111111', roles: [{ name: cloudtrail-exporter-read, external_id: tell-nobody }], trails: [{ name: main }] }]",
    );
    let file = file(&format!(
        "{ONE}\ndefaults: {{ external_id_env: EXTERNAL_ID }}"
    ));
    let flag = format!("--config.file={}", file.display());
    let mut command = sim.command(&[&flag, "--log.level=debug"]);
    command.env("EXTERNAL_ID", "tell-nobody");
    let daemon = Daemon::start(command);
    daemon.ready();
    assert_eq!(daemon.metrics().verdict("111111111111").0, "compliant");
    for text in [
        daemon.log(),
        daemon.get("/metrics").body,
        daemon.get("/").body,
    ] {
        assert!(!text.contains("tell-nobody"));
    }
}

#[test]
fn a_profile_that_may_not_assume_its_role_is_told_without_its_external_id() {
    let sim = Sim::start("accounts: [{ id: '111111111111', roles: [] }]");
    let profiles = file(&format!(
        "[profile audit]
role_arn = arn:aws:iam::111111111111:role/read
source_profile = base
external_id = tell-nobody
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = {SECRET}
"
    ));
    let file = file("accounts: [{ name: one, profile: audit }]");
    let flag = format!("--config.file={}", file.display());
    let mut command = sim.command(&[&flag, "--log.level=debug"]);
    command.env("AWS_CONFIG_FILE", &*profiles);
    let daemon = Daemon::start(command);
    daemon.ready();
    let log = daemon.log();
    assert_eq!(
        daemon.metrics().verdict(""),
        ("unknown".into(), "access_denied".into())
    );
    assert!(log.contains("no credentials in the profile"), "{log}");
    assert!(log.contains("is not authorized to perform"), "{log}");
    assert!(!log.contains("tell-nobody"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn the_endpoint_of_the_file_wins_over_the_environment() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let file = file(&format!(
        "{ONE}\naws: {{ endpoint_url: '{}' }}",
        sim.aws().url()
    ));
    let flag = format!("--config.file={}", file.display());
    let mut command = sim.command(&[&flag]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let daemon = Daemon::start(command);
    daemon.ready();
    assert_eq!(daemon.metrics().verdict("111111111111").0, "compliant");
}
