//! Names of AWS's hosts, looked up by the system: few at once, and each host once for all who wait.
//!
//! A look-up of the system cannot be given up: with a resolver that never answers it keeps a thread
//! for half a minute. Unbounded, an outage of the resolver would take every thread of the process.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use tokio::sync::{Semaphore, watch};

/// What a look-up found, or why it found nothing.
type Found = Result<Vec<IpAddr>, Arc<io::Error>>;
type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Looks names up. Cheap to clone; the clones share their look-ups.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Shared>);

struct Shared {
    look_up: Box<LookUp>,
    /// One permit for each thread that may be kept.
    threads: Arc<Semaphore>,
    /// The look-ups under way, by host.
    under_way: Mutex<HashMap<String, watch::Receiver<Option<Found>>>>,
}

impl Resolver {
    /// The system's resolver, asked for so many names at once.
    pub(super) fn of_system(at_once: usize) -> Self {
        Self::new(at_once, |host| {
            let addresses = (host, 0).to_socket_addrs()?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }

    fn new(
        at_once: usize,
        look_up: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            look_up: Box::new(look_up),
            threads: Arc::new(Semaphore::new(at_once.max(1))),
            under_way: Mutex::default(),
        }))
    }

    /// The addresses of a host. Who gives up waiting leaves the look-up to those who come later.
    async fn addresses(&self, host: &str) -> Found {
        let mut found = self.join(host);
        match found.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(found)) => found.clone(),
            _ => Err(Arc::new(io::Error::other("the look-up broke off"))),
        }
    }

    /// The look-up of a host that is under way, or a new one.
    fn join(&self, host: &str) -> watch::Receiver<Option<Found>> {
        let mut under_way = self.0.under_way();
        if let Some(found) = under_way.get(host) {
            return found.clone();
        }
        let (told, found) = watch::channel(None);
        under_way.insert(host.to_owned(), found.clone());
        tokio::spawn(Arc::clone(&self.0).look_up(host.to_owned(), told));
        found
    }
}

impl Shared {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<Found>>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up(self: Arc<Self>, host: String, told: watch::Sender<Option<Found>>) {
        // Never closed, so that a permit is always had. The thread gives it back, not its waiters.
        let permit = Arc::clone(&self.threads).acquire_owned().await.ok();
        let (shared, name) = (Arc::clone(&self), host.clone());
        let found = tokio::task::spawn_blocking(move || {
            let found = (shared.look_up)(&name);
            drop(permit);
            found
        });
        let found = found
            .await
            .unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
        self.under_way().remove(&host);
        let _ = told.send(Some(found.map_err(Arc::new)));
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move { self.addresses(name).await.map_err(ResolveDnsError::new) })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, mpsc};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::timeout;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    /// Long for a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Held until it is opened.
    type Gate = (Mutex<bool>, Condvar);

    /// A resolver that answers when it is let go; what it was asked, and how to let it go.
    fn silent(at_once: usize) -> (Resolver, mpsc::Receiver<String>, Arc<Gate>) {
        let (asked, heard) = mpsc::channel();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let held = Arc::clone(&gate);
        let asked = Mutex::new(asked);
        let resolver = Resolver::new(at_once, move |host| {
            let asked = asked.lock().expect("not poisoned").send(host.to_owned());
            asked.expect("the test listens");
            let (open, opened) = &*held;
            let open = open.lock().expect("not poisoned");
            let open = opened.wait_timeout_while(open, PATIENCE, |open| !*open);
            assert!(*open.expect("not poisoned").0, "the test lets it go");
            Ok(vec![HERE])
        });
        (resolver, heard, gate)
    }

    fn let_go(gate: &Gate) {
        *gate.0.lock().expect("not poisoned") = true;
        gate.1.notify_all();
    }

    async fn gives_up(resolver: &Resolver, host: &str) {
        let soon = Duration::from_millis(50);
        let late = timeout(soon, resolver.addresses(host)).await;
        assert!(late.is_err(), "{late:?}");
    }

    #[tokio::test]
    async fn all_who_wait_for_a_host_share_one_look_up() {
        let (resolver, heard, gate) = silent(16);
        gives_up(&resolver, "sts").await;
        let waiting = join_all((0..300).map(|_| resolver.addresses("sts")));
        let_go(&gate);
        let found = timeout(PATIENCE, waiting).await.expect("in time");
        assert!(found.iter().all(Result::is_ok));
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["sts"]);
    }

    #[tokio::test]
    async fn a_resolver_that_never_answers_keeps_few_threads() {
        let (resolver, heard, gate) = silent(4);
        for round in 0..2 {
            for host in 0..100 {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.addresses(&host.to_string()).await });
            }
            gives_up(&resolver, "further").await;
            let free = timeout(PATIENCE, tokio::task::spawn_blocking(|| ())).await;
            assert!(free.is_ok(), "other work has threads left");
            let asked = heard.try_iter().count();
            assert!(
                asked <= 4 * usize::from(round == 0),
                "{asked} in round {round}"
            );
        }
        let_go(&gate);
        let found = timeout(PATIENCE, resolver.addresses("further")).await;
        assert_eq!(found.expect("in time").expect("found"), [HERE]);
    }

    #[tokio::test]
    async fn a_host_is_looked_up_again_each_time() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = Resolver::new(1, move |_| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::ErrorKind::NotFound.into()),
            1 => panic!("a look-up that breaks off"),
            _ => Ok(vec![HERE]),
        });
        let failed = resolver.resolve_dns("sts").await.expect_err("not found");
        assert!(std::error::Error::source(&failed).is_some(), "{failed}");
        assert!(resolver.addresses("sts").await.is_err());
        assert_eq!(resolver.addresses("sts").await.expect("found"), [HERE]);
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let resolver = Resolver::of_system(1);
        let found = timeout(PATIENCE, resolver.addresses("localhost")).await;
        let found = found.expect("in time").expect("an address");
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
