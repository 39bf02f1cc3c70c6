#!/usr/bin/env python3
"""Runs every command of every page of docs/install, as somebody would who follows it.

The bash blocks of a page are run as written, top to bottom, in one shell, in a copy of the files they name: `aws` is the real CLI
against a fresh moto, the exporter is the real one. What moto has not implemented is checked by the CLI's own parser instead.
`helm` renders the chart with what it is given. Programs that change a machine (apt-get, docker, systemctl, ...) are stood in for by
scripts that hold what they are asked for against the files of deploy/. A page that runs the exporter somewhere else has it run here.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import boto3

from runbooks_commands import NOT_IN_MOTO, WRAPPER, ask, start_cli, start_moto, tool
from stack import BIN, EXPORTER, ROOT, free_port, get, samples, wait_for

PAGES = ROOT / "docs/install"
WIDTH = 100
MANAGEMENT = "123456789012"  # moto's own account
REGION = "us-east-1"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)
# What moto answers where it has nothing.
NOT_YET = re.compile(rf"{NOT_IN_MOTO.pattern}|500 Internal Server Error|StackSetNotEmptyException")
# Stands in for a program: gives what it was asked to install_tools.py, which knows what is right.
STAND_IN = '#!/bin/sh\nexec {python} {here}/install_tools.py {name} "$@"\n'
STAND_INS = ["apt-get", "cargo", "curl", "docker", "dpkg", "helm", "install", "kubectl", "promtool", "sha256sum", "systemctl"]


class Page:
    """One page, a fresh world, and a shell in it."""

    def __init__(self, name, cli, endpoint, folder):
        self.name, self.cli, self.endpoint, self.folder = name, cli, endpoint, Path(folder)
        self.port = free_port()
        urllib.request.urlopen(urllib.request.Request(endpoint + "/moto-api/reset", b"", method="POST"), timeout=10)
        self.record, self.bin = self.folder / "record", self.folder / "bin"
        self.record.touch()
        self.root = self.folder / "root"
        self.home = self.folder / "home"
        self.work = self.folder / "clone"
        for path in (self.bin, self.root / "etc/cloudtrail-exporter", self.home / ".aws", self.work):
            path.mkdir(parents=True)
        for part in ("deploy", "docs", "Cargo.toml"):
            (self.work / part).symlink_to(ROOT / part)
        self.programs()

    def programs(self):
        """What stands in PATH before everything else."""
        here = str(ROOT / "tests/stack")
        texts = {name: STAND_IN.format(python=sys.executable, here=here, name=name) for name in STAND_INS}
        texts["aws"] = WRAPPER.format(python=sys.executable, here=here)
        for name, text in texts.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        (self.bin / "cloudtrail-exporter").symlink_to(EXPORTER)

    def client(self, service, account=MANAGEMENT):
        """A client of an account of the organization."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        make = lambda service, **keys: boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, **keys)
        if account != MANAGEMENT:
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            got = make("sts", **keys).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            keys = {"aws_access_key_id": got["AccessKeyId"], "aws_secret_access_key": got["SecretAccessKey"], "aws_session_token": got["SessionToken"]}
        return make(service, **keys)

    def organization(self):
        """An organization of four accounts, with a profile for the management account and one for the exporter's."""
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        create = lambda name: organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        self.hub, self.payments, self.sandbox = (create(name) for name in ("hub", "payments", "sandbox"))
        # moto's StackSets reach the management account, AWS's do not: out of their sight, two levels down.
        parent = organizations.list_roots()["Roots"][0]["Id"]
        for name in ("outer", "inner"):
            unit = organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
            root, parent = parent if name == "outer" else root, unit
        organizations.move_account(AccountId=MANAGEMENT, SourceParentId=root, DestinationParentId=parent)
        profiles = f"""
[default]
region = {REGION}
aws_access_key_id = test
aws_secret_access_key = test
[profile management]
region = {REGION}
aws_access_key_id = test
aws_secret_access_key = test
[profile hub]
region = {REGION}
role_arn = arn:aws:iam::{self.hub}:role/OrganizationAccountAccessRole
source_profile = management
"""
        (self.home / ".aws/config").write_text(profiles)

    def trail(self, account):
        """A multi-Region trail in an account."""
        bucket = f"audit-{account}"
        self.client("s3", account).create_bucket(Bucket=bucket)
        trails = self.client("cloudtrail", account)
        trails.create_trail(Name="audit", S3BucketName=bucket, IsMultiRegionTrail=True)
        trails.start_logging(Name="audit")

    def environment(self):
        return {
            "PATH": f"{self.bin}:{BIN}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_SOCKET": self.cli,
            "CLOUDTRAIL_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{self.port}",
            "INSTALL_PORT": str(self.port),
            "INSTALL_ROOT": str(self.root),
            "INSTALL_RECORD": str(self.record),
            "INSTALL_EXPORTER": str(EXPORTER),
            "RECORD": str(self.record),
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def stop(self):
        """Ends the exporter that the page has started and left running."""
        pid = self.root / "exporter.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGTERM)

    def run(self, script):
        """Runs a script to its end: every command it wrote down, and what it printed."""
        self.record.write_text("")
        script = re.sub(r"(?<=[ =])/etc/cloudtrail-exporter/", f"{self.root}/etc/cloudtrail-exporter/", script)
        # Each block in job control's own way, so that `kill %1` means what it does for a person.
        done = subprocess.run(
            ["bash", "-um", "-c", script + "\nkill $(jobs -p) 2>/dev/null\ntrue"],
            cwd=self.work, env=self.environment(), capture_output=True, text=True, timeout=240,
        )
        commands = [json.loads(line) for line in self.record.read_text().splitlines()]
        return commands, done


def judge(page, commands, done):
    """What is wrong with what was run."""
    problems = []
    for wrong in ("unbound variable", "syntax error", "command not found", "No such file"):
        problems += [line for line in done.stderr.splitlines() if wrong in line]
    for command in commands:
        if command["code"] == 0:
            continue
        if command.get("program", "aws") == "aws" and NOT_YET.search(command["error"]):
            if command["args"][:2] == ["cloudformation", "deploy"]:
                problems += undeclared(command["args"])
                continue
            parsed = ask(page.cli, [*command["args"], "--generate-cli-skeleton", "output"], page.environment())
            if parsed["code"] == 0:
                continue
            command["error"] += f"\n{parsed['err'].strip()}"
        problems.append(f"{command.get('program', 'aws')} {' '.join(command['args'])}: {command['error']}")
    return problems


def undeclared(arguments):
    """What is wrong with an update that moto cannot make, as of a service of ECS: parameters that the template does not have."""
    template = (ROOT / arguments[arguments.index("--template-file") + 1]).read_text()
    declared = re.findall(r"^  (\w+):$", template.split("Parameters:")[1].split("\nConditions:")[0], re.M)
    given = arguments[arguments.index("--parameter-overrides") + 1 :]
    return [f"the template has no parameter {word}" for word in given if word.partition("=")[0] not in declared]


def blocks(page, first=None, last=None):
    """The commands of a page, or of those of its headings that lie between two."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    parts = re.split(r"^(## .*)\n", text, flags=re.M)
    named = list(zip(parts[1::2], parts[2::2]))
    at = lambda beginning: next(i for i, (heading, _) in enumerate(named) if heading.startswith(f"## {beginning}"))
    chosen = named[at(first) if first else 0 : at(last) + 1 if last else None]
    return "\n".join(block for _, body in chosen for block in BLOCK.findall(body))


def programs(script):
    """How many commands of a script begin with a program that is judged."""
    return len(re.findall(rf"(?:^|\$\(|\|\| *)\s*(?:aws|{'|'.join(STAND_INS)})\b", script, re.M))


def report(name, script, commands, problems):
    written, ran = programs(script), len(commands)
    if ran < written - script.count("||"):
        problems.append(f"{written} commands are written, {ran} were run")
    print(f"{name}: {ran} commands" + "".join(f"\n  FAILED {problem}" for problem in problems), flush=True)
    return problems


def whole(page, before=""):
    """A page from its first command to its last."""
    script = blocks(page.name)
    commands, done = page.run(before + script)
    problems = judge(page, commands, done)
    if os.environ.get("VERBOSE"):
        print(done.stdout, done.stderr)
    return report(page.name, script, commands, problems), done


def compliance(url):
    """The state of each account that an exporter polls."""
    found = samples(get(f"{url}/metrics")[1])
    return {l["account_id"]: l["state"] for n, l, v in found if n == "cloudtrail_account_compliance" and v == 1}


def organization(page):
    """From the roles to the metrics: what the page deploys on moto is what the exporter polls through."""
    page.organization()
    page.trail(page.payments)
    page.trail(page.hub)
    setup = blocks("ec2", "1.", "1.")
    script = blocks("organization", "1.", "7.")
    commands, done = page.run(f"{setup}\n{script}")
    problems = judge(page, commands, done)
    accounts = [MANAGEMENT, page.hub, page.payments, page.sandbox]
    for account in accounts:
        roles = {role["RoleName"] for role in page.client("iam", account).list_roles()["Roles"]}
        wanted = {"cloudtrail-exporter-read"} | ({"cloudtrail-exporter"} if account == page.hub else set())
        wanted |= {"cloudtrail-exporter-discovery"} if account == MANAGEMENT else set()
        if not wanted <= roles:
            problems.append(f"account {account} has {roles}, not {wanted}")
    problems = report("organization", script, commands, problems)
    if not problems:
        problems += polled(page, accounts)
    later = blocks("organization", "8.")
    commands, done = page.run(blocks("organization", "1.", "1.") + later)
    undone = judge(page, commands, done)
    return problems + report("organization, polled and undone", later, commands, undone)


def polled(page, accounts):
    """The exporter as the role that was created reads what the page says it would."""
    hub = page.client("sts", page.hub)
    got = hub.assume_role(RoleArn=f"arn:aws:iam::{page.hub}:role/cloudtrail-exporter", RoleSessionName="pod")["Credentials"]
    keys = {"AWS_ACCESS_KEY_ID": got["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"], "AWS_SESSION_TOKEN": got["SessionToken"]}
    environment = {**page.environment(), **keys, "AWS_CONFIG_FILE": "/nonexistent"}
    url = f"http://127.0.0.1:{page.port}"
    page.exporter = subprocess.Popen(
        [EXPORTER, "--config.file=cloudtrail-exporter.yaml"], cwd=page.work, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    wait_for("each account polled", lambda: get(f"{url}/-/ready")[0] == 200, 60)
    wanted = {account: "compliant" if account in (page.hub, page.payments) else "non_compliant" for account in accounts}
    got = compliance(url)
    print(f"  StackSet to metrics: {got}")
    return [] if got == wanted else [f"the metrics say {got}, not {wanted}"]


def eks(page):
    page.organization()
    network = page.client("ec2", page.hub)
    subnets = [subnet["SubnetId"] for subnet in network.describe_subnets()["Subnets"][:2]]
    page.client("eks", page.hub).create_cluster(name="tools", roleArn=f"arn:aws:iam::{page.hub}:role/eks", resourcesVpcConfig={"subnetIds": subnets})
    return whole(page, prepared(page))[0]


def prepared(page):
    """What organization.md leaves behind in the shell and the folder."""
    (page.work / "external-id").write_text("0123456789abcdef\n")
    role = f"arn:aws:iam::{MANAGEMENT}:role/cloudtrail-exporter-discovery"
    text = re.search(r"cat > cloudtrail-exporter.yaml <<EOF\n(.*?)EOF", (PAGES / "organization.md").read_text(), re.S)[1]
    text = text.replace("$REGION", REGION).replace("$DISCOVERY_ROLE_ARN", role)
    (page.work / "cloudtrail-exporter.yaml").write_text(text)
    return f"DISCOVERY_ROLE_ARN={role}\n"


def with_organization(page):
    page.organization()
    return whole(page, prepared(page))[0]


def alone(page):
    page.organization()
    return whole(page)[0]


STORIES = {"organization": organization, "eks": eks, "ecs": with_organization, "ec2": with_organization, "systemd": alone, "docker": alone, "laptop": alone}


def main():
    assert {path.stem for path in PAGES.glob("*.md")} == set(STORIES), "each page has its story here"
    wide = [line for name in STORIES for line in blocks(name).splitlines() if len(line) > WIDTH]
    assert not wide, f"a command is wider than {WIDTH} columns: {wide}"
    sockets = tempfile.TemporaryDirectory()
    cli, cli_socket = start_cli(tool("AWS_CLI", "aws"), sockets.name)
    server, endpoint = start_moto(tool("MOTO_SERVER", "moto_server"))
    failed = passed = 0
    try:
        for name in sys.argv[1:] or STORIES:
            with tempfile.TemporaryDirectory() as folder:
                page = Page(name, cli_socket, endpoint, folder)
                page.exporter = None
                try:
                    problems = STORIES[name](page)
                finally:
                    page.stop()
                    if page.exporter:
                        page.exporter.terminate()
                        page.exporter.wait()
            passed += not problems
            failed += bool(problems)
    finally:
        for process in (server, cli):
            process.terminate()
            process.wait()
        sockets.cleanup()
    print(f"install_pages: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
