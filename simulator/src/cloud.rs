//! The simulated AWS without a socket: a request and the time go in, an answer comes out. All state is here; the caller holds the lock.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fastrand::Rng;
use hyper::Request;
use serde_json::{Map, Value, json};

use crate::account::Literal;
use crate::accounting::Accounting;
use crate::call::Call;
use crate::effects::{literal_reply, spoil, stop, told_error};
use crate::faults::{Meetings, Plan, Target, age};
use crate::names::AccountId;
use crate::reply::Reply;
use crate::sessions::{Caller, Sessions, request_id};
use crate::sts;
use crate::timeline::{Change, Timeline};
use crate::world::World;

mod dispatch;

use dispatch::Moment;

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

    /// Changes the world by hand. Rules that were touched count anew.
    pub(crate) fn change<R>(&mut self, now: SystemTime, change: impl FnOnce(&mut World) -> R) -> R {
        self.tick(now);
        let (planned, rules) = (self.world.changes.clone(), self.world.faults.clone());
        let result = change(&mut self.world);
        self.world.pin(now);
        if self.world.changes != planned {
            self.timeline = Timeline::new(&self.world.changes, self.started);
        }
        if self.world.faults != rules {
            self.meetings = Meetings::default();
        }
        result
    }

    /// Makes one change that came from outside.
    pub(crate) fn apply(&mut self, now: SystemTime, change: &Change) -> Result<(), String> {
        self.tick(now);
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
}

#[cfg(test)]
mod tests;
