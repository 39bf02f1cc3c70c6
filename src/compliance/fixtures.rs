//! Made-up facts for the tests of this room: a healthy account, and what can be wrong with it.

#![allow(
    dead_code,
    reason = "shared by the unit tests and tests/judgement, which use different parts"
)]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::account::{AccountId, TrailArn};
use crate::compliance::{Check, Freshness, HeldTrail, OwnersTrail, Policy, Reason, State, Verdict};
use crate::facts::{
    AccountFacts, AdvancedSelector, BasicSelector, Dated, Dates, EventSelectors, Failure,
    FieldSelector, Moment, Poll, PollOutcome, ReadWrite, RegionAnswer, Trail, TrailFacts,
    TrailStatus,
};
use crate::timestamp::Timestamp;

/// The account that is polled.
pub(crate) const ME: &str = "111111111111";
/// The account that owns the organization trail.
pub(crate) const OWNER: &str = "999999999999";
pub(crate) const HOME: &str = "us-east-1";
pub(crate) const AWAY: &str = "eu-west-1";

/// 2027-01-15T08:00:00Z.
pub(crate) fn now() -> Timestamp {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    Timestamp::new(wall, Duration::from_hours(1_000))
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

/// So many minutes before `now()`.
pub(crate) fn ago(before: u64) -> Moment {
    Moment::At((now() - minutes(before)).wall())
}

/// So many minutes after `now()`.
pub(crate) fn ahead(after: u64) -> Moment {
    Moment::At((now() + minutes(after)).wall())
}

pub(crate) fn id(digits: &str) -> AccountId {
    digits.parse().expect("an account id")
}

/// The default policy, requiring these checks: deliveries within 3 hours, proofs last 15 minutes.
pub(crate) fn requiring(required: &[Check]) -> Policy {
    Policy {
        required: required.to_vec(),
        max_delivery_age: minutes(180),
        stale_after: minutes(15),
    }
}

/// The seed's rule.
pub(crate) fn rule() -> Policy {
    requiring(&[Check::MultiRegionTrail, Check::Logging])
}

pub(crate) fn arn(owner: &str, name: &str) -> TrailArn {
    let text = format!("arn:aws:cloudtrail:{HOME}:{owner}:trail/{name}");
    text.parse().expect("a trail ARN")
}

/// A logging multi-Region trail that delivers, with digests, and records everything.
pub(crate) fn trail(name: &str) -> TrailFacts {
    trail_of(ME, name)
}

/// The same as an organization trail of [`OWNER`].
pub(crate) fn organization_trail(name: &str) -> TrailFacts {
    let mut heard = trail_of(OWNER, name);
    heard.trail.organization = true;
    heard
}

fn trail_of(owner: &str, name: &str) -> TrailFacts {
    TrailFacts {
        trail: Trail {
            arn: arn(owner, name),
            name: name.into(),
            home_region: HOME.parse().ok(),
            multi_region: true,
            organization: false,
            log_file_validation: Some(true),
            recursive_logging: None,
            s3_bucket: Some("logs".into()),
            kms_key_id: None,
            log_group_arn: None,
            sns_topic_arn: None,
        },
        status: Ok(status()),
        shadow: None,
        selectors: Ok(EventSelectors::Default),
        dates: Dates::all(now()),
    }
}

/// Logging for a week, delivering.
pub(crate) fn status() -> TrailStatus {
    let mut status = TrailStatus {
        logging: true,
        deliveries: Default::default(),
        started: ago(7 * 24 * 60),
        stopped: Moment::Never,
    };
    status.deliveries[0].latest = ago(5);
    status.deliveries[1].latest = ago(50);
    status
}

/// What can be said of a trail in a test, in one word each.
pub(crate) trait Sketch: Sized {
    fn described(self, change: impl FnOnce(&mut Trail)) -> Self;
    fn with_status(self, change: impl FnOnce(&mut TrailStatus)) -> Self;
    fn status_failed(self, failure: Failure) -> Self;
    fn selecting(self, selectors: EventSelectors) -> Self;
    fn selectors_failed(self, failure: Failure) -> Self;

    fn single_region(self) -> Self {
        self.described(|trail| trail.multi_region = false)
    }
    fn living_in(self, region: &str) -> Self {
        self.described(|trail| trail.home_region = region.parse().ok())
    }
    fn validated(self, validation: Option<bool>) -> Self {
        self.described(|trail| trail.log_file_validation = validation)
    }
    fn encrypted(self) -> Self {
        self.described(|trail| trail.kms_key_id = Some("key".into()))
    }
    fn watched(self) -> Self {
        self.described(|trail| trail.log_group_arn = Some("group".into()))
    }
    fn stopped(self) -> Self {
        self.with_status(|status| status.logging = false)
    }
    fn started(self, moment: Moment) -> Self {
        self.with_status(|status| status.started = moment)
    }
    fn s3(self, moment: Moment) -> Self {
        self.with_status(|status| status.deliveries[0].latest = moment)
    }
    fn digest(self, moment: Moment) -> Self {
        self.with_status(|status| status.deliveries[1].latest = moment)
    }
    fn failing(self, error: &str) -> Self {
        self.with_status(|status| status.deliveries[0].error = Some(error.into()))
    }
}

impl Sketch for TrailFacts {
    fn described(mut self, change: impl FnOnce(&mut Trail)) -> Self {
        change(&mut self.trail);
        self
    }
    fn with_status(mut self, change: impl FnOnce(&mut TrailStatus)) -> Self {
        change(self.status.as_mut().expect("a status"));
        self
    }
    fn status_failed(mut self, failure: Failure) -> Self {
        self.status = Err(failure);
        self
    }
    fn selecting(mut self, selectors: EventSelectors) -> Self {
        self.selectors = Ok(selectors);
        self
    }
    fn selectors_failed(mut self, failure: Failure) -> Self {
        self.selectors = Err(failure);
        self
    }
}

/// Facts of [`ME`], asked in these Regions.
pub(crate) fn asked(
    regions: impl IntoIterator<Item = (&'static str, RegionAnswer)>,
    trails: impl IntoIterator<Item = TrailFacts>,
) -> AccountFacts {
    let region = |(name, answer): (&str, RegionAnswer)| (name.parse().expect("a Region"), answer);
    let mut trails: Vec<_> = trails.into_iter().collect();
    trails.sort_by(|a, b| a.trail.arn.cmp(&b.trail.arn));
    AccountFacts {
        account: id(ME),
        regions: regions.into_iter().map(region).collect(),
        described: now(),
        trails,
    }
}

/// Facts of [`ME`], asked in its one Region, which answered.
pub(crate) fn whole(trails: impl IntoIterator<Item = TrailFacts>) -> AccountFacts {
    asked([(HOME, RegionAnswer::Whole)], trails)
}

/// Facts of [`ME`], asked in two Regions.
pub(crate) fn both(
    home: RegionAnswer,
    away: RegionAnswer,
    trails: impl IntoIterator<Item = TrailFacts>,
) -> AccountFacts {
    asked([(HOME, home), (AWAY, away)], trails)
}

/// A poll that asked for these facts and ended at `ended`.
pub(crate) fn poll(facts: AccountFacts, ended: Timestamp) -> Poll {
    Poll {
        ended,
        duration: Duration::from_secs(1),
        outcome: PollOutcome::Answered(facts.dated(ended)),
    }
}

/// What the owner holds of a trail, read at `at`.
pub(crate) fn held_by_owner(heard: &TrailFacts, at: Timestamp) -> HeldTrail {
    let status = heard.status.clone().ok();
    let selectors = heard.selectors.clone().ok();
    HeldTrail {
        trail: heard.trail.clone(),
        status: status.map(|value| Dated { value, at }),
        selectors: selectors.map(|value| Dated { value, at }),
        shadow: heard.shadow,
    }
}

/// What the owner holds of a trail, fresh for as long as by default.
pub(crate) fn owned(held: &HeldTrail) -> OwnersTrail<'_> {
    let lasts = rule().stale_after;
    let lapsed = None;
    let fresh = Freshness { lasts, lapsed };
    OwnersTrail { held, fresh }
}

/// No owner is polled by this process.
pub(crate) fn nobody<'a>(_: &TrailArn) -> Option<OwnersTrail<'a>> {
    None
}

fn texts(list: &[&str]) -> Vec<Arc<str>> {
    list.iter().map(|text| Arc::from(*text)).collect()
}

pub(crate) fn basic(read_write: ReadWrite, excluded: &[&str]) -> BasicSelector {
    BasicSelector {
        management_events: true,
        read_write,
        excluded_sources: texts(excluded),
    }
}

pub(crate) fn basics(list: impl IntoIterator<Item = BasicSelector>) -> EventSelectors {
    EventSelectors::Basic(list.into_iter().collect())
}

pub(crate) fn is_one_of(field: &str, values: &[&str]) -> FieldSelector {
    FieldSelector {
        field: field.into(),
        equals: texts(values),
        ..FieldSelector::default()
    }
}

pub(crate) fn is_none_of(field: &str, values: &[&str]) -> FieldSelector {
    FieldSelector {
        field: field.into(),
        not_equals: texts(values),
        ..FieldSelector::default()
    }
}

/// A selector of management events with further conditions.
pub(crate) fn management(conditions: impl IntoIterator<Item = FieldSelector>) -> AdvancedSelector {
    let category = is_one_of("eventCategory", &["Management"]);
    AdvancedSelector {
        fields: [category].into_iter().chain(conditions).collect(),
    }
}

pub(crate) fn advanced(list: impl IntoIterator<Item = AdvancedSelector>) -> EventSelectors {
    EventSelectors::Advanced(list.into_iter().collect())
}

pub(crate) const COMPLIANT: Verdict = Verdict {
    state: State::Compliant,
    reason: Reason::Ok,
};

pub(crate) fn no(reason: Reason) -> Verdict {
    Verdict {
        state: State::NonCompliant,
        reason,
    }
}

pub(crate) fn unknown(reason: Reason) -> Verdict {
    Verdict {
        state: State::Unknown,
        reason,
    }
}

/// Unknown because a call failed.
pub(crate) fn failed(failure: Failure) -> Verdict {
    unknown(Reason::Failed(failure))
}
