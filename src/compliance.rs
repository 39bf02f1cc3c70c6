//! Judgement: from facts to verdicts, in three values. Pure and total: no clock, no log, no I/O; `now` is an argument.
//!
//! In data order:
//!
//! - [`Truth`]: Kleene's three values, and how they combine;
//! - `presence`: what the answers of `DescribeTrails` prove by themselves;
//! - `delivery`: whether one trail delivers;
//! - `coverage`: sets of event sources that are recorded;
//! - `candidate`: one multi-Region trail, check by check;
//! - [`management_events`]: the union of event selectors over selectors and trails;
//! - [`evaluate`](mod@evaluate): one poll's facts and a policy make an [`Evaluation`];
//! - `held`: the trails held over many polls;
//! - [`owner`]: the organization-trail join, where the owner's fresh facts stand in for a member's failed calls;
//! - `last_poll`: what the last poll was like;
//! - `proofs`: what was proven, and how it decays;
//! - [`standing`]: what is held of an account over many polls.

mod candidate;
mod coverage;
mod delivery;
pub mod evaluate;
#[cfg(test)]
mod fixtures;
mod held;
mod last_poll;
pub mod management_events;
pub mod owner;
mod presence;
mod proofs;
pub mod standing;
mod truth;

use std::time::Duration;

pub use evaluate::{Evaluation, evaluate};
pub use owner::OwnersTrail;
pub use proofs::Freshness;
pub use standing::{HeldTrail, Standing};
pub use truth::Truth;

use crate::facts::Failure;

/// What can be required of an account, in the order in which a verdict names the first that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A multi-Region trail covers the account.
    MultiRegionTrail,
    /// One such trail is logging.
    Logging,
    /// One such logging trail delivers.
    Delivery,
    /// Logging multi-Region trails together record all management events.
    ManagementEvents,
    /// One logging multi-Region trail writes digest files.
    LogFileValidation,
    /// One logging multi-Region trail encrypts with KMS.
    KmsEncryption,
    /// One logging multi-Region trail sends to CloudWatch Logs.
    CloudWatchLogs,
}

impl Check {
    /// Every check, in order.
    pub const ALL: [Self; 7] = [
        Self::MultiRegionTrail,
        Self::Logging,
        Self::Delivery,
        Self::ManagementEvents,
        Self::LogFileValidation,
        Self::KmsEncryption,
        Self::CloudWatchLogs,
    ];

    /// The name in the configuration and in the `check` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MultiRegionTrail => "multi_region_trail",
            Self::Logging => "logging",
            Self::Delivery => "delivery",
            Self::ManagementEvents => "management_events",
            Self::LogFileValidation => "log_file_validation",
            Self::KmsEncryption => "kms_encryption",
            Self::CloudWatchLogs => "cloudwatch_logs",
        }
    }
}

/// What an operator requires of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The checks that make the verdict; all others are only reported. At least one.
    pub required: Vec<Check>,
    /// How old the last delivery may be.
    pub max_delivery_age: Duration,
    /// How long a proof of compliance lasts.
    pub stale_after: Duration,
}

/// The three verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Every required check is proven.
    Compliant,
    /// A required check is proven to fail.
    NonCompliant,
    /// Neither is proven, or no longer.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Compliant, Self::NonCompliant, Self::Unknown];

    /// The value of the `state` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::NonCompliant => "non_compliant",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a verdict is what it is: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Compliant.
    Ok,
    /// Every asked Region answered and shows no trail at all.
    NoTrail,
    /// No multi-Region trail covers the account.
    NoMultiRegionTrail,
    /// No multi-Region trail is logging.
    NotLogging,
    /// AWS reports a delivery error.
    DeliveryFailing,
    /// Nothing was delivered for too long, or ever.
    DeliveryStale,
    /// Some management events are recorded by no trail.
    ManagementEventsIncomplete,
    /// No logging multi-Region trail writes digest files.
    LogFileValidationDisabled,
    /// No logging multi-Region trail encrypts with KMS.
    KmsEncryptionDisabled,
    /// No logging multi-Region trail sends to CloudWatch Logs.
    CloudWatchLogsDisabled,
    /// Not polled yet.
    NotPolled,
    /// The credentials belong to another account.
    WrongAccount,
    /// A trail's status was refused or is not to be found.
    TrailStatusUnreadable,
    /// The last proof is too old, and no failure says why.
    Stale,
    /// A call failed; never [`Failure::NotFound`] or [`Failure::NotAsked`], which is told as [`Reason::TrailStatusUnreadable`] or [`Failure::Other`].
    Failed(Failure),
}

impl Reason {
    /// The value of the `reason` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoTrail => "no_trail",
            Self::NoMultiRegionTrail => "no_multi_region_trail",
            Self::NotLogging => "not_logging",
            Self::DeliveryFailing => "delivery_failing",
            Self::DeliveryStale => "delivery_stale",
            Self::ManagementEventsIncomplete => "management_events_incomplete",
            Self::LogFileValidationDisabled => "log_file_validation_disabled",
            Self::KmsEncryptionDisabled => "kms_encryption_disabled",
            Self::CloudWatchLogsDisabled => "cloudwatch_logs_disabled",
            Self::NotPolled => "not_polled",
            Self::WrongAccount => "wrong_account",
            Self::TrailStatusUnreadable => "trail_status_unreadable",
            Self::Stale => "stale",
            Self::Failed(failure) => failure.as_str(),
        }
    }

    /// Every label a verdict of unknown can carry; a poll that leaves the verdict open is counted under one of them.
    pub fn unknown_labels() -> impl Iterator<Item = &'static str> {
        let own = [
            Self::NotPolled,
            Self::WrongAccount,
            Self::TrailStatusUnreadable,
            Self::Stale,
        ];
        own.map(Self::as_str).into_iter().chain(Failure::LABELS)
    }
}

impl From<Failure> for Reason {
    /// The reason a failed call is told as. A trail that is not found, or not asked about, has no reason of its own.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound | Failure::NotAsked => Self::Failed(Failure::Other),
            _ => Self::Failed(failure),
        }
    }
}

/// What we conclude of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Which of the three.
    pub state: State,
    /// Why.
    pub reason: Reason,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_and_states_are_named_as_documented() {
        let checks = [
            "multi_region_trail",
            "logging",
            "delivery",
            "management_events",
            "log_file_validation",
            "kms_encryption",
            "cloudwatch_logs",
        ];
        assert_eq!(Check::ALL.map(Check::as_str), checks);
        let states = ["compliant", "non_compliant", "unknown"];
        assert_eq!(State::ALL.map(State::as_str), states);
    }

    #[test]
    fn reasons_of_our_own_are_named_as_documented() {
        for (reason, name) in [
            (Reason::Ok, "ok"),
            (Reason::NoTrail, "no_trail"),
            (Reason::NoMultiRegionTrail, "no_multi_region_trail"),
            (Reason::NotLogging, "not_logging"),
            (Reason::DeliveryFailing, "delivery_failing"),
            (Reason::DeliveryStale, "delivery_stale"),
            (
                Reason::ManagementEventsIncomplete,
                "management_events_incomplete",
            ),
            (
                Reason::LogFileValidationDisabled,
                "log_file_validation_disabled",
            ),
            (Reason::KmsEncryptionDisabled, "kms_encryption_disabled"),
            (Reason::CloudWatchLogsDisabled, "cloudwatch_logs_disabled"),
            (Reason::NotPolled, "not_polled"),
            (Reason::WrongAccount, "wrong_account"),
            (Reason::TrailStatusUnreadable, "trail_status_unreadable"),
            (Reason::Stale, "stale"),
        ] {
            assert_eq!(reason.as_str(), name);
        }
    }

    #[test]
    fn a_failed_call_is_told_by_its_failure_and_not_found_as_other() {
        let throttled = Reason::from(Failure::Throttled);
        assert_eq!(throttled, Reason::Failed(Failure::Throttled));
        assert_eq!(throttled.as_str(), "throttled");
        assert_eq!(
            Reason::from(Failure::NotFound),
            Reason::Failed(Failure::Other)
        );
    }

    #[test]
    fn the_labels_of_unknown_are_a_closed_list_without_a_double() {
        let mut labels: Vec<_> = Reason::unknown_labels().collect();
        assert!(labels.contains(&"stale") && labels.contains(&"access_denied"));
        assert!(!labels.contains(&"ok") && !labels.contains(&"no_trail"));
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), 15);
    }
}
