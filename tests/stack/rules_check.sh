#!/bin/sh
# Checks the Prometheus rules: their syntax, the example configuration, the unit tests, and the style that tests/stack/rules_style.py asks for.
# promtool may be named in PROMTOOL.
set -eu
cd "$(dirname "$0")/../.."
promtool=${PROMTOOL:-promtool}

"$promtool" check rules deploy/prometheus/*.rules.yaml
"$promtool" check config deploy/prometheus/prometheus.yml

# One file per process, as many at once as there are processors: a file is a few seconds of one.
ls tests/rules/*.test.yaml | xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 "$promtool" test rules

python3 tests/stack/rules_style.py
