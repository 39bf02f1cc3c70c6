"""The compose files: merged by podman-compose, their configurations by the programs that read them,
and a notification on its way through a real Alertmanager to the receiver."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import yaml

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "stack")]
from stack import BIN, EXPORTER, ROOT, Process, free_port, get, wait_for

COMPOSE = ROOT / "deploy/compose"
ALERTMANAGER = os.environ.get("ALERTMANAGER", "prometheus-alertmanager")
HOME = {"HOME": "/home/reader", "UID": "1000", "AWS_PROFILE": "audit"}


def merged(*names):
    """The services of these files, merged by podman-compose, which asks for podman first."""
    files = [word for name in names for word in ("-f", COMPOSE / name)]
    with tempfile.TemporaryDirectory() as folder:
        podman = pathlib.Path(folder, "podman")
        podman.write_text("#!/bin/sh\necho podman version 5.0.0\n")
        podman.chmod(0o755)
        command = [BIN / "podman-compose", "--podman-path", podman, *files, "config"]
        env = {**os.environ, **HOME}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return yaml.safe_load(done.stdout)["services"]


def every_file_that_is_mounted_exists():
    for services in (merged("compose.yaml"), merged("compose.yaml", "compose.aws.yaml")):
        for name, service in services.items():
            for volume in service.get("volumes", []):
                source = source_of(volume)
                if source.startswith("."):
                    assert (COMPOSE / source).exists(), f"{name}: {source}"


def source_of(volume):
    """A bind mount's source, as it is written."""
    return volume["source"] if isinstance(volume, dict) else volume.split(":")[0]


def images_have_a_registry_and_a_version():
    for name, service in merged("compose.yaml").items():
        registry, rest = service["image"].split("/", 1)
        assert "." in registry, f"{name}: {service['image']}"
        assert rest.rpartition(":")[2] not in ("latest", rest), f"{name}: {service['image']}"


def containers_of_ours_have_no_privileges():
    services = merged("compose.yaml")
    for name in ("exporter", "receiver"):
        service = services[name]
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def one_file_switches_to_aws():
    demo = merged("compose.yaml")["exporter"]
    aws = merged("compose.yaml", "compose.aws.yaml")["exporter"]
    assert demo["command"] == ["demo"]
    assert aws["environment"]["AWS_PROFILE"] == "audit" and str(aws["user"]) == "1000"
    assert aws["ports"] == demo["ports"] and aws["healthcheck"] == demo["healthcheck"]
    targets = [volume if isinstance(volume, dict) else volume.split(":")[1]
               for volume in aws["volumes"]]
    assert "/home/cloudtrail-exporter/.aws" in str(targets)
    config = "/etc/cloudtrail-exporter/config.yaml"
    assert config in str(targets)
    flags = [word.replace(config, str(COMPOSE / "config.yaml")) for word in aws["command"]]
    subprocess.run([EXPORTER, *flags, "--config.check"], check=True)


def grafana_finds_the_dashboards():
    volumes = merged("compose.yaml")["grafana"]["volumes"]
    path = ROOT / "deploy/grafana/provisioning/dashboards/cloudtrail-exporter.yaml"
    (provider,) = yaml.safe_load(path.read_text())["providers"]
    assert provider["options"]["path"] in str(volumes)


def alertmanager_routes_as_shipped():
    shipped = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    ours = yaml.safe_load((COMPOSE / "alertmanager.yml").read_text())
    for part in ("route", "inhibit_rules"):
        assert ours[part] == shipped[part], f"{part}: copy it from deploy/alertmanager"
    names = lambda config: [receiver["name"] for receiver in config["receivers"]]
    assert names(ours) == names(shipped)


def the_receiver_shows_what_alertmanager_sends():
    with tempfile.TemporaryDirectory() as folder:
        port, own = free_port(), free_port()
        text = (COMPOSE / "alertmanager.yml").read_text()
        assert text.count("http://localhost:9099/") == 1, "all receivers share one address"
        config = yaml.safe_load(text.replace("http://localhost:9099/", f"http://127.0.0.1:{port}/"))
        config["route"].update(group_wait="1s", group_interval="1s")
        file = pathlib.Path(folder, "alertmanager.yml")
        file.write_text(json.dumps(config))
        flags = [f"--config.file={file}", f"--storage.path={folder}/data",
                 "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{own}"]
        receiver = [sys.executable, COMPOSE / "receiver.py", str(port)]
        with Process("receiver", receiver), Process("alertmanager", [ALERTMANAGER, *flags]):
            url = f"http://127.0.0.1:{own}"
            wait_for("Alertmanager", lambda: get(f"{url}/-/ready")[0] == 200)
            alert(f"{url}/api/v2/alerts")
            page = lambda: get(f"http://127.0.0.1:{port}/")[1]
            wait_for("the page shows it", lambda: "CloudTrailNotLogging: sandbox" in page(), 60)
            assert "page" in page() and "critical" in page() and "&lt;b&gt;" in page()
            assert get(f"http://127.0.0.1:{port}/", method="POST", data=b"[1]")[0] == 400
            assert get(f"http://127.0.0.1:{port}/")[0] == 200


def alert(url):
    labels = {"alertname": "CloudTrailNotLogging", "severity": "critical", "concern": "compliance"}
    labels.update(job="cloudtrail-exporter", account_id="012345678901", account_name="sandbox")
    notes = {"summary": "sandbox <b> is not logging"}
    body = json.dumps([{"labels": labels, "annotations": notes}]).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


TESTS = [
    every_file_that_is_mounted_exists,
    images_have_a_registry_and_a_version,
    containers_of_ours_have_no_privileges,
    one_file_switches_to_aws,
    grafana_finds_the_dashboards,
    alertmanager_routes_as_shipped,
    the_receiver_shows_what_alertmanager_sends,
]


if __name__ == "__main__":
    for test in TESTS:
        test()
        print(f"    ok      {test.__name__}")
