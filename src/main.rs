//! Exit codes, logging, and the choice of what to run; nothing else.

use std::process::ExitCode;

use clap::Parser;
use cloudtrail_exporter::cli::Cli;
use cloudtrail_exporter::{logging, program};

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(&cli.log.level, cli.log.format);
    match program::run(&cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.tell(&cli);
            failure.exit_code(&cli)
        }
    }
}
