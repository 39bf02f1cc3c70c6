//! The handle on a running simulator: where it is, what it was asked, and how to change its world.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::accounting::{Assumption, Count, Unexpected};
use crate::cloud::Cloud;
use crate::server::{Shared, serve};
use crate::world::World;

/// A running simulator. It stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on the current Tokio runtime. Port 0 picks a free one.
    pub fn start(world: World, address: SocketAddr) -> io::Result<Self> {
        world
            .check()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let shared = Arc::new(Shared::new(Cloud::new(world, SystemTime::now())));
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint URL, for all services.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the world. Ages count from now; `logging` sets `started` and `stopped`, as the calls that change it do.
    pub fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.shared.cloud().change(SystemTime::now(), change)
    }

    /// How often each operation was asked, by account and Region.
    pub fn counts(&self) -> Vec<Count> {
        self.shared.cloud().accounting.counts()
    }

    /// How often one operation was asked in all.
    pub fn requests(&self, operation: &str) -> u64 {
        self.counts()
            .iter()
            .filter(|count| count.operation == operation)
            .map(|count| count.requests)
            .sum()
    }

    /// The calls that no trail auditor makes, in order.
    pub fn unexpected(&self) -> Vec<Unexpected> {
        self.shared.cloud().accounting.unexpected().to_vec()
    }

    /// Each `AssumeRole`, in order, with its session policy.
    pub fn assumptions(&self) -> Vec<Assumption> {
        self.shared.cloud().accounting.assumptions().to_vec()
    }

    /// The most requests that were being answered at once.
    pub fn max_concurrent(&self) -> usize {
        self.shared.in_flight.peak()
    }

    /// What `GET /_simulator/state` tells, but for the concurrency.
    pub fn state(&self) -> Value {
        self.shared.cloud().state(SystemTime::now())
    }

    /// Empties the books.
    pub fn reset_counts(&self) {
        self.shared.cloud().accounting = crate::accounting::Accounting::default();
        self.shared.in_flight.reset();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}
