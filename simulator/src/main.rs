//! The simulator as a program: a world file in, a simulated AWS on a port.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_simulator::{DEMO_WORLD, Simulator, World};
use clap::Parser;

/// A simulated AWS: STS, CloudTrail and Organizations on one endpoint.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The world file (YAML or JSON); the demo fleet when absent.
    #[arg(long)]
    world: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Print an example world and exit.
    #[arg(long)]
    print_world_example: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "aws-simulator: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), String> {
    if flags.print_world_example {
        return say(DEMO_WORLD);
    }
    let simulator = Simulator::start(world(flags.world)?, flags.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", flags.listen))?;
    say(&format!("simulated AWS on {}\n", simulator.url()))?;
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| error.to_string())
}

fn world(file: Option<PathBuf>) -> Result<World, String> {
    let Some(file) = file else {
        return World::parse(DEMO_WORLD).map_err(|error| error.to_string());
    };
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    World::parse(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn say(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}
