#!/usr/bin/env bash
# Licences, banned crates and sources of all dependencies, by cargo-deny (deny.toml).
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --quiet
cargo deny --locked check licenses bans sources
