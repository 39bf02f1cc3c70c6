#!/usr/bin/env python3
"""Runs every `aws` command of every runbook, with the real AWS CLI.

The bash blocks of a runbook are run as written, top to bottom, in one shell, against moto in a fresh world where the fault is present. Only the
values of the variables at the top are replaced. What moto has not implemented is checked by the CLI's own parser instead: it refuses unknown
commands, options and values without a call. Commands that are not AWS's (curl, systemctl, ...) are replaced by `true`.

Needs `aws` (PyPI awscli) and `moto_server` (PyPI moto[server]) in PATH, or their paths in AWS_CLI and MOTO_SERVER.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
ACCOUNT = "123456789012"  # moto's
REGION = "us-east-1"
TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)
ASSIGNMENT = re.compile(r"^([A-Z_]+)=.*$", re.M)
NOT_AWS = ["curl", "openssl", "chronyc", "timedatectl", "systemctl", "kubectl", "journalctl", "cloudtrail-exporter"]
NOT_IN_MOTO = re.compile(r"NotImplemented|not been implemented|\(501\)|\(404\)|Not yet implemented|\(500\) when calling the LookupEvents")
# What must be true at the end of a runbook that mends a trail: (command, answer).
AFTERWARDS = {
    "CloudTrailNoMultiRegionTrail": ("get-trail --query Trail.IsMultiRegionTrail", "true"),
    "CloudTrailNotLogging": ("get-trail-status --query IsLogging", "true"),
    "CloudTrailFleetNonCompliant": ("get-trail-status --query IsLogging", "true"),
    "CloudTrailTrailStopped": ("get-trail-status --query IsLogging", "true"),
    "CloudTrailLogFileValidationOff": ("get-trail --query Trail.LogFileValidationEnabled", "true"),
}

# Stands in PATH as `aws`: has the real one run it, and writes down how it ended.
WRAPPER = """#!{python}
import json, os, sys
sys.path.insert(0, {here!r})
from runbooks_commands import ask
answer = ask(os.environ["AWS_SOCKET"], sys.argv[1:], dict(os.environ))
sys.stdout.write(answer["out"])
with open(os.environ["RECORD"], "a") as record:
    record.write(json.dumps({{"code": answer["code"], "error": answer["err"].strip(), "args": sys.argv[1:]}}) + "\\n")
sys.exit(answer["code"])
"""


def ask(path, args, environment):
    """Runs the CLI with these arguments: {code, out, err}."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(json.dumps({"args": args, "cwd": os.getcwd(), "env": environment}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def tool(variable, name):
    path = os.environ.get(variable) or shutil.which(name)
    if not path:
        sys.exit(f"{name} is not in PATH; install it, or name it in {variable}")
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_moto(binary):
    port = free_port()
    process = subprocess.Popen([binary, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(endpoint + "/moto-api/data.json", timeout=2)
            return process, endpoint
        except OSError:
            time.sleep(0.2)
    process.terminate()
    sys.exit("moto does not start")


def start_cli(aws, directory):
    """The CLI's own interpreter, with the CLI imported, behind a socket."""
    interpreter = Path(aws).read_bytes().splitlines()[0].decode(errors="replace").removeprefix("#!").split()[0]
    if "python" not in interpreter:
        sys.exit(f"{aws} is not PyPI's awscli")
    path = str(Path(directory, "aws.socket"))
    process = subprocess.Popen([interpreter, str(Path(__file__).with_name("runbooks_aws.py")), path])
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        if time.monotonic() > deadline or process.poll() is not None:
            sys.exit("the AWS CLI does not start")
        time.sleep(0.1)
    return process, path


class World:
    """A fresh moto with one account whose trail covers one Region and is stopped."""

    def __init__(self, cli, endpoint):
        self.cli = cli
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_SOCKET": cli,
        }
        urllib.request.urlopen(urllib.request.Request(endpoint + "/moto-api/reset", b"", method="POST"), timeout=10)
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.call("s3api", "create-bucket", "--bucket", "audit-logs")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::audit-logs"}]})
        self.call("s3api", "put-bucket-policy", "--bucket", "audit-logs", "--policy", policy)
        self.call("cloudtrail", "create-trail", "--name", "audit", "--s3-bucket-name", "audit-logs", "--no-is-multi-region-trail")
        role = self.call("iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", trust)["Role"]["Arn"]
        key = self.call("kms", "create-key")["KeyMetadata"]["Arn"]
        topic = self.call("sns", "create-topic", "--name", "cloudtrail")["TopicArn"]
        self.call("organizations", "create-organization", "--feature-set", "ALL")
        self.values = {
            "ACCOUNT_ID": ACCOUNT, "REGION": REGION, "PARTITION": "aws", "TRAIL": "created", "TRAIL_ARN": TRAIL_ARN, "BUCKET": "audit-logs",
            "ROLE_ARN": role, "LOGS_ROLE_ARN": role, "ROLE_NAME": "reader", "KMS_KEY_ARN": key, "TOPIC_ARN": topic,
            "LOG_GROUP_ARN": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:cloudtrail:*", "EXPORTER": "http://localhost:1",
            "CONFIG_FILE": "/nonexistent", "CERT_FILE": "/nonexistent",
        }

    def call(self, *args):
        done = ask(self.cli, [*args, "--region", REGION, "--output", "json"], self.environment)
        if done["code"]:
            sys.exit(f"cannot make the world: aws {' '.join(args)}: {done['err']}")
        return json.loads(done["out"]) if done["out"].strip() else None

    def run(self, script):
        """The `aws` commands of a script, each with how it ended."""
        with tempfile.TemporaryDirectory() as directory:
            record = Path(directory, "record")
            record.touch()
            bin_directory = Path(directory, "bin")
            bin_directory.mkdir()
            Path(bin_directory, "aws").write_text(WRAPPER.format(python=sys.executable, here=str(Path(__file__).parent)))
            for name in NOT_AWS:
                Path(bin_directory, name).write_text("#!/bin/sh\nexit 0\n")
            for path in bin_directory.iterdir():
                path.chmod(0o755)
            environment = self.environment | {"RECORD": str(record), "PATH": f"{bin_directory}:{os.environ['PATH']}"}
            shell = subprocess.run(["bash", "-u", "-c", script], cwd=directory, env=environment, capture_output=True, text=True)
            if "unbound variable" in shell.stderr or "syntax error" in shell.stderr:
                return [{"code": 1, "error": shell.stderr.strip(), "args": ["the script itself"]}]
            return [json.loads(line) for line in record.read_text().splitlines()]

    def parses(self, args):
        done = ask(self.cli, [*args, "--generate-cli-skeleton", "output"], self.environment)
        return done["code"] == 0, done["err"].strip()


def script_of(text, values):
    unknown = [name for block in BLOCK.findall(text) for name in ASSIGNMENT.findall(block) if name not in values]
    assert not unknown, f"the test has no value for {unknown}"
    replace = lambda match: f"{match[1]}='{values[match[1]]}'"
    return "\n".join(ASSIGNMENT.sub(replace, block) for block in BLOCK.findall(text))


def written(text):
    """How many `aws` commands the runbook holds, counted by eye's rule: lines that begin with aws."""
    return sum(len(re.findall(r"^aws ", block, re.M)) for block in BLOCK.findall(text))


def judge(world, command):
    """None, or what is wrong; and whether only the parser could say so."""
    args = command["args"]
    if args.count("--region") != 1 and command["args"] != ["the script itself"]:
        return "not exactly one --region", False
    if command["code"] == 0:
        return None, False
    if not NOT_IN_MOTO.search(command["error"]):
        return command["error"], False
    parses, error = world.parses(args)
    return (None if parses else error), True


def main():
    sockets = tempfile.TemporaryDirectory()
    cli, cli_socket = start_cli(tool("AWS_CLI", "aws"), sockets.name)
    moto, endpoint = start_moto(tool("MOTO_SERVER", "moto_server"))
    wanted = set(sys.argv[1:])
    passed = failed = parsed = 0
    try:
        for path in sorted(RUNBOOKS.glob("*.md")):
            text = path.read_text()
            if not written(text) or (wanted and path.stem not in wanted):
                continue
            world = World(cli_socket, endpoint)
            commands = world.run(script_of(text, world.values))
            problems = []
            if len(commands) != written(text):
                problems.append(f"{written(text)} commands are written, {len(commands)} were run")
            for command in commands:
                problem, by_parser = judge(world, command)
                parsed += by_parser and not problem
                passed += not problem
                if problem:
                    problems.append(f"aws {' '.join(command['args'])}\n    {problem}")
            if path.stem in AFTERWARDS:
                question, answer = AFTERWARDS[path.stem]
                got = json.dumps(world.call("cloudtrail", *question.split(), "--name", TRAIL_ARN))
                passed += got == answer
                if got != answer:
                    problems.append(f"afterwards {question} says {got}, not {answer}")
            failed += len(problems)
            print(f"{path.stem}: {len(commands)} commands" + "".join(f"\n  FAILED {p}" for p in problems), flush=True)
    finally:
        for process in (moto, cli):
            process.terminate()
            process.wait()
        sockets.cleanup()
    print(f"runbooks_commands: {passed} passed ({parsed} of them by the CLI's parser alone), {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
