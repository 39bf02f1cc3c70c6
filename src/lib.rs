//! `cloudtrail-exporter` tells Prometheus, for every AWS account a company owns, whether the account is recorded by at least one multi-Region
//! CloudTrail trail that is really logging and really delivering, and since when not.
//!
//! The map, in data order; imports never point back up the other way (`tests/architecture.rs` holds them to it):
//!
//! - [`descriptors`]: the file descriptors of the process, divided once;
//! - [`threads`], [`files`]: blocking work beside the runtime, and the files an operator names, read with bounds;
//! - [`redaction`], [`panics`]: texts without the secrets that are held, and panics as lines of the log;
//! - [`shared_config`]: the profiles that all AWS tools share;
//! - [`account`]: AWS's names, parsed once;
//! - [`facts`]: what AWS said about an account in one poll;
//! - [`compliance`]: what we conclude from it, and for how long;
//! - [`config`]: what the operator wrote, checked;
//! - [`directory`]: the accounts this process is responsible for;
//! - [`self_metrics`]: metrics about the exporter itself;
//! - [`aws`]: the port to AWS and the adapter behind it;
//! - [`poller`]: when each account is asked;
//! - [`labels`]: label pairs, rendered once;
//! - [`snapshot`]: all accounts at one moment, immutable, and its one writer;
//! - [`exposition`]: a snapshot as Prometheus reads it;
//! - [`fleet`]: a snapshot as people look at it, worst first;
//! - [`web`]: the HTTP server;
//! - [`engine`]: discovery, poller and publisher, wired;
//! - [`iam`]: the policies a configuration needs;
//! - [`daemon`], [`check`], [`demo`]: what the program can be, chosen by [`cli`] and run by [`program`].

pub mod account;
pub mod aws;
pub mod check;
pub mod cli;
pub mod clock;
pub mod compliance;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod descriptors;
pub mod directory;
pub mod engine;
pub mod exposition;
pub mod facts;
pub mod files;
pub mod fleet;
pub mod iam;
pub mod labels;
pub mod logging;
pub mod panics;
pub mod poller;
pub mod program;
pub mod redaction;
pub mod self_metrics;
pub mod shared_config;
pub mod snapshot;
pub mod threads;
pub mod timestamp;
pub mod web;

/// Whether all TLS, of the server and towards AWS, is done by AWS-LC's FIPS-validated module.
pub const FIPS: bool = cfg!(feature = "fips");

/// The version; build metadata behind it tell a FIPS build.
pub const VERSION: &str = if FIPS {
    concat!(env!("CARGO_PKG_VERSION"), "+fips")
} else {
    env!("CARGO_PKG_VERSION")
};

/// What `--version` prints after the name.
pub fn version_line() -> String {
    let revision = env!("CLOUDTRAIL_EXPORTER_BUILD_REVISION");
    let rustc = env!("CLOUDTRAIL_EXPORTER_BUILD_RUSTC");
    let target = env!("CLOUDTRAIL_EXPORTER_BUILD_TARGET");
    format!("{VERSION} (revision {revision}, {rustc}, {target})")
}
