#!/bin/sh
# Builds the binary that the image and the packages ship: linked statically, so that it needs no
# library at run time, not even for looking up names. Paths of this machine are mapped to fixed
# ones: two builds of one revision give one file.
#
#   deploy/build-static.sh OUTPUT
#
# CLOUDTRAIL_EXPORTER_REVISION names the revision where there is no git repository; CARGO is the
# command that builds, such as "cargo auditable".
set -eu
output=${1:?usage: build-static.sh OUTPUT}
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
cargo_home=${CARGO_HOME:-$HOME/.cargo}
target=${CARGO_TARGET_DIR:-$PWD/target}

RUSTFLAGS="-C target-feature=+crt-static"
RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$PWD=/src"
CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$PWD=/src"
CFLAGS="$CFLAGS -ffile-prefix-map=$target=/target"
export RUSTFLAGS CFLAGS CARGO_TARGET_DIR="$target"

# With --target the flags reach the program alone, and no build script or procedural macro.
# shellcheck disable=SC2086 # words of a command
${CARGO:-cargo} build --release --locked --target "$host" --package cloudtrail-exporter
mkdir -p "$(dirname "$output")"
cp "$target/$host/release/cloudtrail-exporter" "$output"
