#!/usr/bin/env python3
"""Holds the alert rules, their tests, their runbooks and docs/alerts.md to each other. Needs PyYAML."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK_URL = "https://github.com/cloudtrail-exporter/cloudtrail-exporter/blob/main/docs/runbooks/{}.md"
ANNOTATIONS = {"summary", "description", "reason", "fix", "runbook_url", "rule", "framework", "rule_severity", "controls"}
FIXED = {"framework": "FedRAMP Low rev 4", "rule_severity": "Medium", "controls": "AC-2 AU-2 AU-3 AU-6 AU-12 CA-7 SI-4"}
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Remediation", "Verification"]
CONCERNS = {"compliance", "trail", "delivery", "hardening", "unknown", "exporter"}
TWO_POLLS = 10 * 60  # at the default interval of five minutes
RESTART = 10 * 60  # a restart of five minutes, and the first polls after it
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
failures = []
counted = 0


def check(holds, what):
    global counted
    counted += 1
    if not holds:
        failures.append(what)


def seconds(text):
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", text))


def rules(name):
    return [rule for group in yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text())["groups"] for rule in group["rules"]]


def names_in(rule):
    """Metric names of the contract that a rule reads, in its expression or in a template's query."""
    texts = [rule["expr"], *rule.get("annotations", {}).values()]
    return {n for text in texts for n in re.findall(r"(?<![:\w])(cloudtrail_\w+)(?![:\w])", text)}


def recorded_in(rule):
    texts = [rule["expr"], *rule.get("annotations", {}).values()]
    return {n for text in texts for n in re.findall(r"\b[a-z_]+:cloudtrail_\w+:\w+", text)}


def documented():
    """Families named between backticks in docs/metrics.md, or None if the page is not there."""
    page = ROOT / "docs/metrics.md"
    if not page.exists():
        return None
    return set(re.findall(r"`(cloudtrail_\w+)", page.read_text()))


def family(name):
    return re.sub(r"_(bucket|sum|count)$", "", name)


def check_alert(rule):
    name, annotations = rule["alert"], rule["annotations"]
    check(re.fullmatch(r"CloudTrail([A-Z][a-z0-9]*)+", name), f"{name}: not CamelCase with the prefix")
    check(set(rule["labels"]) == {"severity", "concern"}, f"{name}: labels are not severity and concern")
    check(rule["labels"]["severity"] in ("critical", "warning", "info"), f"{name}: severity")
    check(rule["labels"]["concern"] in CONCERNS, f"{name}: concern")
    check(set(annotations) == ANNOTATIONS, f"{name}: annotations {set(annotations) ^ ANNOTATIONS}")
    check("{{" not in annotations["summary"], f"{name}: the summary is not static")
    check("{{ $labels." in annotations["description"], f"{name}: the description names nothing")
    check(annotations["runbook_url"] == RUNBOOK_URL.format(name), f"{name}: runbook_url")
    check(all(annotations[k] == v for k, v in FIXED.items()), f"{name}: framework, severity or controls")
    check(seconds(rule.get("for", "0s")) >= TWO_POLLS, f"{name}: for spans less than two polls")
    check(seconds(rule.get("keep_firing_for", "0s")) >= RESTART, f"{name}: keep_firing_for spans no restart")


def check_runbook(rule):
    page = ROOT / "docs/runbooks" / (rule["alert"] + ".md")
    check(page.exists(), f"{page.name}: no runbook")
    if not page.exists():
        return
    text = page.read_text()
    check(text.startswith(f"# {rule['alert']}\n"), f"{page.name}: title")
    check(f"Severity {rule['labels']['severity']}." in text, f"{page.name}: severity")
    check(re.findall(r"^## (.+)$", text, re.M) == HEADINGS, f"{page.name}: headings are not {HEADINGS}")
    for target in re.findall(r"\]\((\w+\.md)\)", text):
        check((page.parent / target).exists(), f"{page.name}: link to {target}")


def firing(test, name):
    """When the alert is asked for in a test, in order of time, and whether it is expected to fire."""
    answers = []
    for asked in test.get("promql_expr_test", []):
        labels = [sample["labels"] for sample in asked.get("exp_samples") or []]
        answers.append((seconds(asked["eval_time"]), any(f'alertname="{name}"' in text for text in labels)))
    return [fires for _, fires in sorted(answers)]


def check_tests(alerts, tests):
    for rule in alerts:
        name = rule["alert"]
        runs = [firing(test, name) for test in tests if re.search(rf"\b{name}\b", test.get("name", ""))]
        check(any(any(run) for run in runs), f"{name}: no test in which it fires")
        check(any(not any(run) for run in runs), f"{name}: no test in which it does not fire")
        check(any(run[i] and not run[i + 1] for run in runs for i in range(len(run) - 1)), f"{name}: no test in which it resolves")
        said = [a for test in tests for a in test.get("alert_rule_test", []) if a["alertname"] == name and a["exp_alerts"]]
        check(said, f"{name}: no test of its labels and annotations")


def main():
    alerts, recordings = rules("alerts.rules.yaml"), rules("recording.rules.yaml")
    tests = [test for path in sorted((ROOT / "tests/rules").glob("*.test.yaml")) for test in yaml.safe_load(path.read_text())["tests"]]
    for rule in alerts:
        check_alert(rule)
        check_runbook(rule)
    check_tests(alerts, tests)
    check({p.stem for p in (ROOT / "docs/runbooks").glob("*.md")} == {r["alert"] for r in alerts}, "runbooks of alerts that are not")

    page = (ROOT / "docs/alerts.md").read_text()
    for rule in alerts:
        row = re.search(rf"^\| \[{rule['alert']}\]\(runbooks/{rule['alert']}\.md\) \| (\w+) \|.*$", page, re.M)
        check(row and row[1] == rule["labels"]["severity"], f"docs/alerts.md: {rule['alert']}")

    records = {r["record"] for r in recordings}
    for rule in recordings:
        check(re.fullmatch(r"[a-z_]+:cloudtrail_\w+:\w+", rule["record"]), f"{rule['record']}: not level:metric:operations")
    for rule in alerts + recordings:
        unknown = recorded_in(rule) - records
        check(not unknown, f"{rule.get('alert') or rule['record']}: nothing records {unknown}")

    contract = documented()
    if contract is None:
        print("docs/metrics.md is not there: metric names are not checked")
    else:
        for rule in alerts + recordings:
            unknown = {n for n in names_in(rule) if family(n) not in contract and n not in contract}
            check(not unknown, f"{rule.get('alert') or rule['record']}: docs/metrics.md does not know {unknown}")

    for failure in failures:
        print("FAILED", failure)
    cases = sum(len(t.get("promql_expr_test", [])) + len(t.get("alert_rule_test", [])) for t in tests)
    print(f"rules_style: {len(alerts)} alerts, {len(recordings)} recording rules, {len(tests)} scenarios with {cases} promtool cases")
    print(f"rules_style: {counted - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
