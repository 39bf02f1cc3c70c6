#!/usr/bin/env bash
# The rows of the matrix of faults in which the wall clock steps, by libfaketime.
set -euo pipefail
cd "$(dirname "$0")/../.."
LIBFAKETIME=$(dpkg -L libfaketime | grep '/libfaketimeMT\.so')
export LIBFAKETIME
FAULTS=all cargo test --quiet --test faults_clock -- --nocapture
