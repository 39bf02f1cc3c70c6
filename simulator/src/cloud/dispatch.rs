//! From an authenticated caller to the service that answers it, in AWS's order: the key, the operation, the input, the Region, the quota, the permission.

use std::time::SystemTime;

use crate::account::Account;
use crate::call::{Call, Service};
use crate::cloudtrail::View;
use crate::effects::denied;
use crate::faults::Plan;
use crate::reply::{AwsError, Payload};
use crate::sessions::Caller;
use crate::{organizations, sts};

use super::Cloud;

/// The clocks and the pace of one request.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: SystemTime,
    /// AWS's clock.
    pub(super) date: SystemTime,
    /// How many `CloudTrail` calls this account made in this second.
    pub(super) in_second: u64,
}

impl Cloud {
    pub(super) fn dispatch(
        &mut self,
        call: &Call,
        plan: &Plan,
        moment: Moment,
    ) -> Result<Payload, AwsError> {
        let service = call.service;
        let caller = self.sessions.authenticate(
            &self.world,
            service,
            call.signature.as_ref(),
            moment.date,
        )?;
        if !call.is_expected() {
            return Err(AwsError::unknown_operation(service, &call.operation));
        }
        if call.input.is_none() {
            return Err(AwsError::new("SerializationException", ""));
        }
        self.check_region(call, &caller)?;
        match service {
            Service::Sts if call.operation == "AssumeRole" => {
                self.assume_role(call, &caller, plan, moment)
            }
            Service::Sts => Ok(sts::get_caller_identity(&caller, plan.identity)),
            Service::Organizations => {
                check_policy(call, &caller)?;
                organizations::answer(&self.world, caller.account, call)
            }
            Service::CloudTrail | Service::Other => self.cloudtrail(call, &caller, moment),
        }
    }

    /// Opt-in Regions an account has not enabled do not know its keys. Organizations has one Region for all.
    fn check_region(&self, call: &Call, caller: &Caller) -> Result<(), AwsError> {
        let usual = || caller.partition.default_regions().contains(&call.region());
        let account = self.world.account(caller.account);
        let enabled = account.map_or_else(usual, |account| account.has_region(call.region()));
        let fits = enabled || call.service == Service::Organizations;
        fits.then_some(())
            .ok_or_else(|| AwsError::invalid_token(call.service))
    }

    fn assume_role(
        &mut self,
        call: &Call,
        caller: &Caller,
        plan: &Plan,
        moment: Moment,
    ) -> Result<Payload, AwsError> {
        let (world, sessions, rng) = (&self.world, &mut self.sessions, &mut self.rng);
        let mut desk = sts::Desk {
            world,
            sessions,
            rng,
            now: moment.date,
            identity: plan.identity,
        };
        sts::assume_role(&mut desk, call, caller)
    }

    fn cloudtrail(
        &self,
        call: &Call,
        caller: &Caller,
        moment: Moment,
    ) -> Result<Payload, AwsError> {
        let (region, id) = (call.region(), caller.account);
        let empty = Account {
            partition: caller.partition,
            ..Account::default()
        };
        let account = self.world.account(id).unwrap_or(&empty);
        if self
            .world
            .requests_per_second
            .is_some_and(|most| moment.in_second > u64::from(most))
        {
            return Err(AwsError::throttled(call.service));
        }
        check_policy(call, caller)?;
        let view = View {
            world: &self.world,
            id,
            account,
            region,
            now: moment.now,
        };
        match call.operation.as_str() {
            "DescribeTrails" => view.describe_trails(call),
            "GetTrailStatus" => view.get_trail_status(call),
            _ => view.get_event_selectors(call),
        }
    }
}

fn check_policy(call: &Call, caller: &Caller) -> Result<(), AwsError> {
    let action = format!("{}:{}", call.service.as_str(), call.operation);
    let allowed = caller
        .policy
        .as_ref()
        .is_none_or(|policy| policy.allows(&action));
    let why = format!("because no session policy allows the {action} action");
    allowed
        .then_some(())
        .ok_or_else(|| denied(call, Some(caller), &why))
}
