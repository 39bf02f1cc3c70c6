//! What to do about an account in exactly the state it is in: steps in words, and `aws` commands with its own Region and trail filled in.
//!
//! Pure. The commands change the account, so they are shown, never run. Every value that AWS or an operator named is quoted for a shell.

mod bucket;
mod change;
mod find_out;
mod shell;
#[cfg(test)]
mod tests;

use crate::account::{AccountId, Partition, Region};
use crate::compliance::{HeldTrail, Reason};
use crate::directory::Account;
use crate::facts::{Destination, Failure};

pub(super) use shell::quoted;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// What to do and why.
    pub(super) text: String,
    /// How, where there is a command for it.
    pub(super) command: Option<String>,
}

impl Step {
    fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: None,
        }
    }

    fn run(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            command: Some(command.into()),
        }
    }
}

/// What the steps are filled in with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The account, as configured or discovered.
    pub(super) account: &'a Account,
    /// Its id, where it is known.
    pub(super) id: Option<AccountId>,
    /// Its trails, as last proven.
    pub(super) trails: &'a [HeldTrail],
}

impl Place<'_> {
    fn partition(&self) -> Partition {
        self.account.partition
    }

    /// The Region that is asked first: where a new trail is made.
    fn region(&self) -> &str {
        let first = self.account.regions.first();
        first.map_or("REGION", Region::as_str)
    }

    fn id(&self) -> String {
        self.id
            .map_or_else(|| "ACCOUNT_ID".into(), |id| id.to_string())
    }

    /// Where calls about a trail go.
    fn home<'b>(&'b self, held: &'b HeldTrail) -> &'b str {
        let home = held.trail.home_region.as_ref();
        home.map_or_else(|| self.region(), Region::as_str)
    }

    /// Whether only another account, the owner, can change a trail.
    fn is_foreign(&self, held: &HeldTrail) -> bool {
        self.id.is_some_and(|id| held.trail.is_foreign_to(id))
    }

    /// The trails that count, own ones first, since they can be changed here.
    fn multi_region(&self) -> Vec<&HeldTrail> {
        let mut trails: Vec<_> = self
            .trails
            .iter()
            .filter(|t| t.trail.multi_region)
            .collect();
        trails.sort_by_key(|held| self.is_foreign(held));
        trails
    }

    /// The trail to mend: the first that counts, one that is logging rather than one that is not.
    fn most_hopeful(&self) -> Option<&HeldTrail> {
        let all = self.multi_region();
        let logs = |held: &&&HeldTrail| held.status.as_ref().is_some_and(|s| s.value.logging);
        all.iter().find(logs).or(all.first()).copied()
    }

    /// `--name ARN --region HOME` of a trail. By ARN, since a name resolves only in its own account and home Region.
    fn named(&self, held: &HeldTrail) -> String {
        let (arn, home) = (held.trail.arn.as_str(), self.home(held));
        format!("--name {} --region {}", quoted(arn), quoted(home))
    }

    /// Says in whose account a trail is changed.
    fn whose(&self, held: &HeldTrail) -> String {
        if !self.is_foreign(held) {
            return String::new();
        }
        let owner = held.trail.arn.owner();
        format!(
            " It belongs to account {owner}: run this with that account's credentials (or the delegated administrator's), members cannot change it."
        )
    }

    /// The last thing to do, always: see that it helped.
    fn verify(&self, held: &HeldTrail) -> Step {
        Step::run(
            "See that it helped: IsLogging is true, there is no LatestDeliveryError, and LatestDeliveryTime moves within some 15 minutes.",
            format!("aws cloudtrail get-trail-status {}", self.named(held)),
        )
    }
}

/// The steps for an account whose verdict has this reason; none where there is nothing to do.
pub(super) fn steps(reason: Reason, place: &Place<'_>) -> Vec<Step> {
    match reason {
        Reason::Ok => Vec::new(),
        Reason::NoTrail | Reason::NoMultiRegionTrail => change::cover_all_regions(place),
        Reason::NotLogging => change::start_logging(place),
        Reason::DeliveryFailing | Reason::DeliveryStale => change::deliver(place),
        Reason::ManagementEventsIncomplete => change::record_all_events(place),
        Reason::LogFileValidationDisabled => change::validate(place),
        Reason::KmsEncryptionDisabled => change::encrypt(place),
        Reason::CloudWatchLogsDisabled => change::send_to_logs(place),
        unknown => find_out::steps(unknown, place),
    }
}

/// AWS's text for the trouble a trail has with its bucket.
fn bucket_error(held: &HeldTrail) -> Option<&str> {
    let status = held.status.as_ref()?;
    status.value.delivery(Destination::S3).error.as_deref()
}

/// Whether a reason is this failure.
fn is(reason: Reason, failure: Failure) -> bool {
    reason == Reason::Failed(failure)
}
