//! Discovery: asks for the organization's accounts again and again, decides which listing to believe, and keeps the directory.
//!
//! How a listing is made is somebody else's business: [`run`] takes a closure. What a listing may change is decided by [`believe`], which is pure.

use std::collections::HashSet;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Directory, Inputs, Member, Shard, build};
use crate::account::AccountId;
use crate::config::{Config, OrganizationsSettings};

/// The pause after the first failed listing; doubled after each further one, up to the refresh interval.
const FIRST_RETRY: Duration = Duration::from_secs(15);

/// What to do with a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It is the fleet from now on.
    Believed,
    /// It has no account at all: never believed.
    Empty,
    /// More than half of the fleet is missing from it: believed if the next listing says so too.
    Shrunken,
}

/// Whether `listing` may replace the list believed so far. `pending` is the listing before it, if that one was [`Belief::Shrunken`].
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

/// What the loop works with.
pub struct Discovery<L, O, N> {
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// The part of the directory this process takes.
    pub shard: Shard,
    /// Lists the active accounts of the organization as the configuration asks for it.
    pub list: L,
    /// Told of every attempt.
    pub observe: O,
    /// The wall clock.
    pub now: N,
    /// Where the directory goes.
    pub directory: watch::Sender<Arc<Directory>>,
}

impl<L, O, N, F, E> Discovery<L, O, N>
where
    L: Fn(Arc<Config>) -> F,
    F: Future<Output = Result<Vec<Member>, E>>,
    O: Fn(Attempt),
    N: Fn() -> SystemTime,
    E: Display,
{
    /// Keeps the directory until `shutdown`. The accounts of the file are in it before the first listing is asked for.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.keep() => {}
        }
    }

    async fn keep(self) {
        let mut configs = self.config.clone();
        let mut list = MemberList::default();
        loop {
            let config = Arc::clone(&configs.borrow_and_update());
            list.follow(config.organizations.as_ref());
            self.publish(&config, &list);
            tokio::select! {
                changed = configs.changed() => if changed.is_err() { return },
                attempt = self.refresh(&config, &mut list) => (self.observe)(attempt),
            }
        }
    }

    /// Waits until a listing is due, and lists. If discovery is not configured it waits for ever.
    async fn refresh(&self, config: &Arc<Config>, list: &mut MemberList) -> Attempt {
        match list.due {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
        match (self.list)(Arc::clone(config)).await {
            Ok(listing) => list.answered(listing, (self.now)()),
            Err(error) => list.failed(&error),
        }
    }

    fn publish(&self, config: &Config, list: &MemberList) {
        let inputs = Inputs {
            config,
            members: &list.believed,
            attempted: list.attempted,
            shard: self.shard,
        };
        let previous = Arc::clone(&self.directory.borrow());
        let next = build(&inputs, &previous);
        if next.cut > 0 && next.cut != previous.cut {
            let max = config.limits.max_accounts;
            tracing::error!(
                left_out = next.cut,
                max_accounts = max,
                "more accounts than limits.max_accounts allows: those beyond it are not polled"
            );
        }
        if next != *previous {
            self.directory.send_replace(Arc::new(next));
        }
    }
}

/// The members believed so far, and what came of the last listings.
#[derive(Debug, Default)]
struct MemberList {
    settings: Option<OrganizationsSettings>,
    believed: Vec<Member>,
    /// `believed` was listed under these settings, so that it is a measure for the next listing.
    settled: bool,
    pending: Option<Vec<Member>>,
    attempted: bool,
    failures: u32,
    /// When the next listing is due; `None` if discovery is not configured.
    due: Option<Instant>,
}

impl MemberList {
    /// Takes note of new settings: a listing is due at once, and what was listed under the old ones is no measure for it.
    fn follow(&mut self, settings: Option<&OrganizationsSettings>) {
        if self.settings.as_ref() == settings {
            return;
        }
        let believed = settings.map(|_| std::mem::take(&mut self.believed));
        *self = Self {
            settings: settings.cloned(),
            believed: believed.unwrap_or_default(),
            due: settings.map(|_| Instant::now()),
            ..Self::default()
        };
    }

    fn answered(&mut self, listing: Vec<Member>, at: SystemTime) -> Attempt {
        let previous: &[Member] = if self.settled { &self.believed } else { &[] };
        let belief = believe(previous, &listing, self.pending.as_deref());
        tell(belief, self.believed.len(), listing.len());
        self.ended(0);
        let accounts = listing.len();
        match belief {
            Belief::Believed => {
                (self.believed, self.settled) = (listing, true);
                return Attempt::Succeeded { at, accounts };
            }
            Belief::Shrunken => self.pending = Some(listing),
            Belief::Empty => {}
        }
        Attempt::Failed
    }

    fn failed(&mut self, error: &impl Display) -> Attempt {
        if self.failures == 0 {
            let kept = self.believed.len();
            tracing::warn!(%error, kept, "the organization's accounts could not be listed: those known before stay");
        }
        self.ended(self.failures.saturating_add(1));
        Attempt::Failed
    }

    /// Takes note of the end of an attempt, and when the next is due.
    fn ended(&mut self, failures: u32) {
        let settings = self.settings.as_ref();
        let pause = settings.map(|settings| pause(failures, settings.refresh_interval));
        self.due = pause.map(|pause| Instant::now() + pause);
        (self.failures, self.attempted, self.pending) = (failures, true, None);
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
            "more than half of the organization's accounts are gone: believed if the next listing says so too"
        ),
    }
}

#[cfg(test)]
mod tests;
