//! Listings of the organization: which of them are believed, and when the next is due. Decides; asks nobody.

use std::collections::HashSet;
use std::fmt::Display;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Member;
use crate::account::AccountId;
use crate::config::OrganizationsSettings;

/// The pause after the first listing that failed or was not believed; doubled after each further
/// one, up to the refresh interval.
const FIRST_RETRY: Duration = Duration::from_secs(15);

/// 50,000 accounts in 2,000 organizational units are 6,500 calls: 22 minutes at 5 a second.
const LONGEST_LISTING: Duration = Duration::from_mins(30);

/// What to do with a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It is the fleet from now on.
    Believed,
    /// It has no account at all: never believed.
    Empty,
    /// More than half of the fleet is missing from it: believed once listings have said so for
    /// a whole refresh interval.
    Shrunken,
}

/// A listing that was [`Belief::Shrunken`]; all since then said the same.
#[derive(Debug)]
struct Pending {
    listing: Vec<Member>,
    /// A listing that says so from then on is believed.
    until: Instant,
}

/// Whether `listing` may replace the list believed so far. `pending` is a listing that was
/// [`Belief::Shrunken`] long enough ago.
pub fn believe(previous: &[Member], listing: &[Member], pending: Option<&[Member]>) -> Belief {
    if listing.is_empty() {
        return Belief::Empty;
    }
    let confirmed = pending.is_some_and(|pending| keeps_half(pending, listing));
    if confirmed || keeps_half(previous, listing) {
        return Belief::Believed;
    }
    Belief::Shrunken
}

/// At least half of the accounts `before` are still there.
fn keeps_half(before: &[Member], now: &[Member]) -> bool {
    let now: HashSet<AccountId> = now.iter().map(|member| member.id).collect();
    let kept = before.iter().filter(|member| now.contains(&member.id));
    kept.count() * 2 >= before.len()
}

/// Whether both settings ask the same of AWS; how often, and what is excluded from the answer, is ours.
fn asks_for_the_same(
    before: Option<&OrganizationsSettings>,
    now: Option<&OrganizationsSettings>,
) -> bool {
    let asked = |settings: &OrganizationsSettings| {
        let role = (settings.role.clone(), settings.external_id.clone());
        (role, settings.include_ous.clone())
    };
    before.map(asked) == now.map(asked)
}

/// How one listing ended, for the self metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Believed.
    Succeeded {
        /// When.
        at: SystemTime,
        /// How many accounts it has.
        accounts: usize,
    },
    /// Failed, or not believed; the list before it stays.
    Failed,
}

/// The members believed so far, and what came of the last listings.
#[derive(Debug, Default)]
pub struct MemberList {
    settings: Option<OrganizationsSettings>,
    believed: Vec<Member>,
    /// `believed` was listed under these settings, so that it is a measure for the next listing.
    settled: bool,
    pending: Option<Pending>,
    attempted: bool,
    /// Listings in a row that failed or were not believed.
    failures: u32,
    due: Option<Instant>,
}

impl MemberList {
    /// Takes note of new settings: a listing is due at once. What was listed for other settings is a measure for it only if those asked for the same
    /// accounts.
    pub fn follow(&mut self, settings: Option<&OrganizationsSettings>) {
        if self.settings.as_ref() == settings {
            return;
        }
        let same = asks_for_the_same(self.settings.as_ref(), settings);
        let believed = settings.map(|_| std::mem::take(&mut self.believed));
        *self = Self {
            settings: settings.cloned(),
            believed: believed.unwrap_or_default(),
            settled: self.settled && same,
            attempted: self.attempted && same,
            due: settings.map(|_| Instant::now()),
            ..Self::default()
        };
    }

    /// The accounts believed so far.
    pub fn believed(&self) -> &[Member] {
        &self.believed
    }

    /// A listing was attempted under these settings.
    pub fn attempted(&self) -> bool {
        self.attempted
    }

    /// When the next listing is due; `None` if discovery is not configured.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How long a listing may take: until the next one is due, but long enough for the largest
    /// organization at the pace of one account.
    pub fn deadline(&self) -> Duration {
        let settings = self.settings.as_ref();
        settings.map_or(Duration::MAX, |settings| {
            settings.refresh_interval.max(LONGEST_LISTING)
        })
    }

    /// Takes in a listing.
    pub fn answered(&mut self, listing: Vec<Member>, at: SystemTime) -> Attempt {
        let previous: &[Member] = if self.settled { &self.believed } else { &[] };
        let now = Instant::now();
        let pending = self.pending.as_ref().filter(|pending| pending.until <= now);
        let belief = believe(previous, &listing, pending.map(|pending| &*pending.listing));
        tell(belief, self.believed.len(), listing.len());
        match belief {
            Belief::Believed => return self.believes(listing, at),
            Belief::Shrunken => {
                let pending = self.pend(listing, now);
                self.not_believed(Some(pending));
            }
            Belief::Empty => self.not_believed(None),
        }
        Attempt::Failed
    }

    fn believes(&mut self, listing: Vec<Member>, at: SystemTime) -> Attempt {
        if self.failures > 0 {
            tracing::info!("the organization's accounts can be listed again");
        }
        self.ended(0, None);
        let accounts = listing.len();
        (self.believed, self.settled) = (listing, true);
        Attempt::Succeeded { at, accounts }
    }

    /// The first of the listings that said the same as this one.
    fn pend(&mut self, listing: Vec<Member>, now: Instant) -> Pending {
        match self.pending.take() {
            Some(first) if keeps_half(&first.listing, &listing) && now < first.until => first,
            _ => {
                let settings = self.settings.as_ref();
                let interval = settings.map(|settings| settings.refresh_interval);
                let until = now + interval.unwrap_or_default();
                Pending { listing, until }
            }
        }
    }

    fn not_believed(&mut self, pending: Option<Pending>) {
        self.ended(self.failures.saturating_add(1), pending);
    }

    /// Takes note of a listing that failed.
    pub fn failed(&mut self, error: &impl Display) -> Attempt {
        if self.failures == 0 {
            let kept = self.believed.len();
            tracing::warn!(%error, kept, "the organization's accounts could not be listed: those known before stay");
        }
        self.not_believed(None);
        Attempt::Failed
    }

    /// Takes note of the end of an attempt, and when the next is due: not after the moment from
    /// which a listing that shrank may be believed.
    fn ended(&mut self, failures: u32, pending: Option<Pending>) {
        let settings = self.settings.as_ref();
        let pause = settings.map(|settings| pause(failures, settings.refresh_interval));
        let due = pause.map(|pause| Instant::now() + pause);
        let until = pending.as_ref().map(|pending| pending.until);
        self.due = due.map(|due| until.map_or(due, |until| due.min(until)));
        (self.failures, self.attempted, self.pending) = (failures, true, pending);
    }
}

/// How long to wait for the next listing after so many failures in a row.
fn pause(failures: u32, refresh_interval: Duration) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    match failures {
        0 => refresh_interval,
        _ => FIRST_RETRY.saturating_mul(doubled).min(refresh_interval),
    }
}

/// Logs a listing that was not believed.
fn tell(belief: Belief, before: usize, listed: usize) {
    match belief {
        Belief::Believed => {
            tracing::debug!(accounts = listed, "the organization's accounts were listed");
        }
        Belief::Empty => tracing::warn!(
            kept = before,
            "the organization lists no account: not believed"
        ),
        Belief::Shrunken => tracing::warn!(
            kept = before,
            listed,
            "more than half of the organization's accounts are gone: believed if listings say so \
             for a whole refresh_interval"
        ),
    }
}

#[cfg(test)]
mod tests;
