#!/usr/bin/env bash
# boto3 audits the simulator's demo world; its verdicts must be those the world expects.
set -euo pipefail
cd "$(dirname "$0")"
port=$(python3 -c 'import stack; print(stack.free_port())')
"$(dirname "$EXPORTER")/aws-simulator" --listen "127.0.0.1:$port" >/dev/null 2>&1 &
simulator=$!
trap 'kill $simulator' EXIT
for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/_simulator/state" >/dev/null && break; sleep 0.1; done
python3 ../../simulator/tests/judge.py "http://127.0.0.1:$port"
