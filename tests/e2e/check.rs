//! `check`: exit codes, the table, the JSON; and the other one-shot commands.

use std::process::Output;

use crate::harness::{Daemon, command};
use crate::sim::{Sim, file};

const GOOD: &str = "{ id: '111111111111', name: good }";
const BAD: &str = "{ id: '222222222222', name: bad }";
const BLIND: &str = "{ id: '333333333333', name: blind }";

fn sim() -> Sim {
    Sim::start(
        "
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222' }
  - { id: '333333333333', roles: [] }
",
    )
}

fn check(sim: &Sim, accounts: &[&str], args: &[&str]) -> (Option<i32>, String, String) {
    let file = file(&format!("accounts: [{}]", accounts.join(", ")));
    let flag = format!("--config.file={}", file.display());
    let Output {
        status,
        stdout,
        stderr,
    } = sim
        .command(&[&["check"], args].concat())
        .arg(flag)
        .output()
        .unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn the_exit_code_tells_how_the_fleet_stands() {
    let sim = sim();
    for (accounts, code) in [
        (vec![GOOD], 0),
        (vec![GOOD, BAD, BLIND], 1),
        (vec![GOOD, BLIND], 2),
    ] {
        assert_eq!(check(&sim, &accounts, &[]).0, Some(code), "{accounts:?}");
    }
    assert_eq!(check(&sim, &["{ id: 1 }"], &[]).0, Some(78));
}

#[test]
fn accounts_that_could_not_be_listed_are_unknown() {
    let sim = Sim::start(
        "
organization: { management_account: '111111111111' }
accounts: [{ id: '111111111111', trails: [{ name: main }] }, { id: '444444444444', trails: [{ name: main }] }]
faults: [{ name: unlisted, services: [organizations], effect: access_denied }]
",
    );
    let asked = |limit: &str| {
        let file = file(&format!(
            "accounts: [{GOOD}]\ndiscovery: {{ organizations: {{ enabled: true }} }}\n{limit}"
        ));
        let flag = format!("--config.file={}", file.display());
        let output = sim.command(&["check", &flag]).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, table) = asked("");
    assert_eq!(code, Some(2), "{table}");
    assert!(table.contains("1 compliant") && table.contains("there are more accounts"));
    sim.aws().change(|world| world.faults.clear());
    assert_eq!(asked("").0, Some(0));
    assert_eq!(
        asked("limits: { max_accounts: 1 }").0,
        Some(2),
        "one is left out"
    );
}

#[test]
fn the_table_is_aligned_worst_first_and_plain_where_nobody_sees_colours() {
    let (_, table, _) = check(&sim(), &[GOOD, BAD, BLIND], &[]);
    let lines: Vec<_> = table.lines().map(str::trim_end).collect();
    assert!(lines[0].starts_with(" ACCOUNT"), "{table}");
    let states = [
        "non_compliant  no_trail",
        "unknown        access_denied",
        "compliant      ok",
    ];
    for (line, state) in lines[1..4].iter().zip(states) {
        assert!(line.contains(state), "{line}");
    }
    assert_eq!(
        lines.last(),
        Some(&"3 accounts: 1 compliant, 1 non-compliant, 1 unknown")
    );
    assert!(!table.contains('\u{1b}'), "no escape codes in a pipe");
}

#[test]
fn the_json_is_what_the_api_answers() {
    let (code, text, _) = check(&sim(), &[GOOD, BAD], &["--output=json"]);
    assert_eq!(code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let accounts = json["accounts"].as_array().unwrap();
    let bad = accounts
        .iter()
        .find(|a| a["account_id"] == "222222222222")
        .unwrap();
    assert_eq!(
        (&bad["state"], &bad["reason"]),
        (&"non_compliant".into(), &"no_trail".into())
    );
}

#[test]
fn iam_policy_prints_documents_without_the_external_id() {
    let file = file("defaults: { external_id: tell-nobody }\naccounts: [{ id: '111111111111' }]");
    let flag = format!("--config.file={}", file.display());
    let output = command(&["iam-policy", &flag]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "cloudtrail:DescribeTrails",
        "sts:AssumeRole",
        "sts:ExternalId",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("tell-nobody"));
}

#[test]
fn healthcheck_asks_a_running_instance() {
    let sim = sim();
    let daemon: Daemon = sim.daemon(&format!("accounts: [{GOOD}]"));
    let ask = |url: &str| {
        command(&["healthcheck", url])
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(ask(&format!("http://{}", daemon.address)), Some(0));
    drop(daemon);
    assert_eq!(ask("http://127.0.0.1:1"), Some(1));
}
