//! The rows of the matrix of faults that need another clock: the wall clock steps under the real
//! binary by libfaketime, whose path is in `LIBFAKETIME`. Not part of `cargo test`; run by
//! `tests/stack/faults_clock.sh`.
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

#[path = "../faults/canaries.rs"]
mod canaries;
mod clock;
#[path = "../faults/difference.rs"]
mod difference;
#[path = "../faults/expected.rs"]
mod expected;
#[path = "../e2e/harness.rs"]
mod harness;
#[path = "../faults/invariants.rs"]
mod invariants;
#[path = "../faults/row.rs"]
mod row;
#[path = "../faults/run.rs"]
mod run;
#[path = "../faults/scene.rs"]
mod scene;
#[path = "../e2e/sim.rs"]
mod sim;

#[test]
fn clock() {
    run::run(&clock::rows());
}
