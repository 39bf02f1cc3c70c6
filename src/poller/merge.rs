//! What several Regions' answers come to: the account's distinct trails, and how whole each answer is. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Region, TrailArn};
use crate::aws::{CallError, TrailList};
use crate::facts::{Failure, RegionAnswer, Trail};

/// One Region's answer to `DescribeTrails`.
pub type Described = (Region, Result<TrailList, CallError>);

/// The account's trails, merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// How each Region answered, in the order asked.
    pub regions: Vec<(Region, RegionAnswer)>,
    /// The distinct trails, by ARN, ascending; at most as many as allowed.
    pub trails: Vec<Shown>,
}

/// A trail, and which answers showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The trail.
    pub trail: Trail,
    /// The place, in the order asked, of the Region whose description this is.
    pub place: usize,
    /// The Region asked first that is not its home and showed it.
    pub elsewhere: Option<Region>,
}

/// Merges the Regions' answers and keeps at most `max_trails`, multi-Region ones first. A Region whose trail is left out answered in part.
pub fn merge(described: &[Described], max_trails: usize) -> Merged {
    let mut distinct = distinct(described);
    let left_out = cut(&mut distinct, max_trails);
    let answer = |(region, result): &Described| (region.clone(), answer(result, &left_out));
    Merged {
        regions: described.iter().map(answer).collect(),
        trails: distinct.into_values().map(shown).collect(),
    }
}

/// Where a trail was found.
#[derive(Clone, Copy)]
struct Found<'a> {
    trail: &'a Trail,
    place: usize,
    at_home: bool,
    elsewhere: Option<&'a Region>,
}

fn shown(found: Found<'_>) -> Shown {
    Shown {
        trail: found.trail.clone(),
        place: found.place,
        elsewhere: found.elsewhere.cloned(),
    }
}

/// Each trail once, as its home Region describes it, else as the Region asked first does.
fn distinct(described: &[Described]) -> BTreeMap<&TrailArn, Found<'_>> {
    let mut distinct: BTreeMap<&TrailArn, Found> = BTreeMap::new();
    for (place, region, trail) in trails(described) {
        let at_home = trail.home_region.as_ref() == Some(region);
        let elsewhere = Some(region).filter(|_| !at_home);
        let held = distinct.entry(&trail.arn).or_insert(Found {
            trail,
            place,
            at_home,
            elsewhere,
        });
        if at_home && !held.at_home {
            (held.trail, held.place, held.at_home) = (trail, place, true);
        }
        held.elsewhere = held.elsewhere.or(elsewhere);
    }
    distinct
}

fn trails(described: &[Described]) -> impl Iterator<Item = (usize, &Region, &Trail)> {
    let places = described.iter().enumerate();
    let answered = places.filter_map(|(place, (region, result))| {
        let list = result.as_ref().ok()?;
        Some(list.trails.iter().map(move |trail| (place, region, trail)))
    });
    answered.flatten()
}

/// Leaves out what is beyond `max`: single-Region trails before multi-Region ones, high ARNs before low ones.
fn cut<'a>(distinct: &mut BTreeMap<&'a TrailArn, Found<'a>>, max: usize) -> BTreeSet<&'a TrailArn> {
    let mut ranked: Vec<&Trail> = distinct.values().map(|found| found.trail).collect();
    ranked.sort_by_key(|trail| !trail.multi_region);
    let left_out: BTreeSet<_> = ranked.into_iter().skip(max).map(|t| &t.arn).collect();
    distinct.retain(|arn, _| !left_out.contains(arn));
    left_out
}

fn answer(result: &Result<TrailList, CallError>, left_out: &BTreeSet<&TrailArn>) -> RegionAnswer {
    match result {
        Ok(list) if list.malformed > 0 => RegionAnswer::Partial,
        Ok(list) if list.trails.iter().any(|t| left_out.contains(&t.arn)) => RegionAnswer::Partial,
        Ok(_) => RegionAnswer::Whole,
        Err(error) if error.failure == Failure::RegionDisabled => RegionAnswer::Disabled,
        Err(error) => RegionAnswer::Failed(error.failure),
    }
}

/// Says of each ambiguous refusal which of the two it is: the Region is disabled if another Region of the account answered, else the credentials are bad.
pub fn settle(described: &mut [Described]) {
    let answered = described.iter().any(|(_, result)| result.is_ok());
    for (_, result) in described {
        if let Err(error) = result {
            settle_error(error, answered);
        }
    }
}

/// Settles the refusal of a call about one trail, some Region having answered: bad credentials if the Region it went to is one that did.
pub fn settle_call(error: &mut CallError, region: &Region, regions: &[(Region, RegionAnswer)]) {
    let here = |(asked, answer): &(Region, RegionAnswer)| {
        asked == region && matches!(answer, RegionAnswer::Whole | RegionAnswer::Partial)
    };
    settle_error(error, !regions.iter().any(here));
}

fn settle_error(error: &mut CallError, region_disabled: bool) {
    if error.ambiguous_credentials {
        error.failure = if region_disabled {
            Failure::RegionDisabled
        } else {
            Failure::Credentials
        };
    }
}

#[cfg(test)]
mod tests;
