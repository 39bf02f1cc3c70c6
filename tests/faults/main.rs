//! The matrix of faults: the real binary on real sockets and the real clock. Each row ends in a
//! named reason and in the exact difference of `/metrics`; accounts
//! beside it are untouched. A sample of the rows runs by default, all of them with `FAULTS=all`.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::float_cmp,
    reason = "helpers of tests fail by panicking, and are shared with other tests"
)]

mod canaries;
mod difference;
mod documents;
mod expected;
mod front;
#[path = "../e2e/harness.rs"]
mod harness;
mod invariants;
mod row;
mod rows;
mod run;
mod scene;
mod shared;
#[path = "../e2e/sim.rs"]
mod sim;

use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::Shared;

/// Groups of rows run one after another: on a small machine all at once would be a fault of its own.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn aws_side() {
    let _alone = alone();
    let rows = rows::aws::rows();
    let shared = Shared::start(&rows);
    shared.break_all();
    shared.shows("during the faults", |row| &row.difference);
    shared.heal_all();
    shared.shows("after the faults", |row| &row.left);
    shared.end();
}

#[test]
fn configuration_files() {
    let _alone = alone();
    rows::files::run();
}

#[test]
fn credentials() {
    let _alone = alone();
    rows::credentials::run();
}

#[test]
fn rows_with_a_process_each() {
    let _alone = alone();
    let tables = [
        rows::network::rows(),
        rows::accounts::rows(),
        rows::discovery::rows(),
        rows::secrets::rows(),
        rows::shared_files::rows(),
        rows::time::rows(),
    ];
    run::run(&tables.into_iter().flatten().collect::<Vec<_>>());
}
