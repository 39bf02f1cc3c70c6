"""A real Prometheus and a real Alertmanager on the shipped files, copied to a folder with nothing changed but addresses, the folder of the secrets,
and durations (scale.py)."""

import json
import pathlib
import shutil
import urllib.parse

from scale import faster, faster_file
from stack import ROOT, Process, get, wait_for

DEPLOY = ROOT / "deploy"
JOB = "cloudtrail-exporter"
# What Prometheus has as flags instead of in its files, at the values it has by default.
FLAGS = {
    "query.lookback-delta": "5m",
    "rules.alert.resend-delay": "1m",
    "rules.alert.for-grace-period": "10m",
    "rules.alert.for-outage-tolerance": "1h",
}


def replaced(text, old, new):
    """`text` with its only `old` replaced: a shipped file that changes shape fails here, not later and elsewhere."""
    if text.count(old) != 1:
        raise AssertionError(f"{old!r} stands {text.count(old)} times in the shipped file, not once")
    return text.replace(old, new)


def prometheus_config(text, exporters, alertmanager):
    """The shipped scrape configuration with these addresses. `exporters` maps jobs to addresses; the first is the shipped job, each further one
    its copy under another name."""
    text = replaced(text, "[localhost:9093]", f"[{alertmanager}]")
    head, mark, job = text.partition(f"  - job_name: {JOB}\n")
    jobs = [replaced(f"{mark}{job}", "[localhost:10065]", f"[{address}]").replace(mark, f"  - job_name: {name}\n") for name, address in exporters.items()]
    return head + "\n".join(jobs)


def alertmanager_config(text, secrets, pager):
    """The shipped Alertmanager configuration with the pager in the place of everybody it tells."""
    text = replaced(text, "mail.example.org:587", f"{pager.mail}\n  smtp_require_tls: false\n  pagerduty_url: http://{pager.web}/v2/enqueue")
    return replaced(text, "http://localhost:9099/", f"http://{pager.web}/").replace("/etc/alertmanager/secrets", str(secrets))


class Prometheus:
    """Prometheus with every shipped rule."""

    def __init__(self, folder, exporters, alertmanager, speed, port):
        folder.mkdir(parents=True)
        for file in (DEPLOY / "prometheus").glob("*.rules.yaml"):
            (folder / file.name).write_text(faster_file(file.read_text(), speed))
        shipped = faster_file((DEPLOY / "prometheus/prometheus.yml").read_text(), speed)
        self.config = folder / "prometheus.yml"
        self.config.write_text(prometheus_config(shipped, exporters, alertmanager))
        self.url = f"http://127.0.0.1:{port}"
        flags = [f"--{name}={faster(value, speed)}" for name, value in FLAGS.items()]
        self.process = Process(
            "prometheus",
            ["prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", *flags],
        )

    def api(self, path, **query):
        """The data of an answer of its API."""
        status, text = get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}")
        return json.loads(text)["data"] if status == 200 else None

    def query(self, expression):
        """The value of each series, by its labels."""
        return [(row["metric"], float(row["value"][1])) for row in (self.api("query", query=expression) or {"result": []})["result"]]

    def rules(self):
        """Every rule it has loaded."""
        return [rule for group in (self.api("rules") or {"groups": []})["groups"] for rule in group["rules"]]

    def alerts(self, **labels):
        """The alerts, pending and firing, with these labels."""
        return [alert for alert in (self.api("alerts") or {"alerts": []})["alerts"] if labels.items() <= alert["labels"].items()]


class Alertmanager:
    """Alertmanager with the shipped routes, receivers and templates; whoever it tells is the pager."""

    SECRETS = ("smtp-password", "pagerduty-key", "pagerduty-key-unknown", "webhook-token")

    def __init__(self, folder, pager, speed, port):
        secrets = folder / "secrets"
        secrets.mkdir(parents=True)
        for name in self.SECRETS:
            (secrets / name).write_text(f"secret-of-{name}")
        (secrets / "slack-url").write_text(f"http://{pager.web}/slack")
        for file in (DEPLOY / "alertmanager").glob("*.tmpl"):
            shutil.copy(file, folder)
        self.config = folder / "alertmanager.yml"
        shipped = faster_file((DEPLOY / "alertmanager/alertmanager.yml").read_text(), speed)
        self.config.write_text(alertmanager_config(shipped, secrets, pager))
        self.address, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
        self.process = Process(
            "alertmanager",
            ["prometheus-alertmanager", f"--config.file={self.config}", f"--storage.path={folder}/data", f"--web.listen-address={self.address}", "--cluster.listen-address=", "--log.level=warn"],
        )

    def alerts(self, **labels):
        """The alerts it holds with these labels."""
        status, text = get(f"{self.url}/api/v2/alerts")
        return [alert for alert in (json.loads(text) if status == 200 else []) if labels.items() <= alert["labels"].items()]


def ready(server):
    """Waits until a Prometheus or an Alertmanager answers, or tells that it ended."""
    def answers():
        if server.process.child.poll() is not None:
            raise AssertionError(f"{server.process.name} ended:\n{server.process.output()[-2000:]}")
        return get(f"{server.url}/-/ready")[0] == 200

    wait_for(f"{server.url} is ready", answers, 60)
    return server
