//! The engine: discovery, poller and publisher, wired to each other and to one configuration that may be replaced while they run.
//!
//! It ends in a snapshot. Who reads that, over HTTP or once on a terminal, is no business of this room.

use std::future::pending;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::aws::credentials::GivenCredentials;
use crate::aws::limits::CallLimits;
use crate::aws::organizations::ListError;
use crate::aws::sdk::SdkAws;
use crate::aws::setup::SetupError;
use crate::clock;
use crate::config::Config;
use crate::descriptors;
use crate::directory::discovery::{Attempt, Discovery};
use crate::directory::{Directory, Identified, Member, Shard, Source};
use crate::poller::{Poller, Report, Settings};
use crate::self_metrics::SelfMetrics;
use crate::snapshot::Snapshot;
use crate::snapshot::publisher::Publisher;

/// Ended polls that may wait for the publisher; a poller that finds the queue full waits, so nothing is lost.
const REPORTS_WAITING: usize = 256;

/// Identities that polls found out and the directory has not taken in yet.
const IDENTITIES_WAITING: usize = 64;

/// What stays the same for as long as an engine runs.
#[derive(Clone)]
pub struct Surroundings {
    /// The part of the directory this process takes.
    pub shard: Shard,
    /// Credentials that need not be looked for.
    pub given: GivenCredentials,
    /// Metrics about the exporter itself.
    pub metrics: SelfMetrics,
}

/// Discovery, poller and publisher, running. They end when this is dropped.
pub struct Engine {
    surroundings: Surroundings,
    config: watch::Sender<Arc<Config>>,
    settings: watch::Sender<Settings>,
    aws: watch::Sender<SdkAws>,
    directory: watch::Receiver<Arc<Directory>>,
    identified: mpsc::Sender<Identified>,
    reports: mpsc::Sender<Report>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    poller: JoinSet<()>,
    keepers: JoinSet<()>,
}

impl Engine {
    /// Starts everything. Makes no call itself; an error means that no call could ever succeed.
    pub async fn start(config: Config, surroundings: Surroundings) -> Result<Self, SetupError> {
        let aws = Box::pin(reach(&config, &surroundings)).await?;
        let publisher = Publisher::new(surroundings.metrics.clone());
        let (reports, reported) = mpsc::channel(REPORTS_WAITING);
        let (identified, identities) = mpsc::channel(IDENTITIES_WAITING);
        let (directory, accounts) = watch::channel(Arc::default());
        let mut engine = Self {
            settings: watch::Sender::new(poller_settings(&config)),
            config: watch::Sender::new(Arc::new(config)),
            aws: watch::Sender::new(aws),
            directory: accounts.clone(),
            identified,
            reports,
            snapshot: publisher.subscribe(),
            poller: JoinSet::new(),
            keepers: JoinSet::new(),
            surroundings,
        };
        engine
            .keepers
            .spawn(publisher.run(accounts, reported, clock::now, pending()));
        engine.discover(identities, directory);
        engine.poll();
        engine.in_force();
        Ok(engine)
    }

    /// Puts another configuration in force. Accounts that stay keep their state; an error leaves everything as it is.
    pub async fn reload(&mut self, config: Config) -> Result<(), SetupError> {
        let before = Arc::clone(&self.config.borrow());
        if is_reached_otherwise(&before, &config) {
            let aws = Box::pin(reach(&config, &self.surroundings)).await?;
            self.aws.send_replace(aws);
            self.poller.abort_all();
            self.poll();
        }
        self.settings.send_replace(poller_settings(&config));
        self.config.send_replace(Arc::new(config));
        self.in_force();
        Ok(())
    }

    /// All accounts, now and whenever something is published.
    pub fn snapshot(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }

    /// The accounts this process is responsible for.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.borrow())
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// The part of the accounts this process takes.
    pub fn shard(&self) -> Shard {
        self.surroundings.shard
    }

    /// Metrics about the exporter itself.
    pub fn metrics(&self) -> &SelfMetrics {
        &self.surroundings.metrics
    }

    /// Ends only if a part of the engine broke: nothing would be fresh from then on. A poller that a reload replaced is no such part.
    pub async fn broken(&mut self) {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.keepers.join_next() => ended,
                Some(ended) = self.poller.join_next() => ended,
                else => return,
            };
            if let Some(error) = ended.err().filter(JoinError::is_panic) {
                tracing::error!(%error, "a part of the exporter broke off");
                return;
            }
        }
    }

    fn discover(
        &mut self,
        identified: mpsc::Receiver<Identified>,
        directory: watch::Sender<Arc<Directory>>,
    ) {
        let aws = self.aws.subscribe();
        let metrics = self.surroundings.metrics.clone();
        let discovery = Discovery {
            config: self.config.subscribe(),
            shard: self.surroundings.shard,
            list: move |config| list(aws.borrow().clone(), config),
            observe: move |attempt| observe(&metrics, attempt),
            now: SystemTime::now,
            identified,
            directory,
        };
        self.keepers.spawn(discovery.run(pending()));
    }

    fn poll(&mut self) {
        let poller = Poller {
            aws: self.aws.borrow().clone(),
            now: clock::now,
            directory: self.directory.clone(),
            settings: self.settings.subscribe(),
            identified: self.identified.clone(),
            reports: self.reports.clone(),
            metrics: self.surroundings.metrics.clone(),
        };
        self.poller.spawn(poller.run(pending()));
    }

    fn in_force(&self) {
        let Surroundings { shard, metrics, .. } = &self.surroundings;
        let config = self.config.borrow();
        metrics.set_shard(shard.ordinal(), shard.total());
        metrics.config_loaded(&config.sha256, seconds(SystemTime::now()));
        if config.organizations.is_none() {
            metrics.discovery_ended(Source::Organizations);
        }
    }
}

/// What the poller goes by. No more polls at once than there are connections for, so that a poll waits
/// for its turn before its time begins.
fn poller_settings(config: &Config) -> Settings {
    let settings = Settings::from(config);
    Settings {
        concurrency: settings.concurrency.min(descriptors::budget().connections),
        ..settings
    }
}

/// Whether calls are made otherwise, so that no session can be kept.
fn is_reached_otherwise(before: &Config, now: &Config) -> bool {
    now.aws != before.aws || now.limits.requests_per_second != before.limits.requests_per_second
}

async fn reach(config: &Config, surroundings: &Surroundings) -> Result<SdkAws, SetupError> {
    let limits = CallLimits {
        calls_per_second: NonZeroU32::new(config.limits.requests_per_second)
            .unwrap_or(NonZeroU32::MIN),
        ..CallLimits::default().within(descriptors::budget())
    };
    let metrics = surroundings.metrics.clone();
    SdkAws::new(&config.aws, metrics, limits, surroundings.given.clone()).await
}

async fn list(aws: SdkAws, config: Arc<Config>) -> Result<Vec<Member>, ListError> {
    match &config.organizations {
        Some(settings) => aws.list_organization(settings).await,
        None => Ok(Vec::new()),
    }
}

fn observe(metrics: &SelfMetrics, attempt: Attempt) {
    match attempt {
        Attempt::Succeeded { at, accounts } => {
            metrics.discovery_succeeded(Source::Organizations, seconds(at), accounts);
        }
        Attempt::Failed => metrics.discovery_failed(Source::Organizations),
    }
}

/// Seconds since the UNIX epoch.
fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
