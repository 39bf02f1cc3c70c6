//! The trails held over many polls: each stays as last proven until AWS or the configuration disproves it.

use std::time::SystemTime;

use super::presence;
use crate::account::Region;
use crate::facts::{
    AccountFacts, Dated, EventSelectors, Failure, RegionAnswer, Trail, TrailFacts, TrailStatus,
};

/// A trail as last proven: its description, and the last status and selectors that could be read, each with its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTrail {
    /// Its description.
    pub trail: Trail,
    /// The account's own last reading of its status.
    pub status: Option<Dated<TrailStatus>>,
    /// The account's own last reading of its selectors.
    pub selectors: Option<Dated<EventSelectors>>,
}

impl HeldTrail {
    /// The trail after a poll that saw it; what the poll could not read stays as it was.
    fn seen(before: Option<&Self>, heard: &TrailFacts, ended: SystemTime) -> Self {
        Self {
            trail: heard.trail.clone(),
            status: read(&heard.status, ended)
                .or_else(|| before.and_then(|held| held.status.clone())),
            selectors: read(&heard.selectors, ended)
                .or_else(|| before.and_then(|held| held.selectors.clone())),
        }
    }

    /// The trail as if it had been heard of just now. What was never read has failed.
    pub(super) fn as_heard(&self) -> TrailFacts {
        let status = self.status.as_ref().map(|held| held.value.clone());
        let selectors = self.selectors.as_ref().map(|held| held.value.clone());
        TrailFacts {
            trail: self.trail.clone(),
            status: status.ok_or(Failure::Other),
            selectors: selectors.ok_or(Failure::Other),
        }
    }

    /// Whether a poll that did not see the trail could have: its absence is a fact.
    fn is_disproven(&self, facts: &AccountFacts) -> bool {
        if self.trail.multi_region || self.trail.is_foreign_to(facts.account) {
            return presence::whole(&facts.regions);
        }
        let Some(home) = &self.trail.home_region else {
            return presence::complete(&facts.regions);
        };
        asked(&facts.regions, home).is_none_or(|answer| answer.failure().is_none())
    }
}

/// The trails after a poll with these facts, by ARN, ascending.
pub(super) fn after(held: &[HeldTrail], facts: &AccountFacts, ended: SystemTime) -> Vec<HeldTrail> {
    let before = |heard: &TrailFacts| held.iter().find(|h| h.trail.arn == heard.trail.arn);
    let was_seen = |h: &HeldTrail| facts.trails.iter().any(|t| t.trail.arn == h.trail.arn);
    let seen = facts.trails.iter();
    let mut trails: Vec<_> = seen
        .map(|heard| HeldTrail::seen(before(heard), heard, ended))
        .collect();
    let unseen = held
        .iter()
        .filter(|h| !was_seen(h) && !h.is_disproven(facts));
    trails.extend(unseen.cloned());
    trails.sort_by(|a, b| a.trail.arn.cmp(&b.trail.arn));
    trails
}

fn read<T: Clone>(answer: &Result<T, Failure>, at: SystemTime) -> Option<Dated<T>> {
    let value = answer.as_ref().ok()?.clone();
    Some(Dated { value, at })
}

fn asked(regions: &[(Region, RegionAnswer)], home: &Region) -> Option<RegionAnswer> {
    let place = regions.iter().find(|(region, _)| region == home);
    place.map(|(_, answer)| *answer)
}
