#!/bin/sh
# Checks the Alertmanager example without a running Alertmanager: its syntax, where a table of labels is routed, and what the templates say.
set -eu
cd "$(dirname "$0")/../.."
config=deploy/alertmanager/alertmanager.yml
passed=0 failed=0

expect() { # what, expected, got
  if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"; fi
}

route() { # receivers, labels...
  want=$1; shift
  expect "route of $*" "$want" "$(amtool config routes test --config.file="$config" "$@" 2>/dev/null)"
}

contains() { # template, text
  got=$(amtool template render --template.glob=deploy/alertmanager/cloudtrail.tmpl \
    --template.data=tests/stack/alertmanager_data.json --template.text="{{ template \"$1\" . }}" 2>/dev/null)
  case $got in *"$2"*) passed=$((passed + 1));; *) failed=$((failed + 1)); printf 'FAILED %s says nothing of: %s\n%s\n' "$1" "$2" "$got";; esac
}

amtool check-config "$config"

route webhook,page alertname=CloudTrailNoMultiRegionTrail severity=critical concern=compliance account_id=111111111111
route webhook,page alertname=CloudTrailNotLogging severity=critical concern=compliance account_id=111111111111
route webhook,page alertname=CloudTrailAccountNonCompliant severity=critical concern=compliance
route webhook,page alertname=CloudTrailFleetNonCompliant severity=critical concern=compliance
route webhook,page alertname=CloudTrailDeliveryFailing severity=critical concern=delivery
route webhook,page alertname=CloudTrailExporterDown severity=critical concern=exporter
route webhook,page alertname=CloudTrailShardMissing severity=critical concern=exporter
route webhook,page alertname=CloudTrailNeverDiscovered severity=critical concern=exporter
route webhook,page-unknown alertname=CloudTrailFleetBlind severity=critical concern=unknown
route webhook,page-unknown alertname=CloudTrailVerdictUnknown severity=warning concern=unknown
route webhook,page-unknown alertname=CloudTrailAccountUnreachable severity=warning concern=unknown
route webhook,page-unknown alertname=CloudTrailWrongAccount severity=warning concern=unknown
route webhook,team alertname=CloudTrailTrailStopped severity=warning concern=trail
route webhook,team alertname=CloudTrailDeliveryStale severity=warning concern=delivery
route webhook,team alertname=CloudTrailManagementEventsIncomplete severity=warning concern=hardening
route webhook,team alertname=CloudTrailAccountsLeftOut severity=warning concern=exporter
route webhook,team alertname=CloudTrailReloadFailed severity=warning concern=exporter
route webhook,report alertname=CloudTrailEncryptionOff severity=info concern=hardening
route webhook,report alertname=CloudTrailLogFileValidationOff severity=info concern=hardening
route page alertname=SomebodyElses severity=critical
route team alertname=SomebodyElses severity=warning

contains cloudtrail.title 'CRITICAL CloudTrailNotLogging: audit (111111111111), not_logging'
contains cloudtrail.text 'audit (111111111111)'
contains cloudtrail.text 'Reason: not_logging'
contains cloudtrail.text 'Since: 2026-03-01 12:34 UTC'
contains cloudtrail.text 'Fix: aws cloudtrail start-logging --name arn:aws:cloudtrail:us-east-1:111111111111:trail/main --region us-east-1'
contains cloudtrail.text 'docs/runbooks/CloudTrailNotLogging.md'
contains cloudtrail.fix 'aws cloudtrail start-logging'

echo "alertmanager_check: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
