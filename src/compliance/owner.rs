//! The organization-trail join: where a member's own call about an organization trail failed, the owner's fresh facts stand in.

use std::time::SystemTime;

use crate::account::{AccountId, TrailArn};
use crate::compliance::{HeldTrail, Policy};
use crate::facts::{AccountFacts, Dated, Failure, TrailFacts};

use super::proofs::is_fresh;

/// Facts completed from the owners of organization trails.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The member's facts, with stand-ins where its own calls failed.
    pub facts: AccountFacts,
    /// The age of the oldest stand-in used; `None` if all facts are the member's own.
    pub oldest: Option<SystemTime>,
}

/// Completes `facts` with what `owner` holds of the trails the account could not read.
pub fn join<'a>(
    facts: &AccountFacts,
    owner: impl Fn(&TrailArn) -> Option<&'a HeldTrail>,
    policy: &Policy,
    now: SystemTime,
) -> Joined {
    let mut joined = Joined {
        facts: facts.clone(),
        oldest: None,
    };
    let account = facts.account;
    for heard in joined
        .facts
        .trails
        .iter_mut()
        .filter(|t| may_join(t, account))
    {
        let Some(held) = owner(&heard.trail.arn) else {
            continue;
        };
        let fresh = |at| is_fresh(at, now, policy.stale_after);
        let used = [
            stand_in(&mut heard.status, held.status.as_ref(), fresh),
            stand_in(&mut heard.selectors, held.selectors.as_ref(), fresh),
        ];
        let oldest = used.into_iter().flatten().chain(joined.oldest).min();
        joined.oldest = oldest;
    }
    joined
}

/// A foreign trail whose events reach the account: not one whose home Region the account has not enabled.
fn may_join(heard: &TrailFacts, account: AccountId) -> bool {
    let disabled = matches!(heard.status, Err(Failure::RegionDisabled));
    heard.trail.is_foreign_to(account) && !disabled
}

/// Puts the owner's answer in the place of a failure, if it is fresh; says how old it is.
fn stand_in<T: Clone>(
    own: &mut Result<T, Failure>,
    held: Option<&Dated<T>>,
    fresh: impl Fn(SystemTime) -> bool,
) -> Option<SystemTime> {
    let held = held.filter(|held| own.is_err() && fresh(held.at))?;
    *own = Ok(held.value.clone());
    Some(held.at)
}
