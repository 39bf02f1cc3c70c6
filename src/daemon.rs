//! The daemon: binds, serves, reloads and stops. What it serves is the engine's snapshot.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::config::{Config, ConfigErrors, ConfigFile, Fingerprint, Variables};
use crate::engine::{Engine, Surroundings};
use crate::files;
use crate::snapshot::Snapshot;
use crate::threads::{Worker, WorkerError};
use crate::web::systemd::{self, Life};
use crate::web::{Listener, ReloadRequest, Server, WebFile, WebSettings};

/// Wishes to reload that may wait; all that wait are answered by one reload.
const RELOADS_WAITING: usize = 16;

/// The name of the thread that reads the configuration.
const READER: &str = "config";

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file, read again at each reload.
    File(PathBuf),
    /// No file: the account of the ambient credentials.
    Ambient,
    /// A text that never changes: the demo's.
    Text(String),
}

impl Origin {
    /// The configuration at the start, for a process that takes one of so many shards, and the
    /// fingerprint of its file. Blocks until it is read or overdue.
    pub fn load(&self, shards: usize) -> Result<(Config, Option<Fingerprint>), ConfigErrors> {
        let origin = self.clone();
        let read = Worker::new(READER).wait(files::DEADLINE, move || origin.read(shards));
        let read = read.map_err(|error| self.overdue(error))?;
        Ok((read.config?, read.fingerprint))
    }

    /// The configuration as it is now.
    fn read(&self, shards: usize) -> Reading {
        let (config, fingerprint) = match self {
            Self::File(path) => {
                let file = ConfigFile::read(path);
                (file.config(shards), Some(file.fingerprint()))
            }
            Self::Ambient => (Config::ambient(&Variables::of_process(), shards), None),
            Self::Text(text) => {
                let nothing = Variables::default();
                let config = Config::parse(text.as_bytes(), "demo".as_ref(), &nothing);
                (config, None)
            }
        };
        Reading {
            config,
            fingerprint,
        }
    }

    /// The configuration as it is now, if its file is not as it was `seen`.
    fn read_if_changed(&self, seen: Option<Fingerprint>, shards: usize) -> Option<Reading> {
        let Self::File(path) = self else { return None };
        let file = ConfigFile::read(path);
        let fingerprint = Some(file.fingerprint());
        (fingerprint != seen).then(|| Reading {
            config: file.config(shards),
            fingerprint,
        })
    }

    fn overdue(&self, error: WorkerError) -> ConfigErrors {
        let path = match self {
            Self::File(path) => path,
            Self::Ambient | Self::Text(_) => Path::new("configuration"),
        };
        ConfigFile::overdue(path, error)
    }
}

/// A configuration, or what is wrong with it, and the fingerprint of what was read of its file.
struct Reading {
    config: Result<Config, ConfigErrors>,
    fingerprint: Option<Fingerprint>,
}

/// What the daemon is started with.
pub struct Daemon {
    /// Where the configuration comes from.
    pub origin: Origin,
    /// What was read of its file for the start.
    pub fingerprint: Option<Fingerprint>,
    /// How often to look whether the configuration's content changed; zero for never.
    pub auto_reload: Duration,
    /// Whether `POST /-/reload` is served.
    pub lifecycle: bool,
    /// Bound sockets.
    pub listeners: Vec<Listener>,
    /// The server's settings.
    pub web: WebSettings,
    /// TLS, users and headers.
    pub web_file: Option<WebFile>,
}

/// Something the daemon cannot do without broke. Says what, for the last line of the log.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The way to AWS cannot be set up.
    #[error(transparent)]
    Setup(#[from] crate::aws::setup::SetupError),
    /// Signals cannot be listened to.
    #[error("cannot listen to signals: {0}")]
    Signals(#[from] std::io::Error),
    /// A part broke off; the log line before says which.
    #[error("a part of the exporter broke off")]
    Broken,
}

impl Daemon {
    /// Starts to poll and to serve.
    pub async fn start(
        self,
        config: Config,
        surroundings: Surroundings,
    ) -> Result<Running, DaemonError> {
        let stop = Stop::new()?;
        // Before systemd hears that we are ready: a hangup that nobody listens to ends the process.
        let hangup = signal(SignalKind::hangup())?;
        let self_metrics = surroundings.metrics.clone();
        let engine = Engine::start(config, surroundings).await?;
        let (wishes, waiting) = mpsc::channel(RELOADS_WAITING);
        let server = Server {
            snapshot: engine.snapshot(),
            self_metrics,
            settings: self.web,
            reload: self.lifecycle.then_some(wishes),
            file: self.web_file,
        };
        if crate::FIPS {
            tracing::info!("FIPS build: TLS is AWS-LC's FIPS-validated module, server and client");
        }
        for listener in &self.listeners {
            tracing::info!(address = %listener.local_addr()?, "listening");
        }
        let (drain, draining) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(self.listeners, async {
            let _ = draining.await;
        }));
        systemd::notify(Life::Ready);
        let reloader = Reloader {
            engine,
            origin: self.origin,
            reader: Worker::new(READER),
            hangup,
            wishes: waiting,
            looks: looks(self.auto_reload),
            seen: self.fingerprint,
            overdue: None,
        };
        Ok(Running {
            stop,
            reloader,
            serving,
            drain,
        })
    }
}

/// A daemon that polls and serves.
pub struct Running {
    stop: Stop,
    reloader: Reloader,
    serving: JoinHandle<()>,
    drain: oneshot::Sender<()>,
}

impl Running {
    /// All accounts, now and whenever something is published.
    pub fn snapshot(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.reloader.engine.snapshot()
    }

    /// Runs until SIGTERM or SIGINT, then finishes the requests in flight; a second signal ends it at once.
    pub async fn run(mut self) -> Result<(), DaemonError> {
        let outcome = tokio::select! {
            () = self.stop.asked() => Ok(()),
            () = self.reloader.run() => Err(DaemonError::Broken),
            ended = &mut self.serving => {
                tracing::error!(?ended, "the server broke off");
                return Err(DaemonError::Broken);
            }
            never = systemd::watchdog() => match never {},
        };
        systemd::notify(Life::Stopping);
        tracing::info!("stopping: no new connections, requests in flight are finished");
        // Whoever waits for a reload is told, and nothing asks AWS any more; what was last published is still served.
        drop(self.reloader);
        let _ = self.drain.send(());
        tokio::select! {
            _ = self.serving => {}
            () = self.stop.asked() => tracing::warn!("stopped at once by a second signal"),
        }
        outcome
    }
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Reads the configuration again when asked to: by SIGHUP, over HTTP, or because its content changed.
struct Reloader {
    engine: Engine,
    origin: Origin,
    /// Beside the runtime and its pool: neither a slow disk nor slow name look-ups hold up what
    /// else there is to do.
    reader: Worker,
    hangup: Signal,
    wishes: mpsc::Receiver<ReloadRequest>,
    /// Looks at the content; `None` if that was not asked for.
    looks: Option<Interval>,
    /// What was last read of the file, good or bad.
    seen: Option<Fingerprint>,
    /// Why the last look at the file did not end in time, if it did not.
    overdue: Option<WorkerError>,
}

fn looks(every: Duration) -> Option<Interval> {
    (!every.is_zero()).then(|| {
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks
    })
}

impl Reloader {
    /// Ends only if the engine broke.
    async fn run(&mut self) {
        loop {
            tokio::select! {
                () = self.engine.broken() => return,
                _ = self.hangup.recv() => drop(self.reload().await),
                Some(wish) = self.wishes.recv() => self.grant(wish).await,
                () = look(&mut self.looks) => self.reload_if_changed().await,
            }
        }
    }

    /// One reload answers everybody who waits for one.
    async fn grant(&mut self, first: ReloadRequest) {
        let mut waiting = vec![first];
        while let Ok(further) = self.wishes.try_recv() {
            waiting.push(further);
        }
        let outcome = self.reload().await;
        for wish in waiting {
            // Whoever hung up does not want to know.
            let _ = wish.send(outcome.clone());
        }
    }

    /// A file that cannot be read is a change too, told of once; so is one that can be read again.
    async fn reload_if_changed(&mut self) {
        let (origin, seen) = (self.origin.clone(), self.seen);
        let shards = self.engine.shard().total();
        let read = move || origin.read_if_changed(seen, shards);
        let config = match self.reader.run(files::DEADLINE, read).await {
            Ok(None) if self.overdue.is_none() => return,
            // It is as it was before it could not be read in time.
            Ok(None) => self.read().await,
            Ok(Some(reading)) => self.take(reading),
            Err(error) if self.overdue == Some(error) => return,
            Err(error) => self.overdue(error),
        };
        let _ = self.apply(config).await;
    }

    /// All or nothing: the error is the text to show, and the configuration in force stays.
    async fn reload(&mut self) -> Result<(), String> {
        systemd::notify(Life::Reloading);
        let config = self.read().await;
        self.apply(config).await
    }

    async fn read(&mut self) -> Result<Config, ConfigErrors> {
        let origin = self.origin.clone();
        let shards = self.engine.shard().total();
        let read = self
            .reader
            .run(files::DEADLINE, move || origin.read(shards));
        match read.await {
            Ok(reading) => self.take(reading),
            Err(error) => self.overdue(error),
        }
    }

    fn take(&mut self, reading: Reading) -> Result<Config, ConfigErrors> {
        self.seen = reading.fingerprint;
        self.overdue = None;
        reading.config
    }

    fn overdue(&mut self, error: WorkerError) -> Result<Config, ConfigErrors> {
        self.overdue = Some(error);
        Err(self.origin.overdue(error))
    }

    async fn apply(&mut self, config: Result<Config, ConfigErrors>) -> Result<(), String> {
        let outcome = match config {
            Err(errors) => Err(errors.to_string()),
            Ok(config) => {
                let applied = self.engine.reload(config).await;
                applied.map_err(|error| error.to_string())
            }
        };
        self.tell(&outcome);
        systemd::notify(Life::Ready);
        outcome
    }

    fn tell(&self, outcome: &Result<(), String>) {
        match outcome {
            Ok(()) => tracing::info!(
                sha256 = self.engine.config().sha256,
                "configuration reloaded"
            ),
            Err(error) => {
                self.engine.metrics().config_refused();
                tracing::error!(%error, "configuration refused: the one in force stays");
            }
        }
    }
}

/// The next time to look, or never.
async fn look(looks: &mut Option<Interval>) {
    match looks {
        Some(looks) => drop(looks.tick().await),
        None => pending().await,
    }
}
