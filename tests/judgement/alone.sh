#!/usr/bin/env bash
# Makes a crate of the judgement alone (names, facts, compliance and their tests) in FOLDER, so that coverage and mutants need not build the SDK
# hundreds of times.  usage: tests/judgement/alone.sh FOLDER
set -euo pipefail
folder=${1:?usage: alone.sh FOLDER}
root=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$folder/src" "$folder/tests"
mkdir -p "$folder/src" "$folder/tests"
cp -r "$root"/src/{account.rs,facts.rs,compliance.rs,compliance} "$folder/src/"
cp -r "$root/tests/judgement" "$folder/tests/"
printf '//! The judgement alone.\npub mod account;\npub mod compliance;\npub mod facts;\n' >"$folder/src/lib.rs"
cat >"$folder/Cargo.toml" <<TOML
[package]
name = "cloudtrail-exporter"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
thiserror = "2"
[dev-dependencies]
proptest = { version = "1.12", default-features = false, features = ["std", "bit-set", "fork", "timeout"] }
TOML
