//! What goes wrong: rules that pick requests, and the effect each has. Which rules meet a request is decided here, from the request, the seed and the time alone; the
//! effects are carried out where the answer is made.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::call::{check_operation, check_service};
use crate::names::AccountId;
use crate::when::Offset;

mod effect;

pub use effect::Effect;

/// A rule: the requests it picks (every given key must fit; an empty list fits all) and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// By this name changes and counts know it.
    #[serde(default)]
    pub name: String,
    /// Switched off, a rule picks nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `sts`, `cloudtrail`, `organizations`.
    #[serde(default)]
    pub services: Vec<String>,
    /// `AssumeRole`, `DescribeTrails`, ...
    #[serde(default)]
    pub operations: Vec<String>,
    /// The account asked about: the role's for `AssumeRole`, the caller's otherwise.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// The Region of the request.
    #[serde(default)]
    pub regions: Vec<String>,
    /// The trail ARN or name asked about.
    #[serde(default)]
    pub trails: Vec<String>,
    /// The share of fitting requests it picks, by the seed.
    #[serde(default = "always")]
    pub probability: f64,
    /// Picks only the first so many fitting requests of each account.
    #[serde(default)]
    pub first: Option<u64>,
    /// From this long after the start.
    #[serde(default, with = "humantime_serde")]
    pub from: Duration,
    /// Until this long after the start.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Duration>,
    /// What happens.
    pub effect: Effect,
}

fn yes() -> bool {
    true
}

fn always() -> f64 {
    1.0
}

/// What a rule sees of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: &'a str,
    pub(crate) trail: Option<&'a str>,
}

/// What the picked rules do to one request, together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) clock_offset: Option<Offset>,
    pub(crate) identity: Option<AccountId>,
    pub(crate) effect: Option<Effect>,
}

/// How often each rule met each account, which `first` and the dice need, and how often each rule struck.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    met: HashMap<(usize, Option<AccountId>), u64>,
    struck: HashMap<usize, u64>,
}

impl Meetings {
    /// How often the rule at this place struck.
    pub(crate) fn struck(&self, rule: usize) -> u64 {
        self.struck.get(&rule).copied().unwrap_or(0)
    }

    /// Decides what happens to a request `age` after the start.
    pub(crate) fn plan(
        &mut self,
        rules: &[Fault],
        seed: u64,
        target: Target<'_>,
        age: Duration,
    ) -> Plan {
        let mut plan = Plan::default();
        for (index, rule) in rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.fits(target, age))
        {
            let met = self.met.entry((index, target.account)).or_default();
            *met += 1;
            let dice = throw(seed, index, target, *met);
            if rule.first.is_none_or(|first| *met <= first) && dice < rule.probability {
                *self.struck.entry(index).or_default() += 1;
                plan.add(&rule.effect, dice / rule.probability.max(f64::MIN_POSITIVE));
            }
        }
        plan
    }
}

impl Fault {
    /// A rule that picks every request.
    pub fn always(effect: Effect) -> Self {
        Self {
            name: String::new(),
            enabled: true,
            services: Vec::new(),
            operations: Vec::new(),
            accounts: Vec::new(),
            regions: Vec::new(),
            trails: Vec::new(),
            probability: 1.0,
            first: None,
            from: Duration::ZERO,
            until: None,
            effect,
        }
    }

    /// Only for these operations.
    #[must_use]
    pub fn on(mut self, operations: &[&str]) -> Self {
        self.operations = operations
            .iter()
            .map(|&operation| operation.to_owned())
            .collect();
        self
    }

    /// Only for this account.
    #[must_use]
    pub fn of(mut self, account: AccountId) -> Self {
        self.accounts.push(account);
        self
    }

    /// Says what keeps it from ever striking, if anything does.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.services
            .iter()
            .try_for_each(|name| check_service(name))?;
        self.operations
            .iter()
            .try_for_each(|name| check_operation(name))?;
        let share = (0.0..=1.0).contains(&self.probability);
        share
            .then_some(())
            .ok_or_else(|| format!("probability {} is not between 0 and 1", self.probability))
    }

    fn fits(&self, target: Target<'_>, age: Duration) -> bool {
        self.enabled
            && age >= self.from
            && self.until.is_none_or(|until| age < until)
            && listed(&self.services, Some(target.service))
            && listed(&self.operations, Some(target.operation))
            && listed(&self.regions, Some(target.region))
            && listed(&self.trails, target.trail)
            && (self.accounts.is_empty()
                || target
                    .account
                    .is_some_and(|account| self.accounts.contains(&account)))
    }
}

impl Plan {
    fn add(&mut self, effect: &Effect, dice: f64) {
        match effect {
            Effect::Latency { base, jitter } => self.delay += *base + jitter.mul_f64(dice),
            Effect::ClockOffset(offset) => self.clock_offset = Some(*offset),
            Effect::WrongIdentity(account) => self.identity = Some(*account),
            other => self.effect = self.effect.take().or_else(|| Some(other.clone())),
        }
    }
}

fn listed(list: &[String], value: Option<&str>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.iter().any(|entry| entry == value))
}

/// A number in 0..1 that depends on the seed and the request alone, not on the order in which requests of different accounts arrive.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
fn throw(seed: u64, rule: usize, target: Target<'_>, met: u64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (
        seed,
        rule,
        target.account,
        target.operation,
        target.region,
        met,
    )
        .hash(&mut hasher);
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

/// How long after the start it is.
pub(crate) fn age(started: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(started).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u64 = 111_111_111_111;

    fn target(account: u64) -> Target<'static> {
        Target {
            service: "cloudtrail",
            operation: "DescribeTrails",
            account: AccountId::new(account),
            region: "us-east-1",
            trail: None,
        }
    }

    fn strikes(rule: &Fault, account: u64, times: usize) -> Vec<bool> {
        let mut meetings = Meetings::default();
        let rules = std::slice::from_ref(rule);
        (0..times)
            .map(|_| {
                meetings
                    .plan(rules, 7, target(account), Duration::ZERO)
                    .effect
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn a_rule_with_no_selector_picks_everything() {
        assert_eq!(
            strikes(&Fault::always(Effect::Throttle), A, 2),
            [true, true]
        );
    }

    #[test]
    fn every_selector_must_fit() {
        let account = AccountId::new(A).unwrap();
        assert_eq!(
            strikes(&Fault::always(Effect::Hang).of(account), A + 1, 1),
            [false]
        );
        assert_eq!(
            strikes(
                &Fault::always(Effect::Hang)
                    .of(account)
                    .on(&["GetTrailStatus"]),
                A,
                1
            ),
            [false]
        );
        let elsewhere = Fault {
            regions: vec!["eu-west-1".to_owned()],
            ..Fault::always(Effect::Hang)
        };
        assert_eq!(strikes(&elsewhere, A, 1), [false]);
    }

    #[test]
    fn the_first_two_of_each_account_are_picked_and_no_more() {
        let rule = Fault {
            first: Some(2),
            ..Fault::always(Effect::Throttle)
        };
        assert_eq!(strikes(&rule, A, 4), [true, true, false, false]);
    }

    #[test]
    fn the_dice_fall_the_same_way_for_the_same_seed_and_about_as_often_as_asked() {
        let rule = Fault {
            probability: 0.3,
            ..Fault::always(Effect::Throttle)
        };
        let once = strikes(&rule, A, 1_000);
        assert_eq!(once, strikes(&rule, A, 1_000));
        let hits = once.iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits}");
    }

    #[test]
    fn a_window_opens_and_closes() {
        let rule = Fault {
            from: Duration::from_secs(10),
            until: Some(Duration::from_secs(20)),
            ..Fault::always(Effect::Hang)
        };
        let picked: Vec<bool> = [9, 10, 19, 20]
            .map(|s| rule.fits(target(A), Duration::from_secs(s)))
            .to_vec();
        assert_eq!(picked, [false, true, true, false]);
    }

    #[test]
    fn latency_comes_on_top_and_the_first_other_effect_wins() {
        let latency = Effect::Latency {
            base: Duration::from_millis(100),
            jitter: Duration::ZERO,
        };
        let rules = [latency.clone(), Effect::Throttle, latency, Effect::Hang].map(Fault::always);
        let plan = Meetings::default().plan(&rules, 0, target(A), Duration::ZERO);
        assert_eq!(
            (plan.delay, plan.effect),
            (Duration::from_millis(200), Some(Effect::Throttle))
        );
    }
}
