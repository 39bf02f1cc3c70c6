//! The simulated AWS without a socket: a request and the time go in, an answer comes out. All state is here; the caller holds the lock.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fastrand::Rng;
use hyper::Request;
use serde_json::{Map, Value, json};

use crate::account::Literal;
use crate::accounting::Accounting;
use crate::call::{Call, Service};
use crate::cloudtrail::View;
use crate::faults::{Effect, Meetings, Plan, Target, age};
use crate::names::AccountId;
use crate::reply::{AwsError, Pace, Payload, Reply};
use crate::sessions::{Caller, Sessions, request_id};
use crate::timeline::{Change, Timeline};
use crate::world::World;
use crate::{organizations, sts};

/// The world as it runs.
#[derive(Debug)]
pub(crate) struct Cloud {
    started: SystemTime,
    pub(crate) world: World,
    timeline: Timeline,
    changes_made: u64,
    sessions: Sessions,
    meetings: Meetings,
    pub(crate) accounting: Accounting,
    rng: Rng,
}

/// What happens on the connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) delay: Duration,
    /// What AWS's clock shows.
    pub(crate) date: SystemTime,
    pub(crate) outcome: Outcome,
}

/// An answer, or none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Reply(Reply),
    Hang,
    Reset,
    Close,
}

impl Cloud {
    /// A world that starts at `now`.
    pub(crate) fn new(mut world: World, now: SystemTime) -> Self {
        world.pin(now);
        Self {
            started: now,
            timeline: Timeline::new(&world.changes, now),
            changes_made: 0,
            sessions: Sessions::default(),
            meetings: Meetings::default(),
            accounting: Accounting::default(),
            rng: Rng::with_seed(world.seed),
            world,
        }
    }

    /// Starts another world; sessions and counts stay.
    pub(crate) fn replace(&mut self, mut world: World, now: SystemTime) {
        world.pin(now);
        self.timeline = Timeline::new(&world.changes, now);
        self.meetings = Meetings::default();
        self.started = now;
        self.world = world;
    }

    /// Changes the world by hand.
    pub(crate) fn change<R>(&mut self, now: SystemTime, change: impl FnOnce(&mut World) -> R) -> R {
        self.tick(now);
        let planned = self.world.changes.clone();
        let result = change(&mut self.world);
        self.world.pin(now);
        if self.world.changes != planned {
            self.timeline = Timeline::new(&self.world.changes, self.started);
        }
        result
    }

    /// Makes one change that came from outside.
    pub(crate) fn apply(&mut self, now: SystemTime, change: &Change) -> Result<(), String> {
        let mut trial = self.world.clone();
        change.apply(&mut trial)?;
        trial.check().map_err(|error| error.to_string())?;
        self.change(now, |world| *world = trial);
        Ok(())
    }

    /// Makes every change that is due.
    pub(crate) fn tick(&mut self, now: SystemTime) {
        while let Some((index, due)) = self.timeline.next(&self.world.changes, now) {
            if let Some(change) = self.world.changes.get(index).cloned() {
                // Checked when the world was read. It can fail only if a change made by hand took its target away: then there is nothing to change.
                let _ = change.apply(&mut self.world);
                self.world.pin(due);
                self.changes_made += 1;
            }
        }
    }

    /// What is told to `GET /_simulator/state`.
    pub(crate) fn state(&mut self, now: SystemTime) -> Value {
        self.tick(now);
        let faults = self
            .world
            .faults
            .iter()
            .enumerate()
            .filter(|(_, fault)| !fault.name.is_empty());
        let struck: Map<String, Value> = faults
            .map(|(index, fault)| (fault.name.clone(), self.meetings.struck(index).into()))
            .collect();
        let counts = self.accounting.counts();
        json!({
            "uptime_seconds": age(self.started, now).as_secs_f64(),
            "changes_made": self.changes_made,
            "requests": counts.iter().map(|count| count.requests).sum::<u64>(),
            "peak_requests_per_second": self.accounting.peak(),
            "busiest_account": self.accounting.busiest(),
            "faults": struck,
            "unexpected": self.accounting.unexpected(),
            "assumptions": self.accounting.assumptions(),
            "counts": counts,
        })
    }

    /// Answers one request.
    pub(crate) fn answer(&mut self, request: &Request<Bytes>, now: SystemTime) -> Answer {
        self.tick(now);
        let call = Call::read(request);
        let caller = call
            .signature
            .as_ref()
            .and_then(|signature| self.sessions.owner(&self.world, &signature.access_key));
        let account = call
            .role_account()
            .or_else(|| caller.as_ref().map(|caller| caller.account));
        let in_second = self.accounting.record(&call, account, now);
        let plan = self.plan(&call, account, now);
        let offset = plan.clock_offset.unwrap_or(self.world.clock_offset);
        let date = offset.apply(now);
        let outcome = match stop(plan.effect.as_ref()) {
            Some(outcome) => outcome,
            None => Outcome::Reply(self.reply(
                &call,
                caller.as_ref(),
                &plan,
                Moment {
                    now,
                    date,
                    in_second,
                },
            )),
        };
        Answer {
            delay: plan.delay,
            date,
            outcome,
        }
    }

    fn plan(&mut self, call: &Call, account: Option<AccountId>, now: SystemTime) -> Plan {
        let (service, operation, region) = (
            call.service.as_str(),
            call.operation.as_str(),
            call.region(),
        );
        let target = Target {
            service,
            operation,
            account,
            region,
            trail: call.trail(),
        };
        self.meetings.plan(
            &self.world.faults,
            self.world.seed,
            target,
            age(self.started, now),
        )
    }

    fn reply(
        &mut self,
        call: &Call,
        caller: Option<&Caller>,
        plan: &Plan,
        moment: Moment,
    ) -> Reply {
        let id = request_id(&mut self.rng);
        let told = plan
            .effect
            .as_ref()
            .and_then(|effect| told_error(effect, call, caller));
        let assumption = (call.operation == "AssumeRole").then(|| sts::assumption(call, caller));
        let answer = told.map_or_else(|| self.dispatch(call, plan, moment), Err);
        if let Some(assumption) = assumption {
            self.accounting.assumed(crate::Assumption {
                granted: answer.is_ok(),
                ..assumption
            });
        }
        let reply = match self.literal(call, caller) {
            Some(literal) if answer.is_ok() => {
                literal_reply(&literal, call.service).with("x-amzn-RequestId", &id)
            }
            _ => Reply::of(call.service, &call.operation, &id, answer),
        };
        match &plan.effect {
            Some(effect) => spoil(reply, effect, call.service),
            None => reply,
        }
    }

    fn literal(&self, call: &Call, caller: Option<&Caller>) -> Option<Literal> {
        let account = self.world.account(
            call.role_account()
                .or_else(|| caller.map(|caller| caller.account))?,
        )?;
        account.answers.get(&call.operation).cloned()
    }

    fn dispatch(&mut self, call: &Call, plan: &Plan, moment: Moment) -> Result<Payload, AwsError> {
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
        let empty = crate::Account {
            partition: caller.partition,
            ..crate::Account::default()
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

/// The clocks and the pace of one request.
#[derive(Clone, Copy)]
struct Moment {
    now: SystemTime,
    /// AWS's clock.
    date: SystemTime,
    in_second: u64,
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

fn denied(call: &Call, caller: Option<&Caller>, why: &str) -> AwsError {
    let who = caller.map_or("anonymous", |caller| caller.arn.as_str());
    let resource = call.text("RoleArn").or(call.trail()).unwrap_or("*");
    let action = format!("{}:{}", call.service.as_str(), call.operation);
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    AwsError::access_denied(call.service, message.trim_end())
}

/// Effects that leave no HTTP answer.
fn stop(effect: Option<&Effect>) -> Option<Outcome> {
    match effect? {
        Effect::Hang => Some(Outcome::Hang),
        Effect::Reset => Some(Outcome::Reset),
        Effect::Close => Some(Outcome::Close),
        _ => None,
    }
}

/// Effects that are an error in the service's own protocol.
fn told_error(effect: &Effect, call: &Call, caller: Option<&Caller>) -> Option<AwsError> {
    let service = call.service;
    match effect {
        Effect::AccessDenied if call.operation == "AssumeRole" => Some(denied(call, caller, "")),
        Effect::AccessDenied => Some(denied(
            call,
            caller,
            "because no identity-based policy allows the action",
        )),
        Effect::ScpDenied => Some(denied(
            call,
            caller,
            "with an explicit deny in a service control policy",
        )),
        Effect::Throttle => Some(AwsError::throttled(service)),
        Effect::Error {
            code,
            message,
            status,
        } => Some(AwsError {
            status: *status,
            ..AwsError::new(code, message)
        }),
        _ => None,
    }
}

fn literal_reply(literal: &Literal, service: Service) -> Reply {
    let content_type = literal
        .content_type
        .as_deref()
        .unwrap_or(Reply::content_type_of(service));
    Reply::plain(literal.status, content_type, literal.text())
}

/// What a proxy in the way says.
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Request blocked</title></head><body><h1>Request blocked</h1><p>Contact your network team.</p></body></html>\n";

/// Effects that spoil a whole answer.
fn spoil(reply: Reply, effect: &Effect, service: Service) -> Reply {
    let half = reply.body.len() / 2;
    match effect {
        Effect::Status(status) => Reply {
            status: *status,
            ..reply.with_body("")
        },
        Effect::HangBody => reply.paced(Pace::HangHalfway),
        Effect::CutBody => reply.paced(Pace::CutHalfway),
        Effect::Drip(pause) => reply.paced(Pace::Drip(*pause)),
        Effect::Huge(padding) => reply.paced(Pace::Padded(*padding)),
        Effect::Truncate => {
            let body = reply.body.slice(..half);
            reply.with_body(body)
        }
        Effect::Malformed => reply.with_body("}{ this is no document <<"),
        Effect::EmptyObject => reply.with_body("{}"),
        Effect::Html(status) => Reply::plain(*status, "text/html; charset=utf-8", HTML),
        Effect::Literal(literal) => literal_reply(literal, service),
        Effect::Redirect(to) => Reply::plain(307, "text/plain", "").with("Location", to),
        Effect::NullFields(names) => edit(reply, |value| null_fields(value, names)),
        Effect::DropFields(names) => edit(reply, |value| drop_fields(value, names)),
        _ => reply,
    }
}

fn edit(reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    let Ok(mut value) = serde_json::from_slice(&reply.body) else {
        return reply;
    };
    change(&mut value);
    reply.with_body(value.to_string())
}

fn null_fields(value: &mut Value, names: &[String]) {
    match value {
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| null_fields(entry, names)),
        Value::Object(fields) => {
            for (key, field) in fields {
                let picked = if names.is_empty() {
                    !field.is_object() && !field.is_array()
                } else {
                    names.contains(key)
                };
                if picked {
                    *field = Value::Null;
                } else {
                    null_fields(field, names);
                }
            }
        }
        _ => {}
    }
}

fn drop_fields(value: &mut Value, names: &[String]) {
    match value {
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| drop_fields(entry, names)),
        Value::Object(fields) => {
            fields.retain(|key, _| !names.contains(key));
            fields
                .values_mut()
                .for_each(|field| drop_fields(field, names));
        }
        _ => {}
    }
}
