//! The organization-trail join: where a member's own call about an organization trail failed, the owner's fresh facts stand in.

use crate::account::TrailArn;
use crate::compliance::{HeldTrail, Policy};
use crate::facts::{AccountFacts, Dated, Failure, TrailFacts};
use crate::timestamp::Timestamp;

use super::presence;

/// Facts completed from the owners of organization trails.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The member's facts, with stand-ins where its own calls failed.
    pub facts: AccountFacts,
    /// The age of the oldest stand-in used; `None` if all facts are the member's own.
    pub oldest: Option<Timestamp>,
}

/// Completes `facts` with what `owner` holds of the trails the account could not read. An owner that says that a trail is no organization's (any more)
/// says nothing of it for anybody else.
pub fn join<'a>(
    facts: &AccountFacts,
    owner: impl Fn(&TrailArn) -> Option<&'a HeldTrail>,
    policy: &Policy,
    now: Timestamp,
) -> Joined {
    let mut joined = Joined {
        facts: facts.clone(),
        oldest: None,
    };
    let trails = joined.facts.trails.iter_mut();
    for heard in trails.filter(|heard| may_join(heard, facts)) {
        let held = owner(&heard.trail.arn).filter(|held| held.trail.organization);
        let Some(held) = held else {
            continue;
        };
        let fresh = |at| now.is_within(policy.stale_after, at);
        let used = [
            stand_in(&mut heard.status, held.status.as_ref(), fresh),
            stand_in(&mut heard.selectors, held.selectors.as_ref(), fresh),
        ];
        let oldest = used.into_iter().flatten().chain(joined.oldest);
        let oldest = oldest.reduce(Timestamp::earliest);
        joined.oldest = oldest;
    }
    joined
}

/// A foreign trail whose events reach the account: not one whose home Region the account has not enabled.
fn may_join(heard: &TrailFacts, facts: &AccountFacts) -> bool {
    let disabled = presence::home_is_disabled(heard, &facts.regions);
    heard.trail.is_foreign_to(facts.account) && !disabled
}

/// Puts the owner's answer in the place of a failure, if it is fresh; says how old it is.
fn stand_in<T: Clone>(
    own: &mut Result<T, Failure>,
    held: Option<&Dated<T>>,
    fresh: impl Fn(Timestamp) -> bool,
) -> Option<Timestamp> {
    let held = held.filter(|held| own.is_err() && fresh(held.at))?;
    *own = Ok(held.value.clone());
    Some(held.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{
        OWNER, Sketch, arn, both, held_by_owner, minutes, nobody, now, organization_trail, rule,
        trail, whole,
    };

    use crate::facts::RegionAnswer;

    /// Joins facts with what the owner holds of each trail: stopped, and as old as said.
    fn joined(facts: &AccountFacts, at: Timestamp) -> Joined {
        let stopped = held_by_owner(&organization_trail("o").stopped(), at);
        join(facts, |_| Some(&stopped), &rule(), now())
    }

    fn refused(heard: TrailFacts) -> AccountFacts {
        let both = heard.status_failed(Failure::AccessDenied);
        whole([both.selectors_failed(Failure::AccessDenied)])
    }

    fn earlier(before: u64) -> Timestamp {
        now() - minutes(before)
    }

    #[test]
    fn the_owner_stands_in_for_calls_that_failed() {
        let heard = joined(&refused(organization_trail("o")), earlier(3));
        let expected = whole([organization_trail("o").stopped()]);
        assert_eq!((heard.facts, heard.oldest), (expected, Some(earlier(3))));
    }

    #[test]
    fn a_members_own_answer_wins() {
        let own = whole([organization_trail("o")]);
        let heard = joined(&own, now());
        assert_eq!((heard.facts, heard.oldest), (own, None));
    }

    #[test]
    fn each_answer_is_joined_by_itself() {
        let status = whole([organization_trail("o").status_failed(Failure::Tls)]);
        assert_eq!(
            joined(&status, now()).facts,
            whole([organization_trail("o").stopped()])
        );
        let selectors = whole([organization_trail("o").selectors_failed(Failure::Tls)]);
        assert_eq!(
            joined(&selectors, now()).facts,
            whole([organization_trail("o")])
        );
    }

    #[test]
    fn the_oldest_stand_in_gives_the_age() {
        let mut held = held_by_owner(&organization_trail("o"), earlier(4));
        if let Some(selectors) = &mut held.selectors {
            selectors.at = earlier(9);
        }
        let newer = held_by_owner(&organization_trail("p"), earlier(2));
        let facts = AccountFacts {
            trails: ["o", "p"]
                .map(|name| organization_trail(name).status_failed(Failure::Tls))
                .into(),
            ..refused(organization_trail("o"))
        };
        let owner = |wanted: &TrailArn| Some(if wanted.name() == "o" { &held } else { &newer });
        assert_eq!(join(&facts, owner, &rule(), now()).oldest, Some(earlier(4)));
        let facts = refused(organization_trail("o"));
        assert_eq!(join(&facts, owner, &rule(), now()).oldest, Some(earlier(9)));
    }

    #[test]
    fn only_fresh_facts_of_the_owner_count() {
        let facts = refused(organization_trail("o"));
        for (at, joins) in [
            (earlier(15), true),
            (earlier(15) - std::time::Duration::from_nanos(1), false),
            (now() + minutes(15), true),
            (now() + minutes(16), false),
        ] {
            assert_eq!(joined(&facts, at).oldest.is_some(), joins, "{at:?}");
        }
    }

    #[test]
    fn every_failure_but_a_disabled_home_region_is_joined() {
        for failure in [
            Failure::Timeout,
            Failure::NotFound,
            Failure::Malformed,
            Failure::Other,
        ] {
            let facts = whole([organization_trail("o").status_failed(failure)]);
            assert!(joined(&facts, now()).oldest.is_some(), "{failure:?}");
        }
        let lost = organization_trail("o")
            .status_failed(Failure::RegionDisabled)
            .selectors_failed(Failure::RegionDisabled);
        let facts = whole([lost]);
        assert_eq!(joined(&facts, now()).facts, facts);
        let selectors = whole([organization_trail("o").selectors_failed(Failure::RegionDisabled)]);
        assert!(joined(&selectors, now()).oldest.is_some());
    }

    #[test]
    fn nothing_is_joined_where_another_call_met_the_disabled_home_region() {
        let throttled = || organization_trail("o").status_failed(Failure::Throttled);
        let selectors = whole([throttled().selectors_failed(Failure::RegionDisabled)]);
        let (disabled, other) = (RegionAnswer::Disabled, RegionAnswer::Whole);
        for facts in [selectors, both(disabled, other, [throttled()])] {
            assert_eq!(joined(&facts, now()).facts, facts);
        }
    }

    #[test]
    fn a_trail_of_ones_own_is_never_joined() {
        let facts = refused(trail("o"));
        assert_eq!(joined(&facts, now()).facts, facts);
    }

    #[test]
    fn what_the_owner_could_not_read_does_not_stand_in() {
        let unread = organization_trail("o")
            .status_failed(Failure::Tls)
            .selectors_failed(Failure::Tls);
        let held = held_by_owner(&unread, now());
        let facts = refused(organization_trail("o"));
        let heard = join(&facts, |_| Some(&held), &rule(), now());
        assert_eq!((heard.facts, heard.oldest), (facts, None));
    }

    #[test]
    fn a_trail_that_is_no_organizations_by_its_owners_word_is_not_joined() {
        let changed = organization_trail("o").described(|trail| trail.organization = false);
        let held = held_by_owner(&changed, now());
        let facts = refused(organization_trail("o"));
        let heard = join(&facts, |_| Some(&held), &rule(), now());
        assert_eq!((heard.facts, heard.oldest), (facts, None));
    }

    #[test]
    fn the_owner_is_asked_by_arn_and_may_not_be_polled_here() {
        let held = held_by_owner(&organization_trail("o"), now());
        let owner = |wanted: &TrailArn| (*wanted == arn(OWNER, "o")).then_some(&held);
        let facts = refused(organization_trail("o"));
        assert!(join(&facts, owner, &rule(), now()).oldest.is_some());
        assert!(join(&facts, nobody, &rule(), now()).oldest.is_none());
        let other = refused(organization_trail("p"));
        assert_eq!(join(&other, owner, &rule(), now()).facts, other);
    }
}
