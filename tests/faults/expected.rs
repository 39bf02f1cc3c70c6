//! The differences that many rows share, written once. Each is the exact list of lines, for an
//! account with the trail `main` as the simulator makes it.

/// What an all-clear stands on: gone when it lapses.
const PROOF: [&str; 9] = [
    "- account_check{check=delivery} 1",
    "- account_check{check=logging} 1",
    "- account_check{check=management_events} 1",
    "- account_check{check=multi_region_trail} 1",
    "- account_evidence_info{trail=us-east-1/main} 1",
    "- account_management_events{kind=read} 1",
    "- account_management_events{kind=write} 1",
    "- trail_management_events{kind=read,trail=us-east-1/main} 1",
    "- trail_management_events{kind=write,trail=us-east-1/main} 1",
];

pub fn lines(all: &[&str]) -> Vec<String> {
    let mut lines: Vec<_> = all.iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}

pub fn and(mut some: Vec<String>, more: &[&str]) -> Vec<String> {
    some.extend(more.iter().map(ToString::to_string));
    some.sort();
    some
}

pub fn without(mut some: Vec<String>, less: &[&str]) -> Vec<String> {
    for line in less {
        let before = some.len();
        some.retain(|l| l != line);
        assert!(some.len() < before, "no such line: {line}");
    }
    some
}

fn verdict(from: (&str, &str), to: (&str, &str)) -> Vec<String> {
    let mut lines = vec![
        format!("- account_compliance_reason{{reason={}}} 1", from.1),
        format!("+ account_compliance_reason{{reason={}}} 1", to.1),
    ];
    if from.0 != to.0 {
        lines.push(format!("~ account_compliance{{state={}}} 1 -> 0", from.0));
        lines.push(format!("~ account_compliance{{state={}}} 0 -> 1", to.0));
    }
    lines
}

pub fn failing(operation: &str, reason: &str) -> String {
    format!("+ account_call_failing{{operation={operation},reason={reason}}} 1")
}

/// An all-clear has lapsed: polls fail in this call for this reason.
pub fn lapsed(operation: &str, reason: &str) -> Vec<String> {
    lapsed_for(reason, &[(operation, reason)])
}

/// The same, with the reason of the verdict apart from those of the calls.
pub fn lapsed_for(reason: &str, calls: &[(&str, &str)]) -> Vec<String> {
    let mut lines = verdict(("compliant", "ok"), ("unknown", reason));
    lines.extend(PROOF.iter().map(ToString::to_string));
    lines.push("~ account_up 1 -> 0".to_owned());
    lines.extend(
        calls
            .iter()
            .map(|(operation, reason)| failing(operation, reason)),
    );
    lines.sort();
    lines
}

/// What `DescribeTrails` and `GetEventSelectors` prove stays, because they answer.
pub fn lapsed_but_present(reason: &str, calls: &[(&str, &str)]) -> Vec<String> {
    let still = [
        "- account_check{check=multi_region_trail} 1",
        "- trail_management_events{kind=read,trail=us-east-1/main} 1",
        "- trail_management_events{kind=write,trail=us-east-1/main} 1",
    ];
    without(lapsed_for(reason, calls), &still)
}

/// A held alarm: polls fail, nothing else changes.
pub fn held(operation: &str, reason: &str) -> Vec<String> {
    let mut lines = vec![failing(operation, reason), "~ account_up 1 -> 0".to_owned()];
    lines.sort();
    lines
}

/// The same of an account whose trail is stopped: what its trail still proved lapses.
pub fn held_stopped(operation: &str, reason: &str) -> Vec<String> {
    let proof = [
        "- account_check{check=multi_region_trail} 1",
        "- trail_management_events{kind=read,trail=us-east-1/main} 1",
        "- trail_management_events{kind=write,trail=us-east-1/main} 1",
    ];
    and(held(operation, reason), &proof)
}

/// An account that became non-compliant, by the lines of its own.
pub fn became(reason: &str, more: &[&str]) -> Vec<String> {
    and(
        verdict(("compliant", "ok"), ("non_compliant", reason)),
        more,
    )
}

/// An account whose credentials are another's publishes nothing but that.
pub fn hidden() -> Vec<String> {
    let mut lines = and(
        verdict(("compliant", "ok"), ("unknown", "wrong_account")),
        &["~ account_up 1 -> 0"],
    );
    lines.extend(PROOF.iter().map(ToString::to_string));
    lines.extend(trail("-", "us-east-1/main"));
    and(and(lines, &FACTS), &POLL)
}

/// Counts and failed checks of an account.
const FACTS: [&str; 7] = [
    "- account_check{check=cloudwatch_logs} 0",
    "- account_check{check=kms_encryption} 0",
    "- account_check{check=log_file_validation} 0",
    "- account_logging_multi_region_trails 1",
    "- account_multi_region_trails 1",
    "- account_organization_trails 0",
    "- account_trails 1",
];
/// When an account was polled, and since when its state holds.
const POLL: [&str; 3] = [
    "- account_last_poll_timestamp_seconds *",
    "- account_last_success_timestamp_seconds *",
    "- account_poll_duration_seconds *",
];
/// The facts of the trail, but for its management events.
const TRAIL: [&str; 11] = [
    "trail_cloudwatch_logs{ARN} 0",
    "trail_delivery_failing{destination=s3,ARN} 0",
    "trail_info{kms_key_id=,log_group_arn=,owner_account_id=ID,\
     s3_bucket=cloudtrail-logs-ID,sns_topic_arn=,ARN} 1",
    "trail_kms_encryption{ARN} 0",
    "trail_last_delivery_age_seconds{destination=s3,ARN} *",
    "trail_last_delivery_timestamp_seconds{destination=s3,ARN} *",
    "trail_log_file_validation{ARN} 0",
    "trail_logging_started_timestamp_seconds{ARN} *",
    "trail_logging{ARN} 1",
    "trail_multi_region{ARN} 1",
    "trail_organization{ARN} 0",
];

/// All series of a trail, appearing (`+`) or vanishing (`-`), but for its management events.
pub fn trail(sign: &str, name: &str) -> Vec<String> {
    let arn = format!("trail={name}");
    let lines = TRAIL
        .iter()
        .map(|line| format!("{sign} {}", line.replace("ARN", &arn)));
    lines.collect()
}

/// No trail covers the account any more.
pub fn uncovered(reason: &str, more: &[&str]) -> Vec<String> {
    let lines = [
        "- account_evidence_info{trail=us-east-1/main} 1",
        "~ account_check{check=delivery} 1 -> 0",
        "~ account_check{check=logging} 1 -> 0",
        "~ account_check{check=management_events} 1 -> 0",
        "~ account_logging_multi_region_trails 1 -> 0",
        "~ account_management_events{kind=read} 1 -> 0",
        "~ account_management_events{kind=write} 1 -> 0",
    ];
    and(became(reason, &lines), more)
}

/// An account of which nothing was ever known, beside one that is compliant.
pub fn never_known(operation: &str, reason: &str) -> Vec<String> {
    let mut lines = lapsed(operation, reason);
    lines.extend(trail("-", "us-east-1/main"));
    let unpolled = ["- account_last_success_timestamp_seconds *"];
    and(and(lines, &FACTS), &unpolled)
}
