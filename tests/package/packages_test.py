"""A package's life in a Debian root: installed, started as its unit says, upgraded, removed.

    packages_test.py deb|rpm ROOT OLD NEW VERSION SIMULATOR
"""

import configparser
import gzip
import os
import pathlib
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "stack")]
from stack import free_port, get, samples, wait_for

NAME = "cloudtrail-exporter"
UNIT = f"usr/lib/systemd/system/{NAME}.service"
CREDENTIALS = f"run/credentials/{NAME}.service"
URL = "http://127.0.0.1:10065"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}


class Root:
    """A root in which one kind of package is installed."""

    def __init__(self, kind, path):
        self.kind, self.path = kind, path
        subprocess.run(["mount", "-t", "proc", "proc", path / "proc"], check=True)
        subprocess.run(["mount", "--bind", "/dev", path / "dev"], check=True)

    def run(self, *words, check=True):
        command = ["chroot", self.path, *words]
        return subprocess.run(command, check=check, capture_output=True, text=True)

    def install(self, folder):
        """Installs or upgrades."""
        (file,) = folder.glob(f"*.{self.kind}")
        shutil.copy(file, self.path / "tmp")
        if self.kind == "deb":
            # Debian asks about changed configuration unless it is told what to do.
            self.run("dpkg", "--force-confdef", "--force-confold", "--install", f"/tmp/{file.name}")
        else:
            # A Debian root provides nothing that rpm knows of.
            self.rpm("--upgrade", "--nodeps", self.path / "tmp" / file.name)

    def rpm(self, *words):
        subprocess.run(["rpm", "--root", self.path, *words], check=True, capture_output=True)

    def remove(self):
        if self.kind == "deb":
            self.run("dpkg", "--remove", NAME)
        else:
            self.rpm("--erase", NAME)

    def unit(self):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str
        parser.read(self.path / UNIT)
        return parser["Service"]

    def user(self):
        lines = (self.path / "etc/passwd").read_text().splitlines()
        rows = [line.split(":") for line in lines if line.startswith(f"{NAME}:")]
        assert len(rows) == 1, rows
        return int(rows[0][2]), int(rows[0][3])


def status(path):
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


def installed(root):
    uid, gid = root.user()
    assert 0 < uid < 1000 and gid > 0, "a system user"
    etc = root.path / "etc/cloudtrail-exporter"
    assert status(etc) == (0, gid, 0o750)
    assert status(etc / "config.yaml") == (0, gid, 0o640)
    assert status(etc / "secrets") == (0, 0, 0o700)
    assert status(root.path / "etc/default/cloudtrail-exporter") == (0, 0, 0o600)
    assert root.unit()["User"] == NAME
    verified = root.run("systemd-analyze", "verify", "--man=no", f"/{UNIT}", check=False)
    assert verified.returncode == 0 and not verified.stderr, verified.stderr
    page = gzip.decompress((root.path / f"usr/share/man/man1/{NAME}.1.gz").read_bytes()).decode()
    assert r"\-\-config.file" in page and "EXIT STATUS" in page
    script = f"/usr/share/bash-completion/completions/{NAME}"
    listed = root.run("bash", "-c", f". {script}; complete -p {NAME}")
    assert NAME in listed.stdout
    commands = f". {script}; COMP_WORDS=({NAME} iam); COMP_CWORD=1; _cloudtrail__exporter " \
               f"{NAME} iam {NAME}; echo ${{COMPREPLY[*]}}"
    assert "iam-policy" in root.run("bash", "-c", commands).stdout


def started(root, simulator):
    """Started with the command, the user and the credentials of the unit."""
    uid, gid = root.user()
    port = free_port()
    credentials(root, uid)
    config = root.path / "etc/cloudtrail-exporter/config.yaml"
    config.write_text(
        f"aws: {{ endpoint_url: 'http://127.0.0.1:{port}' }}\n"
        f"defaults: {{ external_id_file: /{CREDENTIALS}/external-id }}\n"
        "accounts: [{ id: '410000000001', name: one }]\n"
    )
    command = root.unit()["ExecStart"].split()
    aws = subprocess.Popen([simulator, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    enter = ["chroot", f"--userspec={uid}:{gid}", root.path]
    env = {**KEYS, "PATH": os.environ["PATH"]}
    process = subprocess.Popen([*enter, *command], env=env)
    try:
        wait_for("ready", lambda: get(f"{URL}/-/ready")[0] == 200)
        metrics = samples(get(f"{URL}/metrics")[1])
        up = [float(value) for name, _, value in metrics if name == "cloudtrail_account_up"]
        assert up == [1.0], up
        shown = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        assert f"Uid:\t{uid}\t{uid}" in shown
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        aws.kill()
    print(f"    {root.kind}: polled as user {uid}")


def credentials(root, uid):
    """Where systemd puts what LoadCredential= names."""
    folder = root.path / CREDENTIALS
    folder.mkdir(parents=True)
    (folder / "external-id").write_text("example-external-id\n")
    for path in (folder, folder / "external-id"):
        os.chown(path, uid, 0)
        path.chmod(0o500 if path.is_dir() else 0o400)


def bad_configuration_is_not_started_again(root):
    unit = root.unit()
    assert unit["Restart"] == "on-failure" and unit["RestartPreventExitStatus"] == "78"
    config = root.path / "etc/cloudtrail-exporter/config.yaml"
    kept = config.read_text()
    config.write_text("poll: { interval: 300 }\n")
    assert root.run(*unit["ExecStart"].split(), check=False).returncode == 78
    # What stands for a secret that is missing is refused, and never sent.
    default = (root.path / UNIT).read_text().split("SetCredential=external-id:")[1].split("\n")[0]
    (root.path / "tmp/external-id").write_text(default)
    config.write_text(
        "defaults: { external_id_file: /tmp/external-id }\naccounts: [{ id: '410000000001' }]\n"
    )
    refused = root.run(*unit["ExecStart"].split(), check=False)
    assert refused.returncode == 78 and "external_id" in refused.stderr, refused.stderr
    config.write_text(kept)


def upgraded(root, new, version):
    config = root.path / "etc/cloudtrail-exporter/config.yaml"
    before, user = config.read_text(), root.user()
    assert before, "it was changed before"
    root.install(new)
    assert config.read_text() == before, "an upgrade keeps a changed configuration"
    assert root.user() == user
    assert status(config) == (0, user[1], 0o640)
    assert version in root.run(NAME, "--version").stdout


def removed(root):
    root.remove()
    for path in (f"usr/bin/{NAME}", UNIT, f"usr/share/man/man1/{NAME}.1.gz"):
        assert not (root.path / path).exists(), path
    left = {path.name for path in (root.path / "etc/cloudtrail-exporter").glob("config*")}
    assert left, "a changed configuration is left"
    if root.kind == "deb":
        root.run("dpkg", "--purge", NAME)
        assert not (root.path / "etc/default/cloudtrail-exporter").exists()
    print(f"    {root.kind}: installed, started, upgraded, removed; left {sorted(left)}")


def main():
    kind, path, old, new, version, simulator = sys.argv[1:]
    root = Root(kind, pathlib.Path(path))
    root.install(pathlib.Path(old))
    installed(root)
    started(root, simulator)
    bad_configuration_is_not_started_again(root)
    upgraded(root, pathlib.Path(new), version)
    installed(root)
    removed(root)


if __name__ == "__main__":
    main()
