//! What a poll costs: the calls of the contract and no other.

use crate::harness::eventually;
use crate::sim::Sim;

const CONFIG: &str = "
poll: { interval: 1s, timeout: 1s }
accounts:
  - { id: '111111111111', name: one }
";

#[test]
fn one_trail_costs_one_call_of_each_kind_and_one_session() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let daemon = sim.daemon(CONFIG);
    daemon.ready();
    let polls = eventually("three polls", || {
        let polls = daemon
            .metrics()
            .one("cloudtrail_exporter_polls_total", &[])
            .unwrap();
        (polls >= 3.0).then_some(polls)
    });
    drop(daemon);
    let asked = |operation| f64::from(u32::try_from(sim.aws().requests(operation)).unwrap());
    for operation in ["DescribeTrails", "GetTrailStatus", "GetEventSelectors"] {
        let calls = asked(operation);
        assert!(
            (polls..=polls + 1.0).contains(&calls),
            "{operation}: {calls} in {polls} polls"
        );
    }
    assert_eq!(asked("AssumeRole"), 1.0);
    assert_eq!(asked("GetCallerIdentity"), 0.0);
    assert!(
        sim.aws().unexpected().is_empty(),
        "{:?}",
        sim.aws().unexpected()
    );
}

#[test]
fn a_session_is_narrowed_to_the_three_reading_actions() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let daemon = sim.daemon(CONFIG);
    daemon.ready();
    let assumptions = format!("{:?}", sim.aws().assumptions());
    for action in [
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:GetEventSelectors",
    ] {
        assert!(assumptions.contains(action), "{assumptions}");
    }
    assert_eq!(
        assumptions.matches("cloudtrail:").count(),
        3,
        "{assumptions}"
    );
}

#[test]
fn every_asked_region_costs_one_describe_trails() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let daemon = sim.daemon(
        "
poll: { interval: 1h, timeout: 5s }
accounts: [{ id: '111111111111', regions: [eu-west-1, eu-central-1] }]
",
    );
    daemon.ready();
    assert_eq!(sim.aws().requests("DescribeTrails"), 3);
    assert_eq!(sim.aws().requests("GetTrailStatus"), 1);
    let metrics = daemon.metrics();
    assert_eq!(
        metrics
            .all("cloudtrail_region_up", &[])
            .map(|(_, up)| up)
            .sum::<f64>(),
        3.0
    );
    assert_eq!(metrics.one("cloudtrail_account_trails", &[]), Some(1.0));
}

#[test]
fn scrapes_cause_no_calls() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let daemon =
        sim.daemon("poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111' }]");
    daemon.ready();
    let before = sim.aws().counts();
    for path in ["/metrics", "/", "/-/ready", "/-/healthy", "/nothing"].repeat(10) {
        daemon.get(path);
    }
    assert_eq!(format!("{:?}", sim.aws().counts()), format!("{before:?}"));
}
