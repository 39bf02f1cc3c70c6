"""Dockerfile, units and scrape configurations, by the tools that read them: hadolint,
systemd-analyze, promtool, and Prometheus itself."""

import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import yaml

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "stack")]
from stack import BIN, EXPORTER, ROOT, Process, free_port, get, samples, wait_for
from web_stack import certificates, web_config

SYSTEMD = ROOT / "deploy/systemd"
SCRAPE = ROOT / "deploy/prometheus/scrape"
# What `systemd-analyze security` calls the exposure of a service, from 0 to 10.
EXPOSURE = 1.2
USER_LINE = "u cloudtrail-exporter - "


def image_has_the_version_of_the_program():
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())
    line = f"\nARG VERSION={cargo['workspace']['package']['version']}\n"
    assert line in (ROOT / "deploy/docker/Dockerfile").read_text(), line


def hadolint_finds_nothing():
    subprocess.run([BIN / "hadolint", ROOT / "deploy/docker/Dockerfile"], check=True)


def systemd_accepts_the_units():
    """The units as they are, with the program where it is, and with the drop-in for the socket."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for path in SYSTEMD.glob("*.s[eo]*"):
            text = path.read_text().replace("/usr/bin/cloudtrail-exporter", str(EXPORTER))
            (folder / path.name).write_text(text)
        dropin = folder / "cloudtrail-exporter.service.d"
        dropin.mkdir()
        (dropin / "socket.conf").write_text((SYSTEMD / "socket.conf").read_text())
        units = [folder / f"cloudtrail-exporter.{kind}" for kind in ("service", "socket")]
        command = ["systemd-analyze", "verify", "--man=no", *units]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr.strip(), done.stderr
        exposure(units[0])


def exposure(unit):
    most = ["--threshold", str(round(EXPOSURE * 10))]
    command = ["systemd-analyze", "security", "--offline=true", *most, unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"    {done.stdout.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout


def the_unit_s_user_is_made():
    text = (SYSTEMD / "cloudtrail-exporter.sysusers").read_text()
    assert text.startswith(USER_LINE)
    service = (SYSTEMD / "cloudtrail-exporter.service").read_text()
    assert "\nUser=cloudtrail-exporter\n" in service and "DynamicUser" not in service


def credentials_have_a_refused_default():
    """Each LoadCredential= has a text for the case that its file is missing."""
    lines = (SYSTEMD / "cloudtrail-exporter.service").read_text().splitlines()
    loaded = [line.split("=")[1].split(":")[0] for line in lines if "LoadCredential=" in line]
    set_ = {line.split("=")[1].split(":")[0]: line for line in lines if "SetCredential=" in line}
    assert loaded == ["external-id", "tls.crt", "tls.key"] and set(loaded) == set(set_)
    # A blank is in no external ID and in no PEM block, so the exporter refuses the text.
    assert all(" " in line.split(":")[1] for line in set_.values())


def promtool_accepts_the_scrape_configurations():
    files = sorted(SCRAPE.glob("*.yml"))
    assert [path.name for path in files] == ["kubernetes.yml", "static.yml", "tls.yml"]
    for path in files:
        for job in yaml.safe_load(path.read_text())["scrape_configs"]:
            promtool_accepts({"scrape_configs": [without_kubernetes(dict(job))]})
            assert job["job_name"] == "cloudtrail-exporter", "the job that the rules name"
            assert job["sample_limit"] > 0, path


def promtool_accepts(config):
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(config, file)
        file.flush()
        command = ["promtool", "check", "config", "--syntax-only", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def limits_leave_room():
    """The table of sample_limit: twice the series that the demo's accounts have, and not less."""
    accounts, series = demo_series()
    each = series / accounts
    rows = [row.split("|") for row in (SCRAPE / "README.md").read_text().splitlines()]
    rows = [[cell.strip().replace(",", "") for cell in row] for row in rows if len(row) > 5]
    table = [(int(row[1]), int(row[4])) for row in rows if row[1].isdigit()]
    assert len(table) >= 4
    for number, limit in table:
        assert limit >= 2 * number * each, f"{number} accounts have {number * each:.0f} series"
    print(f"    {each:.0f} series an account")


def demo_series():
    port = free_port()
    address = f"127.0.0.1:{port}"
    with Process("exporter", [EXPORTER, "demo", f"--web.listen-address={address}"]):
        wait_for("ready", lambda: get(f"http://{address}/-/ready")[0] == 200)
        found = samples(get(f"http://{address}/metrics")[1])
    of_accounts = [name for name, labels, _ in found if "account_id" in labels]
    return of_accounts.count("cloudtrail_account_info"), len(of_accounts)


def prometheus_scrapes_by_each():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        plain, secure = free_port(), free_port()
        certificates(folder)
        web = f"--web.config.file={web_config(folder)}"
        demo = lambda port, *flags: [
            EXPORTER, "demo", f"--web.listen-address=127.0.0.1:{port}", *flags]
        with Process("exporter", demo(plain)), Process("secure", demo(secure, web)):
            static = job_of("static", f"127.0.0.1:{plain}")
            scraped(folder, static, {f"127.0.0.1:{plain}"})
            scraped(folder, with_secrets(job_of("tls", f"127.0.0.1:{secure}"), folder),
                    {f"127.0.0.1:{secure}"})
            by_kubernetes(folder, plain)


def job_of(name, address):
    (job,) = yaml.safe_load((SCRAPE / f"{name}.yml").read_text())["scrape_configs"]
    for each in job.get("static_configs", []):
        each["targets"] = [address]
    return {**job, "scrape_interval": "1s", "scrape_timeout": "1s"}


def with_secrets(job, folder):
    (folder / "password").write_text("s3cret")
    job["basic_auth"]["password_file"] = str(folder / "password")
    files = {"ca_file": "ca.crt", "cert_file": "client.crt", "key_file": "client.key"}
    assert set(job["tls_config"]) >= set(files), job["tls_config"]
    job["tls_config"] = {key: str(folder / name) for key, name in files.items()}
    return job


def scraped(folder, job, instances):
    """Prometheus has these instances, and no other, and they are up."""
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [job]}))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flags = [f"--config.file={config}", f"--storage.tsdb.path={folder}/{port}",
             f"--web.listen-address=127.0.0.1:{port}"]
    with Process("prometheus", ["prometheus", *flags]):
        up = wait_for("all are up", lambda: all_up(url, instances), 60)
    print(f"    {up}")


def all_up(url, instances):
    status, text = get(f"{url}/api/v1/query?query=up")
    found = json.loads(text)["data"]["result"] if status == 200 else []
    labels = {each["metric"]["instance"]: each["value"][1] for each in found}
    jobs = {each["metric"]["job"] for each in found}
    right = set(labels) == instances and set(labels.values()) == {"1"}
    return f"{labels}" if right and jobs == {"cloudtrail-exporter"} else None


META = "__meta_kubernetes_pod_"


def pod(name, app, container_port="http", phase="Running"):
    """What Kubernetes' discovery says of a port of a pod."""
    labels = {"name": name, "phase": phase, "container_port_name": container_port}
    labels["label_app_kubernetes_io_name"] = app
    return {META + key: value for key, value in labels.items()}


def by_kubernetes(folder, port):
    """Of these ports the exporter's that run are scraped, by the names of their pods. Debian's
    Prometheus is built without Kubernetes: the same labels come from a file."""
    found = [
        pod("cloudtrail-exporter-0", "cloudtrail-exporter"),
        pod("cloudtrail-exporter-1", "cloudtrail-exporter"),
        pod("cloudtrail-exporter-1", "cloudtrail-exporter", container_port="other"),
        pod("cloudtrail-exporter-2", "cloudtrail-exporter", phase="Succeeded"),
        pod("other", "other"),
    ]
    job = without_kubernetes(job_of("kubernetes", None))
    targets = folder / "pods.json"
    address = f"127.0.0.1:{port}"
    targets.write_text(json.dumps([{"targets": [address], "labels": each} for each in found]))
    job["file_sd_configs"] = [{"files": [str(targets)]}]
    scraped(folder, job, {"cloudtrail-exporter-0", "cloudtrail-exporter-1"})


def without_kubernetes(job):
    """The job without its discovery, which is what it is."""
    found = job.pop("kubernetes_sd_configs", None)
    assert found in (None, [{"role": "pod", "namespaces": {"names": ["monitoring"]}}]), found
    return job


TESTS = [
    image_has_the_version_of_the_program,
    hadolint_finds_nothing,
    systemd_accepts_the_units,
    the_unit_s_user_is_made,
    credentials_have_a_refused_default,
    promtool_accepts_the_scrape_configurations,
    limits_leave_room,
    prometheus_scrapes_by_each,
]


if __name__ == "__main__":
    for test in TESTS:
        test()
        print(f"    ok      {test.__name__}")
