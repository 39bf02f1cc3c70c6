//! A whole organization: found, followed as it changes, read at one call a member, and shared out among shards.

use std::collections::BTreeMap;

use aws_simulator::{Effect, Fault};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, Samples, eventually};
use crate::sim::{Sim, file};

/// How many accounts are alike, beside those that have something of their own.
const FLEET: u32 = 57;
const MANAGEMENT: &str = "210000000001";
const PRODUCTION: &str = "210000000002";
const TEAM: &str = "210000000003";
const SUSPENDED: &str = "210000000004";
/// Those that are to be polled.
const ACTIVE: u32 = FLEET + 3;

fn world(state_field: &str) -> String {
    format!(
        "
organization:
  management_account: '{MANAGEMENT}'
  delegated_administrators: ['{PRODUCTION}']
  page_size: 7
  empty_pages: true
  state_field: {state_field}
  units:
    - {{ id: ou-a1b2-prod0000, name: Production }}
    - {{ id: ou-a1b2-team0000, name: Team, parent: ou-a1b2-prod0000 }}
accounts:
  - {{ id: '{MANAGEMENT}', name: management, trails: [{{ name: everything, organization: true }}] }}
  - {{ id: '{PRODUCTION}', name: production, parent: ou-a1b2-prod0000 }}
  - {{ id: '{TEAM}', name: team, parent: ou-a1b2-team0000 }}
  - {{ id: '{SUSPENDED}', name: gone, state: SUSPENDED }}
fleets: [{{ accounts: {FLEET}, first_id: '500000000000' }}]
"
    )
}

/// A configuration that lists the organization so often, and says more of it.
fn config(refresh: &str, more: &str) -> String {
    format!(
        "
poll: {{ interval: 1h, timeout: 10s }}
organization_trails: {{ status: owner }}
discovery: {{ organizations: {{ enabled: true, refresh_interval: {refresh}, {more} }} }}
"
    )
}

fn start(sim: &Sim, config: &str, args: &[&str]) -> (Daemon, tempfile::TempPath) {
    let file = file(config);
    let flag = format!("--config.file={}", file.display());
    let daemon = Daemon::start(sim.command(&[&[flag.as_str()], args].concat()));
    daemon.ready();
    (daemon, file)
}

/// Other settings of discovery, so that the organization is listed at once.
fn list_again(daemon: &Daemon, file: &std::path::Path, refresh: &str) {
    std::fs::write(file, config(refresh, "")).unwrap();
    daemon.signal(Signal::SIGHUP);
}

/// The accounts told of, and the unit of each.
fn units(metrics: &Samples) -> BTreeMap<String, String> {
    let told = metrics.all("cloudtrail_account_info", &[]);
    let unit = |label: &BTreeMap<String, String>| label.get("organizational_unit").cloned();
    told.map(|(l, _)| (l["account_id"].clone(), unit(l).unwrap_or_default()))
        .collect()
}

fn discovered(metrics: &Samples, what: &str) -> Option<f64> {
    let name = format!("cloudtrail_exporter_discovery_{what}");
    metrics.one(&name, &[("source", "organizations")])
}

fn all_compliant(metrics: &Samples) -> bool {
    let wrong = metrics.all("cloudtrail_account_compliance", &[("state", "compliant")]);
    wrong.filter(|(_, value)| *value != 1.0).count() == 0
}

#[test]
fn every_active_account_is_found_page_by_page_and_costs_one_call() {
    for state_field in ["state", "status", "both"] {
        let sim = Sim::start(&world(state_field));
        let (daemon, _file) = start(&sim, &config("1h", ""), &[]);
        eventually("the owner stands in for all", || {
            all_compliant(&daemon.metrics()).then_some(())
        });
        let metrics = daemon.metrics();
        let units = units(&metrics);
        assert_eq!(units.len(), ACTIVE as usize, "{state_field}");
        assert!(!units.contains_key(SUSPENDED));
        assert_eq!(discovered(&metrics, "up"), Some(1.0));
        assert_eq!(discovered(&metrics, "accounts"), Some(f64::from(ACTIVE)));
        let requests = |operation| sim.aws().requests(operation);
        assert_eq!(requests("DescribeTrails"), u64::from(ACTIVE));
        assert_eq!(
            (requests("GetTrailStatus"), requests("GetEventSelectors")),
            (1, 1)
        );
        assert!(sim.aws().unexpected().is_empty());
    }
}

#[test]
fn members_whose_owner_lacks_our_role_are_asked_themselves() {
    let without = format!("id: '{MANAGEMENT}', roles: [],");
    let world = world("state").replace(&format!("id: '{MANAGEMENT}',"), &without);
    let sim = Sim::start(&world);
    let config = config("1h", "").replace("{ interval: 1h", "{ interval: 10s");
    let (daemon, _file) = start(&sim, &config, &[]);
    eventually("all but the owner are compliant", || {
        let metrics = daemon.metrics();
        let open = units(&metrics).into_keys();
        let open = open.filter(|id| metrics.verdict(id).0 != "compliant");
        (open.collect::<Vec<_>>() == [MANAGEMENT]).then_some(())
    });
    let owner = daemon.metrics().verdict(MANAGEMENT);
    assert_eq!(owner, ("unknown".into(), "access_denied".into()));
}

#[test]
fn a_unit_is_taken_with_everything_below_it_also_from_a_delegated_administrator() {
    let sim = Sim::start(&world("state"));
    let role = format!("arn:aws:iam::{PRODUCTION}:role/cloudtrail-exporter-read");
    let more = format!("include_ous: [ou-a1b2-prod0000], role_arn: '{role}'");
    let (daemon, _file) = start(&sim, &config("1h", &more), &[]);
    let expected = [(PRODUCTION, "ou-a1b2-prod0000"), (TEAM, "ou-a1b2-team0000")];
    let expected = expected.map(|(id, unit)| (id.to_owned(), unit.to_owned()));
    assert_eq!(units(&daemon.metrics()), expected.into());
}

#[test]
fn accounts_come_and_go_but_a_listing_that_fails_or_loses_the_fleet_changes_nothing() {
    let sim = Sim::start(&world("state"));
    let (daemon, file) = start(&sim, &config("1h", ""), &[]);

    sim.aws().change(|world| {
        world
            .account_mut(PRODUCTION.parse().unwrap())
            .unwrap()
            .state = "CLOSED".to_owned();
        world.account_mut(SUSPENDED.parse().unwrap()).unwrap().state = "ACTIVE".to_owned();
    });
    list_again(&daemon, &file, "2h");
    eventually("one is gone and another is judged", || {
        let metrics = daemon.metrics();
        let gone = !daemon.get("/metrics").body.contains(PRODUCTION);
        (gone && metrics.verdict(SUSPENDED).0 == "compliant").then_some(())
    });
    let known = units(&daemon.metrics());
    assert_eq!(known.len(), ACTIVE as usize);

    let is_kept = |why: &str| {
        eventually(why, || {
            (discovered(&daemon.metrics(), "up") == Some(0.0)).then_some(())
        });
        let metrics = daemon.metrics();
        assert_eq!(units(&metrics), known, "{why}");
        assert_eq!(discovered(&metrics, "accounts"), Some(f64::from(ACTIVE)));
    };
    let denied: Fault = Fault {
        services: vec!["organizations".to_owned()],
        ..Fault::always(Effect::AccessDenied)
    };
    sim.aws().change(|world| world.faults.push(denied));
    list_again(&daemon, &file, "3h");
    is_kept("the listing is refused");

    sim.aws().change(|world| world.faults.clear());
    list_again(&daemon, &file, "4h");
    eventually("it is listed again", || {
        (discovered(&daemon.metrics(), "up") == Some(1.0)).then_some(())
    });
    sim.aws()
        .change(|world| world.fleets[0].like.state = "CLOSED".to_owned());
    list_again(&daemon, &file, "5h");
    is_kept("nearly all accounts are gone at once");
}

#[test]
fn shards_share_the_organization_and_each_reads_the_owner_of_its_trail() {
    let sim = Sim::start(&world("state"));
    let shards = [0_u8, 1, 2].map(|shard| {
        let args = [&format!("--shard={shard}")[..], "--total-shards=3"];
        (shard, start(&sim, &config("1h", ""), &args))
    });
    let mut polled = Vec::new();
    for (shard, (daemon, _file)) in &shards {
        eventually("the owner stands in, in whichever shard it is", || {
            all_compliant(&daemon.metrics()).then_some(())
        });
        let metrics = daemon.metrics();
        let ordinal = metrics.one("cloudtrail_exporter_shard_ordinal", &[]);
        assert_eq!(ordinal, Some(f64::from(*shard)));
        assert_eq!(metrics.one("cloudtrail_exporter_shards", &[]), Some(3.0));
        let mine = units(&metrics);
        assert!((10..=30).contains(&mine.len()), "{}", mine.len());
        polled.extend(mine.into_keys());
    }
    assert_eq!(polled.len(), ACTIVE as usize);
    polled.sort_unstable();
    polled.dedup();
    assert_eq!(polled.len(), ACTIVE as usize, "no account has two shards");
    let requests = |operation| sim.aws().requests(operation);
    assert_eq!(requests("GetTrailStatus"), 3, "once for each shard");
    assert_eq!(requests("DescribeTrails"), u64::from(ACTIVE) + 2);
}
