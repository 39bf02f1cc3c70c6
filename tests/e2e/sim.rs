//! A simulated AWS in the test's own process, and a daemon that polls it.

use std::io::Write;
use std::process::Command;

use aws_simulator::{Simulator, World};
use tempfile::{NamedTempFile, TempPath};

use crate::harness::{Daemon, command};

/// A simulator and the runtime it lives in.
pub struct Sim {
    simulator: Simulator,
    _runtime: tokio::runtime::Runtime,
}

impl Sim {
    /// Starts the world that a text describes.
    pub fn start(world: &str) -> Self {
        let world = World::parse(world).expect("a world");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let guard = runtime.enter();
        let simulator =
            Simulator::start(world, "127.0.0.1:0".parse().unwrap()).expect("it listens");
        drop(guard);
        Self {
            simulator,
            _runtime: runtime,
        }
    }

    /// The simulator.
    pub fn aws(&self) -> &Simulator {
        &self.simulator
    }

    /// The binary with `args`, credentials the simulator knows, and its endpoint in the environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command
            .env("AWS_ENDPOINT_URL", self.simulator.url())
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// A daemon on a configuration.
    pub fn daemon(&self, config: &str) -> Daemon {
        let file = file(config);
        let flag = format!("--config.file={}", file.display());
        let daemon = Daemon::start(self.command(&[&flag]));
        // Read before it listened, so the file may go.
        drop(file);
        daemon
    }
}

/// The secret key of the exporter in every test; no output may ever contain it.
pub const SECRET: &str = "s3cr3t-key-of-the-exporter";

/// A temporary file with this text.
pub fn file(text: &str) -> TempPath {
    let mut file = NamedTempFile::with_suffix(".yaml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.into_temp_path()
}
