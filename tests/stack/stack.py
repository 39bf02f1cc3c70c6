"""What the stack tests share: free ports, waiting for a condition, and the processes they judge."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPORTER = pathlib.Path(os.environ.get("EXPORTER", ROOT / "target/debug/cloudtrail-exporter"))
BIN = pathlib.Path(sys.executable).parent

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def free_port():
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=30.0, every=0.1):
    """Polls until `condition` returns something true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def get(url, timeout=5, headers=None, method=None, data=None):
    """(status, text) of one HTTP request; (0, reason) if there was no answer."""
    request = urllib.request.Request(url, headers=headers or {}, method=method, data=data)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (urllib.error.URLError, OSError) as error:
        return 0, str(error)


def samples(text):
    """The samples of a text exposition, as (name, labels, value)."""
    found = []
    for line in text.splitlines():
        match = None if line.startswith("#") else _SAMPLE.match(line)
        if match:
            name, labels, value = match.groups()
            found.append((name, dict(_LABEL.findall(labels or "")), float(value)))
    return found


def value(found, name, **labels):
    """The one sample of that name with at least those labels; None if there is none."""
    hits = [v for n, l, v in found if n == name and labels.items() <= l.items()]
    assert len(hits) <= 1, f"{name}{labels}: {len(hits)} samples"
    return hits[0] if hits else None


class Process:
    """A child process whose output is kept in a file and shown if the test fails. `files` go when it goes."""

    def __init__(self, name, command, env=None, cwd=None, files=()):
        self.name, self.files = name, files
        self.log = tempfile.NamedTemporaryFile("w+", prefix=f"{name}-", suffix=".log", delete=False)
        try:
            self.child = subprocess.Popen(
                [str(part) for part in command], stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})}, cwd=cwd
            )
        except OSError:
            self.remove()
            raise

    def output(self):
        """What it printed so far."""
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def stop(self):
        """Ends it, by force if it does not end by itself."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        if kind:
            print(f"--- {self.name} ---\n{self.output()[-4000:]}", file=sys.stderr)
        self.remove()

    def remove(self):
        """Takes its files away."""
        for file in [self.log.name, *self.files]:
            os.unlink(file)


def moto():
    """A moto server on a free port, as (process, url)."""
    port = free_port()
    process = Process("moto", [BIN / "moto_server", "-H", "127.0.0.1", "-p", port])
    url = f"http://127.0.0.1:{port}"
    wait_for("moto answers", lambda: get(f"{url}/moto-api/")[0] == 200, 60)
    return process, url


class Aws:
    """The real `aws` CLI against an endpoint, with the credentials given."""

    def __init__(self, endpoint, key="test", secret="test", token=None, region="us-east-1"):
        self.env = {
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.env.pop("AWS_CA_BUNDLE", None)
        if token:
            self.env["AWS_SESSION_TOKEN"] = token
        self.endpoint = endpoint

    def __call__(self, *words):
        done = subprocess.run([str(BIN / "aws"), *words, "--output", "json"], env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"aws {' '.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def assume(self, account, role="cloudtrail-exporter-read"):
        """The CLI inside another account."""
        arn = f"arn:aws:iam::{account}:role/{role}"
        got = self("sts", "assume-role", "--role-arn", arn, "--role-session-name", "stack-test")["Credentials"]
        return Aws(self.endpoint, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


def exporter(config, endpoint, *flags, env=None, port=None):
    """The exporter on a free port or on `port`, as (process, url). `config` is the file's text, or None for no file."""
    port, files = port or free_port(), []
    command = [EXPORTER, f"--web.listen-address=127.0.0.1:{port}", *flags]
    if config is not None:
        file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        file.write(config)
        file.close()
        command.append(f"--config.file={file.name}")
        files.append(file.name)
    credentials = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }
    process = Process("exporter", command, {**credentials, **(env or {})}, files=files)
    return process, f"http://127.0.0.1:{port}"
