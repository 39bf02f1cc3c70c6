//! One poll of one account: whose credentials are these, which trails are visible, and how is each?
//!
//! Every call ends at the poll's deadline at the latest. What was answered before it is kept; what was not is a timeout.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::Report;
use super::merge::{Described, Shown, merge, settle, settle_call};
use crate::account::{AccountId, Region, TrailArn};
use crate::aws::{Aws, CallError};
use crate::config::Access;
use crate::directory::Account;
use crate::facts::{
    AccountFacts, Dates, Failure, Operation, Poll, PollOutcome, RegionAnswer, Trail, TrailFacts,
    TrailStatus,
};
use crate::timestamp::Timestamp;

/// Regions of one account asked at once: each has a rate of its own, so the bound is on connections.
const REGIONS_AT_ONCE: usize = 4;
/// Trails of one account asked about at once, with two calls each: AWS allows 10 requests a second per account and Region.
const TRAILS_AT_ONCE: usize = 2;

/// Once a Region has answered, the others have no more than the time of the poll divided by this: one that hangs must not take the time to ask about the
/// trails that were shown.
const REGIONS_SHARE: u32 = 2;

/// What a poll goes by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<I, O, H> {
    /// The deadline of the whole poll.
    pub timeout: Duration,
    /// What it means for the account that its credentials turn out to be this account's.
    pub identity: I,
    /// Whether the organization trails of this owner are left to it: its own poll supplies their status and selectors.
    pub left_to_owner: O,
    /// Whether the owner of this organization trail has a fresh reading of its status, which will
    /// stand in for a failed call.
    pub held_by_owner: H,
}

/// What the identity of an account's credentials means for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// It is the account's own.
    Own,
    /// The account is known by a name, and was not known to be this one.
    New,
    /// It is another account: nothing more is asked of it.
    Other,
}

/// Polls `account` once.
pub async fn poll<A, I, O, H, N>(
    aws: &A,
    session: &A::Session,
    account: &Account,
    terms: &Terms<I, O, H>,
    now: &N,
) -> Report
where
    A: Aws,
    I: Fn(AccountId) -> Identity,
    O: Fn(AccountId) -> bool,
    H: Fn(&TrailArn) -> bool,
    N: Fn() -> Timestamp,
{
    let began = Instant::now();
    let asking = Asking {
        aws,
        session,
        account,
        deadline: began + terms.timeout,
        left_to_owner: &terms.left_to_owner,
        held_by_owner: &terms.held_by_owner,
        now,
    };
    let mut errors = Vec::new();
    let identity = asking.identify().await;
    let means = identity.as_ref().map(|found| (terms.identity)(*found));
    if means.is_ok_and(|means| means != Identity::Own) {
        aws.distrust(session).await;
    }
    let outcome = match &identity {
        Err(error) => no_session(error),
        Ok(found) if means == Ok(Identity::Other) => PollOutcome::WrongAccount { found: *found },
        Ok(found) => PollOutcome::Answered(asking.facts(*found, &mut errors).await),
    };
    let identity = identity.map_err(|error| errors.push(error)).ok();
    let (ended, duration) = (now(), began.elapsed());
    Report {
        key: account.key.clone(),
        identity,
        poll: Poll {
            ended,
            duration,
            outcome,
        },
        errors,
    }
}

fn no_session(error: &CallError) -> PollOutcome {
    PollOutcome::NoSession {
        operation: error.operation,
        failure: error.failure,
    }
}

/// The call with which an account's session begins.
pub(super) fn first_call(access: &Access) -> Operation {
    match access {
        Access::Role { .. } => Operation::AssumeRole,
        Access::Profile(_) | Access::Ambient => Operation::GetCallerIdentity,
    }
}

/// A poll under way.
struct Asking<'a, A: Aws, O, H, N> {
    aws: &'a A,
    session: &'a A::Session,
    account: &'a Account,
    deadline: Instant,
    left_to_owner: &'a O,
    held_by_owner: &'a H,
    /// The clocks: an answer is dated before its call is begun.
    now: &'a N,
}

/// What came of asking for one trail's status.
struct StatusHeard {
    status: Result<TrailStatus, Failure>,
    shadow: Option<Failure>,
    at: Timestamp,
}

impl<A, O, H, N> Asking<'_, A, O, H, N>
where
    A: Aws,
    O: Fn(AccountId) -> bool,
    H: Fn(&TrailArn) -> bool,
    N: Fn() -> Timestamp,
{
    async fn identify(&self) -> Result<AccountId, CallError> {
        let first = first_call(&self.account.access);
        let mut identified = self.within(first, self.aws.identify(self.session)).await;
        if let Err(error) = &mut identified
            && error.ambiguous_credentials
        {
            error.failure = Failure::Credentials;
        }
        identified
    }

    async fn facts(&self, identity: AccountId, errors: &mut Vec<CallError>) -> AccountFacts {
        let (mut described, asked): (Vec<_>, Vec<_>) = self.describe().await.into_iter().unzip();
        settle(&mut described);
        let merged = merge(&described, self.account.max_trails);
        let failed = described.into_iter().filter_map(|(_, result)| result.err());
        errors.extend(failed.filter(is_failing));
        let asks = merged.trails.into_iter();
        let asks: Vec<_> = asks
            .map(|shown| {
                let at = asked.get(shown.place).copied().unwrap_or_else(self.now);
                self.trail(shown, at, identity, &merged.regions)
            })
            .collect();
        let mut trails = Vec::with_capacity(asks.len());
        let mut heard = stream::iter(asks).buffered(TRAILS_AT_ONCE);
        while let Some((facts, failed)) = heard.next().await {
            trails.push(facts);
            errors.extend(failed.into_iter().filter(is_failing));
        }
        drop(heard);
        AccountFacts {
            account: identity,
            regions: merged.regions,
            described: asked
                .into_iter()
                .reduce(Timestamp::earliest)
                .unwrap_or_else(self.now),
            trails,
        }
    }

    /// Asks every Region; the answers stand in the order asked.
    async fn describe(&self) -> Vec<(Described, Timestamp)> {
        let now = Instant::now();
        let part = now + self.deadline.saturating_duration_since(now) / REGIONS_SHARE;
        let answered = AtomicBool::new(false);
        let regions = self.account.regions.iter();
        let asks: Vec<_> = regions.map(|r| self.region(r, part, &answered)).collect();
        stream::iter(asks).buffered(REGIONS_AT_ONCE).collect().await
    }

    /// Asks one Region: until `part` if another one has `answered` by then, else until the poll's deadline.
    async fn region(
        &self,
        region: &Region,
        part: Instant,
        answered: &AtomicBool,
    ) -> (Described, Timestamp) {
        let operation = Operation::DescribeTrails;
        let at = (self.now)();
        let mut call = pin!(self.aws.describe_trails(self.session, region));
        let answer = match by(part, call.as_mut()).await {
            Some(answer) => answer,
            None if answered.load(Ordering::Relaxed) => Err(late(operation)),
            None => self.within(operation, call).await,
        };
        if answer.is_ok() {
            answered.store(true, Ordering::Relaxed);
        }
        ((region.clone(), answer), at)
    }

    async fn trail(
        &self,
        shown: Shown,
        described: Timestamp,
        identity: AccountId,
        regions: &[(Region, RegionAnswer)],
    ) -> (TrailFacts, Vec<CallError>) {
        let trail = &shown.trail;
        let foreign = trail.organization && trail.is_foreign_to(identity);
        if foreign
            && let Some(why) = why_left_to_owner(trail, regions)
            && (self.left_to_owner)(trail.arn.owner())
        {
            return (unasked(shown.trail, described, why), Vec::new());
        }
        let Some(home) = trail.home_region.clone() else {
            let detail = format!("no Region to ask about {} in", trail.arn);
            let error = CallError::new(Operation::GetTrailStatus, Failure::Malformed, detail);
            let unasked = unasked(shown.trail, described, Failure::Malformed);
            return (unasked, vec![error]);
        };
        let mut failed = Vec::new();
        let asked = (self.now)();
        let selectors = self.aws.event_selectors(self.session, &home, &trail.arn);
        let (heard, selectors) = join(
            self.status(&shown, &home, regions, &mut failed),
            self.within(Operation::GetEventSelectors, selectors),
        )
        .await;
        let facts = TrailFacts {
            status: heard.status,
            shadow: heard.shadow,
            selectors: selectors.map_err(|error| noted(error, &home, regions, &mut failed)),
            dates: Dates {
                described,
                status: heard.at,
                selectors: asked,
            },
            trail: shown.trail,
        };
        (facts, failed)
    }

    /// A trail's status, asked in its home Region; where that is closed or silent, a shadow copy of
    /// the trail is asked once.
    async fn status(
        &self,
        shown: &Shown,
        home: &Region,
        regions: &[(Region, RegionAnswer)],
        failed: &mut Vec<CallError>,
    ) -> StatusHeard {
        let at = (self.now)();
        let elsewhere = shown.elsewhere.as_ref();
        let end = elsewhere.map_or(self.deadline, |_| self.half_the_time());
        let answer = self.status_in(home, &shown.trail.arn, end).await;
        let failure = match answer.map_err(|error| noted(error, home, regions, failed)) {
            Ok(status) => {
                let (status, shadow) = (Ok(status), None);
                return StatusHeard { status, shadow, at };
            }
            Err(failure) => failure,
        };
        if let Some(other) = elsewhere
            && is_asked_elsewhere(failure, home, regions)
            && !(self.held_by_owner)(&shown.trail.arn)
        {
            let at = (self.now)();
            let answer = self.status_in(other, &shown.trail.arn, self.deadline).await;
            let answer = answer.map_err(|error| noted(error, other, regions, failed));
            if let Ok(status) = answer {
                let (status, shadow) = (Ok(status), Some(failure));
                return StatusHeard { status, shadow, at };
            }
        }
        StatusHeard {
            status: Err(failure),
            shadow: None,
            at,
        }
    }

    async fn status_in(
        &self,
        region: &Region,
        arn: &TrailArn,
        end: Instant,
    ) -> Result<TrailStatus, CallError> {
        let call = self.aws.trail_status(self.session, region, arn);
        let answer = by(end, call).await;
        answer.unwrap_or_else(|| Err(late(Operation::GetTrailStatus)))
    }

    /// Until when a call may take that leaves time for another.
    fn half_the_time(&self) -> Instant {
        let now = Instant::now();
        now + self.deadline.saturating_duration_since(now) / 2
    }

    /// The call's answer, or a timeout at the poll's deadline.
    async fn within<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let answer = by(self.deadline, call).await;
        answer.unwrap_or_else(|| Err(late(operation)))
    }
}

/// What comes of a call by `end`; past it the call is not even begun.
async fn by<T>(end: Instant, call: impl Future<Output = T>) -> Option<T> {
    if Instant::now() >= end {
        return None;
    }
    timeout_at(end, call).await.ok()
}

fn late(operation: Operation) -> CallError {
    let detail = "the account's poll has no more time for it";
    CallError::new(operation, Failure::Timeout, detail)
}

/// A trail is left to its owner only where its home Region is known to be enabled: from a disabled one its events do not come from this account. `None`
/// where no answer tells, so that the trail is asked about.
fn why_left_to_owner(trail: &Trail, regions: &[(Region, RegionAnswer)]) -> Option<Failure> {
    let home = |(region, _): &&(Region, RegionAnswer)| Some(region) == trail.home_region.as_ref();
    let (_, answer) = regions.iter().find(home)?;
    match answer {
        RegionAnswer::Whole | RegionAnswer::Partial => Some(Failure::NotAsked),
        RegionAnswer::Disabled => Some(Failure::RegionDisabled),
        RegionAnswer::Failed(_) => None,
    }
}

/// The facts of a trail about which no call was made.
fn unasked(trail: Trail, described: Timestamp, why: Failure) -> TrailFacts {
    TrailFacts {
        trail,
        status: Err(why),
        shadow: None,
        selectors: Err(why),
        dates: Dates::all(described),
    }
}

/// Takes note of an error of a call about a trail; says what it comes to.
fn noted(
    mut error: CallError,
    region: &Region,
    regions: &[(Region, RegionAnswer)],
    failed: &mut Vec<CallError>,
) -> Failure {
    settle_call(&mut error, region, regions);
    let failure = error.failure;
    failed.push(error);
    failure
}

/// Whether a shadow copy may know what a trail's home Region does not say: one that a policy closes
/// or that is out of reach, not one that knows no such trail, and not one the account does not use.
fn is_asked_elsewhere(failure: Failure, home: &Region, regions: &[(Region, RegionAnswer)]) -> bool {
    let disabled = regions
        .iter()
        .any(|(region, answer)| region == home && *answer == RegionAnswer::Disabled);
    let closed = matches!(
        failure,
        Failure::AccessDenied | Failure::Timeout | Failure::Network
    );
    closed && !disabled
}

/// A disabled Region is an answer, not a failing call.
fn is_failing(error: &CallError) -> bool {
    error.failure != Failure::RegionDisabled
}
