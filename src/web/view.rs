//! One account as pages and JSON show it: plain data with stable names, read from the snapshot at one moment. A wrong account shows nothing but that.

mod moment;
mod trail;

use std::borrow::Cow;

use serde::Serialize;

use super::words;
use crate::compliance::standing::EventKind;
use crate::compliance::{Check, Reason};
use crate::fleet::name;
use crate::snapshot::AccountState;
use crate::timestamp::Timestamp;

pub(super) use moment::{Time, age};
pub(super) use trail::Trail;

/// An account.
#[derive(Debug, Serialize)]
#[allow(
    clippy::struct_field_names,
    reason = "the names are those of the labels and the JSON"
)]
pub(super) struct Account<'a> {
    /// 12 digits; null until its credentials tell.
    pub(super) account_id: Option<String>,
    /// Its name; the id stands in where it has none.
    pub(super) account_name: Cow<'a, str>,
    pub(super) partition: &'static str,
    pub(super) source: &'static str,
    pub(super) organizational_unit: Option<&'a str>,
    pub(super) state: &'static str,
    pub(super) reason: &'static str,
    /// The ARN of the trail that satisfies the rule.
    pub(super) evidence: Option<&'a str>,
    /// Whether the last poll determined the verdict; null before the first.
    pub(super) up: Option<bool>,
    pub(super) checks: Vec<Checked>,
    pub(super) management_events: Events,
    pub(super) counts: Counts,
    pub(super) trails: Vec<Trail<'a>>,
    pub(super) failing_calls: Vec<Failing>,
    pub(super) regions: Vec<Asked<'a>>,
    pub(super) last_poll_at: Option<Time>,
    pub(super) last_poll_duration_seconds: Option<f64>,
    pub(super) last_success_at: Option<Time>,
    /// The account the credentials belong to, where that is another one.
    pub(super) wrong_account: Option<String>,
}

/// A check.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub(super) check: &'static str,
    pub(super) required: bool,
    /// Null: not known.
    pub(super) passed: Option<bool>,
    #[serde(skip)]
    pub(super) which: Check,
}

/// Whether all events of a kind are recorded; null: not known.
#[derive(Debug, Serialize)]
pub(super) struct Events {
    pub(super) read: Option<bool>,
    pub(super) write: Option<bool>,
}

/// Numbers of trails; null while never known.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub(super) trails: Option<usize>,
    pub(super) multi_region_trails: Option<usize>,
    pub(super) logging_multi_region_trails: Option<usize>,
    pub(super) organization_trails: Option<usize>,
}

/// A kind of call that failed in the last poll.
#[derive(Debug, Serialize)]
pub(super) struct Failing {
    pub(super) operation: &'static str,
    pub(super) reason: &'static str,
    #[serde(skip)]
    pub(super) words: &'static str,
}

/// A Region asked in the last poll.
#[derive(Debug, Serialize)]
pub(super) struct Asked<'a> {
    pub(super) region: &'a str,
    pub(super) answered: bool,
}

impl<'a> Account<'a> {
    /// An account at `now`.
    pub(super) fn new(state: &'a AccountState, now: Timestamp) -> Self {
        let (account, standing) = (&*state.account, &state.standing);
        let verdict = standing.verdict(now);
        let evidence = standing.evidence(now);
        let last_poll = standing.last_poll();
        let trails = standing.trails().iter();
        let read = |kind| standing.management_events(kind, now);
        Self {
            account_id: state.id.map(|id| id.to_string()),
            account_name: name(state),
            partition: account.partition.as_str(),
            source: account.source.as_str(),
            organizational_unit: account.organizational_unit.as_deref(),
            state: verdict.state.as_str(),
            reason: verdict.reason.as_str(),
            evidence: evidence.map(crate::account::TrailArn::as_str),
            up: last_poll.map(|poll| poll.up),
            checks: Check::ALL.map(|check| checked(state, check, now)).into(),
            management_events: Events {
                read: read(EventKind::Read),
                write: read(EventKind::Write),
            },
            counts: Counts::of(state),
            trails: trails.map(|t| Trail::new(t, standing, now)).collect(),
            failing_calls: failing(state),
            regions: regions(state),
            last_poll_at: last_poll.map(|poll| Time(poll.ended.wall())),
            last_poll_duration_seconds: last_poll.map(|poll| poll.duration.as_secs_f64()),
            last_success_at: standing.last_success().map(Time),
            wrong_account: standing.wrong_account().map(|id| id.to_string()),
        }
    }
}

impl Counts {
    fn of(state: &AccountState) -> Self {
        let counts = state.standing.counts();
        Self {
            trails: counts.trails,
            multi_region_trails: counts.multi_region,
            logging_multi_region_trails: counts.logging_multi_region,
            organization_trails: counts.organization,
        }
    }
}

fn checked(state: &AccountState, check: Check, now: Timestamp) -> Checked {
    Checked {
        check: check.as_str(),
        required: state.account.policy.required.contains(&check),
        passed: state.standing.check(check, now),
        which: check,
    }
}

fn failing(state: &AccountState) -> Vec<Failing> {
    let calls = state.standing.last_poll().map(|poll| &poll.failing);
    let failing =
        |(operation, failure): &(crate::facts::Operation, crate::facts::Failure)| Failing {
            operation: operation.as_str(),
            reason: failure.as_str(),
            words: words::reason(Reason::Failed(*failure)),
        };
    calls.into_iter().flatten().map(failing).collect()
}

fn regions(state: &AccountState) -> Vec<Asked<'_>> {
    let regions = state.standing.last_poll().map(|poll| &poll.regions);
    let asked = regions.into_iter().flatten();
    asked
        .map(|(region, answered)| Asked {
            region: region.as_str(),
            answered: *answered,
        })
        .collect()
}
