//! Discovery: the loop that asks for the organization's accounts again and again, and keeps the directory.
//!
//! How a listing is made is somebody else's business: [`Discovery`] takes a closure. What a listing may change is decided in [`super::listing`], what
//! the identities that polls find out may change in [`mod@super::build`].

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

pub use super::listing::Attempt;
use super::listing::MemberList;
use super::{Directory, Identified, Identities, Inputs, Member, Shard, build};
use crate::config::Config;

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
    /// Whose credentials are whose, as polls find it out.
    pub identified: mpsc::Receiver<Identified>,
    /// Where the directory goes.
    pub directory: watch::Sender<Arc<Directory>>,
}

/// A listing that ended, or why there is none.
type Listing = Result<Vec<Member>, String>;

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

    async fn keep(mut self) {
        let mut known = Known {
            shard: self.shard,
            directory: self.directory,
            list: MemberList::default(),
            identities: Identities::default(),
        };
        loop {
            let mut config = Arc::clone(&self.config.borrow_and_update());
            known.follow(&config);
            let (due, deadline) = (known.list.due(), known.list.deadline());
            let asked = Arc::clone(&config);
            let mut listing = pin!(listing(due, deadline, || (self.list)(asked)));
            // Neither an identity that a poll finds out nor a reload that lists the same ends a
            // listing under way: one of a large organization takes minutes.
            loop {
                tokio::select! {
                    changed = self.config.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let next = Arc::clone(&self.config.borrow_and_update());
                        if !lists_alike(&config, &next) {
                            break;
                        }
                        config = next;
                        known.follow(&config);
                    }
                    Some(identified) = self.identified.recv() => known.identified(identified, &config),
                    listing = &mut listing => {
                        (self.observe)(known.listed(listing, (self.now)()));
                        break;
                    }
                }
            }
        }
    }
}

/// Whether a listing is made by both configurations in the same way.
fn lists_alike(before: &Config, now: &Config) -> bool {
    before.organizations == now.organizations
        && before.aws == now.aws
        && before.limits.requests_per_second == now.limits.requests_per_second
}

/// Waits until a listing is due, and lists. If discovery is not configured it waits for ever.
async fn listing<F, E>(
    due: Option<Instant>,
    deadline: Duration,
    list: impl FnOnce() -> F,
) -> Listing
where
    F: Future<Output = Result<Vec<Member>, E>>,
    E: Display,
{
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
    match timeout(deadline, list()).await {
        Ok(listing) => listing.map_err(|error| error.to_string()),
        Err(_) => Err("not listed whole within its deadline".to_owned()),
    }
}

/// What the directory is made of beside the configuration, and where it goes.
struct Known {
    shard: Shard,
    list: MemberList,
    identities: Identities,
    directory: watch::Sender<Arc<Directory>>,
}

impl Known {
    /// Publishes the directory that a configuration makes of what is known.
    fn follow(&mut self, config: &Config) {
        self.list.follow(config.organizations.as_ref());
        let accounts = &config.accounts;
        self.identities
            .retain(|known| accounts.iter().any(|account| account.access == *known));
        self.publish(config);
    }

    fn identified(&mut self, identified: Identified, config: &Config) {
        if self.identities.record(identified) {
            self.publish(config);
        }
    }

    fn listed(&mut self, listing: Listing, at: SystemTime) -> Attempt {
        match listing {
            Ok(listing) => self.list.answered(listing, at),
            Err(error) => self.list.failed(&error),
        }
    }

    fn publish(&self, config: &Config) {
        let inputs = Inputs {
            config,
            members: self.list.believed(),
            attempted: self.list.attempted(),
            identities: &self.identities,
            shard: self.shard,
        };
        let previous = Arc::clone(&self.directory.borrow());
        let next = build(&inputs, &previous);
        log_found(&previous, &next);
        log_left_out(&previous, &next, config.limits.max_accounts);
        if next != *previous {
            self.directory.send_replace(Arc::new(next));
        }
    }
}

fn log_found(previous: &Directory, next: &Directory) {
    for (id, key) in &next.found {
        if previous.found.get(id) == Some(key) {
            continue;
        }
        let name = next.accounts.get(key).and_then(|a| a.name.as_deref());
        tracing::info!(account_id = %id, account_name = name, "the credentials of an account without a configured id belong to this account");
    }
}

fn log_left_out(previous: &Directory, next: &Directory, max_accounts: usize) {
    let left_out = next.cut;
    if left_out == previous.cut {
        return;
    }
    if left_out > 0 {
        tracing::error!(
            left_out,
            max_accounts,
            "more accounts than limits.max_accounts: new accounts are not polled"
        );
    } else {
        tracing::info!(max_accounts, "every account is polled again");
    }
}

#[cfg(test)]
mod tests;
