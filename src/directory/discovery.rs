//! Discovery: the loop that asks for the organization's accounts again and again, and keeps the directory.
//!
//! How a listing is made is somebody else's business: [`Discovery`] takes a closure. What a listing may change is decided in [`super::listing`].

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

pub use super::listing::Attempt;
use super::listing::MemberList;
use super::{Directory, Inputs, Member, Shard, build};
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
        match list.due() {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
        let listing = (self.list)(Arc::clone(config));
        match timeout(list.deadline(), listing).await {
            Ok(Ok(listing)) => list.answered(listing, (self.now)()),
            Ok(Err(error)) => list.failed(&error),
            Err(_) => list.failed(&"not listed whole within its deadline"),
        }
    }

    fn publish(&self, config: &Config, list: &MemberList) {
        let inputs = Inputs {
            config,
            members: list.believed(),
            attempted: list.attempted(),
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

#[cfg(test)]
mod tests;
