//! The poller and the publisher, from outside: a fake behind the port to AWS, a paused clock, no sockets.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of a test break it off by panicking"
)]

#[path = "poller/fake.rs"]
mod fake;
#[path = "poller/fleet.rs"]
mod fleet;
#[path = "poller/one_poll.rs"]
mod one_poll;
#[path = "poller/published.rs"]
mod published;
#[path = "poller/world.rs"]
mod world;
