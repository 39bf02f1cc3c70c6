//! Flags and subcommands, in the manner of the Prometheus exporter-toolkit. Every flag also has an environment variable.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::directory::Shard;
use crate::iam::Platform;
use crate::logging::LogFormat;
use crate::web::{TelemetryPath, limits};

/// The port of this exporter, as registered in the deploy files.
pub const DEFAULT_PORT: u16 = 10065;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "cloudtrail-exporter", version = crate::version_line(), about, long_about = None)]
pub struct Cli {
    /// What to do; the daemon if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where configuration comes from.
    #[command(flatten)]
    pub config: ConfigFlags,
    /// The HTTP server.
    #[command(flatten)]
    pub web: WebFlags,
    /// Logs.
    #[command(flatten)]
    pub log: LogFlags,
    /// Which part of the accounts this process polls.
    #[command(flatten)]
    pub shard: ShardFlags,
}

impl Cli {
    /// Whether what is to be run goes on until it is told to stop, so that its log is read and not its terminal.
    pub fn is_daemon(&self) -> bool {
        match &self.command {
            None => !self.config.check,
            Some(command) => matches!(command, Command::Demo),
        }
    }

    /// Whether it is `check`, whose exit code says how the fleet stands.
    pub fn is_check(&self) -> bool {
        matches!(self.command, Some(Command::Check { .. }))
    }
}

/// What the program can do beside being the daemon.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon on an embedded, simulated AWS with a sample fleet: no account, no network, no file needed
    Demo,
    /// Poll every account once, print a table, exit 0 (all compliant), 1 (some non-compliant), 2 (some unknown), 78 (bad configuration)
    Check {
        /// How to print the result
        #[arg(long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Print the least-privilege IAM policy documents that this configuration needs
    IamPolicy {
        /// Where the exporter runs: print the trust policy of its own role for this place alone
        #[arg(long, value_enum)]
        platform: Option<Platform>,
    },
    /// Ask /-/healthy of a running instance; exit 0 if it is healthy, for containers without a shell
    Healthcheck {
        /// The instance to ask
        #[arg(default_value_t = format!("http://127.0.0.1:{DEFAULT_PORT}"))]
        url: String,
    },
}

/// How `check` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For scripts: what `/api/v1/accounts` answers.
    Json,
}

/// `--config.*`
#[derive(Debug, Args)]
pub struct ConfigFlags {
    /// Configuration file; without one, the account of the ambient credentials is polled
    #[arg(
        long = "config.file",
        env = "CLOUDTRAIL_EXPORTER_CONFIG_FILE",
        global = true,
        value_name = "FILE"
    )]
    pub file: Option<PathBuf>,
    /// Validate the configuration and exit: 0, or 78 with every error in it
    #[arg(long = "config.check", env = "CLOUDTRAIL_EXPORTER_CONFIG_CHECK")]
    pub check: bool,
    /// How often to look whether the file's content changed and reload it; 0s = never
    #[arg(long = "config.auto-reload-interval", env = "CLOUDTRAIL_EXPORTER_CONFIG_AUTO_RELOAD_INTERVAL", default_value = "0s", value_parser = duration, value_name = "DURATION")]
    pub auto_reload_interval: Duration,
}

/// `--web.*`
#[derive(Debug, Args)]
pub struct WebFlags {
    /// Address to listen on; repeatable
    #[arg(long = "web.listen-address", env = "CLOUDTRAIL_EXPORTER_WEB_LISTEN_ADDRESS", global = true, value_delimiter = ',', default_values_t = [format!(":{DEFAULT_PORT}")], value_name = "[HOST]:PORT")]
    pub listen_addresses: Vec<String>,
    /// TLS, authentication and response headers, in the exporter-toolkit's format
    #[arg(
        long = "web.config.file",
        env = "CLOUDTRAIL_EXPORTER_WEB_CONFIG_FILE",
        global = true,
        value_name = "FILE"
    )]
    pub config_file: Option<PathBuf>,
    /// Path under which metrics are exposed
    #[arg(
        long = "web.telemetry-path",
        env = "CLOUDTRAIL_EXPORTER_WEB_TELEMETRY_PATH",
        global = true,
        default_value = "/metrics",
        value_name = "PATH"
    )]
    pub telemetry_path: TelemetryPath,
    /// Use systemd socket activation instead of listening on an address
    #[arg(
        long = "web.systemd-socket",
        env = "CLOUDTRAIL_EXPORTER_WEB_SYSTEMD_SOCKET",
        global = true
    )]
    pub systemd_socket: bool,
    /// Renders at once; one more is answered 503; 0 for no bound
    #[arg(long = "web.max-requests", env = "CLOUDTRAIL_EXPORTER_WEB_MAX_REQUESTS", global = true, default_value_t = limits::MAX_RENDERS)]
    pub max_requests: usize,
    /// Let POST /-/reload reload the configuration
    #[arg(
        long = "web.enable-lifecycle",
        env = "CLOUDTRAIL_EXPORTER_WEB_ENABLE_LIFECYCLE",
        global = true
    )]
    pub enable_lifecycle: bool,
}

/// `--log.*`
#[derive(Debug, Args)]
pub struct LogFlags {
    /// Least severity logged
    #[arg(long = "log.level", env = "CLOUDTRAIL_EXPORTER_LOG_LEVEL", global = true, default_value = "info", value_parser = ["debug", "info", "warn", "error"], value_name = "LEVEL")]
    pub level: String,
    /// Format of log lines
    #[arg(
        long = "log.format",
        env = "CLOUDTRAIL_EXPORTER_LOG_FORMAT",
        global = true,
        value_enum,
        default_value = "logfmt",
        value_name = "FORMAT"
    )]
    pub format: LogFormat,
}

/// `--shard*`
#[derive(Debug, Args)]
pub struct ShardFlags {
    /// This process's shard, from 0
    #[arg(
        long = "shard",
        env = "CLOUDTRAIL_EXPORTER_SHARD",
        global = true,
        value_name = "ORDINAL",
        conflicts_with = "from_hostname"
    )]
    pub ordinal: Option<usize>,
    /// How many shards there are
    #[arg(
        long = "total-shards",
        env = "CLOUDTRAIL_EXPORTER_TOTAL_SHARDS",
        global = true,
        default_value_t = 1,
        value_name = "N"
    )]
    pub total: usize,
    /// Take the shard from the number at the end of the host name, as a StatefulSet gives it
    #[arg(
        long = "shard-from-hostname",
        env = "CLOUDTRAIL_EXPORTER_SHARD_FROM_HOSTNAME",
        global = true
    )]
    pub from_hostname: bool,
}

impl ShardFlags {
    /// The shard these flags name on a machine called `hostname`.
    pub fn shard(&self, hostname: &str) -> Result<Shard, String> {
        let shard = match self.ordinal {
            _ if self.from_hostname => Shard::from_hostname(hostname, self.total),
            Some(ordinal) => Shard::new(ordinal, self.total),
            None if self.total == 1 => Ok(Shard::ALL),
            None => return Err("--total-shards needs --shard or --shard-from-hostname".into()),
        };
        shard.map_err(|error| error.to_string())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write it with a unit, such as 30s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_environment_variable() {
        for arg in Cli::command()
            .get_arguments()
            .filter(|a| a.get_long().is_some())
        {
            let long = arg.get_long().unwrap();
            if ["help", "version"].contains(&long) {
                continue;
            }
            let wanted = format!(
                "CLOUDTRAIL_EXPORTER_{}",
                long.replace(['.', '-'], "_").to_uppercase()
            );
            assert_eq!(
                arg.get_env().and_then(|e| e.to_str()),
                Some(wanted.as_str()),
                "--{long}"
            );
        }
    }

    #[test]
    fn a_shard_must_lie_within_the_total() {
        let shard = |args: &[&str]| {
            let cli = Cli::try_parse_from([&["x"], args].concat()).map_err(|e| e.to_string())?;
            cli.shard.shard("exporter-2")
        };
        assert_eq!(shard(&[]), Ok(Shard::ALL));
        assert_eq!(
            shard(&["--shard=1", "--total-shards=3"]),
            Shard::new(1, 3).map_err(|e| e.to_string())
        );
        assert_eq!(
            shard(&["--shard-from-hostname", "--total-shards=3"]),
            Shard::new(2, 3).map_err(|e| e.to_string())
        );
        assert!(shard(&["--shard=3", "--total-shards=3"]).is_err());
        assert!(shard(&["--total-shards=3"]).is_err());
        assert!(shard(&["--total-shards=0"]).is_err());
    }
}
