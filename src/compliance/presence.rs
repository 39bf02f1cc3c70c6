//! What the answers of `DescribeTrails` prove by themselves. One whole answer of any Region shows every multi-Region trail; only all Regions
//! together show every trail.

use super::{Reason, Truth};
use crate::account::Region;
use crate::facts::{Failure, RegionAnswer, TrailFacts};

/// Whether there may be multi-Region trails that no answer shows: false, or unknown because of the first asked Region that failed.
pub(super) fn unseen(regions: &[(Region, RegionAnswer)]) -> Truth {
    if whole(regions) {
        return Truth::False;
    }
    let failed = |(order, (_, answer)): (usize, &(Region, RegionAnswer))| {
        let (order, reason) = (place(order), answer.failure()?.into());
        Some(Truth::Unknown { order, reason })
    };
    let all_disabled = Truth::Unknown {
        order: 0,
        reason: Reason::Failed(Failure::RegionDisabled),
    };
    let first = regions.iter().enumerate().find_map(failed);
    first.unwrap_or(all_disabled)
}

/// Whether some Region showed every trail visible there.
pub(super) fn whole(regions: &[(Region, RegionAnswer)]) -> bool {
    regions
        .iter()
        .any(|(_, answer)| *answer == RegionAnswer::Whole)
}

/// Whether every asked Region answered, so that every trail of those Regions was seen.
pub(super) fn complete(regions: &[(Region, RegionAnswer)]) -> bool {
    let answered = |(_, answer): &(Region, RegionAnswer)| answer.failure().is_none();
    whole(regions) && regions.iter().all(answered)
}

/// Whether an account has not enabled a trail's home Region: a call about the trail met that, or `DescribeTrails` did. A status that was read there
/// proves the contrary.
pub(super) fn home_is_disabled(heard: &TrailFacts, regions: &[(Region, RegionAnswer)]) -> bool {
    let Err(status) = heard.status else {
        return false;
    };
    let selectors = heard.selectors.as_ref().err().copied();
    let home = |(region, answer): &(Region, RegionAnswer)| {
        heard.trail.home_region.as_ref() == Some(region) && *answer == RegionAnswer::Disabled
    };
    [Some(status), selectors].contains(&Some(Failure::RegionDisabled)) || regions.iter().any(home)
}

/// The place in the poll of the first call that can have described a trail.
pub(super) fn described(regions: &[(Region, RegionAnswer)]) -> u32 {
    let describes = |(_, answer): &(Region, RegionAnswer)| {
        matches!(answer, RegionAnswer::Whole | RegionAnswer::Partial)
    };
    place(regions.iter().position(describes).unwrap_or_default())
}

/// A place in a poll, as small as it is held. A poll never has so many calls that it would not fit.
pub(super) fn place(call: usize) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{Sketch, both, trail};
    use RegionAnswer::{Disabled, Failed, Partial, Whole};

    const TIMEOUT: RegionAnswer = Failed(Failure::Timeout);

    fn because(order: u32, failure: Failure) -> Truth {
        let reason = Reason::Failed(failure);
        Truth::Unknown { order, reason }
    }

    #[test]
    fn one_whole_answer_leaves_no_multi_region_trail_unseen() {
        for other in [Whole, Partial, Disabled, TIMEOUT] {
            assert_eq!(unseen(&both(Whole, other, []).regions), Truth::False);
            assert_eq!(unseen(&both(other, Whole, []).regions), Truth::False);
        }
    }

    #[test]
    fn without_a_whole_answer_the_first_region_that_failed_says_why() {
        for (home, away, expected) in [
            (TIMEOUT, Failed(Failure::Tls), because(0, Failure::Timeout)),
            (Partial, TIMEOUT, because(0, Failure::Malformed)),
            (Disabled, TIMEOUT, because(1, Failure::Timeout)),
            (Disabled, Disabled, because(0, Failure::RegionDisabled)),
        ] {
            assert_eq!(unseen(&both(home, away, []).regions), expected);
        }
    }

    #[test]
    fn every_trail_is_seen_only_if_every_region_answered_and_one_is_enabled() {
        for (home, away, expected) in [
            (Whole, Whole, true),
            (Whole, Disabled, true),
            (Disabled, Disabled, false),
            (Whole, Partial, false),
            (TIMEOUT, Whole, false),
        ] {
            assert_eq!(complete(&both(home, away, []).regions), expected);
        }
    }

    #[test]
    fn a_home_region_is_disabled_where_any_call_of_the_poll_met_that() {
        let regions = |home, away| both(home, away, []).regions;
        let unread = || trail("a").status_failed(Failure::Throttled);
        let selectors = unread().selectors_failed(Failure::RegionDisabled);
        for (heard, home, expected) in [
            (
                trail("a").status_failed(Failure::RegionDisabled),
                Whole,
                true,
            ),
            (selectors, Whole, true),
            (unread(), Disabled, true),
            (unread(), TIMEOUT, false),
            (unread(), Whole, false),
            (trail("a"), Disabled, false),
        ] {
            assert_eq!(home_is_disabled(&heard, &regions(home, Whole)), expected);
        }
        assert!(!home_is_disabled(&unread(), &regions(Whole, Disabled)));
    }

    #[test]
    fn the_first_answer_with_trails_described_them() {
        assert_eq!(described(&both(TIMEOUT, Partial, []).regions), 1);
        assert_eq!(described(&both(Disabled, Whole, []).regions), 1);
        assert_eq!(described(&both(Partial, Whole, []).regions), 0);
    }
}
