//! What the program does for a command line: the daemon, or one of the subcommands.

use std::io::Write as _;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::aws::credentials::GivenCredentials;
use crate::aws::setup::SetupError;
use crate::check;
use crate::cli::{Cli, Command, Output};
use crate::clock;
use crate::config::{Config, ConfigErrors};
use crate::daemon::{Daemon, DaemonError, Origin, Running};
use crate::demo::{self, Demo, DemoError};
use crate::descriptors;
use crate::engine::{Engine, Surroundings};
use crate::fleet::Summary;
use crate::iam::{self, Platform};
use crate::logging::DroppedLines;
use crate::self_metrics::{Build, SelfMetrics};
use crate::web::{Listener, WebFile, WebFileError, WebSettings, healthcheck, systemd};

/// The exit code of a bad configuration: `EX_CONFIG` of sysexits.
const EXIT_CONFIG: u8 = 78;

/// Why the program ended without doing what it was asked. The text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is bad.
    #[error("bad configuration:\n{0}")]
    Config(#[from] ConfigErrors),
    /// The file of `--web.config.file` is bad.
    #[error("bad web configuration:\n{0}")]
    WebFile(#[from] WebFileError),
    /// A flag is bad in a way that only shows later.
    #[error("{0}")]
    Flag(String),
    /// The way to AWS cannot be set up.
    #[error("{0}")]
    Setup(#[from] SetupError),
    /// A socket cannot be bound.
    #[error("cannot listen: {0}")]
    Listen(std::io::Error),
    /// The daemon ended by itself.
    #[error("{0}")]
    Daemon(DaemonError),
    /// The demo cannot start.
    #[error("{0}")]
    Demo(#[from] DemoError),
    /// The instance asked is not healthy.
    #[error("not healthy: {0}")]
    Unhealthy(String),
    /// The machine refuses something a program can count on.
    #[error("{0}")]
    Machine(String),
}

impl Failure {
    /// 78 for whatever the operator wrote wrongly, else 1; of a check 2, since 1 would say that an account is not compliant.
    pub fn exit_code(&self, cli: &Cli) -> ExitCode {
        match self {
            Self::Config(_)
            | Self::WebFile(_)
            | Self::Flag(_)
            | Self::Setup(_)
            | Self::Daemon(DaemonError::Setup(_)) => EXIT_CONFIG.into(),
            _ if cli.is_check() => check::EXIT_UNKNOWN.into(),
            _ => ExitCode::FAILURE,
        }
    }

    /// Says why the program ended: in the log of a daemon, line by line; to a person who asked once, as plain text.
    pub fn tell(&self, cli: &Cli) {
        let text = self.to_string();
        if cli.is_daemon() {
            for line in text.lines() {
                tracing::error!("{line}");
            }
        } else {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Does what the command line asks.
pub fn run(cli: &Cli, dropped: &DroppedLines) -> Result<ExitCode, Failure> {
    match &cli.command {
        None if cli.config.check => validate(cli),
        None => daemon(cli, dropped),
        Some(Command::Demo) => demo(cli, dropped),
        Some(Command::Check { output }) => once(cli, *output),
        Some(Command::IamPolicy { platform }) => {
            let (config, _) = origin(cli).load(cli.shard.total)?;
            Ok(policies(&config, *platform))
        }
        Some(Command::Healthcheck { url }) => healthy(url),
    }
}

/// `--config.check`: whatever the daemon would read before it starts.
fn validate(cli: &Cli) -> Result<ExitCode, Failure> {
    origin(cli).load(cli.shard.total)?;
    web_file(cli)?;
    Ok(ExitCode::SUCCESS)
}

fn origin(cli: &Cli) -> Origin {
    cli.config
        .file
        .clone()
        .map_or(Origin::Ambient, Origin::File)
}

fn daemon(cli: &Cli, dropped: &DroppedLines) -> Result<ExitCode, Failure> {
    block_on(async {
        let surroundings = surroundings(cli, GivenCredentials::default())?;
        count_lines(&surroundings, dropped);
        let running = serve(cli, origin(cli), surroundings, bind(cli)?).await?;
        running.run().await.map_err(Failure::Daemon)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn demo(cli: &Cli, dropped: &DroppedLines) -> Result<ExitCode, Failure> {
    block_on(async {
        let demo = Demo::start()?;
        let listeners = bind(cli)?;
        let url = demo::url(&listeners);
        let surroundings = surroundings(cli, demo.given)?;
        count_lines(&surroundings, dropped);
        let running = serve(cli, demo.origin, surroundings, listeners).await?;
        tokio::spawn(demo::welcome(running.snapshot(), url));
        running.run().await.map_err(Failure::Daemon)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Binds before anything else, so that a port in use is an error at once.
async fn serve(
    cli: &Cli,
    origin: Origin,
    surroundings: Surroundings,
    listeners: Vec<Listener>,
) -> Result<Running, Failure> {
    let (config, fingerprint) = origin.load(cli.shard.total)?;
    let daemon = Daemon {
        origin,
        fingerprint,
        auto_reload: cli.config.auto_reload_interval,
        lifecycle: cli.web.enable_lifecycle,
        listeners,
        web: WebSettings {
            telemetry_path: cli.web.telemetry_path.clone(),
            max_requests: cli.web.max_requests,
            clients: descriptors::budget().clients,
        },
        web_file: web_file(cli)?,
    };
    daemon
        .start(config, surroundings)
        .await
        .map_err(Failure::Daemon)
}

fn web_file(cli: &Cli) -> Result<Option<WebFile>, Failure> {
    let path = cli.web.config_file.as_deref();
    Ok(path.map(WebFile::load_in_time).transpose()?)
}

fn bind(cli: &Cli) -> Result<Vec<Listener>, Failure> {
    if cli.web.systemd_socket {
        return systemd::listeners().map_err(Failure::Listen);
    }
    let addresses = cli.web.listen_addresses.iter();
    addresses
        .map(|address| Listener::bind(address).map_err(Failure::Listen))
        .collect()
}

/// `check`: the engine until everything was polled once, then a table.
fn once(cli: &Cli, output: Output) -> Result<ExitCode, Failure> {
    let surroundings = surroundings(cli, GivenCredentials::default())?;
    let (config, _) = origin(cli).load(cli.shard.total)?;
    block_on(async {
        let mut engine = Engine::start(config, surroundings).await?;
        let snapshot = check::polled(&mut engine)
            .await
            .ok_or(Failure::Daemon(DaemonError::Broken))?;
        let now = clock::now();
        let partial = engine.directory().is_partial();
        // A reader that went away has what it wanted.
        let _ = match output {
            Output::Table => check::print_table(&snapshot, partial, now),
            Output::Json => check::print_json(&snapshot, now),
        };
        Ok(check::exit_code(Summary::of(&snapshot, now), partial).into())
    })
}

/// `healthcheck`: silence and 0, or why not.
fn healthy(url: &str) -> Result<ExitCode, Failure> {
    block_on(async { healthcheck(url).await.map_err(Failure::Unhealthy) })?;
    Ok(ExitCode::SUCCESS)
}

/// `iam-policy`: each document under its title.
fn policies(config: &Config, platform: Option<Platform>) -> ExitCode {
    let platforms = platform.map_or(Platform::ALL.to_vec(), |platform| vec![platform]);
    let mut stdout = std::io::stdout().lock();
    for document in iam::documents(config, &platforms) {
        let written = writeln!(stdout, "# {}\n{}\n", document.title, document.json);
        if written.is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn surroundings(cli: &Cli, given: GivenCredentials) -> Result<Surroundings, Failure> {
    let shard = cli.shard.shard(&hostname()).map_err(Failure::Flag)?;
    let build = Build {
        version: crate::VERSION,
        revision: env!("CLOUDTRAIL_EXPORTER_BUILD_REVISION"),
        rustc: env!("CLOUDTRAIL_EXPORTER_BUILD_RUSTC"),
        target: env!("CLOUDTRAIL_EXPORTER_BUILD_TARGET"),
    };
    let metrics = SelfMetrics::new(build).map_err(|error| Failure::Machine(error.to_string()))?;
    Ok(Surroundings {
        shard,
        given,
        metrics,
    })
}

fn count_lines(surroundings: &Surroundings, dropped: &DroppedLines) {
    let dropped = dropped.clone();
    let count = move || dropped.count();
    surroundings.metrics.count_dropped_log_lines(count);
}

/// The machine's name, as the kernel has it; empty if it does not tell.
fn hostname() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname");
    read.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// One thread runs the poller and the server. The work is mostly waiting: more threads cost CPU per poll, and each has a heap of its own to fragment
/// (measured: a sixth of the memory of 5,000 accounts).
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let built = Builder::new_current_thread().enable_all().build();
    let runtime =
        built.map_err(|error| Failure::Machine(format!("cannot start threads: {error}")))?;
    let outcome = runtime.block_on(work);
    // A name that is being looked up or a file that is being read would hold up the end for as long as it takes.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_check_that_breaks_off_says_of_no_account_that_it_is_not_compliant() {
        let code = |args: &[&str], failure: &Failure| {
            let cli = Cli::parse_from(["cloudtrail-exporter"].iter().chain(args));
            failure.exit_code(&cli)
        };
        let broken = Failure::Daemon(DaemonError::Broken);
        assert_eq!(code(&["check"], &broken), check::EXIT_UNKNOWN.into());
        assert_eq!(code(&[], &broken), ExitCode::FAILURE);
        let flag = Failure::Flag("bad".to_owned());
        assert_eq!(code(&["check"], &flag), EXIT_CONFIG.into());
    }
}
