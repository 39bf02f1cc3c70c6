//! Holds the house to its plan: imports point one way, AWS's SDK stays in its room, and some words never occur.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/`, lowest first: a room may import only rooms that stand before it.
const ORDER: [&str; 30] = [
    "descriptors",
    "timestamp",
    "threads",
    "files",
    "redaction",
    "panics",
    "shared_config",
    "account",
    "facts",
    "compliance",
    "config",
    "directory",
    "self_metrics",
    "aws",
    "poller",
    "labels",
    "snapshot",
    "exposition",
    "fleet",
    "clock",
    "web",
    "logging",
    "iam",
    "engine",
    "daemon",
    "check",
    "demo",
    "cli",
    "program",
    "lib",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(Path::new("src"), &mut found);
    assert!(found.len() > 20, "the sources are where they are expected");
    found
}

fn collect(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.push((path, text));
        }
    }
}

fn room(path: &Path) -> String {
    let first = path
        .strip_prefix("src")
        .unwrap()
        .components()
        .next()
        .unwrap();
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

fn place(room: &str) -> usize {
    ORDER
        .iter()
        .position(|r| *r == room)
        .unwrap_or_else(|| panic!("room {room} has a place in ORDER"))
}

/// The rooms that a line of code names after `crate::`.
fn imports(line: &str) -> impl Iterator<Item = String> + '_ {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::").skip(1).map(|rest| {
        rest.chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect::<String>()
    })
}

#[test]
fn imports_point_one_way() {
    for (path, text) in sources() {
        let own = room(&path);
        if own == "main" || own == "lib" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            // What the crate's root itself says is of no room.
            let of_rooms = |other: &String| !["", "version_line"].contains(&other.as_str());
            for other in imports(line).filter(of_rooms) {
                let at = format!("{}:{}", path.display(), number + 1);
                assert!(
                    place(&other) <= place(&own),
                    "{at}: {own} must not import {other}"
                );
            }
        }
    }
}

#[test]
fn only_the_adapter_names_the_sdk() {
    for (path, text) in sources() {
        // The parser of the shared files is the SDK's, and what they say is part of the configuration.
        if ["aws", "shared_config"].contains(&room(&path).as_str()) {
            continue;
        }
        for name in [
            "aws_sdk_",
            "aws_config::",
            "aws_runtime",
            "aws_smithy_",
            "aws_types",
            "aws_credential_types",
        ] {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn only_the_demo_knows_the_simulator() {
    for (path, text) in sources() {
        let allowed = ["src/demo.rs", "src/logging.rs"]
            .map(Path::new)
            .contains(&path.as_path());
        assert!(
            allowed || !text.contains("aws_simulator"),
            "{} names the simulator",
            path.display()
        );
    }
}

#[test]
fn no_arn_is_written_for_one_partition_only() {
    let is_test = |path: &Path| path.ends_with("tests.rs") || path.ends_with("fixtures.rs");
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let written = code.lines().filter(|l| !l.trim_start().starts_with("//"));
        let needle = format!("arn:{}:", "aws");
        for line in written {
            assert!(!line.contains(&needle), "{}: {line}", path.display());
        }
    }
}
