//! Exit codes, logging, and the choice of what to run; nothing else.

use std::process::ExitCode;

use clap::Parser;
use cloudtrail_exporter::cli::Cli;
use cloudtrail_exporter::logging::{self, Delivery};
use cloudtrail_exporter::{panics, program};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let delivery = if cli.is_daemon() {
        Delivery::Queued
    } else {
        Delivery::Direct
    };
    let logs = logging::init(&cli.log.level, cli.log.format, delivery);
    panics::log();
    let code = match program::run(&cli, &logs.dropped()) {
        Ok(code) => code,
        Err(failure) => {
            failure.tell(&cli);
            failure.exit_code(&cli)
        }
    };
    logs.finish();
    code
}
