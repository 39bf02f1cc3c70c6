//! What AWS may answer: one account for each row, all in one process.

use crate::expected::{
    and, hidden, lapsed, lapsed_but_present, lapsed_for, lines, trail, uncovered,
};

/// An account, what happens to it, and what `/metrics` says of it then.
pub struct Row {
    pub name: &'static str,
    /// The account in the world, before: its keys beside `id`.
    pub account: &'static str,
    /// The account in the configuration: its keys beside `id`.
    pub config: &'static str,
    /// The rules that pick its requests during the fault.
    pub faults: Vec<String>,
    /// The account in the world during the fault, where it changes.
    pub changed: Option<&'static str>,
    /// The state and reason during the fault.
    pub verdict: (&'static str, &'static str),
    /// The exact difference during the fault.
    pub difference: Vec<String>,
    /// What is left of it afterwards.
    pub left: Vec<String>,
}

const HEALTHY: &str = "trails: [{ name: main }]";

fn row(name: &'static str, verdict: (&'static str, &'static str)) -> Row {
    Row {
        name,
        account: HEALTHY,
        config: "",
        faults: Vec::new(),
        changed: None,
        verdict,
        difference: Vec::new(),
        left: Vec::new(),
    }
}

/// `DescribeTrails` fails in one way.
fn describe(name: &'static str, effect: &str, reason: &'static str) -> Row {
    Row {
        faults: vec![rule("DescribeTrails", effect)],
        difference: lapsed("DescribeTrails", reason),
        ..row(name, ("unknown", reason))
    }
}

/// `AssumeRole` fails in one way, and every session ends at once.
fn assume(name: &'static str, effect: &str, reason: &'static str) -> Row {
    Row {
        faults: vec![rule("AssumeRole", effect), expired()],
        difference: lapsed("AssumeRole", reason),
        ..row(name, ("unknown", reason))
    }
}

/// `GetTrailStatus` fails in one way.
fn status(name: &'static str, effect: &str, reason: &'static str, cause: &'static str) -> Row {
    Row {
        faults: vec![rule("GetTrailStatus", effect)],
        difference: lapsed_but_present(reason, &[("GetTrailStatus", cause)]),
        ..row(name, ("unknown", reason))
    }
}

/// `GetEventSelectors` fails: the verdict stands without it.
fn selectors(name: &'static str, effect: &str, cause: &str) -> Row {
    let proof = [
        "- account_check{check=management_events} 1",
        "- account_management_events{kind=read} 1",
        "- account_management_events{kind=write} 1",
        "- trail_management_events{kind=read,trail=us-east-1/main} 1",
        "- trail_management_events{kind=write,trail=us-east-1/main} 1",
    ];
    let call = crate::expected::failing("GetEventSelectors", cause);
    Row {
        faults: vec![rule("GetEventSelectors", effect)],
        difference: and(lines(&proof), &[&call]),
        ..row(name, ("compliant", "ok"))
    }
}

/// The world changes and AWS says so.
fn changed(
    name: &'static str,
    to: &'static str,
    verdict: (&'static str, &'static str),
    difference: Vec<String>,
) -> Row {
    Row {
        changed: Some(to),
        difference,
        ..row(name, verdict)
    }
}

pub fn rows() -> Vec<Row> {
    [
        describe_errors(),
        describe_answers(),
        envelope_rows(),
        session_rows(),
        status_rows(),
        closed_region_rows(),
        selector_rows(),
        world_rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn describe_errors() -> Vec<Row> {
    vec![
        describe("denied", "access_denied", "access_denied"),
        describe("denied by an SCP", "scp_denied", "access_denied"),
        describe("throttled", "throttle", "throttled"),
        describe("429 without a body", "{ status: 429 }", "throttled"),
        describe("500", "{ status: 500 }", "server_error"),
        describe("503", "{ status: 503 }", "server_error"),
        describe("502 from a gateway", "{ html: 502 }", "server_error"),
        describe(
            "InternalFailure",
            "{ error: { code: InternalFailure, status: 500 } }",
            "server_error",
        ),
        describe("403 from a proxy", "{ html: 403 }", "other"),
        describe(
            "a code nobody documents",
            "{ error: { code: SomethingNew } }",
            "other",
        ),
        describe(
            "no service-linked role",
            "{ error: { code: NoManagementAccountSLRExistsException } }",
            "other",
        ),
        describe("hangs before the head", "hang", "timeout"),
        describe("hangs in the body", "hang_body", "timeout"),
        describe("drips", "{ drip: 500ms }", "timeout"),
        describe(
            "latency over the deadline",
            "{ latency: { base: 20s } }",
            "timeout",
        ),
        describe("reset", "reset", "network"),
        describe("closed", "close", "network"),
    ]
}

fn describe_answers() -> Vec<Row> {
    vec![
        describe("cut in the body", "cut_body", "malformed"),
        describe("half a document", "truncate", "malformed"),
        describe("no document", "malformed", "malformed"),
        describe("an empty object", "empty_object", "malformed"),
        describe(
            "a null list",
            "{ literal: { body: { trailList: null } } }",
            "malformed",
        ),
        describe(
            "a number for a list",
            "{ literal: { body: { trailList: 7 } } }",
            "malformed",
        ),
        describe(
            "an array for an object",
            "{ literal: { body: [] } }",
            "malformed",
        ),
        describe(
            "entries without a multi-Region flag",
            "{ drop_fields: [IsMultiRegionTrail] }",
            "malformed",
        ),
        describe(
            "entries without an ARN",
            "{ drop_fields: [TrailARN] }",
            "malformed",
        ),
        describe("null fields", "{ null_fields: [] }", "malformed"),
        describe("over the size limit", "{ huge: 5000000 }", "malformed"),
        describe("200 from a proxy", "{ html: 200 }", "malformed"),
        describe(
            "a redirect",
            "{ redirect: 'http://127.0.0.1:1/' }",
            "malformed",
        ),
        describe("clock refused", "{ clock_offset: -20m }", "clock_skew"),
        describe(
            "RequestExpired",
            "{ error: { code: RequestExpired } }",
            "clock_skew",
        ),
        describe(
            "token expired again and again",
            "{ error: { code: ExpiredTokenException } }",
            "credentials",
        ),
        describe(
            "unknown key",
            "{ error: { code: UnrecognizedClientException } }",
            "credentials",
        ),
        describe(
            "wrong signature",
            "{ error: { code: SignatureDoesNotMatch, status: 403 } }",
            "credentials",
        ),
        Row {
            // A disabled Region is an answer, not a failure.
            difference: lapsed_for("region_disabled", &[]),
            ..describe(
                "Region not enabled",
                "{ error: { code: OptInRequired, status: 403 } }",
                "region_disabled",
            )
        },
    ]
}

/// An answer is status 200 with one JSON object in which no key stands twice.
fn envelope_rows() -> Vec<Row> {
    let describes = [
        (
            "A8 the list twice",
            r#"{ body: '{"trailList":[],"trailList":[]}' }"#,
        ),
        (
            "A8 the list twice, once escaped",
            r#"{ body: '{"trailList":[],"trail\u004cist":[]}' }"#,
        ),
        (
            "A8 two documents",
            r#"{ body: '{"trailList":[]} {"trailList":[]}' }"#,
        ),
        ("A8 created", "{ status: 201, body: { trailList: [] } }"),
        ("A8 accepted", "{ status: 202, body: { trailList: [] } }"),
        (
            "A8 partial content",
            "{ status: 206, body: { trailList: [] } }",
        ),
        ("A8 nothing", "{ body: '' }"),
        ("A8 a trail of another partition", FOREIGN),
    ];
    let describes = describes
        .map(|(name, answer)| describe(name, &format!("{{ literal: {answer} }}"), "malformed"));
    let twice = r#"{ literal: { body: '{"IsLogging":false,"IsLogging":true}' } }"#;
    let created = "{ literal: { status: 201, body: { IsLogging: true } } }";
    let lists = r#"{ literal: { body: '{"EventSelectors":[],"EventSelectors":[]}' } }"#;
    let others = [
        status("A8 IsLogging twice", twice, "malformed", "malformed"),
        status("A8 status created", created, "malformed", "malformed"),
        selectors("A8 selectors twice", lists, "malformed"),
    ];
    describes.into_iter().chain(others).collect()
}

const FOREIGN_SESSION: &str = "{ wrong_identity: '999999999998' }";
const FOREIGN: &str = "{ body: { trailList: [{ Name: main, HomeRegion: us-east-1, \
    TrailARN: 'arn:aws-us-gov:cloudtrail:us-east-1:111111111111:trail/main', \
    IsMultiRegionTrail: true, S3BucketName: x }] } }";

fn session_rows() -> Vec<Row> {
    vec![
        assume("role refused", "access_denied", "access_denied"),
        assume("role throttled", "throttle", "throttled"),
        assume("role 503", "{ status: 503 }", "server_error"),
        assume("role hangs", "hang", "timeout"),
        assume("role closed", "close", "network"),
        assume("role without a document", "malformed", "malformed"),
        assume("role in HTML", "{ html: 200 }", "malformed"),
        Row {
            faults: vec![rule("AssumeRole", FOREIGN_SESSION), expired()],
            difference: hidden(),
            ..row(
                "A9 sessions of another account",
                ("unknown", "wrong_account"),
            )
        },
        Row {
            // The next poll asks again.
            faults: vec![
                format!("{}, first: 1", rule("AssumeRole", FOREIGN_SESSION)),
                format!("{}, first: 1", expired()),
            ],
            ..row(
                "A9 one session of another account",
                ("unknown", "wrong_account"),
            )
        },
    ]
}

/// A rule for one operation.
fn rule(operation: &str, effect: &str) -> String {
    format!("operations: [{operation}], effect: {effect}")
}

/// Makes the exporter ask for another session in the next poll.
fn expired() -> String {
    rule(
        "DescribeTrails",
        "{ error: { code: ExpiredTokenException } }",
    )
}

fn status_rows() -> Vec<Row> {
    vec![
        status(
            "status denied",
            "access_denied",
            "trail_status_unreadable",
            "access_denied",
        ),
        status(
            "status of a trail not found",
            "{ error: { code: TrailNotFoundException } }",
            "trail_status_unreadable",
            "other",
        ),
        status("status throttled", "throttle", "throttled", "throttled"),
        status(
            "status 503",
            "{ status: 503 }",
            "server_error",
            "server_error",
        ),
        status("status hangs", "hang", "timeout", "timeout"),
        status("status reset", "reset", "network", "network"),
        status("status empty", "empty_object", "malformed", "malformed"),
        status(
            "status without IsLogging",
            "{ drop_fields: [IsLogging] }",
            "malformed",
            "malformed",
        ),
        status(
            "status with IsLogging null",
            "{ null_fields: [IsLogging] }",
            "malformed",
            "malformed",
        ),
        status(
            "status says IsLogging in words",
            "{ literal: { body: { IsLogging: 'true' } } }",
            "malformed",
            "malformed",
        ),
    ]
}

/// The home Region of the trail is closed, another one that is asked is open.
fn closed(name: &'static str, effect: &str, cause: &'static str) -> Row {
    let selectors = selectors("", "", cause).difference;
    Row {
        config: OTHER_REGION,
        faults: vec![format!(
            "services: [cloudtrail], regions: [us-east-1], effect: {effect}"
        )],
        difference: and(
            selectors,
            &[
                &crate::expected::failing("DescribeTrails", cause),
                &crate::expected::failing("GetTrailStatus", cause),
                "~ region_up{aws_region=us-east-1} 1 -> 0",
            ],
        ),
        ..row(name, ("compliant", "ok"))
    }
}

/// `GetTrailStatus` alone fails in the home Region, and the other Region answers instead of it.
fn elsewhere(name: &'static str, effect: &str, cause: &'static str) -> Row {
    Row {
        config: OTHER_REGION,
        faults: vec![format!(
            "operations: [GetTrailStatus], regions: [us-east-1], effect: {effect}"
        )],
        difference: lines(&[&crate::expected::failing("GetTrailStatus", cause)]),
        ..row(name, ("compliant", "ok"))
    }
}

/// The same after a failure that asks for no second opinion.
fn not_elsewhere(
    name: &'static str,
    effect: &str,
    reason: &'static str,
    cause: &'static str,
) -> Row {
    Row {
        config: OTHER_REGION,
        faults: vec![format!(
            "operations: [GetTrailStatus], regions: [us-east-1], effect: {effect}"
        )],
        ..status(name, effect, reason, cause)
    }
}

const OTHER_REGION: &str = "regions: [eu-west-1]";

fn closed_region_rows() -> Vec<Row> {
    let not_found = "{ error: { code: TrailNotFoundException } }";
    let unreadable = "trail_status_unreadable";
    let stopped = "trails: [{ name: main, logging: false }]";
    vec![
        closed(
            "A7 home Region denied by an SCP",
            "scp_denied",
            "access_denied",
        ),
        closed("A7 home Region resets", "reset", "network"),
        elsewhere(
            "A7 status denied, answered elsewhere",
            "scp_denied",
            "access_denied",
        ),
        elsewhere("A7 status hangs, answered elsewhere", "hang", "timeout"),
        elsewhere("A7 status closed, answered elsewhere", "close", "network"),
        not_elsewhere(
            "A7 status throttled, not asked elsewhere",
            "throttle",
            "throttled",
            "throttled",
        ),
        not_elsewhere(
            "A7 status not found, not asked elsewhere",
            not_found,
            unreadable,
            "other",
        ),
        not_elsewhere(
            "A7 status 503, not asked elsewhere",
            "{ status: 503 }",
            "server_error",
            "server_error",
        ),
        Row {
            changed: Some(stopped),
            verdict: ("non_compliant", "not_logging"),
            difference: stopped_elsewhere(),
            ..closed(
                "A7 home Region denied, stopped elsewhere",
                "scp_denied",
                "access_denied",
            )
        },
    ]
}

fn stopped_elsewhere() -> Vec<String> {
    let failing = |call| crate::expected::failing(call, "access_denied");
    uncovered(
        "not_logging",
        &[
            &failing("DescribeTrails"),
            &failing("GetEventSelectors"),
            &failing("GetTrailStatus"),
            "+ trail_logging_stopped_timestamp_seconds{trail=us-east-1/main} *",
            "- trail_management_events{kind=read,trail=us-east-1/main} 1",
            "- trail_management_events{kind=write,trail=us-east-1/main} 1",
            "~ region_up{aws_region=us-east-1} 1 -> 0",
            "~ trail_logging{trail=us-east-1/main} 1 -> 0",
        ],
    )
}

fn selector_rows() -> Vec<Row> {
    vec![
        selectors("selectors denied", "access_denied", "access_denied"),
        selectors("selectors throttled", "throttle", "throttled"),
        selectors("selectors empty", "empty_object", "malformed"),
        selectors("selectors hang", "hang", "timeout"),
        selectors("selectors 500", "{ status: 500 }", "server_error"),
    ]
}

fn world_rows() -> Vec<Row> {
    vec![
        changed(
            "the trail is stopped",
            "trails: [{ name: main, logging: false }]",
            ("non_compliant", "not_logging"),
            uncovered(
                "not_logging",
                &[
                    "+ trail_logging_stopped_timestamp_seconds{trail=us-east-1/main} *",
                    "~ trail_logging{trail=us-east-1/main} 1 -> 0",
                ],
            ),
        ),
        changed(
            "the trail is deleted",
            "trails: []",
            ("non_compliant", "no_trail"),
            deleted(),
        ),
        changed(
            "the trail is narrowed to a Region",
            "trails: [{ name: main, multi_region: false }]",
            ("non_compliant", "no_multi_region_trail"),
            uncovered(
                "no_multi_region_trail",
                &[
                    "~ account_check{check=multi_region_trail} 1 -> 0",
                    "~ account_multi_region_trails 1 -> 0",
                    "~ trail_multi_region{trail=us-east-1/main} 1 -> 0",
                ],
            ),
        ),
        changed(
            "the bucket is gone",
            "trails: [{ name: main, errors: { s3: NoSuchBucket } }]",
            ("compliant", "ok"),
            lines(&[
                "+ trail_delivery_error_info{code=NoSuchBucket,destination=s3,\
                trail=us-east-1/main} 1",
                "~ account_check{check=delivery} 1 -> 0",
                "~ trail_delivery_failing{destination=s3,trail=us-east-1/main} 0 -> 1",
            ]),
        ),
        changed(
            "selectors are narrowed to writes",
            "trails: [{ name: main, selectors: write_only }]",
            ("compliant", "ok"),
            lines(&[
                "~ account_check{check=management_events} 1 -> 0",
                "~ account_management_events{kind=read} 1 -> 0",
                "~ trail_management_events{kind=read,trail=us-east-1/main} 1 -> 0",
            ]),
        ),
        changed(
            "a second trail appears",
            "trails: [{ name: main }, { name: other, home_region: eu-west-1 }]",
            ("compliant", "ok"),
            second_trail(),
        ),
        changed(
            "delivery times beyond all time",
            "trails: [{ name: main, status_patch: { LatestDeliveryTime: 1e308, \
LatestDigestDeliveryTime: -1e12 } }]",
            ("compliant", "ok"),
            lines(&[
                "- account_check{check=delivery} 1",
                "- trail_last_delivery_age_seconds{destination=s3,trail=us-east-1/main} *",
                "- trail_last_delivery_timestamp_seconds{destination=s3,trail=us-east-1/main} *",
            ]),
        ),
    ]
}

fn deleted() -> Vec<String> {
    let mut all = uncovered(
        "no_trail",
        &[
            "- trail_management_events{kind=read,trail=us-east-1/main} 1",
            "- trail_management_events{kind=write,trail=us-east-1/main} 1",
            "~ account_check{check=multi_region_trail} 1 -> 0",
            "~ account_multi_region_trails 1 -> 0",
            "~ account_trails 1 -> 0",
        ],
    );
    all.extend(trail("-", "us-east-1/main"));
    and(all, &[])
}

fn second_trail() -> Vec<String> {
    and(
        trail("+", "eu-west-1/other"),
        &[
            "+ account_evidence_info{trail=eu-west-1/other} 1",
            "+ trail_management_events{kind=read,trail=eu-west-1/other} 1",
            "+ trail_management_events{kind=write,trail=eu-west-1/other} 1",
            "- account_evidence_info{trail=us-east-1/main} 1",
            "~ account_logging_multi_region_trails 1 -> 2",
            "~ account_multi_region_trails 1 -> 2",
            "~ account_trails 1 -> 2",
        ],
    )
}
