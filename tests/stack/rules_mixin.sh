#!/bin/sh
# Renders the mixin with jsonnet: its rules pass promtool and equal the shipped files, the job's name can be changed, its dashboards equal the
# shipped ones.
set -eu
cd "$(dirname "$0")/../.."
promtool=${PROMTOOL:-promtool}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mixin='(import "deploy/mixin/mixin.libsonnet")'

jsonnet -e "$mixin.prometheusAlerts" >"$out/alerts.yaml"
jsonnet -e "$mixin.prometheusRules" >"$out/rules.yaml"
jsonnet -e "($mixin + { _config+:: { jobName: 'other' } }).prometheusAlerts" >"$out/other.yaml"
"$promtool" check rules "$out/alerts.yaml" "$out/rules.yaml" "$out/other.yaml"
if [ -e dashboards/fleet.json ]; then
  jsonnet -m "$out" -e "$mixin.grafanaDashboards" >/dev/null
else
  echo "dashboards are not there: only rules are compared"
fi

python3 - "$out" <<'PYTHON'
import json, pathlib, sys, yaml

out, passed = pathlib.Path(sys.argv[1]), 0


def same(what, a, b):
    global passed
    if a != b:
        sys.exit(f"FAILED {what} differs")
    passed += 1


def leveled(document):
    """The rules without what jsonnet 0.18 changes and Prometheus does not care about: line breaks in expressions, quotes around numbers."""
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        rule["expr"] = " ".join(rule["expr"].split())
        rule["labels"] = {name: str(value) for name, value in rule.get("labels", {}).items()}
    return document


def shipped(name):
    return leveled(yaml.safe_load(pathlib.Path("deploy/prometheus", name).read_text()))


def rendered(name):
    return leveled(json.loads((out / name).read_text()))



alerts, other = rendered("alerts.yaml"), rendered("other.yaml")
same("alerts", alerts, shipped("alerts.rules.yaml"))
recording, behind = shipped("recording.rules.yaml"), shipped("dashboards.rules.yaml")
same("recording rules", rendered("rules.yaml")["groups"], recording["groups"] + behind["groups"])
changed = [b["alert"] for x, y in zip(alerts["groups"], other["groups"]) for a, b in zip(x["rules"], y["rules"]) if a != b]
same("what the job's name changes", changed, ["CloudTrailExporterDown"])
for path in sorted(pathlib.Path("dashboards").glob("*.json")):
    same(path.name, json.loads((out / path.name).read_text()), json.loads(path.read_text()))
print(f"rules_mixin: {passed} passed, 0 failed")
PYTHON
