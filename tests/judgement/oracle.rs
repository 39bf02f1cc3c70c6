//! A second judge, written in another style: it knows no third value. It fills every gap in the facts in all ways that could be true, judges each of
//! the worlds so made with plain booleans, event by event, and calls proven only what all of them agree on.

use std::time::Duration;

use crate::compliance::Policy;
use crate::facts::{
    AccountFacts, EventSelectors, Failure, Moment, ReadWrite, RegionAnswer, TrailFacts,
};
use crate::timestamp::Timestamp;

/// Event sources that selectors of these tests name, and one that none names.
const SOURCES: [&str; 3] = ["kms.amazonaws.com", "rdsdata.amazonaws.com", "any other"];

/// One multi-Region trail of a world without gaps.
#[allow(
    clippy::struct_excessive_bools,
    reason = "the point of this judge is that it knows yes and no alone"
)]
#[derive(Clone, Copy)]
pub(crate) struct Real {
    covers: bool,
    logging: bool,
    delivers: bool,
    validated: bool,
    encrypted: bool,
    watched: bool,
    /// Recorded events: reading and writing, by source.
    records: [[bool; 3]; 2],
}

/// The seven checks of one world.
fn checks(world: &[Real]) -> [bool; 7] {
    let on: Vec<&Real> = world.iter().filter(|t| t.covers && t.logging).collect();
    let mut recorded = true;
    for kind in 0..2 {
        for source in 0..3 {
            recorded &= on.iter().any(|t| t.records[kind][source]);
        }
    }
    [
        world.iter().any(|t| t.covers),
        !on.is_empty(),
        on.iter().any(|t| t.delivers),
        recorded,
        on.iter().any(|t| t.validated),
        on.iter().any(|t| t.encrypted),
        on.iter().any(|t| t.watched),
    ]
}

/// What all worlds that fit the facts agree on: each check, and the conjunction of the required ones.
pub(crate) fn agreed(
    facts: &AccountFacts,
    policy: &Policy,
    now: Timestamp,
) -> ([Option<bool>; 7], Option<bool>) {
    let mut seen: Option<([bool; 7], bool)> = None;
    let mut agreed = ([true; 7], true);
    for world in worlds(facts, policy, now) {
        let found = checks(&world);
        let verdict = policy.required.iter().all(|check| found[*check as usize]);
        let (first, first_verdict) = *seen.get_or_insert((found, verdict));
        for place in 0..7 {
            agreed.0[place] &= found[place] == first[place];
        }
        agreed.1 &= verdict == first_verdict;
    }
    let (first, verdict) = seen.expect("at least one world");
    let mut each = [None; 7];
    for place in 0..7 {
        each[place] = agreed.0[place].then_some(first[place]);
    }
    (each, agreed.1.then_some(verdict))
}

/// Every way to fill the gaps.
fn worlds(facts: &AccountFacts, policy: &Policy, now: Timestamp) -> Vec<Vec<Real>> {
    let mut worlds = vec![Vec::new()];
    for heard in facts.trails.iter().filter(|t| t.trail.multi_region) {
        let ways = ways(heard, facts, policy, now);
        let with = |world: &Vec<Real>| {
            let extend = |way: &Real| world.iter().copied().chain([*way]).collect::<Vec<_>>();
            ways.iter().map(extend).collect::<Vec<_>>()
        };
        worlds = worlds.iter().flat_map(with).collect();
    }
    let shown = facts
        .regions
        .iter()
        .any(|(_, answer)| *answer == RegionAnswer::Whole);
    if !shown {
        let hidden = |logging| Real {
            covers: true,
            logging,
            delivers: true,
            validated: true,
            encrypted: true,
            watched: true,
            records: [[true; 3]; 2],
        };
        let mut more = worlds.clone();
        for logging in [false, true] {
            for mut world in worlds.clone() {
                world.push(hidden(logging));
                more.push(world);
            }
        }
        worlds = more;
    }
    worlds
}

/// Every trail that this one could be.
fn ways(heard: &TrailFacts, facts: &AccountFacts, policy: &Policy, now: Timestamp) -> Vec<Real> {
    let lost = sends_nothing(heard, facts);
    let mut ways = Vec::new();
    for covers in if lost { &[false, true][..] } else { &[true] } {
        for validated in heard
            .trail
            .log_file_validation
            .map_or(vec![false, true], |v| vec![v])
        {
            for (logging, delivers) in lives(heard, validated, policy, now) {
                for records in recordings(heard) {
                    ways.push(Real {
                        covers: *covers,
                        logging,
                        delivers,
                        validated,
                        encrypted: heard.trail.kms_key_id.is_some(),
                        watched: heard.trail.log_group_arn.is_some(),
                        records,
                    });
                }
            }
        }
    }
    ways
}

/// Whether some call of the poll met that the account has not enabled the home Region of a trail of another account.
pub(crate) fn sends_nothing(heard: &TrailFacts, facts: &AccountFacts) -> bool {
    let own = heard.trail.arn.owner() == facts.account;
    if own || heard.status.is_ok() {
        return false;
    }
    let home = heard.trail.home_region.as_ref();
    let regions = facts.regions.iter();
    let told = regions.filter(|(region, _)| home == Some(region));
    let told = told.map(|(_, answer)| *answer);
    let calls = [heard.status.as_ref().err(), heard.selectors.as_ref().err()];
    told.into_iter()
        .any(|answer| answer == RegionAnswer::Disabled)
        || calls.contains(&Some(&Failure::RegionDisabled))
}

/// Whether it may be logging, and delivering.
fn lives(
    heard: &TrailFacts,
    validated: bool,
    policy: &Policy,
    now: Timestamp,
) -> Vec<(bool, bool)> {
    let Ok(status) = &heard.status else {
        return vec![(false, false), (false, true), (true, false), (true, true)];
    };
    let [s3, digest, ..] = &status.deliveries;
    let mut lives = Vec::new();
    for s3_age in ages(s3.latest, policy, now) {
        for digest_age in ages(digest.latest, policy, now) {
            for start_age in starts(status.started, policy, now) {
                let digest_age = digest_age.filter(|_| validated);
                let limit = policy.max_delivery_age;
                let came = s3_age.is_some_and(|age| age <= limit)
                    || digest_age.is_some_and(|age| age <= limit);
                let never = s3_age.is_none() && digest_age.is_none();
                let grace = match start_age {
                    Start::Then(age) => vec![age < limit],
                    Start::Unsaid if never => vec![false, true],
                    Start::Unsaid => vec![false],
                };
                for grace in grace {
                    lives.push((status.logging, s3.error.is_none() && (came || grace)));
                }
            }
        }
    }
    lives
}

/// How long ago it may have happened; `None` for never.
fn ages(moment: Moment, policy: &Policy, now: Timestamp) -> Vec<Option<Duration>> {
    let lately = Some(Duration::ZERO);
    let long_ago = Some(policy.max_delivery_age * 2);
    match moment {
        Moment::Never => vec![None],
        Moment::Implausible => vec![lately, long_ago],
        Moment::At(at) => match now.wall().duration_since(at) {
            Ok(age) => vec![Some(age)],
            Err(ahead) if ahead.duration() <= Duration::from_mins(5) => vec![lately],
            Err(_) => vec![lately, long_ago],
        },
    }
}

enum Start {
    Then(Duration),
    Unsaid,
}

fn starts(moment: Moment, policy: &Policy, now: Timestamp) -> Vec<Start> {
    let start = |age: Option<Duration>| age.map_or(Start::Unsaid, Start::Then);
    ages(moment, policy, now).into_iter().map(start).collect()
}

/// Which events it may record.
fn recordings(heard: &TrailFacts) -> Vec<[[bool; 3]; 2]> {
    let Ok(selectors) = &heard.selectors else {
        return vec![[[false; 3]; 2], [[true; 3]; 2]];
    };
    let of_kind = |reads| SOURCES.map(|source| is_recorded(selectors, reads, source));
    vec![[of_kind(true), of_kind(false)]]
}

/// Whether one management event is recorded.
pub(crate) fn is_recorded(selectors: &EventSelectors, reads: bool, source: &str) -> bool {
    match selectors {
        EventSelectors::Default => true,
        EventSelectors::Basic(list) => {
            list.is_empty()
                || list.iter().any(|selector| {
                    let kind = match selector.read_write {
                        ReadWrite::All => true,
                        ReadWrite::ReadOnly => reads,
                        ReadWrite::WriteOnly => !reads,
                    };
                    let excluded = selector.excluded_sources.iter().any(|s| **s == *source);
                    selector.management_events && kind && !excluded
                })
        }
        EventSelectors::Advanced(list) => list.iter().any(|selector| {
            let mut asks_for_management = false;
            let mut matches = true;
            for condition in &selector.fields {
                let value = match &*condition.field {
                    "eventCategory" => Some("Management"),
                    "readOnly" => Some(if reads { "true" } else { "false" }),
                    "eventSource" => Some(source),
                    _ => None,
                };
                let listed = |list: &[std::sync::Arc<str>]| {
                    value.is_some_and(|value| list.iter().any(|item| **item == *value))
                };
                let positive = listed(&condition.equals);
                let empty = condition.equals.is_empty();
                let says_something = !empty || !condition.not_equals.is_empty();
                asks_for_management |= &*condition.field == "eventCategory" && positive;
                matches &= value.is_some()
                    && says_something
                    && !condition.other_operators
                    && (empty || positive)
                    && !listed(&condition.not_equals);
            }
            asks_for_management && matches
        }),
    }
}
