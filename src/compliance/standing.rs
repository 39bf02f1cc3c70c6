//! What is held of an account over many polls: only fresh evidence clears an alarm or keeps an all-clear.
//!
//! A proof of compliance decays to unknown after `stale_after`; a proof of non-compliance stays until a poll proves otherwise. Facts and counts stay
//! as last proven until AWS disproves them. Decay is computed when the standing is read, so a reader passes `now`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Check, Policy, Reason, State, Verdict};
use crate::account::{AccountId, Region, TrailArn};
use crate::facts::{Dated, EventSelectors, Failure, Operation, Poll, Trail, TrailStatus};

/// A trail as last proven: its description, and the last status and selectors that could be read, each with its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTrail {
    /// Its description.
    pub trail: Trail,
    /// The account's own last reading of its status.
    pub status: Option<Dated<TrailStatus>>,
    /// The account's own last reading of its selectors.
    pub selectors: Option<Dated<EventSelectors>>,
}

/// Read or write management events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Events that read.
    Read,
    /// Events that change something.
    Write,
}

impl EventKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The value of the `kind` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Numbers of trails, each as last proven; `None` while never known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Distinct trails visible.
    pub trails: Option<usize>,
    /// Multi-Region trails.
    pub multi_region: Option<usize>,
    /// Multi-Region trails that are logging.
    pub logging_multi_region: Option<usize>,
    /// Organization trails.
    pub organization: Option<usize>,
}

/// What the last poll was like, whatever it proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPoll {
    /// When it ended.
    pub ended: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// It determined the verdict from fresh evidence.
    pub up: bool,
    /// Why it did not; `None` if it did.
    pub open_reason: Option<Reason>,
    /// The kinds of call that failed in it, distinct, in call order. A disabled Region is not a failing call.
    pub failing: Vec<(Operation, Failure)>,
    /// Whether each asked Region answered; empty without a session.
    pub regions: Vec<(Region, bool)>,
}

/// What is held of one account. Immutable; a poll makes the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    policy: Arc<Policy>,
    last_poll: Option<LastPoll>,
    last_success: Option<SystemTime>,
    trails: Vec<HeldTrail>,
    counts: Counts,
}

impl Standing {
    /// The standing of an account that was never polled.
    pub fn new(policy: Arc<Policy>) -> Self {
        Self {
            policy,
            last_poll: None,
            last_success: None,
            trails: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The standing after one more poll. `owner` finds what is held of a trail by the account that owns it, if this process polls that account.
    /// Applying the same poll again, with better facts from an owner, gives the standing as if it had been applied so at once.
    #[must_use]
    pub fn after<'a>(
        &self,
        poll: &Poll,
        owner: impl Fn(&TrailArn) -> Option<&'a HeldTrail>,
        now: SystemTime,
    ) -> Self {
        let _ = (poll, owner, now);
        self.clone()
    }

    /// The same standing judged by another policy from now on; what was proven for checks stays, the verdict is that of the new policy.
    #[must_use]
    pub fn with_policy(&self, policy: Arc<Policy>) -> Self {
        Self {
            policy,
            ..self.clone()
        }
    }

    /// The verdict at `now`.
    pub fn verdict(&self, now: SystemTime) -> Verdict {
        let _ = now;
        Verdict {
            state: State::Unknown,
            reason: Reason::NotPolled,
        }
    }

    /// The trail that satisfies the rule at `now`.
    pub fn evidence(&self, now: SystemTime) -> Option<&TrailArn> {
        let _ = now;
        None
    }

    /// A check at `now`: passed, failed, or `None` for not known.
    pub fn check(&self, check: Check, now: SystemTime) -> Option<bool> {
        let _ = (check, now);
        None
    }

    /// Whether logging multi-Region trails together record all events of a kind at `now`.
    pub fn management_events(&self, kind: EventKind, now: SystemTime) -> Option<bool> {
        let _ = (kind, now);
        None
    }

    /// Whether one trail's selectors record all management events of a kind, logging or not, at `now`.
    pub fn trail_management_events(
        &self,
        trail: &HeldTrail,
        kind: EventKind,
        now: SystemTime,
    ) -> Option<bool> {
        let _ = (trail, kind, now);
        None
    }

    /// The trails as last proven, by ARN, ascending.
    pub fn trails(&self) -> &[HeldTrail] {
        &self.trails
    }

    /// The counts as last proven.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The last poll, if there was one.
    pub fn last_poll(&self) -> Option<&LastPoll> {
        self.last_poll.as_ref()
    }

    /// The end of the last poll that determined the verdict.
    pub fn last_success(&self) -> Option<SystemTime> {
        self.last_success
    }

    /// The credentials belong to this other account: nothing but that may be published.
    pub fn wrong_account(&self) -> Option<AccountId> {
        None
    }
}
