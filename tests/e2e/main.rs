//! End to end: the real binary on real sockets and the real clock, against the simulated AWS. Needs cargo alone.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::float_cmp,
    reason = "helpers of tests fail by panicking, compare values that were written, not computed, and are public to their neighbours"
)]

mod calls;
mod check;
mod closed_region;
mod credentials;
mod demo;
mod faults;
mod files;
mod harness;
mod inputs;
mod inventory;
mod lifecycle;
mod limits;
mod log;
mod organization;
mod reload;
mod sim;
mod suspended;
mod time;
