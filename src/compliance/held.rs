//! The trails held over many polls: each stays as last proven until AWS or the configuration disproves it.

use smallvec::SmallVec;

use super::presence;
use crate::account::Region;
use crate::facts::{
    AccountFacts, Dated, Dates, EventSelectors, Failure, RegionAnswer, Trail, TrailFacts,
    TrailStatus,
};
use crate::timestamp::Timestamp;

/// The most trails held that the last poll did not show. AWS allows five in each Region, so that only answers that never come whole and name others
/// each time reach it.
const MOST_UNSEEN: usize = 1_000;

/// A trail as last proven: its description, and the last status and selectors that could be read, each with its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTrail {
    /// Its description.
    pub trail: Trail,
    /// The account's own last reading of its status.
    pub status: Option<Dated<TrailStatus>>,
    /// The account's own last reading of its selectors.
    pub selectors: Option<Dated<EventSelectors>>,
    /// How the home Region's call failed, where the last reading is that of a shadow copy: only
    /// whether the trail is logging comes from there, deliveries stay as last read at home.
    pub shadow: Option<Failure>,
}

/// Trails by ARN, ascending. Most accounts see one, and it then lies beside what else is held of the account: a scrape of thousands waits for less memory.
pub(super) type HeldTrails = SmallVec<[HeldTrail; 1]>;

impl HeldTrail {
    /// The trail after a poll that saw it; what the poll could not read stays as it was.
    fn seen(before: Option<&Self>, heard: &TrailFacts) -> Self {
        let (status, shadow) = match read(&heard.status, heard.dates.status) {
            Some(read) if heard.shadow.is_some() => (Some(elsewhere(before, read)), heard.shadow),
            Some(read) => (Some(read), None),
            None => (
                before.and_then(|held| held.status.clone()),
                before.and_then(|held| held.shadow),
            ),
        };
        Self {
            trail: heard.trail.clone(),
            status,
            selectors: read(&heard.selectors, heard.dates.selectors)
                .or_else(|| before.and_then(|held| held.selectors.clone())),
            shadow,
        }
    }

    /// The trail as if it had been heard of just now. What was never read has failed.
    pub(super) fn as_heard(&self, now: Timestamp) -> TrailFacts {
        let status = self.status.as_ref().map(|held| held.value.clone());
        let selectors = self.selectors.as_ref().map(|held| held.value.clone());
        TrailFacts {
            trail: self.trail.clone(),
            status: status.ok_or(Failure::Other),
            selectors: selectors.ok_or(Failure::Other),
            shadow: self.shadow,
            dates: Dates::all(now),
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

/// The trails after a poll with these facts.
pub(super) fn after(held: &[HeldTrail], facts: &AccountFacts) -> HeldTrails {
    let before = |heard: &TrailFacts| held.iter().find(|h| h.trail.arn == heard.trail.arn);
    let was_seen = |h: &HeldTrail| facts.trails.iter().any(|t| t.trail.arn == h.trail.arn);
    let seen = facts.trails.iter();
    let mut trails: HeldTrails = seen
        .map(|heard| HeldTrail::seen(before(heard), heard))
        .collect();
    let unseen = held
        .iter()
        .filter(|h| !was_seen(h) && !h.is_disproven(facts));
    trails.extend(unseen.take(MOST_UNSEEN).cloned());
    trails.sort_by(|a, b| a.trail.arn.cmp(&b.trail.arn));
    trails
}

/// A shadow copy's reading: what it says of deliveries is not the trail's.
fn elsewhere(before: Option<&HeldTrail>, mut read: Dated<TrailStatus>) -> Dated<TrailStatus> {
    let at_home = before.and_then(|held| held.status.as_ref());
    let deliveries = at_home.map(|status| status.value.deliveries.clone());
    read.value.deliveries = deliveries.unwrap_or_default();
    read
}

fn read<T: Clone>(answer: &Result<T, Failure>, at: Timestamp) -> Option<Dated<T>> {
    let value = answer.as_ref().ok()?.clone();
    Some(Dated { value, at })
}

fn asked(regions: &[(Region, RegionAnswer)], home: &Region) -> Option<RegionAnswer> {
    let place = regions.iter().find(|(region, _)| region == home);
    place.map(|(_, answer)| *answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{
        AWAY, HOME, ME, Sketch, arn, asked, both, minutes, now, organization_trail, trail, whole,
    };
    use RegionAnswer::{Disabled, Failed, Partial, Whole};

    /// The trails after a poll that asked everything at that moment.
    fn after(held: &[HeldTrail], facts: &AccountFacts, asked: Timestamp) -> HeldTrails {
        super::after(held, &facts.clone().dated(asked))
    }

    const TIMEOUT: RegionAnswer = Failed(Failure::Timeout);

    /// What is held after a first poll that heard of this one trail.
    fn held(heard: TrailFacts) -> HeldTrails {
        after(&[], &whole([heard]), now())
    }

    fn later() -> Timestamp {
        now() + minutes(5)
    }

    #[test]
    fn a_trail_that_is_seen_is_held_with_the_age_of_each_answer() {
        let trails = held(trail("a"));
        assert_eq!(trails[0].trail.arn, arn(ME, "a"));
        assert_eq!(trails[0].status.as_ref().map(|s| s.at), Some(now()));
        assert_eq!(trails[0].selectors.as_ref().map(|s| s.at), Some(now()));
    }

    #[test]
    fn what_was_never_read_is_not_held() {
        let unread = trail("a")
            .status_failed(Failure::Timeout)
            .selectors_failed(Failure::Timeout);
        let trails = held(unread);
        assert_eq!((&trails[0].status, &trails[0].selectors), (&None, &None));
    }

    #[test]
    fn a_failed_call_keeps_the_last_answer_and_its_age() {
        let stopped = trail("a").stopped().selectors_failed(Failure::Timeout);
        let unread = trail("a").encrypted().status_failed(Failure::Timeout);
        let trails = after(&held(stopped.clone()), &whole([unread]), later());
        let status = trails[0].status.as_ref().expect("a status");
        assert_eq!((status.value.logging, status.at), (false, now()));
        assert_eq!(trails[0].selectors.as_ref().map(|s| s.at), Some(later()));
        assert!(
            trails[0].trail.kms_key_id.is_some(),
            "the description is new"
        );
        let trails = after(&trails, &whole([stopped]), later());
        assert_eq!(trails[0].selectors.as_ref().map(|s| s.at), Some(later()));
    }

    #[test]
    fn a_multi_region_or_foreign_trail_is_gone_when_any_region_is_whole_without_it() {
        let foreign = organization_trail("o").single_region();
        for heard in [trail("a"), foreign] {
            let heard = held(heard);
            for (home, away, gone) in [
                (Whole, TIMEOUT, true),
                (TIMEOUT, Whole, true),
                (Disabled, Whole, true),
                (Partial, TIMEOUT, false),
                (Disabled, TIMEOUT, false),
                (Disabled, Disabled, false),
            ] {
                let trails = after(&heard, &both(home, away, []), later());
                assert_eq!(trails.is_empty(), gone, "{home:?} {away:?}");
            }
        }
    }

    #[test]
    fn a_single_region_trail_is_gone_when_its_home_region_says_so() {
        let heard = held(trail("a").single_region());
        for (home, away, gone) in [
            (Whole, TIMEOUT, true),
            (Disabled, TIMEOUT, true),
            (Partial, Whole, false),
            (TIMEOUT, Whole, false),
        ] {
            let trails = after(&heard, &both(home, away, []), later());
            assert_eq!(trails.is_empty(), gone, "{home:?} {away:?}");
        }
    }

    #[test]
    fn a_single_region_trail_of_a_region_no_longer_asked_is_gone() {
        let single = held(trail("a").single_region());
        assert!(after(&single, &asked([(AWAY, TIMEOUT)], []), later()).is_empty());
        let multi = held(trail("a"));
        assert_eq!(after(&multi, &asked([(AWAY, TIMEOUT)], []), later()), multi);
    }

    #[test]
    fn a_single_region_trail_of_no_known_region_is_gone_when_every_region_answered() {
        let homeless = trail("a")
            .single_region()
            .described(|t| t.home_region = None);
        let heard = held(homeless);
        assert_eq!(after(&heard, &both(Whole, TIMEOUT, []), later()), heard);
        assert!(after(&heard, &both(Whole, Disabled, []), later()).is_empty());
    }

    #[test]
    fn trails_that_are_kept_stand_in_order_with_those_seen() {
        let single = |name| trail(name).single_region();
        let heard = after(&[], &whole([single("a"), single("c")]), now());
        let seen = trail("b").living_in(AWAY);
        let trails = after(&heard, &both(TIMEOUT, Whole, [seen, single("c")]), later());
        let names: Vec<_> = trails.iter().map(|held| held.trail.arn.name()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let [a, _, c] = &trails[..] else {
            panic!("three trails")
        };
        assert_eq!(a.status.as_ref().map(|s| s.at), Some(now()));
        assert_eq!(c.status.as_ref().map(|s| s.at), Some(later()));
    }

    #[test]
    fn a_held_trail_can_be_heard_again() {
        assert_eq!(held(trail("a"))[0].as_heard(now()), trail("a"));
        let unread = trail("a").status_failed(Failure::Tls);
        let heard = held(unread)[0].as_heard(now());
        assert_eq!(heard.status, Err(Failure::Other));
        assert_eq!(heard.trail.home_region, HOME.parse().ok());
    }

    #[test]
    fn answers_that_name_other_trails_each_time_and_never_come_whole_do_not_pile_up() {
        let polls = (0..30).map(|poll| {
            let names = (0..100).map(|n| trail(&format!("t{poll}-{n}")));
            both(Partial, Partial, names.collect::<Vec<_>>())
        });
        let trails = polls.fold(HeldTrails::new(), |held, facts| after(&held, &facts, now()));
        assert_eq!(trails.len(), MOST_UNSEEN + 100);
    }
}
