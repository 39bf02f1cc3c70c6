//! CloudTrail: which trails an account sees from a Region, and what it is told of each. Visibility follows AWS: a Region's own trails, the shadows of multi-Region trails, and the
//! organization trails of the management account.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::account::Account;
use crate::call::Call;
use crate::names::{AccountId, Partition};
use crate::reply::{AwsError, Payload};
use crate::trail::Trail;
use crate::world::World;

mod wire;

/// Deliveries of different owners are this far apart, so that a fleet does not move in step.
const PHASE_STEP: Duration = Duration::from_secs(37);

/// A trail as one account sees it.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    owner: AccountId,
    partition: Partition,
    trail: &'a Trail,
}

/// What an account asks from: where, and when.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) id: AccountId,
    pub(crate) account: &'a Account,
    pub(crate) region: &'a str,
    pub(crate) now: SystemTime,
}

impl Seen<'_> {
    fn arn(&self) -> String {
        self.trail.arn(self.partition, self.owner)
    }

    /// Whether it covers the Region asked.
    fn reaches(&self, region: &str) -> bool {
        self.trail.multi_region || self.trail.home_region == region
    }

    fn phase(&self) -> Duration {
        PHASE_STEP * u32::try_from(self.owner.number() % 97).unwrap_or(0)
    }
}

impl<'a> View<'a> {
    fn own(self) -> impl Iterator<Item = Seen<'a>> {
        let seen = move |trail| Seen {
            owner: self.id,
            partition: self.account.partition,
            trail,
        };
        self.account.trails.iter().map(seen)
    }

    fn organization_trails(self) -> impl Iterator<Item = Seen<'a>> {
        let owner = self
            .world
            .organization_of(self.account)
            .map(|organization| organization.management_account);
        let owner = owner.filter(|owner| *owner != self.id);
        let account = owner.and_then(|owner| Some((owner, self.world.account(owner)?)));
        account.into_iter().flat_map(|(owner, account)| {
            let seen = move |trail| Seen {
                owner,
                partition: account.partition,
                trail,
            };
            account
                .trails
                .iter()
                .filter(|trail| trail.organization)
                .map(seen)
        })
    }

    fn visible(self) -> impl Iterator<Item = Seen<'a>> {
        self.own()
            .chain(self.organization_trails())
            .filter(move |seen| seen.reaches(self.region))
    }

    /// The trail a caller names: by ARN any visible one, by name only one at home here and its own.
    fn find(self, wanted: Option<&str>) -> Result<Seen<'a>, AwsError> {
        let wanted = wanted.ok_or_else(|| invalid_name("Trail name cannot be blank!"))?;
        let found = if wanted.starts_with("arn:") {
            check_arn(wanted)?;
            self.visible().find(|seen| seen.arn() == wanted)
        } else {
            check_name(wanted)?;
            self.own()
                .find(|seen| seen.trail.name == wanted && seen.trail.home_region == self.region)
        };
        let unknown = || {
            AwsError::new(
                "TrailNotFoundException",
                format!("Unknown trail: {wanted} for the user: {}", self.id),
            )
        };
        found.ok_or_else(unknown)
    }

    /// `DescribeTrails`.
    pub(crate) fn describe_trails(self, call: &Call) -> Result<Payload, AwsError> {
        let field = |name: &str| call.input.as_ref().and_then(|input| input.get(name));
        let named: Vec<&str> = field("trailNameList")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        named.iter().try_for_each(|name| {
            if name.starts_with("arn:") {
                check_arn(name)
            } else {
                check_name(name)
            }
        })?;
        let shadows = field("includeShadowTrails")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let wanted = |seen: &Seen<'_>| {
            let at_home = seen.owner == self.id && seen.trail.home_region == self.region;
            let is_named =
                |name: &&str| **name == seen.arn() || (at_home && **name == seen.trail.name);
            (shadows || at_home) && (named.is_empty() || named.iter().any(is_named))
        };
        let list: Vec<Value> = self.visible().filter(wanted).map(wire::describe).collect();
        Ok(Payload::Json(json!({"trailList": list})))
    }

    /// `GetTrailStatus`.
    pub(crate) fn get_trail_status(self, call: &Call) -> Result<Payload, AwsError> {
        self.find(call.text("Name"))
            .map(|seen| Payload::Json(wire::status(seen, self.now)))
    }

    /// `GetEventSelectors`.
    pub(crate) fn get_event_selectors(self, call: &Call) -> Result<Payload, AwsError> {
        self.find(call.text("TrailName"))
            .map(|seen| Payload::Json(seen.trail.selectors.answer(&seen.arn())))
    }
}

fn invalid_name(message: &str) -> AwsError {
    AwsError::new("InvalidTrailNameException", message)
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(3..=128).contains(&name.len()) {
        return Err(invalid_name(
            "Trail name must have a minimum length of 3 characters and a maximum length of 128 characters.",
        ));
    }
    let valid = name.bytes().all(allowed);
    valid.then_some(()).ok_or_else(|| {
        invalid_name("Trail name can have uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).")
    })
}

fn check_arn(arn: &str) -> Result<(), AwsError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let valid = matches!(parts.as_slice(), [_, partition, "cloudtrail", region, account, resource]
        if Partition::of_region(region).as_str() == *partition
            && account.parse::<AccountId>().is_ok()
            && resource.strip_prefix("trail/").is_some_and(|name| check_name(name).is_ok()));
    valid.then_some(()).ok_or_else(|| {
        AwsError::new(
            "CloudTrailARNInvalidException",
            format!("Specified ARN is not valid: {arn}"),
        )
    })
}

#[cfg(test)]
mod tests;
