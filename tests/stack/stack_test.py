"""The whole chain for real: a trail is stopped with the `aws` CLI, the exporter sees it, Prometheus with the shipped rules raises the alarm,
Alertmanager with the shipped configuration pages, the runbook's own commands mend it, and the page is taken back.

usage: stack_test.py    (EXPORTER names the binary; prometheus, promtool, prometheus-alertmanager and amtool are in PATH)

Two exporters: one on moto, an AWS emulator that nobody here wrote, and the demo on the simulator. Everything listens on loopback only. Every
duration of the shipped files is divided by SPEED, and so is the exporter's poll interval; nothing else differs but addresses (monitoring.py)."""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import boto3

import runbook
from monitoring import DEPLOY, JOB, Alertmanager, Prometheus, ready
from pager import Pager
from scale import faster
from stack import EXPORTER, ROOT, Aws, Process, exporter, free_port, get, moto, samples, value, wait_for

SPEED = 60
LIMIT_SECONDS = 240
# How long any one step may take. The configured intervals add up to half of it; the rest is for a machine that is busy.
PATIENCE = 60
DEMO = "demo"
# The poll interval is the default, 5m, divided as the rest.
CONFIG = """
poll: {{ interval: 5s, timeout: 4s, stale_after: 30s }}
accounts:
  - {{ id: "{payments}", name: payments }}
  - {{ id: "{sandbox}", name: sandbox }}
  - {{ name: hub, ambient: true }}
"""
MINE = {"job": JOB}
NOT_LOGGING = {**MINE, "alertname": "CloudTrailNotLogging", "account_name": "payments"}
NO_TRAIL = {**MINE, "alertname": "CloudTrailNoMultiRegionTrail"}
DOWN = {**MINE, "alertname": "CloudTrailExporterDown"}


class Timeline:
    """Says what happened how many seconds after what began it."""

    def began(self, what, at=None):
        """Counts from now on, or from that moment."""
        self.zero = at or time.monotonic()
        print(f"\n  {'seconds':>9}  {what}")

    def mark(self, what, at=None):
        """Something happened, now or at that moment."""
        print(f"  {(at or time.monotonic()) - self.zero:9.1f}  {what}", flush=True)

    def when(self, what, condition):
        """Waits for something to happen and says when it did."""
        got = wait_for(what, condition, PATIENCE)
        self.mark(what, getattr(got, "at", None))
        return got


def sdk(aws, service):
    """What the CLI is told, for boto3, to set the scene with: a start of the CLI takes seconds on a busy machine."""
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return boto3.client(service, endpoint_url=aws.endpoint, region_name="us-east-1", **{name: aws.env.get(name.upper()) for name in names})


def inside(hub, account):
    """The CLI inside another account."""
    got = sdk(hub, "sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/cloudtrail-exporter-read", RoleSessionName="stack-test")["Credentials"]
    return Aws(hub.endpoint, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


class Stack:
    """Everything that runs: AWS, two exporters, Prometheus, Alertmanager and the pager."""

    def __init__(self, stack):
        self.stack = stack
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudtrail-stack-")))
        self.pager = stack.enter_context(Pager())
        self.alertmanager = Alertmanager(self.folder / "alertmanager", self.pager, SPEED, free_port())
        stack.enter_context(self.alertmanager.process)
        server, endpoint = moto()
        stack.enter_context(server)
        self.accounts(Aws(endpoint))
        self.port, demo = free_port(), free_port()
        self.start()
        self.demo = stack.enter_context(Process("demo", [EXPORTER, "demo", f"--web.listen-address=127.0.0.1:{demo}"]))
        exporters = {JOB: f"127.0.0.1:{self.port}", DEMO: f"127.0.0.1:{demo}"}
        self.prometheus = Prometheus(self.folder / "prometheus", exporters, self.alertmanager.address, SPEED, free_port())
        stack.enter_context(self.prometheus.process)
        ready(self.prometheus), ready(self.alertmanager)

    def accounts(self, hub):
        """An organization of three: payments has a trail that logs, sandbox and the hub have none."""
        organization = sdk(hub, "organizations")
        organization.create_organization()
        create = lambda name: organization.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        self.ids = {"payments": create("payments"), "sandbox": create("sandbox"), "hub": sdk(hub, "sts").get_caller_identity()["Account"]}
        self.aws = {"payments": inside(hub, self.ids["payments"]), "sandbox": inside(hub, self.ids["sandbox"]), "hub": hub}
        for name in ("payments", "hub"):
            sdk(self.aws[name], "s3").create_bucket(Bucket=f"{name}-logs")
        trails = sdk(self.aws["payments"], "cloudtrail")
        self.arn = trails.create_trail(Name="audit", S3BucketName="payments-logs", IsMultiRegionTrail=True)["TrailARN"]
        trails.start_logging(Name="audit")

    def start(self):
        """The exporter on moto, on its port."""
        process, self.url = exporter(CONFIG.format(**self.ids), self.aws["hub"].endpoint, port=self.port)
        self.exporter = self.stack.enter_context(process)

    def metric(self, name, **labels):
        """One value the exporter shows now."""
        return value(samples(get(f"{self.url}/metrics")[1]), name, **labels)

    def alarm(self, labels, state):
        """The alert of these labels if Prometheus has it in this state."""
        return next((alert for alert in self.prometheus.alerts(**labels) if alert["state"] == state), None)

    def page(self, *words, channel="pagerduty", **which):
        """The oldest notification that fits."""
        return next(iter(self.pager.of(channel, *words, **which)), None)

    def suppressed(self, **labels):
        """What Alertmanager mutes because of another alert."""
        return [alert for alert in self.alertmanager.alerts(**labels) if alert["status"]["inhibitedBy"]]


def tool(*words):
    """A tool of Prometheus has nothing to complain of."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(map(str, words))}:\n{done.stdout}{done.stderr}"


def same(what, got, wanted):
    """A comparison that tells both sides when it fails."""
    assert got == wanted, f"{what}: {got!r}, wanted {wanted!r}"


def the_tools_accept_what_is_shipped_and_what_runs(stack, timeline):
    for config in (DEPLOY / "prometheus/prometheus.yml", stack.prometheus.config):
        tool("promtool", "check", "config", config)
    for config in (DEPLOY / "alertmanager/alertmanager.yml", stack.alertmanager.config):
        tool("amtool", "check-config", config)


def both_targets_are_up(stack, timeline):
    def health():
        targets = stack.prometheus.api("targets") or {"activeTargets": []}
        return {target["labels"]["job"]: target["health"] for target in targets["activeTargets"]}

    wait_for("both targets up", lambda: health() == {JOB: "up", DEMO: "up"}, PATIENCE)
    wait_for("both exporters ready", lambda: len(stack.prometheus.query("cloudtrail_exporter_ready == 1")) == 2, PATIENCE)


def accounts_without_a_trail_are_paged_and_the_covered_one_is_not(stack, timeline):
    for name in ("sandbox", "hub"):
        page = wait_for(f"page about {name}", lambda: stack.page("CloudTrailNoMultiRegionTrail", f"{name} ({stack.ids[name]})", "no_trail"), PATIENCE)
        same("its service", page.secret, "secret-of-pagerduty-key")
    same("payments has a trail that logs", stack.page("CloudTrail", stack.ids["payments"]), None)


def a_trail_stopped_with_the_aws_cli_is_paged(stack, timeline):
    stack.aws["payments"]("cloudtrail", "stop-logging", "--name", "audit")
    timeline.began("aws cloudtrail stop-logging --name audit")
    account = stack.ids["payments"]
    timeline.when("the exporter shows cloudtrail_trail_logging 0", lambda: stack.metric("cloudtrail_trail_logging", account_id=account) == 0)
    timeline.when("Prometheus: CloudTrailNotLogging pending", lambda: stack.prometheus.alerts(**NOT_LOGGING))
    timeline.when("Prometheus: CloudTrailNotLogging firing", lambda: stack.alarm(NOT_LOGGING, "firing"))
    page = timeline.when("the page arrives", lambda: stack.page("CloudTrailNotLogging", account))
    same("the page's title", page.title, f"CRITICAL CloudTrailNotLogging: payments ({account}), not_logging")
    same("the page's command", page.data["payload"]["custom_details"]["fix"], f"aws cloudtrail start-logging --name {stack.arn} --region us-east-1")
    assert page.data["links"][0]["href"].endswith("docs/runbooks/CloudTrailNotLogging.md"), page.data["links"]
    print(f"             {page.title}\n             Fix: {page.data['payload']['custom_details']['fix']}")


def the_other_channels_say_the_same(stack, timeline):
    account = stack.ids["payments"]
    slack = wait_for("Slack", lambda: stack.page("CloudTrailNotLogging", account, channel="slack"), PATIENCE)
    assert f"payments ({account})" in slack.title and stack.arn in slack.text, slack.text
    webhook = wait_for("webhook", lambda: stack.page("CloudTrailNotLogging", account, channel="webhook"), PATIENCE)
    same("the webhook's token", webhook.secret, "Bearer secret-of-webhook-token")
    same("the webhook's labels", {key: webhook.data["commonLabels"].get(key) for key in NOT_LOGGING}, NOT_LOGGING)


def the_runbook_of_the_page_mends_it(stack, timeline):
    page = stack.page("CloudTrailNotLogging", stack.ids["payments"])
    arn = re.search(r"Stopped: (arn:[^ ]+?)\.? ", page.data["payload"]["custom_details"]["text"].replace("\n", " "))[1]
    blocks = runbook.remediation("CloudTrailNotLogging")
    runbook.run(blocks, stack.aws["payments"], stack.folder, TRAIL_ARN=arn, REGION=arn.split(":")[3])
    timeline.began(f"the runbook's remediation: {' '.join(blocks).strip()}")
    compliant = {"account_id": stack.ids["payments"], "state": "compliant"}
    timeline.when("the exporter shows compliant", lambda: stack.metric("cloudtrail_account_compliance", **compliant) == 1)
    timeline.when("Prometheus: CloudTrailNotLogging ended", lambda: stack.prometheus.alerts() and not stack.prometheus.alerts(**NOT_LOGGING))
    end = timeline.when("the page is resolved", lambda: stack.page("CloudTrailNotLogging", stack.ids["payments"], resolved=True))
    same("the incident", end.data["dedup_key"], page.data["dedup_key"])
    assert wait_for("Slack resolved", lambda: stack.page("CloudTrailNotLogging", stack.ids["payments"], channel="slack", resolved=True), PATIENCE)


def a_killed_exporter_is_paged_and_mutes_what_it_saw(stack, timeline):
    stack.exporter.child.kill()
    stack.exporter.child.wait()
    timeline.began("kill -9 of the exporter")
    timeline.when("Prometheus: CloudTrailExporterDown pending", lambda: stack.prometheus.alerts(**DOWN))
    timeline.when("Prometheus: CloudTrailExporterDown firing", lambda: stack.alarm(DOWN, "firing"))
    timeline.when("the page arrives", lambda: stack.page("CloudTrailExporterDown"))
    muted = lambda: {alert["labels"]["account_name"] for alert in stack.suppressed(**NO_TRAIL)}
    timeline.when("the alarms of its accounts are muted", lambda: muted() == {"sandbox", "hub"})
    down = stack.alertmanager.alerts(**DOWN)[0]["fingerprint"]
    elsewhere = [alert["labels"] for alert in stack.suppressed(job=DEMO) if down in alert["status"]["inhibitedBy"]]
    same("alarms of another job that it mutes", elsewhere, [])
    assert all(stack.alarm({**NO_TRAIL, "account_name": name}, "firing") for name in ("sandbox", "hub")), "a dead exporter takes no alarm back"


def started_again_it_is_resolved_and_no_alarm_was_taken_back(stack, timeline):
    stack.start()
    timeline.began("the exporter started again")
    wait_for("ready", lambda: get(f"{stack.url}/-/ready")[0] == 200, PATIENCE)
    timeline.mark("every account polled")
    timeline.when("Prometheus: CloudTrailExporterDown ended", lambda: not stack.prometheus.alerts(**DOWN))
    timeline.when("the page is resolved", lambda: stack.page("CloudTrailExporterDown", resolved=True))
    held = lambda: len(stack.alertmanager.alerts(**NO_TRAIL))
    timeline.when("the alarms of its accounts speak again", lambda: held() == 2 and not stack.suppressed(**NO_TRAIL))
    same("resolved meanwhile", stack.page("CloudTrailNoMultiRegionTrail", resolved=True), None)


def a_missing_trail_is_made_by_the_runbook_and_by_the_command_in_the_page(stack, timeline):
    blocks = runbook.remediation("CloudTrailNoMultiRegionTrail", "### No trail exists: create one")
    known = dict(ACCOUNT_ID=stack.ids["sandbox"], REGION="us-east-1", PARTITION="aws", TRAIL="audit", BUCKET="sandbox-logs")
    runbook.run(blocks, stack.aws["sandbox"], stack.folder, **known)
    mended = {"sandbox": ("the runbook's remediation, no trail exists", time.monotonic())}
    page = stack.page("CloudTrailNoMultiRegionTrail", stack.ids["hub"])
    fix = page.data["payload"]["custom_details"]["fix"]
    runbook.run([fix], stack.aws["hub"], stack.folder, BUCKET="hub-logs", REGION="us-east-1")
    mended["hub"] = (fix, time.monotonic())
    for name, (how, at) in mended.items():
        timeline.began(f"{name}: {how}", at)
        timeline.when("the page is resolved", lambda: stack.page("CloudTrailNoMultiRegionTrail", stack.ids[name], resolved=True))
    same("alarms left", [alert["labels"] for alert in stack.prometheus.alerts(**MINE, severity="critical")], [])


def a_refused_configuration_is_mailed_to_the_team(stack, timeline):
    file = pathlib.Path(stack.exporter.files[0])
    good = file.read_text()
    in_force = lambda: stack.metric("cloudtrail_exporter_config_last_reload_successful")

    def reload(text):
        file.write_text(text)
        stack.exporter.child.send_signal(signal.SIGHUP)

    reload("poll: { interval: soon }")
    timeline.began("a configuration with a mistake, and SIGHUP")
    timeline.when("the exporter refuses it", lambda: in_force() == 0)
    timeline.when("the mail arrives", lambda: stack.page("To: cloud-team@example.org", "CloudTrailReloadFailed", channel="mail"))
    reload(good)
    timeline.when("the good one is in force", lambda: in_force() == 1)


def mail_reaches_whoever_reads_reports(stack, timeline):
    mail = wait_for("mail to compliance", lambda: stack.page("To: compliance@example.org", channel="mail"), PATIENCE)
    print(f"    {mail.title}")


def every_series_that_a_rule_or_dashboard_reads_is_recorded(stack, timeline):
    files = [*(DEPLOY / "prometheus").glob("*.rules.yaml"), *(ROOT / "dashboards").glob("*.json")]
    code = "\n".join(re.sub(r"^\s*#.*", "", file.read_text("utf-8"), flags=re.MULTILINE) for file in files)
    recorded = {rule["name"] for rule in stack.prometheus.rules() if rule["type"] == "recording"}
    read = set(re.findall(r"\bjob[a-z_]*:cloudtrail_\w+:\w+", code))
    assert read, "rules name recorded series"
    same("series that nothing records", sorted(read - recorded), [])


def every_rule_evaluates_and_every_notification_is_delivered(stack, timeline):
    rules = stack.prometheus.rules()
    same("rules in trouble", [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"], [])
    own = samples(get(f"{stack.prometheus.url}/metrics")[1])
    same("failed evaluations", sum(v for n, _, v in own if n == "prometheus_rule_evaluation_failures_total"), 0)
    told = samples(get(f"{stack.alertmanager.url}/metrics")[1])
    same("failed notifications", {l["integration"]: v for n, l, v in told if n == "alertmanager_notifications_failed_total" and v}, {})
    broken = [alert["labels"] for alert in stack.prometheus.alerts() if "error expanding" in str(alert["annotations"])]
    same("annotations that do not expand", broken, [])
    kinds = {kind: sum(rule["type"] == kind for rule in rules) for kind in ("alerting", "recording")}
    print(f"    {kinds['alerting']} alerts and {kinds['recording']} recording rules; {len(stack.pager.arrived)} notifications")


def every_dashboard_panel_has_data(stack, timeline):
    script = ROOT / "tests/stack/dashboards_data.py"
    words = [sys.executable, script, stack.prometheus.url, "--minutes", "2", "--scrape-interval", "1", "--all"]

    def answered():
        """A run; none if a scrape failed meanwhile, since what that exporter shows is then rightly gone for a moment."""
        began = time.time()
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
        missed = stack.prometheus.query(f"min_over_time(up[{int(time.time() - began) + 2}s]) == 0")
        return done if done.returncode == 0 or not missed else None

    done = wait_for("a run of the dashboards through which both exporters were scraped", answered, PATIENCE)
    print(done.stdout + done.stderr, end="")
    assert done.returncode == 0, "a panel is empty or a query is refused"


STEPS = [
    the_tools_accept_what_is_shipped_and_what_runs,
    both_targets_are_up,
    accounts_without_a_trail_are_paged_and_the_covered_one_is_not,
    a_trail_stopped_with_the_aws_cli_is_paged,
    the_other_channels_say_the_same,
    the_runbook_of_the_page_mends_it,
    a_killed_exporter_is_paged_and_mutes_what_it_saw,
    started_again_it_is_resolved_and_no_alarm_was_taken_back,
    a_missing_trail_is_made_by_the_runbook_and_by_the_command_in_the_page,
    a_refused_configuration_is_mailed_to_the_team,
    mail_reaches_whoever_reads_reports,
    every_series_that_a_rule_or_dashboard_reads_is_recorded,
    every_rule_evaluates_and_every_notification_is_delivered,
    every_dashboard_panel_has_data,
]


def intervals():
    """The intervals at work, shipped and scaled."""
    shipped = (DEPLOY / "prometheus/alerts.rules.yaml").read_text()
    rule = re.search(r"- alert: CloudTrailNotLogging\n.*?for: (\w+)\n.*?keep_firing_for: (\w+)\n", shipped, re.DOTALL)
    prometheus = re.findall(r"^  (scrape_interval|evaluation_interval): (\w+)$", (DEPLOY / "prometheus/prometheus.yml").read_text(), re.MULTILINE)
    route = re.findall(r"^  (group_wait|group_interval): (\w+)$", (DEPLOY / "alertmanager/alertmanager.yml").read_text(), re.MULTILINE)
    return [("poll.interval", "5m"), *prometheus, ("for", rule[1]), ("keep_firing_for", rule[2]), *route]


def too_long(*_):
    raise AssertionError(f"the whole test took more than {LIMIT_SECONDS} s")


def main():
    """Runs the steps in order; the first that fails ends it, for the later ones stand on it."""
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.alarm(LIMIT_SECONDS)
    print(f"every duration is divided by {SPEED}: " + ", ".join(f"{name} {shipped} -> {faster(shipped, SPEED)}" for name, shipped in intervals()))
    began, passed, now = time.monotonic(), 0, "everything starts"
    try:
        with ExitStack() as stack:
            whole, timeline = Stack(stack), Timeline()
            print(f"    {now} ({time.monotonic() - began:.0f} s)", flush=True)
            for step in STEPS:
                now = step.__name__.replace("_", " ")
                step(whole, timeline)
                passed += 1
                print(f"ok  {now} ({time.monotonic() - began:.0f} s)", flush=True)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        print(f"FAILED  {now}: {error}\n{passed} passed, 1 failed")
        return 1
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
