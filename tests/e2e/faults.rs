//! One fleet, one account for every way in which AWS can fail, and healthy ones among them: each has its own reason, and the healthy are on time.

use std::fmt::Write;

use crate::harness::eventually;
use crate::sim::{SECRET, Sim};

/// (what fails, the rule of the simulator, the reason told).
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "role refused",
        "operations: [AssumeRole], effect: access_denied",
        "access_denied",
    ),
    (
        "describe denied",
        "operations: [DescribeTrails], effect: access_denied",
        "access_denied",
    ),
    (
        "scp",
        "operations: [DescribeTrails], effect: scp_denied",
        "access_denied",
    ),
    (
        "throttled",
        "operations: [DescribeTrails], effect: throttle",
        "throttled",
    ),
    (
        "503",
        "operations: [DescribeTrails], effect: { status: 503 }",
        "server_error",
    ),
    (
        "500",
        "operations: [DescribeTrails], effect: { status: 500 }",
        "server_error",
    ),
    (
        "hang",
        "operations: [DescribeTrails], effect: hang",
        "timeout",
    ),
    (
        "hang in the body",
        "operations: [DescribeTrails], effect: hang_body",
        "timeout",
    ),
    (
        "drip",
        "operations: [DescribeTrails], effect: { drip: 500ms }",
        "timeout",
    ),
    (
        "reset",
        "operations: [DescribeTrails], effect: reset",
        "network",
    ),
    (
        "close",
        "operations: [DescribeTrails], effect: close",
        "network",
    ),
    (
        "truncated",
        "operations: [DescribeTrails], effect: truncate",
        "malformed",
    ),
    (
        "no json",
        "operations: [DescribeTrails], effect: malformed",
        "malformed",
    ),
    (
        "empty object",
        "operations: [DescribeTrails], effect: empty_object",
        "malformed",
    ),
    (
        "null list",
        "operations: [DescribeTrails], effect: { null_fields: [] }",
        "malformed",
    ),
    (
        "html 200",
        "operations: [DescribeTrails], effect: { html: 200 }",
        "malformed",
    ),
    (
        "206",
        "operations: [DescribeTrails], effect: { literal: { status: 206, body: { trailList: [] } } }",
        "malformed",
    ),
    (
        "list twice",
        r#"operations: [DescribeTrails], effect: { literal: { body: '{"trailList":[],"trailList":[]}' } }"#,
        "malformed",
    ),
    (
        "two documents",
        "operations: [DescribeTrails], effect: { literal: { body: '{\"trailList\":[]}{}' } }",
        "malformed",
    ),
    (
        "another partition",
        "operations: [DescribeTrails], effect: { literal: { body: { trailList: [{ IsMultiRegionTrail: true, \
         TrailARN: 'arn:aws-us-gov:cloudtrail:us-gov-west-1:100000000000:trail/main' }] } } }",
        "malformed",
    ),
    (
        "logging twice",
        r#"operations: [GetTrailStatus], effect: { literal: { body: '{"IsLogging":false,"\u0049sLogging":true}' } }"#,
        "malformed",
    ),
    (
        "session of 201",
        "operations: [AssumeRole], effect: { literal: { status: 201, body: <AssumeRoleResponse/> } }",
        "malformed",
    ),
    (
        "huge",
        "operations: [DescribeTrails], effect: { huge: 5000000 }",
        "malformed",
    ),
    (
        "redirect",
        "operations: [DescribeTrails], effect: { redirect: 'http://127.0.0.1:1/' }",
        "malformed",
    ),
    (
        "another account",
        "operations: [AssumeRole], effect: { wrong_identity: '999999999998' }",
        "wrong_account",
    ),
    (
        "status denied",
        "operations: [GetTrailStatus], effect: access_denied",
        "trail_status_unreadable",
    ),
    (
        "status throttled",
        "operations: [GetTrailStatus], effect: throttle",
        "throttled",
    ),
    (
        "status empty",
        "operations: [GetTrailStatus], effect: empty_object",
        "malformed",
    ),
    (
        "skew",
        "operations: [DescribeTrails], effect: { clock_offset: -20m }",
        "clock_skew",
    ),
    (
        "unknown code",
        "operations: [DescribeTrails], effect: { error: { code: SomethingNew, message: x, status: 400 } }",
        "other",
    ),
    (
        "not in the organization",
        "operations: [DescribeTrails], effect: { error: { code: NoManagementAccountSLRExistsException, message: x, status: 400 } }",
        "other",
    ),
    (
        "expired",
        "operations: [DescribeTrails], effect: { error: { code: ExpiredTokenException, message: x, status: 400 } }",
        "credentials",
    ),
    (
        "disabled",
        "operations: [DescribeTrails], effect: { error: { code: OptInRequired, message: x, status: 403 } }",
        "region_disabled",
    ),
    (
        "unknown key",
        "operations: [DescribeTrails], effect: { error: { code: UnrecognizedClientException, message: x, status: 400 } }",
        "credentials",
    ),
];

/// How many accounts with nothing wrong stand between them.
const HEALTHY: usize = 40;

fn id(place: usize) -> String {
    format!("{:012}", 100_000_000_000 + place)
}

fn world() -> String {
    let mut world = String::from("accounts:\n");
    for place in 0..FAULTS.len() + HEALTHY {
        writeln!(
            world,
            "  - {{ id: '{}', trails: [{{ name: main }}] }}",
            id(place)
        )
        .unwrap();
    }
    world.push_str("faults:\n");
    for (place, (name, rule, _)) in FAULTS.iter().enumerate() {
        writeln!(
            world,
            "  - {{ name: '{name}', accounts: ['{}'], {rule} }}",
            id(place)
        )
        .unwrap();
    }
    world
}

fn config() -> String {
    let mut config = String::from(
        "poll: { interval: 15s, timeout: 12s }\naws: { max_attempts: 1 }\naccounts:\n",
    );
    for place in 0..FAULTS.len() + HEALTHY {
        writeln!(config, "  - {{ id: '{}' }}", id(place)).unwrap();
    }
    config
}

#[test]
fn every_fault_has_its_reason_and_keeps_to_its_account() {
    let sim = Sim::start(&world());
    let daemon = sim.daemon(&config());
    daemon.ready();
    let metrics = daemon.metrics();
    for (place, (name, _, reason)) in FAULTS.iter().enumerate() {
        let told = metrics.verdict(&id(place));
        assert_eq!(told, ("unknown".into(), (*reason).into()), "{name}");
    }
    for place in FAULTS.len()..FAULTS.len() + HEALTHY {
        assert_eq!(
            metrics.verdict(&id(place)),
            ("compliant".into(), "ok".into())
        );
    }
    // A second round: the healthy stay fresh beside the failing.
    let fresh = |place: usize| metrics_after(&daemon.metrics(), &metrics, &id(place));
    eventually("every healthy account polled again", || {
        (FAULTS.len()..FAULTS.len() + HEALTHY)
            .all(fresh)
            .then_some(())
    });
    assert_eq!(sim.aws().unexpected().len(), 0);
    let log = daemon.log();
    assert!(!log.contains(SECRET), "no secret in the log");
    let denied = log.lines().filter(|l| l.contains(&id(0))).count();
    assert_eq!(
        denied, 1,
        "one line per change of state, not one per failure"
    );
}

fn metrics_after(
    now: &crate::harness::Samples,
    before: &crate::harness::Samples,
    id: &str,
) -> bool {
    let at = |metrics: &crate::harness::Samples| {
        metrics.one(
            "cloudtrail_account_last_success_timestamp_seconds",
            &[("account_id", id)],
        )
    };
    at(now) > at(before)
}
