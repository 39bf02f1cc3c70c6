//! Secrets that nothing may ever show: set wherever a process under test takes one, and looked for
//! in everything it says.

use std::process::Command;

use crate::harness::Daemon;
use crate::sim::SECRET;

pub const EXTERNAL_ID: &str = "canary-external-id-7f3a";
pub const INLINE_ID: &str = "canary-inline-external-id-81cc";
pub const SESSION_TOKEN: &str = "canary-session-token-5be2";
pub const IDENTITY_TOKEN: &str = "eyJcanary.web-identity.token-c9d1";
pub const CONTAINER_TOKEN: &str = "canary-container-token-20aa";
/// What a `credential_process` that fails writes to its standard error.
pub const HELPER: &str = "canary-helper-stderr-93b0";
pub const PASSWORD: &str = "canary-password-4d7e";

/// Everything that is looked for. The last is how every session token of the simulator begins.
pub const ALL: [&str; 9] = [
    SECRET,
    EXTERNAL_ID,
    INLINE_ID,
    SESSION_TOKEN,
    IDENTITY_TOKEN,
    CONTAINER_TOKEN,
    PASSWORD,
    HELPER,
    "IQoJb3JpZ2luX2VjE",
];

/// The command with the secrets in its environment.
pub fn set(mut command: Command) -> Command {
    command.env("CANARY_EXTERNAL_ID", EXTERNAL_ID);
    command
}

/// Fails if a log line, page, document or metric shows one.
pub fn absent(daemon: &Daemon) {
    let pages = ["/metrics", "/", "/api/v1/accounts", "/-/ready"].map(|path| daemon.get(path).body);
    let said = std::iter::once(daemon.log()).chain(pages);
    for text in said {
        none_in(&text);
    }
}

/// Fails if a text shows one.
pub fn none_in(text: &str) {
    for canary in ALL {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is shown");
    }
}
