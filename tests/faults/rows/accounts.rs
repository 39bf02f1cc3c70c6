//! Which accounts are watched, and which trail is their evidence: faults that one account alone in a
//! process shows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::expected::lines;
use crate::row::Kind;
use crate::run::Row;
use crate::scene::{CONFIG, Expected, Scene};

/// The rows.
pub fn rows() -> Vec<Row> {
    let row = |name, run| Row {
        name,
        kind: Kind::Aws,
        run,
    };
    vec![
        row("A4 an account joins a full directory", joins_full as fn()),
        row("A5 an ambient account is discovered", ambient_discovered),
        row("A5 a profile's account is discovered", profile_discovered),
        row(
            "A6 the evidence stops, the other is throttled",
            evidence_stops,
        ),
    ]
}

/// Its id is the lowest, and it has no place all the same.
fn joins_full() {
    let world = format!(
        "{}  - {{ id: '050000000000', state: SUSPENDED, trails: [{{ name: main }}] }}\n",
        ORGANIZATION.replace("access_denied", "{ latency: { base: 1ms } }")
    );
    let scene = Scene::of(&world, &discovered("accounts: []"), |_, _, _| {}).well();
    let state = |state: &str| {
        scene.sim.aws().change(|world| {
            let id = "050000000000".parse().expect("an id");
            state.clone_into(&mut world.account_mut(id).expect("an account").state);
        });
    };
    state("ACTIVE");
    let left_out = Expected::exporter(&[
        "~ exporter_accounts_left_out 0 -> 1",
        "~ exporter_discovery_accounts{source=organizations} 3 -> 4",
    ]);
    scene.shows("one more account", &left_out);
    // A reload decides again.
    scene.daemon.signal(Signal::SIGHUP);
    std::thread::sleep(Duration::from_secs(3));
    scene.shows("after a reload", &left_out);
    state("SUSPENDED");
    scene.is_healed();
    scene.end();
}

/// Three accounts at most.
fn discovered(accounts: &str) -> String {
    format!(
        "
poll: {{ interval: 2s, timeout: 2s, stale_after: 5s }}
limits: {{ max_accounts: 3 }}
discovery: {{ organizations: {{ enabled: true, refresh_interval: 1m }} }}
{accounts}
"
    )
}

const ORGANIZATION: &str = "
organization: { management_account: '111111111111' }
credentials: [{ access_key_id: AKIAIOSFODNN7EXAMPLE, account: '111111111111' }]
faults: [{ operations: [ListAccounts], effect: access_denied }]
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222', trails: [{ name: main, logging: false }] }
  - { id: '333333333333' }
";

/// An account known without its id is listed later: it stays one, as the file has it.
fn discovered_later(entry: &str, change: impl FnOnce(&Path, &mut Command)) {
    let accounts =
        format!("accounts: [{entry}, {{ id: '222222222222' }}, {{ id: '333333333333' }}]");
    let config = discovered(&accounts);
    let scene = Scene::of(ORGANIZATION, &config, |_, folder, command| {
        change(folder, command);
    });
    let scene = scene.well();
    scene.sim.aws().change(|world| world.faults.clear());
    let exporter = lines(&[
        "+ exporter_discovery_last_success_timestamp_seconds{source=organizations} *",
        "~ exporter_discovery_accounts{source=organizations} 0 -> 3",
        "~ exporter_discovery_up{source=organizations} 0 -> 1",
    ]);
    let expected = Expected {
        exporter,
        ..Expected::default()
    };
    scene.shows("the account is listed", &expected);
    std::thread::sleep(Duration::from_secs(5));
    scene.shows("two polls later", &expected);
    scene.end();
}

fn ambient_discovered() {
    discovered_later("{ name: '111111111111', ambient: true }", |_, _| {});
}

fn profile_discovered() {
    discovered_later(
        "{ name: '111111111111', profile: audit }",
        |folder, command| {
            let profiles = folder.join("profiles");
            let keys = "[profile audit]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
                    aws_secret_access_key = any\n";
            std::fs::write(&profiles, keys).expect("written");
            command.env("AWS_CONFIG_FILE", profiles);
        },
    );
}

/// What is held of the other trail is young enough.
fn evidence_stops() {
    let world =
        crate::scene::WORLD.replacen("[{ name: main }]", "[{ name: main }, { name: other }]", 1);
    let config = CONFIG.replace("stale_after: 5s", "stale_after: 10m");
    let scene = Scene::of(&world, &config, |_, _, _| {}).well();
    scene.sim.aws().change(|world| {
        let rule = "{ operations: [GetTrailStatus], accounts: ['111111111111'], \
                    trails: ['arn:aws:cloudtrail:us-east-1:111111111111:trail/other'], effect: throttle }";
        let rule = format!("faults: [{rule}]");
        world.faults = aws_simulator::World::parse(&rule).expect("a fault").faults;
        let id = "111111111111".parse().expect("an id");
        let account = world.account_mut(id).expect("an account");
        account.trails[0].logging = false;
    });
    let good = lines(&[
        "+ account_call_failing{operation=GetTrailStatus,reason=throttled} 1",
        "+ account_evidence_info{trail=us-east-1/other} 1",
        "+ trail_logging_stopped_timestamp_seconds{trail=us-east-1/main} *",
        "- account_evidence_info{trail=us-east-1/main} 1",
        "~ account_up 1 -> 0",
        "~ trail_logging{trail=us-east-1/main} 1 -> 0",
    ]);
    let expected = Expected {
        good,
        ..Expected::default()
    };
    scene.shows("the other trail is the evidence", &expected);
    scene.sim.aws().change(|world| world.faults.clear());
    scene.end();
}
