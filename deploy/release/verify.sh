#!/usr/bin/env bash
# Checks what was downloaded of a release, in FOLDER: sums, and their signature if KEY is the public key.
#
#   deploy/release/verify.sh FOLDER [KEY]
set -euo pipefail
cd "${1:?usage: verify.sh FOLDER [KEY]}"
if [[ -n ${2:-} ]]; then
  openssl pkeyutl -verify -rawin -pubin -inkey "$2" -in SHA256SUMS -sigfile SHA256SUMS.sig
fi
sha256sum --check --ignore-missing --strict SHA256SUMS
