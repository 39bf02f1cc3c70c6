//! Which accounts are watched: one account is one entry, whatever it was configured or discovered as, and a full directory keeps those it polls.

use std::path::Path;

use aws_simulator::{Effect, Fault};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, Samples, command, eventually};
use crate::sim::{SECRET, Sim, file};

/// The exporter's own account, which is the organization's management account as well.
const HUB: &str = "111111111111";
const TEAM: &str = "222222222222";

const WORLD: &str = "
credentials:
  - { access_key_id: AKIAIOSFODNN7EXAMPLE, account: '111111111111', user: exporter }
  - { access_key_id: AKIAIOSFODNN7ANOTHER, account: '222222222222', user: exporter }
organization: { management_account: '111111111111' }
accounts:
  - { id: '111111111111', name: hub, trails: [{ name: main }] }
  - { id: '222222222222', name: team }
";

const SETTINGS: &str = "poll: { interval: 1s, timeout: 1s }\n";
const DISCOVERY: &str = "discovery: { organizations: { enabled: true } }\n";
const MONITORING: &str = "accounts: [{ name: monitoring, ambient: true }]\n";

fn start(sim: &Sim, config: &str) -> (Daemon, tempfile::TempPath) {
    let file = file(config);
    let flag = format!("--config.file={}", file.display());
    let daemon = Daemon::start(sim.command(&[&flag]));
    daemon.ready();
    (daemon, file)
}

fn reload(daemon: &Daemon, file: &Path, config: &str) {
    std::fs::write(file, config).unwrap();
    daemon.signal(Signal::SIGHUP);
}

/// The accounts published: id, name and source of each.
fn accounts(metrics: &Samples) -> Vec<(String, String, String)> {
    let told = metrics.all("cloudtrail_account_info", &[]);
    let of = |label: &str, labels: &std::collections::BTreeMap<String, String>| {
        labels.get(label).cloned().unwrap_or_default()
    };
    let mut accounts: Vec<_> = told
        .map(|(l, _)| (of("account_id", l), of("account_name", l), of("source", l)))
        .collect();
    accounts.sort();
    accounts
}

fn row(id: &str, name: &str, source: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), source.to_owned())
}

fn merged() -> [(String, String, String); 2] {
    [
        row(HUB, "monitoring", "config"),
        row(TEAM, "team", "organizations"),
    ]
}

/// The account's polls by role, as far as its sessions tell.
fn assumed(sim: &Sim) -> u64 {
    sim.aws().requests("AssumeRole")
}

/// Waits for a state of the metrics; in none until then is an account the wrong one.
fn until(daemon: &Daemon, what: &str, holds: impl Fn(&Samples) -> bool) {
    eventually(what, || {
        let metrics = daemon.metrics();
        let wrong = [("reason", "wrong_account")];
        let wrong = metrics.all("cloudtrail_account_compliance_reason", &wrong);
        assert_eq!(wrong.count(), 0, "{what}");
        holds(&metrics).then_some(())
    });
}

#[test]
fn an_ambient_account_that_discovery_lists_too_is_one_account_with_the_settings_of_the_file() {
    let sim = Sim::start(WORLD);
    let config = format!("{SETTINGS}{DISCOVERY}{MONITORING}");
    let (daemon, _file) = start(&sim, &config);
    until(&daemon, "one entry", |m| accounts(m) == merged());
    assert_eq!(
        daemon.metrics().verdict(HUB),
        ("compliant".into(), "ok".into())
    );
    let polls = || {
        let name = "cloudtrail_exporter_polls_total";
        daemon.metrics().one(name, &[]).unwrap_or_default()
    };
    let (before, sessions) = (polls(), assumed(&sim));
    until(&daemon, "further polls", |_| polls() >= before + 6.0);
    assert_eq!(
        assumed(&sim),
        sessions,
        "the role of the hub is assumed no more"
    );
    let info = daemon.metrics();
    let info = info.all("cloudtrail_account_compliance", &[("account_id", HUB)]);
    assert_eq!(info.count(), 3, "one set of series");
}

#[test]
fn discovery_that_comes_later_changes_nothing_of_the_entry_and_takes_over_when_it_leaves() {
    let sim = Sim::start(WORLD);
    let (daemon, file) = start(&sim, &format!("{SETTINGS}{MONITORING}"));
    until(&daemon, "the id", |m| {
        m.verdict(HUB) == ("compliant".into(), "ok".into())
    });
    let is_compliant = |m: &Samples| m.verdict(HUB).0 == "compliant";
    let with_discovery = format!("{SETTINGS}{DISCOVERY}{MONITORING}");
    reload(&daemon, &file, &with_discovery);
    until(&daemon, "the team joins", |m| {
        assert!(is_compliant(m), "at every moment");
        accounts(m) == merged()
    });
    reload(&daemon, &file, &format!("{SETTINGS}{DISCOVERY}"));
    until(&daemon, "the discovered entry returns", |m| {
        assert!(is_compliant(m), "at every moment");
        accounts(m)[0] == row(HUB, "hub", "organizations")
    });
    reload(&daemon, &file, &with_discovery);
    until(&daemon, "the entry of the file returns", |m| {
        accounts(m) == merged()
    });
}

/// Shared credentials with a profile for each of two accounts.
fn profiles() -> tempfile::TempPath {
    let profile = |name: &str, key: &str| {
        format!("[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n")
    };
    let hub = profile("first", "AKIAIOSFODNN7EXAMPLE");
    file(&(hub + &profile("second", "AKIAIOSFODNN7ANOTHER")))
}

fn by_profiles(one: &str, two: &str) -> String {
    format!(
        "{SETTINGS}accounts: [{{ name: one, profile: {one} }}, {{ name: two, profile: {two} }}]"
    )
}

#[test]
fn entries_whose_profiles_are_swapped_swap_their_accounts_and_no_verdict_is_lost() {
    let sim = Sim::start(WORLD);
    let (profiles, file) = (profiles(), file(&by_profiles("first", "second")));
    let mut command = sim.command(&[&format!("--config.file={}", file.display())]);
    command.env("AWS_SHARED_CREDENTIALS_FILE", &*profiles);
    let daemon = Daemon::start(command);
    daemon.ready();
    let as_before = |m: &Samples| {
        (m.verdict(HUB).0, m.verdict(TEAM).0) == ("compliant".into(), "non_compliant".into())
    };
    until(&daemon, "both are known", as_before);
    reload(&daemon, &file, &by_profiles("second", "first"));
    let swapped = [row(HUB, "two", "config"), row(TEAM, "one", "config")];
    until(&daemon, "swapped", |m| {
        assert!(as_before(m), "at every moment");
        accounts(m) == swapped
    });
}

#[test]
fn two_profiles_of_one_account_are_that_account_and_a_wrong_one() {
    let sim = Sim::start(WORLD);
    sim.aws().change(|world| {
        for key in &mut world.credentials {
            key.account = HUB.parse().unwrap();
        }
    });
    let (profiles, file) = (profiles(), file(&by_profiles("second", "first")));
    let mut command = sim.command(&[&format!("--config.file={}", file.display())]);
    command.env("AWS_SHARED_CREDENTIALS_FILE", &*profiles);
    let daemon = Daemon::start(command);
    daemon.ready();
    let named = |name: &str| daemon.metrics().verdict_by("account_name", name);
    eventually("the second entry is the wrong one", || {
        let wrong = ("unknown".into(), "wrong_account".into());
        (named("one").0 == "compliant" && named("two") == wrong).then_some(())
    });
    let ids: Vec<_> = accounts(&daemon.metrics())
        .into_iter()
        .map(|a| a.0)
        .collect();
    assert_eq!(ids, ["", HUB]);
    let said = daemon.log().matches("wrong_account").count();
    assert_eq!(said, 1, "said once");
}

#[test]
fn one_answer_of_another_account_is_wrong_for_one_poll() {
    let operations = ["AssumeRole", "GetCallerIdentity"];
    for (account, operation) in [
        (format!("id: '{HUB}'"), operations[0]),
        (format!("id: '{HUB}', ambient: true"), operations[1]),
    ] {
        let sim = Sim::start(WORLD);
        let wrong = "999999999998".parse().unwrap();
        sim.aws().change(|world| {
            world.faults.push(Fault {
                operations: vec![operation.to_owned()],
                first: Some(1),
                ..Fault::always(Effect::WrongIdentity(wrong))
            });
        });
        let (daemon, _file) = start(&sim, &format!("{SETTINGS}accounts: [{{ {account} }}]"));
        eventually("the right account", || {
            (daemon.metrics().verdict(HUB).0 == "compliant").then_some(())
        });
        assert_eq!(sim.aws().requests(operation), 2, "{operation}");
        assert!(daemon.log().contains("wrong_account"), "{operation}");
    }
}

#[test]
fn a_full_directory_keeps_the_accounts_it_polls_and_counts_those_left_out() {
    let sim = Sim::start(WORLD);
    let config = |excluded: &str| {
        format!(
            "{SETTINGS}limits: {{ max_accounts: 1 }}
discovery: {{ organizations: {{ enabled: true, exclude_accounts: [{excluded}] }} }}\n"
        )
    };
    let (daemon, file) = start(&sim, &config(&format!("'{HUB}'")));
    let only_team = [row(TEAM, "team", "organizations")];
    until(&daemon, "the team", |m| accounts(m) == only_team);
    let left_out = |m: &Samples| m.one("cloudtrail_exporter_accounts_left_out", &[]);
    assert_eq!(left_out(&daemon.metrics()), Some(0.0));
    // Its id is the lower one.
    reload(&daemon, &file, &config(""));
    until(&daemon, "the hub is left out", |m| {
        assert_eq!(accounts(m), only_team, "at every moment");
        left_out(m) == Some(1.0)
    });
    assert!(daemon.log().contains("left_out=1"), "{}", daemon.log());
    reload(&daemon, &file, &config(&format!("'{HUB}'")));
    until(&daemon, "none is left out", |m| left_out(m) == Some(0.0));
}

#[test]
fn among_shards_an_account_without_an_id_is_refused_before_it_starts() {
    let config = file(MONITORING);
    let flag = format!("--config.file={}", config.display());
    for check in [Some("--config.check"), None] {
        let mut args = vec![flag.as_str(), "--total-shards=2", "--shard=1"];
        args.extend(check);
        let ended = command(&args).output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(78), "{said}");
        assert!(said.contains("accounts[0]: has no id"), "{said}");
    }
    let mut whole = command(&[&flag, "--config.check"]);
    assert!(whole.status().expect("it runs").success());
}
