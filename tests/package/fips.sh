#!/usr/bin/env bash
# Builds with the FIPS module in FOLDER, and sees that all cryptography is that module's, that the
# program says so, and that it refuses other endpoints unless told.
set -euo pipefail
folder=$(realpath -m "${1:?usage: fips.sh FOLDER}")
cd "$(dirname "$0")/../.."
mkdir -p "$folder"
# shellcheck source=tests/package/install.sh
. tests/package/install.sh
need cmake cmake
need go golang-go
install_needed "$folder/apt.log"
# Nothing is fetched for Go: the module brings what it needs.
GOPROXY=off CARGO_TARGET_DIR=$folder cargo build --locked --features fips --bin cloudtrail-exporter
binary=$folder/debug/cloudtrail-exporter
"$binary" --version | grep -F '+fips '
(($(nm "$binary" | grep -c aws_lc_fips) > 0))
if nm "$binary" | grep -E ' aws_lc_[0-9]'; then echo "another module is linked, too"; exit 1; fi
config=$folder/endpoint.yaml
echo 'accounts: [{ name: x, ambient: true }]' >"$config"
printf 'aws: { endpoint_url: "http://127.0.0.1:1" }\n' >>"$config"
if "$binary" --config.check --config.file="$config" 2>/dev/null; then echo "not refused"; exit 1; fi
sed -i 's/endpoint_url/use_fips: false, endpoint_url/' "$config"
"$binary" --config.check --config.file="$config"
echo "1 passed, 0 failed"
