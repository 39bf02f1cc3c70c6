#!/bin/sh
# Starts a real Alertmanager on the example, posts pairs of alerts, and asks it which of them it mutes.
set -eu
cd "$(dirname "$0")/../.."
exec python3 - <<'PYTHON'
import json, os, socket, subprocess, sys, tempfile, time, urllib.request

ACCOUNT = {"account_id": "111111111111", "account_name": "audit"}
OTHER = {"account_id": "222222222222", "account_name": "other"}
PROFILE = {"account_name": "gov"}  # the id of a profile account is not known yet


def alert(name, severity, concern, account=None):
    labels = {"alertname": "CloudTrail" + name, "severity": severity, "concern": concern, "job": "cloudtrail-exporter"}
    return labels | (account or {})


DOWN = alert("ExporterDown", "critical", "exporter")
BLIND = alert("FleetBlind", "critical", "unknown")
FLEET = alert("FleetNonCompliant", "critical", "compliance")
STALLED = alert("PollsStalled", "warning", "exporter")


def of(account):
    return {
        "page": alert("NotLogging", "critical", "compliance", account),
        "unreachable": alert("AccountUnreachable", "warning", "unknown", account),
        "unknown": alert("VerdictUnknown", "warning", "unknown", account),
        "wrong": alert("WrongAccount", "warning", "unknown", account),
        "stopped": alert("TrailStopped", "warning", "trail", account),
        "report": alert("EncryptionOff", "info", "hardening", account),
    }


A, B, P = of(ACCOUNT), of(OTHER), of(PROFILE)
# (what it shows, the alerts that fire, those of them that are muted)
CASES = [
    ("the exporter down mutes everything", [DOWN, A["page"], A["unknown"], STALLED, FLEET], [A["page"], A["unknown"], STALLED, FLEET]),
    ("a blind fleet mutes its accounts' unknowns, not their pages", [BLIND, A["unknown"], A["unreachable"], B["page"]], [A["unknown"], A["unreachable"]]),
    ("a fleet that is not compliant mutes its accounts' pages", [FLEET, A["page"], B["page"], A["unknown"]], [A["page"], B["page"]]),
    ("unreachable mutes the account's own unknown, no other's", [A["unreachable"], A["unknown"], B["unknown"]], [A["unknown"]]),
    ("so for an account whose id is not known", [P["unreachable"], P["unknown"], A["unknown"]], [P["unknown"]]),
    ("the wrong account mutes unknown and unreachable", [A["wrong"], A["unknown"], A["unreachable"]], [A["unknown"], A["unreachable"]]),
    ("critical mutes the account's warnings and reports, not unknown, no other account's", [A["page"], A["stopped"], A["report"], A["unknown"], B["stopped"]], [A["stopped"], A["report"]]),
    ("a critical alert of the exporter mutes no account", [alert("ShardMissing", "critical", "exporter"), A["stopped"], STALLED], []),
]


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def until(what, deadline=20):
    end = time.monotonic() + deadline
    while True:
        try:
            if what():
                return True
        except OSError:
            pass
        if time.monotonic() > end:
            return False
        time.sleep(0.1)


def muted(base, firing):
    listed = {a["labels"]["alertname"] + a["labels"].get("account_name", ""): a["status"] for a in json.loads(call(base + "/api/v2/alerts"))}
    key = lambda labels: labels["alertname"] + labels.get("account_name", "")
    return [labels for labels in firing if listed[key(labels)]["inhibitedBy"]]


def run(case):
    what, firing, expected = case
    listen = port()
    base = f"http://127.0.0.1:{listen}"
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen(
            [os.environ.get("ALERTMANAGER", "prometheus-alertmanager"), "--config.file=deploy/alertmanager/alertmanager.yml", "--storage.path=" + data,
             f"--web.listen-address=127.0.0.1:{listen}", "--cluster.listen-address="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not until(lambda: call(base + "/-/ready")):
                return f"{what}: Alertmanager does not start"
            call(base + "/api/v2/alerts", [{"labels": labels} for labels in firing])
            if not until(lambda: len(json.loads(call(base + "/api/v2/alerts"))) == len(firing)):
                return f"{what}: alerts are not accepted"
            if until(lambda: muted(base, firing) == expected, 5):
                return None
            return f"{what}: muted are {[m['alertname'] for m in muted(base, firing)]}"
        finally:
            server.terminate()
            server.wait()


failures = [f for f in map(run, CASES) if f]
for failure in failures:
    print("FAILED", failure)
print(f"alertmanager_inhibition: {len(CASES) - len(failures)} passed, {len(failures)} failed")
sys.exit(bool(failures))
PYTHON
