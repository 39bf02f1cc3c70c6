//! Writes what is generated from the command line and the table of configuration keys into a
//! folder: man pages, shell completions and the JSON Schema of the configuration.
//!
//! `cargo run --example generate_docs -- FOLDER`
#![allow(
    clippy::print_stdout,
    reason = "a tool that says which files it has written"
)]

mod schema;

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use cloudtrail_exporter::cli::Cli;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// What the command line does not know: sections of the main man page.
const SECTIONS: &str = r#".SH FILES
.TP
/etc/cloudtrail\-exporter/config.yaml
The configuration that the systemd unit reads.
.TP
/etc/default/cloudtrail\-exporter
Environment variables of the systemd unit.
.SH "EXIT STATUS"
.TP
0
Success; of check: every account is compliant.
.TP
1
Failure; of check: some accounts are non\-compliant.
.TP
2
Of check: some accounts are unknown, and none is non\-compliant.
.TP
78
The configuration is wrong.
.SH SIGNALS
.TP
SIGHUP
Reload the configuration.
.TP
SIGTERM, SIGINT
Finish requests in flight and exit.
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: FOLDER")?;
    let folder = PathBuf::from(folder);
    man_pages(&folder.join("man1"))?;
    completions(&folder.join("completions"))?;
    let schema = serde_json::to_string_pretty(&schema::of_configuration())?;
    fs::write(folder.join(schema::FILE), schema + "\n")?;
    println!("{}", folder.display());
    Ok(())
}

fn command() -> Command {
    // The version line of a build names its revision; a man page is of a release.
    Cli::command().version(env!("CARGO_PKG_VERSION"))
}

fn man_pages(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command(), folder)?;
    let main = folder.join("cloudtrail-exporter.1");
    OpenOptions::new()
        .append(true)
        .open(main)?
        .write_all(SECTIONS.as_bytes())?;
    Ok(())
}

fn completions(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut command(), "cloudtrail-exporter", folder)?;
    }
    Ok(())
}
