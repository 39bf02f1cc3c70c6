//! Flags, environment variables, ports, metrics and paths.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory;
use cloudtrail_exporter::cli::{Cli, DEFAULT_PORT};
use cloudtrail_exporter::config::KEYS;

use crate::files::{texts, words};

/// The beginnings of this program's flags. Other programs in these files have flags that begin
/// otherwise, or the same ones by exporter-toolkit's custom.
const FLAGS: [&str; 6] = [
    "--config.",
    "--web.",
    "--log.",
    "--shard",
    "--total-shards",
    "--storage.",
];

/// Where the port stands, and how.
const PORTS: [(&str, &str); 9] = [
    ("deploy/compose/compose.yaml", "127.0.0.1:{}:{}"),
    ("deploy/docker/Dockerfile", "EXPOSE {}\n"),
    (
        "deploy/helm/cloudtrail-exporter/values.yaml",
        "containerPort: {}\n",
    ),
    (
        "deploy/helm/cloudtrail-exporter/values.yaml",
        "  port: {}\n",
    ),
    (
        "deploy/kubernetes/single/manifests.yaml",
        "containerPort: {}\n",
    ),
    (
        "deploy/kubernetes/sharded/manifests.yaml",
        "containerPort: {}\n",
    ),
    (
        "deploy/kubernetes/single/manifests.yaml",
        "--web.listen-address=:{}\n",
    ),
    ("deploy/prometheus/prometheus.yml", "localhost:{}"),
    (
        "deploy/systemd/cloudtrail-exporter.socket",
        "ListenStream={}\n",
    ),
];

/// Folders of this repository that the files name.
const FOLDERS: [&str; 4] = ["dashboards/", "deploy/", "docs/", "tests/"];

fn in_a_flag(c: char) -> bool {
    c.is_ascii_lowercase() || c == '-' || c == '.'
}

#[test]
fn every_flag_exists() {
    let command = Cli::command();
    let known: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    let mut seen = BTreeSet::new();
    for (path, text) in texts() {
        for flag in FLAGS.iter().flat_map(|flag| words(&text, flag, in_a_flag)) {
            let flag = flag.trim_end_matches(['.', '-']);
            assert!(known.contains(flag), "{}: {flag}", path.display());
            seen.insert(flag.to_owned());
        }
    }
    assert!(seen.contains("--config.file") && seen.contains("--total-shards"));
}

#[test]
fn every_environment_variable_exists() {
    let command = Cli::command();
    let of_flags = command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str());
    let of_keys = KEYS.iter().map(|key| key.path.to_uppercase());
    let of_keys = of_keys.map(|path| format!("CLOUDTRAIL_EXPORTER__{}", path.replace('.', "__")));
    let mut known: BTreeSet<String> = of_flags.map(str::to_owned).chain(of_keys).collect();
    // What build.rs reads.
    known.insert("CLOUDTRAIL_EXPORTER_REVISION".into());
    for (path, text) in texts() {
        let goes_on = |c: char| c.is_ascii_uppercase() || c == '_';
        for variable in words(&text, "CLOUDTRAIL_EXPORTER_", goes_on) {
            assert!(known.contains(variable), "{}: {variable}", path.display());
        }
    }
}

#[test]
fn the_port_is_the_program_s() {
    for (path, form) in PORTS {
        let text = std::fs::read_to_string(path).unwrap();
        let wanted = form.replace("{}", &DEFAULT_PORT.to_string());
        assert!(text.contains(&wanted), "{path} has no {wanted:?}");
    }
}

#[test]
fn every_metric_exists() {
    let page = std::fs::read_to_string("docs/metrics.md").unwrap();
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let known = words(&page, "cloudtrail_", goes_on);
    let exists = |name: &str| {
        let stem = ["_bucket", "_sum", "_count"];
        let stem = stem.iter().find_map(|suffix| name.strip_suffix(suffix));
        known.contains(name) || stem.is_some_and(|stem| known.contains(stem))
    };
    for (path, text) in texts() {
        // What an alert of Prometheus or a comment calls a group of metrics.
        for name in words(&text, "cloudtrail_", goes_on) {
            assert!(exists(name), "{}: {name}", path.display());
        }
    }
}

#[test]
fn every_path_in_the_repository_exists() {
    for (path, text) in texts() {
        let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        for folder in FOLDERS {
            for named in words(&text, folder, goes_on) {
                let named = named.trim_end_matches(['.', '/', '-']);
                assert!(Path::new(named).exists(), "{}: {named}", path.display());
            }
        }
    }
}
