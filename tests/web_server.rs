//! The HTTP server on real sockets: what it answers, and what it withstands.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "web/abuse.rs"]
mod abuse;
#[path = "web/basics.rs"]
mod basics;
#[path = "web/house.rs"]
mod house;
