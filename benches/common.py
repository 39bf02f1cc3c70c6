"""What the benches share: the simulator, the exporter and other processes, their CPU and memory, and scrapes."""

import gzip
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RELEASE = TARGET / "release"
EXPORTER = pathlib.Path(os.environ.get("EXPORTER", RELEASE / "cloudtrail-exporter"))
SIMULATOR = pathlib.Path(os.environ.get("SIMULATOR", RELEASE / "aws-simulator"))
FLEET = pathlib.Path(os.environ.get("FLEET", RELEASE / "fleet-bench"))
WORK = TARGET / "bench"

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
FIRST_ACCOUNT = 500_000_000_000
LATENCY = 0.05


def account_ids(accounts):
    return [str(FIRST_ACCOUNT + n) for n in range(accounts)]


def world(accounts, more=""):
    """A fleet of one multi-Region trail each, 50 ms away."""
    return f"""
seed: 7
{more}
faults:
  - {{ name: distance, effect: {{ latency: {{ base: {LATENCY * 1000:.0f}ms }} }} }}
fleets:
  - {{ accounts: {accounts}, first_id: "{FIRST_ACCOUNT}", name: "account-{{n}}", like: {{ trails: [{{ name: management-events, multi_region: true }}] }} }}
"""


def config(url, accounts, poll=""):
    lines = [f"aws: {{ endpoint_url: {url} }}", f"poll: {{ {poll} }}", "accounts:"]
    lines += [f'  - {{ id: "{id}", name: account-{id} }}' for id in account_ids(accounts)]
    return "\n".join(lines) + "\n"


def environment():
    """Ours, without the caller's AWS settings and proxies, and with the key the simulator knows."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLOUDTRAIL_")) and not k.lower().endswith("_proxy")}
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


class Process:
    """A child, ended with the block."""

    def __init__(self, arguments, **options):
        self.child = subprocess.Popen([str(a) for a in arguments], env=environment(), **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def cpu(self):
        """CPU seconds so far, of all its threads, counted by the scheduler in nanoseconds; /proc/PID/stat counts ticks."""
        tasks = pathlib.Path(f"/proc/{self.child.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def _status(self, key):
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1])

    def rss(self):
        return self._status("VmRSS") * 1024

    def peak(self):
        return self._status("VmHWM") * 1024

    def threads(self):
        return self._status("Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))


class Simulator(Process):
    def __init__(self, text):
        WORK.mkdir(parents=True, exist_ok=True)
        path = WORK / f"world-{os.getpid()}-{time.monotonic_ns()}.yaml"
        path.write_text(text)
        super().__init__([SIMULATOR, "--world", path, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        path.unlink()
        self.url = re.search(r"http://\S+", line)[0]
        self.address = self.url.removeprefix("http://")

    def state(self):
        return json.loads(get(self.address, "/_simulator/state")[1])

    def patch(self, change):
        status, body = get(self.address, "/_simulator/world", "PATCH", json.dumps(change))
        assert status == 200, body


class Exporter(Process):
    def __init__(self, text):
        WORK.mkdir(parents=True, exist_ok=True)
        self.path = WORK / f"config-{os.getpid()}-{time.monotonic_ns()}.yaml"
        self.path.write_text(text)
        self.log = (self.path.with_suffix(".log")).open("w+")
        self.address = f"127.0.0.1:{free_port()}"
        arguments = [EXPORTER, f"--config.file={self.path}", f"--web.listen-address={self.address}"]
        super().__init__(arguments, stderr=self.log)
        until("the exporter listens", 60, lambda: connects(self.address))

    def ready(self, patience):
        until("every account was polled", patience, lambda: get(self.address, "/-/ready")[0] == 200)

    def scrape(self, packed=False):
        """Bytes on the wire and seconds until the last."""
        began = time.perf_counter()
        status, body = get(self.address, "/metrics", packed=packed)
        assert status == 200, body[:200]
        return body, time.perf_counter() - began

    def metrics(self):
        """Sums of the samples by name: enough for counters and counts."""
        sums = {}
        for line in self.scrape()[0].decode().splitlines():
            if line and line[0] != "#":
                name = line.partition(" ")[0].partition("{")[0]
                sums[name] = sums.get(name, 0.0) + float(line.rpartition(" ")[2])
        return sums

    def polls(self):
        return self.metrics()["cloudtrail_exporter_polls_total"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connects(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False


def get(address, path, method="GET", body=None, packed=False):
    """One request; the body as it is on the wire."""
    connection = http.client.HTTPConnection(address, timeout=120)
    headers = {"Accept-Encoding": "gzip" if packed else "identity"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def unpack(body):
    return gzip.decompress(body)


def until(what, patience, probe):
    deadline = time.monotonic() + patience
    while not probe():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {patience} s: {what}")
        time.sleep(0.02)


def fleet(client, url, accounts, concurrency, sweeps):
    """One run of benches/fleet: what it measured of itself."""
    arguments = [FLEET, client, url, accounts, concurrency, sweeps]
    run = subprocess.run([str(a) for a in arguments], env=environment(), capture_output=True, text=True, check=True)
    measured = json.loads(run.stdout)
    failed = [sweep["failed"] for sweep in measured["sweeps"]]
    assert not any(failed), f"polls failed: {failed}"
    return measured


def median(values):
    return sorted(values)[len(values) // 2]
