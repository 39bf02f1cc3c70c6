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
#[path = "web/curl.rs"]
mod curl;
#[path = "web/fleet.rs"]
mod fleet;
#[path = "web/guard.rs"]
mod guard;
#[path = "web/health.rs"]
mod health;
#[path = "web/house.rs"]
mod house;
#[path = "web/pages.rs"]
mod pages;
#[path = "web/papers.rs"]
mod papers;
#[path = "web/schema.rs"]
mod schema;
#[path = "web/tls.rs"]
mod tls;
#[path = "web/toolkit.rs"]
mod toolkit;
