//! The files of `deploy/` against the program: every port, flag, variable, version, metric and path
//! that stands in them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[cfg(test)]
#[path = "deploy/files.rs"]
mod files;
#[cfg(test)]
#[path = "deploy/names.rs"]
mod names;
#[cfg(test)]
#[path = "deploy/schema.rs"]
mod schema;
#[cfg(test)]
#[path = "deploy/versions.rs"]
mod versions;
