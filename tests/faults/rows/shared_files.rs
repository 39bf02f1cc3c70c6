//! Faults of a whole shared AWS file, and of the profile that a variable selects: a process for each.
//! Accounts with other credentials are untouched, and the log names file, line and problem.

use std::path::Path;

use crate::canaries;
use crate::harness::Daemon;
use crate::row::Kind;
use crate::run::Row;
use crate::scene::{CONFIG, Scene, eventually};
use crate::sim::{Sim, file};

macro_rules! rows {
    ($($name:literal: $text:expr => $says:literal;)*) => {
        /// The rows.
        pub fn rows() -> Vec<Row> {
            let typo = Row {
                name: "F11 a variable names no profile",
                kind: Kind::Credentials,
                run: typo,
            };
            vec![typo, $(Row {
                name: $name,
                kind: Kind::Credentials,
                run: || unreadable($text, $says),
            }),*]
        }
    };
}

const AUDIT: &str = "[profile audit]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
                     aws_secret_access_key = any\n";

rows! {
    "F8 an indented first property":
        format!("[profile other]\n region = eu-west-1\n{AUDIT}").as_bytes()
        => "profiles:2: the line is indented";
    "F8 a first property indented by a tab":
        format!("[profile other]\n\tregion = eu-west-1\n{AUDIT}").as_bytes()
        => "profiles:2: the line is indented";
    "F8 text after a header":
        format!("[profile other] /* x */\nregion = eu-west-1\n{AUDIT}").as_bytes()
        => "profiles:1: the section header does not end with ]";
    "F8 a byte order mark":
        format!("\u{feff}{AUDIT}").as_bytes() => "profiles:1: the file begins with a byte order mark";
    "F8 another encoding":
        &AUDIT.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()
        => "profiles:1:";
    "F8 a line that is cut":
        format!("{AUDIT}regi").as_bytes() => "profiles:4: the line has no = sign";
}

/// One more account is read by a profile of a file that nobody can read.
fn unreadable(text: &[u8], says: &str) {
    let config = CONFIG.replace(
        "accounts: [",
        "accounts: [{ name: audit, profile: audit }, ",
    );
    let scene = Scene::of(crate::scene::WORLD, &config, |_, folder, command| {
        let profiles = folder.join("profiles");
        std::fs::write(&profiles, text).expect("written");
        command.env("AWS_CONFIG_FILE", profiles);
    });
    let scene = scene.well();
    is_without_credentials(&scene.daemon, says);
    scene.is_healed();
    scene.end();
}

/// The exporter's own credentials are those of a profile that does not exist.
fn typo() {
    let sim = Sim::start("accounts: [{ id: '111111111111', trails: [{ name: main }] }]");
    let config = file("accounts: [{ name: audit, ambient: true }]");
    let profiles = file(AUDIT);
    let flag = format!("--config.file={}", Path::display(&config));
    let mut command = canaries::set(sim.command(&[&flag, "--log.level=debug"]));
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_PROFILE", "typo")
        .env("AWS_CONFIG_FILE", &*profiles);
    let daemon = Daemon::start(command);
    is_without_credentials(&daemon, "no profile typo in");
    canaries::absent(&daemon);
}

fn is_without_credentials(daemon: &Daemon, says: &str) {
    eventually("the reason and the sentence", || {
        let verdict = daemon.metrics().verdict_by("account_name", "audit");
        let log = daemon.log();
        let is_said = log.lines().any(|line| line.contains(says));
        match (verdict.0.as_str(), verdict.1.as_str(), is_said) {
            ("unknown", "credentials", true) => Ok(()),
            _ => Err(format!("{verdict:?}, said: {is_said}\n{log}")),
        }
    });
}
