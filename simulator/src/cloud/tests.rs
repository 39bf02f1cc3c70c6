//! Faults, the timeline and the tripwire, asked through a probe.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::Fault;
use crate::faults::Effect;
use crate::probe::Probe;

const ID: &str = "111111111111";
const WORLD: &str = r#"{accounts: [{id: "111111111111", trails: [{name: main}]}]}"#;

fn probe() -> Probe {
    let mut probe = Probe::new(WORLD);
    probe.enter(ID);
    probe
}

fn describe(probe: &mut Probe) -> Value {
    probe.cloudtrail("us-east-1", "DescribeTrails", &json!({}))
}

fn ask(effect: Effect) -> Answer {
    let mut probe = probe();
    probe.cloud.world.faults.push(Fault::always(effect));
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails";
    probe.ask("cloudtrail", "us-east-1", Some(target), "{}".to_owned())
}

fn reply(effect: Effect) -> (u16, String) {
    match ask(effect).outcome {
        Outcome::Reply(reply) => (
            reply.status,
            String::from_utf8(reply.body.to_vec()).unwrap(),
        ),
        other => panic!("{other:?}"),
    }
}

fn told(effect: Effect) -> (u16, Value) {
    let (status, body) = reply(effect);
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn a_denial_by_scp_says_so() {
    let (status, body) = told(Effect::ScpDenied);
    assert_eq!(
        (status, &body["__type"]),
        (400, &json!("AccessDeniedException"))
    );
    assert!(
        body["Message"]
            .as_str()
            .unwrap()
            .contains("explicit deny in a service control policy")
    );
}

#[test]
fn any_error_can_be_told() {
    let effect = Effect::Error {
        code: "NoManagementAccountSLRExistsException".to_owned(),
        message: "no role".to_owned(),
        status: 400,
    };
    assert_eq!(
        told(effect),
        (
            400,
            json!({"__type": "NoManagementAccountSLRExistsException", "message": "no role"})
        )
    );
}

#[test]
fn fields_can_be_null_or_missing() {
    let (_, body) = told(Effect::NullFields(vec!["TrailARN".to_owned()]));
    assert_eq!(
        (
            &body["trailList"][0]["TrailARN"],
            &body["trailList"][0]["Name"]
        ),
        (&Value::Null, &json!("main"))
    );
    let (_, body) = told(Effect::NullFields(Vec::new()));
    assert_eq!(body["trailList"][0]["IsMultiRegionTrail"], Value::Null);
    let (_, body) = told(Effect::DropFields(vec!["trailList".to_owned()]));
    assert_eq!(body, json!({}));
}

#[test]
fn a_body_can_be_empty_cut_garbage_or_a_page_of_a_proxy() {
    assert_eq!(told(Effect::EmptyObject), (200, json!({})));
    for effect in [Effect::Truncate, Effect::Malformed, Effect::Html(200)] {
        let (status, body) = reply(effect.clone());
        assert!(
            status == 200 && serde_json::from_str::<Value>(&body).is_err(),
            "{effect:?}: {body}"
        );
    }
    assert_eq!(reply(Effect::Status(503)), (503, String::new()));
}

#[test]
fn a_connection_can_hang_reset_or_close() {
    for (effect, outcome) in [
        (Effect::Hang, Outcome::Hang),
        (Effect::Reset, Outcome::Reset),
        (Effect::Close, Outcome::Close),
    ] {
        assert_eq!(ask(effect).outcome, outcome);
    }
}

#[test]
fn a_redirect_names_its_address() {
    let Outcome::Reply(reply) = ask(Effect::Redirect("http://127.0.0.1:1/".to_owned())).outcome
    else {
        panic!("no reply")
    };
    assert_eq!(reply.status, 307);
    assert!(
        reply
            .headers
            .contains(&("Location", "http://127.0.0.1:1/".to_owned()))
    );
}

#[test]
fn a_clock_offset_moves_the_date_and_refuses_signatures_of_our_time() {
    let answer = ask(Effect::ClockOffset("-10m".parse().unwrap()));
    let Outcome::Reply(reply) = answer.outcome else {
        panic!("no reply")
    };
    assert_eq!(answer.date + Duration::from_mins(10), probe().now);
    assert!(String::from_utf8_lossy(&reply.body).contains("Signature not yet current"));
}

#[test]
fn a_wrong_identity_is_given_credentials_of_the_other_account() {
    let mut probe = Probe::new(
        r#"{accounts: [{id: "111111111111"}, {id: "222222222222"}], faults: [{operations: [AssumeRole], effect: {wrong_identity: "222222222222"}}]}"#,
    );
    let (_, body) = probe
        .enter(ID)
        .sts("us-east-1", "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(body.contains("<Account>222222222222</Account>"));
}

#[test]
fn a_literal_answer_goes_out_as_it_stands() {
    let mut probe = Probe::new(
        r#"{accounts: [{id: "111111111111", answers: {DescribeTrails: {body: {trailList: 7}}}}]}"#,
    );
    assert_eq!(describe(probe.enter(ID)), json!({"trailList": 7}));
}

#[test]
fn an_action_no_auditor_needs_is_refused_and_remembered() {
    let mut probe = probe();
    let answer = probe.cloudtrail("us-east-1", "StopLogging", &json!({"Name": "main"}));
    assert_eq!(answer["__type"], "UnknownOperationException");
    let unexpected = probe.cloud.accounting.unexpected();
    assert_eq!(
        (unexpected.len(), &*unexpected[0].operation),
        (1, "StopLogging")
    );
}

#[test]
fn a_session_policy_bounds_what_a_session_may_do() {
    let policy = r#"&Policy={"Statement":[{"Effect":"Allow","Action":["cloudtrail:GetTrailStatus"],"Resource":"*"}]}"#;
    let mut probe = Probe::new(WORLD);
    let answer = describe(probe.enter_with(ID, policy));
    assert!(
        answer["Message"]
            .as_str()
            .unwrap()
            .contains("no session policy allows the cloudtrail:DescribeTrails action")
    );
    let status = probe.cloudtrail("us-east-1", "GetTrailStatus", &json!({"Name": "main"}));
    assert_eq!(status["IsLogging"], true);
    assert!(probe.cloud.accounting.assumptions()[0].policy.is_some());
}

#[test]
fn a_session_ends_after_the_length_of_the_world() {
    let mut probe = Probe::new(r#"{session_length: 20s, accounts: [{id: "111111111111"}]}"#);
    probe.enter(ID).later(Duration::from_secs(19));
    assert_eq!(describe(&mut probe), json!({"trailList": []}));
    probe.later(Duration::from_secs(1));
    assert_eq!(describe(&mut probe)["__type"], "ExpiredTokenException");
}

#[test]
fn more_than_the_quota_in_one_second_is_throttled() {
    let mut probe = Probe::new(r#"{requests_per_second: 2, accounts: [{id: "111111111111"}]}"#);
    probe.enter(ID);
    let throttled: Vec<bool> = (0..3)
        .map(|_| describe(&mut probe)["__type"] == "ThrottlingException")
        .collect();
    assert_eq!(throttled, [false, false, true]);
    probe.later(Duration::from_secs(1));
    assert_eq!(describe(&mut probe), json!({"trailList": []}));
}

#[test]
fn the_timeline_stops_a_trail_starts_it_again_and_goes_round() {
    let mut probe = Probe::new(
        r#"{accounts: [{id: "111111111111", trails: [{name: main}]}], changes: [
            {after: 45s, every: 6m, account: "111111111111", trail: main, set: {logging: false}},
            {after: 2m, every: 6m, account: "111111111111", trail: main, set: {logging: true}}]}"#,
    );
    probe.enter(ID);
    let mut logging_at = |seconds| {
        probe.now = std::time::UNIX_EPOCH + Duration::from_secs(crate::probe::START + seconds);
        let status = probe.cloudtrail("us-east-1", "GetTrailStatus", &json!({"Name": "main"}));
        (
            status["IsLogging"] == true,
            status["StopLoggingTime"].as_f64(),
        )
    };
    let stopped = Some(f64::from(u32::try_from(crate::probe::START + 45).unwrap()));
    assert_eq!(logging_at(44), (true, None));
    assert_eq!(
        logging_at(50),
        (false, stopped),
        "the stop has the time of the change, not of the question"
    );
    assert_eq!(logging_at(120), (true, stopped));
    assert!(!logging_at(6 * 60 + 45).0);
}

#[test]
fn a_change_by_hand_counts_its_ages_from_now() {
    let mut probe = probe();
    probe.later(Duration::from_mins(10));
    let now = probe.now;
    probe.cloud.change(now, |world| {
        let trail = world
            .account_mut(ID.parse().unwrap())
            .unwrap()
            .trail_mut("main")
            .unwrap();
        trail.deliveries.s3 = Some("9h ago".parse().unwrap());
    });
    let delivered = |probe: &mut Probe| {
        probe.cloudtrail("us-east-1", "GetTrailStatus", &json!({"Name": "main"}))["LatestDeliveryTime"].as_f64()
    };
    let then = f64::from(u32::try_from(crate::probe::START).unwrap());
    assert_eq!(delivered(&mut probe), Some(then + 600.0 - 9.0 * 3_600.0));
    assert_eq!(
        delivered(probe.later(Duration::from_mins(10))),
        Some(then + 600.0 - 9.0 * 3_600.0)
    );
}

#[test]
fn a_change_from_outside_is_all_or_nothing() {
    let mut probe = probe();
    let change: Change = serde_json::from_value(
        json!({"account": ID, "set": {"trails": [{"name": "x", "home_region": "cn-north-1"}]}}),
    )
    .unwrap();
    let now = probe.now;
    assert!(
        probe
            .cloud
            .apply(now, &change)
            .unwrap_err()
            .contains("not in partition aws")
    );
    assert_eq!(probe.trails("us-east-1"), ["main"]);
}

#[test]
fn a_change_from_outside_does_not_undo_what_fell_due_before_it() {
    let mut probe = Probe::new(
        r#"{accounts: [{id: "111111111111", trails: [{name: main}]}], changes: [{after: 5s, account: "111111111111", set: {name: renamed}}]}"#,
    );
    let now = probe.later(Duration::from_secs(6)).now;
    let change: Change =
        serde_json::from_value(json!({"account": ID, "trail": "main", "set": {"logging": false}}))
            .unwrap();
    probe.cloud.apply(now, &change).unwrap();
    assert_eq!(probe.cloud.world.name_of(ID.parse().unwrap()), "renamed");
}

#[test]
fn a_rule_put_in_by_hand_counts_from_its_own_beginning() {
    let mut probe = probe();
    let first = || Fault {
        first: Some(1),
        ..Fault::always(Effect::Throttle).on(&["DescribeTrails"])
    };
    for _ in 0..2 {
        let now = probe.now;
        probe.cloud.change(now, |world| world.faults.clear());
        probe.cloud.change(now, |world| world.faults.push(first()));
        assert_eq!(describe(&mut probe)["__type"], "ThrottlingException");
        assert_eq!(describe(&mut probe)["trailList"][0]["Name"], "main");
    }
}
