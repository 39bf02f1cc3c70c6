//! One visible multi-Region trail as a candidate for the rule: each check of it alone.

use super::{Check, Policy, Reason, Truth, delivery, management_events, presence};
use crate::account::TrailArn;
use crate::facts::{AccountFacts, EventSelectors, Failure, TrailFacts, TrailStatus};
use crate::timestamp::Timestamp;

/// A multi-Region trail, what was heard of it, and where in the poll it was asked about.
pub(super) struct Candidate<'a> {
    heard: &'a TrailFacts,
    /// An organization trail of which this account sends nothing.
    out_of_reach: bool,
    described: u32,
    status_call: u32,
}

impl<'a> Candidate<'a> {
    /// The multi-Region trails among all trails, by ARN, ascending.
    pub(super) fn all(facts: &'a AccountFacts) -> Vec<Self> {
        let described = presence::described(&facts.regions);
        let candidate = |(place, heard): (usize, &'a TrailFacts)| Self {
            heard,
            out_of_reach: heard.trail.is_foreign_to(facts.account)
                && presence::home_is_disabled(heard, &facts.regions),
            described,
            status_call: presence::place(facts.regions.len() + 2 * place),
        };
        let trails = facts.trails.iter().enumerate().map(candidate);
        trails.filter(|c| c.heard.trail.multi_region).collect()
    }

    /// A multi-Region trail outside any poll: where it was asked about does not matter.
    pub(super) fn alone(heard: &'a TrailFacts) -> Option<Self> {
        let alone = Self {
            heard,
            out_of_reach: false,
            described: 0,
            status_call: 0,
        };
        heard.trail.multi_region.then_some(alone)
    }

    /// Its identity.
    pub(super) fn arn(&self) -> &'a TrailArn {
        &self.heard.trail.arn
    }

    /// Whether this trail alone passes a check. Every check but the first asks for a logging trail.
    pub(super) fn check(&self, check: Check, policy: &Policy, now: Timestamp) -> Truth {
        let trail = &self.heard.trail;
        let logging = self.logging();
        match check {
            Check::MultiRegionTrail => self.covers(),
            Check::Logging => logging,
            Check::Delivery => logging.and(self.delivers(policy, now)),
            Check::ManagementEvents => logging.and(self.records_all()),
            Check::LogFileValidation => logging.and(self.validation()),
            Check::KmsEncryption => logging.and(trail.kms_key_id.is_some().into()),
            Check::CloudWatchLogs => logging.and(trail.log_group_arn.is_some().into()),
        }
    }

    /// When the oldest answer that a check of it stands on was asked for.
    pub(super) fn asked(&self, check: Check) -> Timestamp {
        let dates = &self.heard.dates;
        match check {
            Check::MultiRegionTrail => dates.described,
            Check::ManagementEvents => dates
                .described
                .earliest(dates.status)
                .earliest(dates.selectors),
            _ => dates.described.earliest(dates.status),
        }
    }

    /// Whether it covers the account and is logging.
    pub(super) fn logging(&self) -> Truth {
        let logging = self.status().map(|status| status.logging.into());
        self.covers().and(logging.unwrap_or_else(|unknown| unknown))
    }

    /// Its event selectors.
    pub(super) fn selectors(&self) -> Result<&'a EventSelectors, Truth> {
        self.heard
            .selectors
            .as_ref()
            .map_err(|failure| Truth::Unknown {
                order: self.status_call + 1,
                reason: (*failure).into(),
            })
    }

    /// A member whose account has not enabled the home Region of an organization trail does not send its events to it.
    fn covers(&self) -> Truth {
        if !self.out_of_reach {
            return Truth::True;
        }
        Truth::Unknown {
            order: self.status_call,
            reason: Reason::Failed(Failure::RegionDisabled),
        }
    }

    fn status(&self) -> Result<&'a TrailStatus, Truth> {
        let status = self.heard.status.as_ref();
        status.map_err(|failure| self.unread(*failure))
    }

    fn unread(&self, failure: Failure) -> Truth {
        Truth::Unknown {
            order: self.status_call,
            reason: match failure {
                Failure::AccessDenied | Failure::NotFound | Failure::NotAsked => {
                    Reason::TrailStatusUnreadable
                }
                _ => failure.into(),
            },
        }
    }

    fn delivers(&self, policy: &Policy, now: Timestamp) -> Truth {
        let delivers =
            |status| delivery::delivers(status, self.validation(), self.status_call, policy, now);
        let delivers = self.status().map_or_else(|unknown| unknown, delivers);
        match self.heard.shadow {
            // Times of another Region prove that something arrived, never that nothing did.
            Some(failure) if delivers == Truth::False => self.unread(failure),
            _ => delivers,
        }
    }

    fn records_all(&self) -> Truth {
        let full = |selectors| management_events::records_all(selectors).into();
        self.selectors().map_or_else(|unknown| unknown, full)
    }

    fn validation(&self) -> Truth {
        let unsaid = Truth::Unknown {
            order: self.described,
            reason: Reason::Failed(Failure::Malformed),
        };
        let said = self.heard.trail.log_file_validation;
        said.map_or(unsaid, Truth::from)
    }
}
