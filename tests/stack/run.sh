#!/usr/bin/env bash
# Runs every stack test with PYTHON and tells how many passed. A failure does not keep the others from running.
set -uo pipefail
python=$(realpath -s "${1:?usage: run.sh PYTHON}")
cd "$(dirname "$0")"
export PATH="$(dirname "$python"):$PATH" PYTHONDONTWRITEBYTECODE=1
EXPORTER=$(realpath "$OLDPWD/${EXPORTER:-target/debug/cloudtrail-exporter}")
export EXPORTER

passed=0 failed=()
judge() {
  local began=$SECONDS
  echo "=== $1"
  if "${@:2}"; then passed=$((passed + 1)); else failed+=("$1"); fi
  echo "    $((SECONDS - began)) s"
}

judge "moto end to end" "$python" moto_e2e.py
judge "durations divided" "$python" -m unittest -q scale_test
judge "page and runbook, end to end" "$python" stack_test.py
judge "make stack" "$python" stack_up_test.py

echo
((${#failed[@]} == 0)) || printf 'failed: %s\n' "${failed[@]}"
echo "$passed passed, ${#failed[@]} failed"
exit "${#failed[@]}"
