//! The families about accounts, in the order of the contract.

use super::column::Column;
use super::family::{Family, Read};
use crate::compliance::standing::EventKind;
use crate::compliance::{Check, State};
use crate::snapshot::AccountState;
use crate::timestamp::Timestamp;

/// Every family about accounts.
pub static FAMILIES: &[Family] = &[
    gauge(
        "cloudtrail_account_info",
        &["partition", "source", "organizational_unit"],
        "1 for every account this exporter is responsible for, with what it was told of it.",
        info,
    )
    .even_of_wrong_accounts(),
    gauge(
        "cloudtrail_account_up",
        &[],
        "1 if the last poll determined the verdict from fresh evidence, 0 if not (cached from the last poll).",
        up,
    )
    .even_of_wrong_accounts(),
    gauge(
        "cloudtrail_account_call_failing",
        &["operation", "reason"],
        "1 for each kind of AWS call whose failure is in the last poll (cached from the last poll).",
        call_failing,
    ),
    gauge(
        "cloudtrail_account_compliance",
        &["state"],
        "1 for the one state the account is in, 0 for the others (cached from the last poll; decays to unknown at scrape time).",
        compliance,
    )
    .even_of_wrong_accounts(),
    gauge(
        "cloudtrail_account_compliance_reason",
        &["reason"],
        "1, labelled with why the account is in its state (cached from the last poll).",
        compliance_reason,
    )
    .even_of_wrong_accounts(),
    gauge(
        "cloudtrail_account_compliance_since_timestamp_seconds",
        &[],
        "When the account's state began: its first proof, AWS's stop time where no trail logs, or the lapse of the last proof (cached from the last poll).",
        compliance_since,
    )
    .even_of_wrong_accounts(),
    gauge(
        "cloudtrail_account_check",
        &["check"],
        "1 if the account passes the check, 0 if it fails, absent while unknown (cached from the last poll).",
        check,
    ),
    gauge(
        "cloudtrail_account_evidence_info",
        &["trail_arn"],
        "1 for the trail that satisfies the rule, absent while none does (cached from the last poll).",
        evidence_info,
    ),
    gauge(
        "cloudtrail_account_trails",
        &[],
        "Distinct trails visible to the account (cached from the last poll that could count them).",
        |state, _, column| count(column, state.standing.counts().trails),
    ),
    gauge(
        "cloudtrail_account_multi_region_trails",
        &[],
        "Multi-Region trails that cover the account (cached from the last poll that could count them).",
        |state, _, column| count(column, state.standing.counts().multi_region),
    ),
    gauge(
        "cloudtrail_account_logging_multi_region_trails",
        &[],
        "Multi-Region trails that cover the account and are logging (cached from the last poll that could count them).",
        |state, _, column| count(column, state.standing.counts().logging_multi_region),
    ),
    gauge(
        "cloudtrail_account_organization_trails",
        &[],
        "Organization trails visible to the account, logging or not (cached from the last poll that could count them).",
        |state, _, column| count(column, state.standing.counts().organization),
    ),
    gauge(
        "cloudtrail_account_management_events",
        &["kind"],
        "1 if the logging multi-Region trails together record all management events of the kind, 0 if not, absent while unknown (cached from the last poll).",
        management_events,
    ),
    gauge(
        "cloudtrail_account_last_poll_timestamp_seconds",
        &[],
        "When the last poll of the account ended, in seconds since the UNIX epoch.",
        last_poll,
    ),
    gauge(
        "cloudtrail_account_last_success_timestamp_seconds",
        &[],
        "When the oldest answer of the verdict's last proof was asked for, in seconds since the UNIX epoch.",
        last_success,
    ),
    gauge(
        "cloudtrail_account_poll_duration_seconds",
        &[],
        "How long the last poll of the account took.",
        poll_duration,
    ),
    gauge(
        "cloudtrail_region_up",
        &["aws_region"],
        "1 if DescribeTrails answered in the Region, 0 if not; only where more than one Region is asked (cached from the last poll).",
        region_up,
    ),
];

const fn gauge(
    name: &'static str,
    extra: &'static [&'static str],
    help: &'static str,
    read: fn(&AccountState, Timestamp, &mut Column),
) -> Family {
    Family::gauge(name, extra, help, Read::OfAccount(read))
}

fn info(state: &AccountState, _: Timestamp, column: &mut Column) {
    let account = &state.account;
    let unit = account.organizational_unit.as_deref().unwrap_or_default();
    let extra = [account.partition.as_str(), account.source.as_str(), unit];
    column.flag_of(extra, true);
}

fn up(state: &AccountState, _: Timestamp, column: &mut Column) {
    if let Some(poll) = state.standing.last_poll() {
        column.flag([], poll.up);
    }
}

/// Two failures can share a label value; they are one series.
fn call_failing(state: &AccountState, _: Timestamp, column: &mut Column) {
    let Some(poll) = state.standing.last_poll() else {
        return;
    };
    let mut written = Vec::new();
    for (operation, failure) in &poll.failing {
        let extra = [operation.as_str(), failure.as_str()];
        if !written.contains(&extra) {
            column.flag(extra, true);
            written.push(extra);
        }
    }
}

fn compliance(state: &AccountState, now: Timestamp, column: &mut Column) {
    let is = state.standing.verdict(now).state;
    for each in State::ALL {
        column.flag([each.as_str()], each == is);
    }
}

fn compliance_reason(state: &AccountState, now: Timestamp, column: &mut Column) {
    let reason = state.standing.verdict(now).reason;
    column.flag([reason.as_str()], true);
}

fn check(state: &AccountState, now: Timestamp, column: &mut Column) {
    for check in Check::ALL {
        if let Some(passed) = state.standing.check(check, now) {
            column.flag([check.as_str()], passed);
        }
    }
}

fn evidence_info(state: &AccountState, now: Timestamp, column: &mut Column) {
    if let Some(trail) = state.standing.evidence(now) {
        column.flag_of([trail.as_str()], true);
    }
}

fn count(column: &mut Column, known: Option<usize>) {
    if let Some(n) = known {
        column.count(n);
    }
}

fn management_events(state: &AccountState, now: Timestamp, column: &mut Column) {
    for kind in EventKind::ALL {
        if let Some(recorded) = state.standing.management_events(kind, now) {
            column.flag([kind.as_str()], recorded);
        }
    }
}

fn compliance_since(state: &AccountState, now: Timestamp, column: &mut Column) {
    if let Some(at) = state.standing.since(now) {
        column.time([], at);
    }
}

fn last_poll(state: &AccountState, _: Timestamp, column: &mut Column) {
    if let Some(poll) = state.standing.last_poll() {
        column.time([], poll.ended.wall());
    }
}

fn last_success(state: &AccountState, _: Timestamp, column: &mut Column) {
    if let Some(at) = state.standing.last_success() {
        column.time([], at);
    }
}

fn poll_duration(state: &AccountState, _: Timestamp, column: &mut Column) {
    if let Some(poll) = state.standing.last_poll() {
        column.seconds([], poll.duration);
    }
}

/// A Region that is listed twice is one series.
fn region_up(state: &AccountState, _: Timestamp, column: &mut Column) {
    let regions = state.standing.last_poll().map(|poll| &poll.regions);
    let mut written = Vec::new();
    for (region, answered) in regions.into_iter().filter(|r| r.len() > 1).flatten() {
        if !written.contains(&region) {
            column.flag_of([region.as_str()], *answered);
            written.push(region);
        }
    }
}
