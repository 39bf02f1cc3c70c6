//! What time does to a verdict: an all-clear decays, an alarm stays, and only fresh evidence changes either.

use aws_simulator::{Effect, Fault};

use crate::harness::eventually;
use crate::sim::Sim;

const WORLD: &str = "
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222', trails: [{ name: main, logging: false }] }
";
const CONFIG: &str = "
poll: { interval: 1s, timeout: 1s, stale_after: 3s }
aws: { max_attempts: 1 }
accounts: [{ id: '111111111111' }, { id: '222222222222' }]
";

#[test]
fn an_outage_neither_resolves_an_alarm_nor_keeps_an_all_clear() {
    let sim = Sim::start(WORLD);
    let daemon = sim.daemon(CONFIG);
    daemon.ready();
    let verdict = |id| daemon.metrics().verdict(id);
    assert_eq!(verdict("111111111111"), ("compliant".into(), "ok".into()));
    assert_eq!(
        verdict("222222222222"),
        ("non_compliant".into(), "not_logging".into())
    );

    sim.aws()
        .change(|world| world.faults.push(Fault::always(Effect::Status(503))));
    eventually("the all-clear decays", || {
        (verdict("111111111111").0 == "unknown").then_some(())
    });
    assert_eq!(verdict("111111111111").1, "server_error");
    assert_eq!(
        verdict("222222222222"),
        ("non_compliant".into(), "not_logging".into())
    );
    let metrics = daemon.metrics();
    let account = [("account_id", "222222222222")];
    assert_eq!(metrics.one("cloudtrail_account_up", &account), Some(0.0));
    assert_eq!(
        metrics.one("cloudtrail_account_multi_region_trails", &account),
        Some(1.0),
        "counts stay as last proven"
    );
    assert_eq!(
        metrics.one("cloudtrail_trail_logging", &account),
        Some(0.0),
        "facts stay as last proven"
    );

    sim.aws().change(|world| {
        world.faults.clear();
        let id = "222222222222".parse().unwrap();
        world
            .account_mut(id)
            .unwrap()
            .trail_mut("main")
            .unwrap()
            .logging = true;
    });
    eventually("fresh evidence clears both", || {
        let clear = ["111111111111", "222222222222"].map(|id| verdict(id).0 == "compliant");
        (clear == [true, true]).then_some(())
    });
}

#[test]
fn delivery_age_grows_between_polls() {
    let sim = Sim::start(
        "accounts: [{ id: '111111111111', trails: [{ name: main, deliveries: { s3: 9h ago } }] }]",
    );
    let daemon =
        sim.daemon("poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111' }]");
    daemon.ready();
    let age = || {
        daemon
            .metrics()
            .one(
                "cloudtrail_trail_last_delivery_age_seconds",
                &[("destination", "s3")],
            )
            .unwrap()
    };
    let first = age();
    assert!((32_400.0..32_460.0).contains(&first), "{first}");
    eventually("a second later", || (age() >= first + 1.0).then_some(()));
    assert_eq!(sim.aws().requests("GetTrailStatus"), 1);
}
