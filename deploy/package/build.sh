#!/usr/bin/env bash
# Builds the .deb and the .rpm.
#
#   deploy/package/build.sh BINARY GENERATED OUTPUT
#
# BINARY is what deploy/build-static.sh has built, GENERATED what
# `cargo run --example generate_docs -- GENERATED` has written. NFPM names the program nfpm.
set -euo pipefail
binary=$(realpath "${1:?BINARY}") generated=$(realpath "${2:?GENERATED}")
output=$(realpath -m "${3:?OUTPUT}")
cd "$(dirname "$0")/../.."
VERSION=${VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)}
ARCH=${ARCH:-amd64}
# One revision gives one package: all files have the time of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
export VERSION ARCH SOURCE_DATE_EPOCH STAGE

put() { # MODE SOURCE PATH
  install -D -m "$1" "$2" "$STAGE/usr/$3"
}

doc=share/doc/cloudtrail-exporter
put 0755 "$binary" bin/cloudtrail-exporter
units=lib/systemd/system
put 0644 deploy/systemd/cloudtrail-exporter.service "$units/cloudtrail-exporter.service"
put 0644 deploy/systemd/cloudtrail-exporter.socket "$units/cloudtrail-exporter.socket"
put 0644 deploy/systemd/cloudtrail-exporter.sysusers lib/sysusers.d/cloudtrail-exporter.conf
for page in "$generated"/man1/*.1; do
  put 0644 "$page" "share/man/man1/$(basename "$page")"
done
gzip -9n "$STAGE"/usr/share/man/man1/*
completions=$generated/completions
put 0644 "$completions/cloudtrail-exporter.bash" share/bash-completion/completions/cloudtrail-exporter
put 0644 "$completions/cloudtrail-exporter.fish" share/fish/vendor_completions.d/cloudtrail-exporter.fish
for folder in vendor-completions site-functions; do # Debian's, Red Hat's
  put 0644 "$completions/_cloudtrail-exporter" "share/zsh/$folder/_cloudtrail-exporter"
done
put 0644 deploy/cloudtrail-exporter.example.yaml "$doc/examples/config.yaml"
put 0644 deploy/cloudtrail-exporter.schema.json "$doc/examples/config.schema.json"
put 0644 deploy/systemd/socket.conf "$doc/examples/socket.conf"
put 0644 deploy/systemd/README.md "$doc/README.systemd.md"
put 0644 LICENSE "$doc/copyright"
put 0644 CHANGELOG.md "$doc/CHANGELOG.md"
for rules in deploy/prometheus/*.rules.yaml; do
  put 0644 "$rules" "share/cloudtrail-exporter/prometheus/$(basename "$rules")"
done

find "$STAGE" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$output"
for format in deb rpm; do
  "${NFPM:-nfpm}" package --config deploy/package/nfpm.yaml --packager "$format" --target "$output"
done
