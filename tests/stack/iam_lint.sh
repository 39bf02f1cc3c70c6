#!/usr/bin/env bash
# cfn-lint, checkov and parliament find nothing in the files for AWS. Of parliament's findings one low one is left out: reading CloudTrail's
# trails on every resource, since the trails of an organization belong to an account that is not known before.
set -euo pipefail
cd "$(dirname "$0")/../.."
found=$(mktemp)
linters=${LINTERS:-$PWD/target/tools/linters}/bin
"$linters/cfn-lint" deploy/iam/*.yaml deploy/ecs/*.yaml
"$linters/checkov" --skip-download --framework cloudformation terraform --directory deploy/iam --directory deploy/ecs --directory deploy/terraform --compact --quiet | tee /dev/stderr >"$found"
[[ $(grep -c 'Failed checks: 0,' "$found") == $(grep -c 'scan results' "$found") ]]
for policy in deploy/iam/policies/*/*-permissions.json; do
  "$linters/parliament" --minimum_severity MEDIUM <"$policy"
done
# The same linters do find what they are for.
broken=$(mktemp -d)
trap 'rm -r "$broken" "$found"' EXIT
sed 's/Ref: RoleName/Ref: RoleNaam/' deploy/iam/hub-role.yaml >"$broken/template.yaml"
if "$linters/cfn-lint" "$broken/template.yaml" >/dev/null; then echo "cfn-lint finds nothing"; exit 1; fi
sed 's/"Allow"/"Permit"/' deploy/iam/policies/aws/hub-permissions.json >"$broken/policy.json"
if "$linters/parliament" --minimum_severity MEDIUM <"$broken/policy.json" >/dev/null; then echo "parliament finds nothing"; exit 1; fi
echo "$(ls deploy/iam/*.yaml deploy/ecs/*.yaml | wc -l) templates and $(ls deploy/iam/policies/*/*-permissions.json | wc -l) policies are clean"
