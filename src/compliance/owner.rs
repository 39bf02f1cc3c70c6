//! The organization-trail join: where a member's own call about an organization trail failed, the owner's fresh facts stand in.

use std::time::Duration;

use crate::account::TrailArn;
use crate::compliance::{HeldTrail, Policy};
use crate::facts::{AccountFacts, Dated, Dates, TrailFacts};
use crate::timestamp::Timestamp;

use super::presence;
use super::proofs::Freshness;

/// What the account that owns a trail holds of it.
#[derive(Debug, Clone, Copy)]
pub struct OwnersTrail<'a> {
    /// The trail.
    pub held: &'a HeldTrail,
    /// How long the owner's readings stay fresh.
    pub fresh: Freshness,
}

/// Facts completed from the owners of organization trails.
///
/// A stand-in lapses by its owner's `stale_after`, the member's own answers by the member's. So a
/// stand-in is dated as if it lasted as long as the member's own answers do.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The member's facts, with stand-ins where its own calls failed.
    pub facts: AccountFacts,
    /// The true dates of the trails with stand-ins, by their place; empty if all facts are the
    /// member's own.
    dates: Vec<(usize, Dates)>,
}

impl Joined {
    /// Whether a stand-in was used.
    pub fn is_joined(&self) -> bool {
        !self.dates.is_empty()
    }

    /// The same facts with every answer's true date.
    #[must_use]
    pub fn with_true_dates(mut self) -> AccountFacts {
        for (place, dates) in self.dates {
            if let Some(heard) = self.facts.trails.get_mut(place) {
                heard.dates = dates;
            }
        }
        self.facts
    }
}

/// Completes `facts` with what `owner` holds of the trails the account could not read. An owner that says that a trail is no organization's (any more)
/// says nothing of it for anybody else. `own` is what the account itself read last: an owner's older answer does not overturn it.
pub fn join<'a>(
    facts: &AccountFacts,
    own: &[HeldTrail],
    owner: impl Fn(&TrailArn) -> Option<OwnersTrail<'a>>,
    policy: &Policy,
    now: Timestamp,
) -> Joined {
    let mut joined = Joined {
        facts: facts.clone(),
        dates: Vec::new(),
    };
    let trails = joined.facts.trails.iter_mut().enumerate();
    for (place, heard) in trails.filter(|(_, heard)| may_join(heard, facts)) {
        let word = owner(&heard.trail.arn).filter(|word| word.held.trail.organization);
        let own = own.iter().find(|held| held.trail.arn == heard.trail.arn);
        let dates = word.and_then(|word| stand_in(heard, own, word, policy.stale_after, now));
        joined.dates.extend(dates.map(|dates| (place, dates)));
    }
    joined
}

/// A foreign trail whose events reach the account: not one whose home Region the account has not enabled.
fn may_join(heard: &TrailFacts, facts: &AccountFacts) -> bool {
    let disabled = presence::home_is_disabled(heard, &facts.regions);
    heard.trail.is_foreign_to(facts.account) && !disabled
}

/// Puts the owner's answers in the places of failures, if they are fresh, and in that of a shadow
/// copy's answer. Gives the true dates of the trail's answers if any was put in.
fn stand_in(
    heard: &mut TrailFacts,
    own: Option<&HeldTrail>,
    word: OwnersTrail<'_>,
    lasts: Duration,
    now: Timestamp,
) -> Option<Dates> {
    let OwnersTrail { held, fresh } = word;
    let mut dates = heard.dates;
    let mut joined = false;
    // What a shadow copy said is not the account's own word.
    let own_status = own.filter(|own| own.shadow.is_none());
    let own_status = own_status.and_then(|own| own.status.as_ref());
    let own_selectors = own.and_then(|own| own.selectors.as_ref());
    if let Some(status) = &held.status
        && (heard.status.is_err() || heard.shadow.is_some())
        && fresh.holds(status.at, now)
        && !is_overtaken(status, own_status, |a, b| a.logging != b.logging)
    {
        heard.status = Ok(status.value.clone());
        heard.shadow = held.shadow;
        heard.dates.status = status.at + fresh.lasts - lasts;
        dates.status = status.at;
        joined = true;
    }
    if let Some(selectors) = &held.selectors
        && heard.selectors.is_err()
        && fresh.holds(selectors.at, now)
        && !is_overtaken(selectors, own_selectors, |a, b| a != b)
    {
        heard.selectors = Ok(selectors.value.clone());
        heard.dates.selectors = selectors.at + fresh.lasts - lasts;
        dates.selectors = selectors.at;
        joined = true;
    }
    joined.then_some(dates)
}

/// Whether the account itself read something else after its owner read this.
fn is_overtaken<T>(
    owners: &Dated<T>,
    own: Option<&Dated<T>>,
    differ: impl Fn(&T, &T) -> bool,
) -> bool {
    let later = own.filter(|own| own.at.boot() > owners.at.boot());
    later.is_some_and(|own| differ(&own.value, &owners.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{
        OWNER, Sketch, advanced, arn, both, held_by_owner, minutes, nobody, now,
        organization_trail, owned, rule, trail, whole,
    };

    use crate::facts::{Failure, RegionAnswer};

    /// Joins facts with what the owner holds of each trail: stopped, and as old as said.
    fn joined(facts: &AccountFacts, at: Timestamp) -> Joined {
        let stopped = held_by_owner(&organization_trail("o").stopped(), at);
        join(facts, &[], |_| Some(owned(&stopped)), &rule(), now())
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
        assert_eq!(heard.facts.clone().dated(now()), expected);
        let dates = heard.with_true_dates().trails[0].dates;
        assert_eq!((dates.status, dates.selectors), (earlier(3), earlier(3)));
        assert_eq!(dates.described, now());
    }

    #[test]
    fn a_members_own_answer_wins() {
        let own = whole([organization_trail("o")]);
        let heard = joined(&own, now());
        assert!(!heard.is_joined());
        assert_eq!(heard.facts, own);
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
    fn a_stand_in_is_dated_as_if_it_lasted_as_long_as_own_answers() {
        let held = held_by_owner(&organization_trail("o"), earlier(40));
        let by_the_hour = |lasts| {
            let fresh = Freshness {
                lasts: minutes(lasts),
                lapsed: None,
            };
            let owner = OwnersTrail { held: &held, fresh };
            join(
                &refused(organization_trail("o")),
                &[],
                |_| Some(owner),
                &rule(),
                now(),
            )
        };
        let heard = by_the_hour(65);
        let dates = heard.facts.trails[0].dates;
        let counted = earlier(40) + minutes(50);
        assert_eq!((dates.status, dates.selectors), (counted, counted));
        assert_eq!(heard.with_true_dates().trails[0].dates.status, earlier(40));
        assert!(by_the_hour(40).is_joined());
        assert!(!by_the_hour(39).is_joined());
    }

    #[test]
    fn an_owners_older_answer_does_not_overturn_a_newer_one_of_the_members_own() {
        let facts = refused(organization_trail("o"));
        let join_after = |own: TrailFacts, owner: TrailFacts, owners_at| {
            let own = [held_by_owner(&own, earlier(5))];
            let owner = held_by_owner(&owner, owners_at);
            let heard = join(&facts, &own, |_| Some(owned(&owner)), &rule(), now());
            let trail = &heard.facts.trails[0];
            let logging = trail.status.as_ref().map(|status| status.logging);
            (logging.ok(), trail.selectors.is_ok())
        };
        let logs = || organization_trail("o");
        let stopped = || logs().stopped();
        for (own, owner) in [(logs(), stopped()), (stopped(), logs())] {
            let word = owner.status.as_ref().map(|status| status.logging).ok();
            let join_at = |at| join_after(own.clone(), owner.clone(), at);
            assert_eq!(join_at(earlier(6)), (None, true), "the selectors agree");
            assert_eq!(join_at(earlier(5)), (word, true));
            assert_eq!(join_at(earlier(4)), (word, true));
        }
        assert_eq!(
            join_after(stopped(), stopped(), earlier(6)),
            (Some(false), true)
        );
        let narrow = || logs().selecting(advanced([]));
        assert_eq!(
            join_after(narrow(), logs(), earlier(6)),
            (Some(true), false)
        );
        assert_eq!(join_after(narrow(), logs(), earlier(4)), (Some(true), true));
        let mut elsewhere = stopped();
        elsewhere.shadow = Some(Failure::AccessDenied);
        assert_eq!(
            join_after(elsewhere, logs(), earlier(6)),
            (Some(true), true)
        );
    }

    #[test]
    fn what_its_owner_saw_lapse_does_not_stand_in() {
        let held = held_by_owner(&organization_trail("o"), earlier(1));
        let join_with = |lapsed| {
            let lasts = minutes(15);
            let fresh = Freshness { lasts, lapsed };
            let owner = OwnersTrail { held: &held, fresh };
            let facts = refused(organization_trail("o"));
            join(&facts, &[], |_| Some(owner), &rule(), now()).is_joined()
        };
        assert!(!join_with(Some(earlier(1).boot())));
        assert!(join_with(Some(earlier(2).boot())));
    }

    #[test]
    fn the_owners_word_stands_before_a_shadow_copys() {
        let mut facts = whole([organization_trail("o")]);
        facts.trails[0].shadow = Some(Failure::AccessDenied);
        let heard = joined(&facts, earlier(3));
        let trail = &heard.facts.trails[0];
        assert_eq!(trail.status.as_ref().map(|s| s.logging), Ok(false));
        assert_eq!(trail.shadow, None);
        assert_eq!(
            trail.dates.selectors,
            now(),
            "selectors are the member's own"
        );
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
            assert_eq!(joined(&facts, at).is_joined(), joins, "{at:?}");
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
            assert!(joined(&facts, now()).is_joined(), "{failure:?}");
        }
        let lost = organization_trail("o")
            .status_failed(Failure::RegionDisabled)
            .selectors_failed(Failure::RegionDisabled);
        let facts = whole([lost]);
        assert_eq!(joined(&facts, now()).facts, facts);
        let selectors = whole([organization_trail("o").selectors_failed(Failure::RegionDisabled)]);
        assert!(joined(&selectors, now()).is_joined());
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
        let heard = join(&facts, &[], |_| Some(owned(&held)), &rule(), now());
        assert!(!heard.is_joined());
        assert_eq!(heard.facts, facts);
    }

    #[test]
    fn a_trail_that_is_no_organizations_by_its_owners_word_is_not_joined() {
        let changed = organization_trail("o").described(|trail| trail.organization = false);
        let held = held_by_owner(&changed, now());
        let facts = refused(organization_trail("o"));
        let heard = join(&facts, &[], |_| Some(owned(&held)), &rule(), now());
        assert!(!heard.is_joined());
        assert_eq!(heard.facts, facts);
    }

    #[test]
    fn the_owner_is_asked_by_arn_and_may_not_be_polled_here() {
        let held = held_by_owner(&organization_trail("o"), now());
        let owner = |wanted: &TrailArn| (*wanted == arn(OWNER, "o")).then(|| owned(&held));
        let facts = refused(organization_trail("o"));
        assert!(join(&facts, &[], owner, &rule(), now()).is_joined());
        assert!(!join(&facts, &[], nobody, &rule(), now()).is_joined());
        let other = refused(organization_trail("p"));
        assert_eq!(join(&other, &[], owner, &rule(), now()).facts, other);
    }
}
