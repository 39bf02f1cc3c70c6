//! A trail whose home Region is closed for every call of CloudTrail, as a policy that denies Regions
//! closes it: its shadow copy in another asked Region tells whether it is logging.

use crate::harness::{Daemon, eventually};
use crate::sim::Sim;

const MANAGEMENT: &str = "210000000001";
const MEMBER: &str = "222222222222";
const SINGLE: &str = "111111111111";
const WORLD: &str = "
organization: { management_account: '210000000001' }
accounts:
  - id: '210000000001'
    trails: [{ name: everything, organization: true, home_region: us-east-1 }]
  - { id: '222222222222' }
  - { id: '111111111111', standalone: true, trails: [{ name: main, home_region: us-east-1 }] }
faults:
  - name: deny
    accounts: ['111111111111', '222222222222']
    services: [cloudtrail]
    regions: [us-east-1]
    effect: scp_denied
";
/// The Region that is open, asked alone and beside the closed one.
const LAYOUTS: [&str; 2] = [
    "aws: { region: eu-west-1 }",
    "aws: { region: us-east-1 }\ndefaults: { regions: [eu-west-1] }",
];

fn config(layout: &str, interval: &str, timeout: &str) -> String {
    format!(
        "
poll: {{ interval: {interval}, timeout: {timeout}, stale_after: 2h }}
{layout}
accounts: [{{ id: '{SINGLE}' }}, {{ id: '{MEMBER}' }}]
"
    )
}

fn verdict(daemon: &Daemon, id: &str) -> (String, String) {
    daemon.metrics().verdict(id)
}

fn stop(sim: &Sim, id: &str, trail: &str) {
    sim.aws().change(|world| {
        let account = world.account_mut(id.parse().unwrap()).unwrap();
        account.trail_mut(trail).unwrap().logging = false;
    });
}

#[test]
fn the_shadow_copy_is_asked_once_where_the_home_region_is_closed() {
    for layout in LAYOUTS {
        let sim = Sim::start(WORLD);
        let daemon = sim.daemon(&config(layout, "1h", "10s"));
        daemon.ready();
        for id in [SINGLE, MEMBER] {
            let told = verdict(&daemon, id);
            assert_eq!(told, ("compliant".into(), "ok".into()), "{layout}: {id}");
            let metrics = daemon.metrics();
            let logging = metrics.one("cloudtrail_trail_logging", &[("account_id", id)]);
            assert_eq!(logging, Some(1.0), "{layout}: {id}");
            for (operation, region, times) in [
                ("GetTrailStatus", "us-east-1", 1),
                ("GetTrailStatus", "eu-west-1", 1),
                ("GetEventSelectors", "us-east-1", 1),
                ("GetEventSelectors", "eu-west-1", 0),
                ("DescribeTrails", "eu-west-1", 1),
            ] {
                let asked = requests(&sim, operation, id, region);
                assert_eq!(asked, times, "{layout}: {id} {operation} {region}");
            }
        }
        assert!(sim.aws().unexpected().is_empty());
    }
}

fn requests(sim: &Sim, operation: &str, id: &str, region: &str) -> u64 {
    let account = id.parse().ok();
    let counts = sim.aws().counts();
    let fits = counts.iter().filter(|count| {
        count.operation == operation && count.account == account && count.region == region
    });
    fits.map(|count| count.requests).sum()
}

#[test]
fn a_trail_whose_shadow_copy_says_stopped_is_not_logging() {
    for layout in LAYOUTS {
        let sim = Sim::start(WORLD);
        let daemon = sim.daemon(&config(layout, "3s", "3s"));
        daemon.ready();
        stop(&sim, SINGLE, "main");
        stop(&sim, MANAGEMENT, "everything");
        let stopped = ("non_compliant".to_owned(), "not_logging".to_owned());
        for id in [SINGLE, MEMBER] {
            eventually("it is told", || {
                (verdict(&daemon, id) == stopped).then_some(())
            });
        }
    }
}
