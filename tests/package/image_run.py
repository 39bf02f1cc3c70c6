"""Runs what is in the image: as its user, without capabilities, on a read-only root, alone in
namespaces of its own. image.sh starts it in an empty network namespace.

    image_run.py ROOT SIMULATOR
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "stack")]
from stack import free_port, get, samples, wait_for

USER = 65532
ENTRYPOINT = "/usr/bin/cloudtrail-exporter"
URL = "http://127.0.0.1:10065"
FILES = {
    "etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/certs/ca-certificates.crt",
    "usr/bin/cloudtrail-exporter", "usr/share/doc/cloudtrail-exporter/LICENSE",
}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}
ENV = {"HOME": "/home/cloudtrail-exporter", "PATH": "/usr/bin", "AWS_EC2_METADATA_DISABLED": "true"}

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24


def enter(root, files, *command):
    """What a container runtime does: mounts, a read-only root, no capability, the user."""
    mount = lambda *words: subprocess.run(["mount", *words], check=True)
    mount("--bind", root, root)
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("--bind", "/dev", f"{root}/dev")
    for name in ("resolv.conf", "hosts"):
        pathlib.Path(root, "etc", name).touch()
        mount("--bind", f"{files}/{name}", f"{root}/etc/{name}")
    mount("--bind", files, f"{root}/etc/cloudtrail-exporter")
    mount("-o", "remount,ro,bind", root)
    libc = ctypes.CDLL(None)
    last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
    os.chroot(root)
    os.chdir("/")
    for capability in range(last + 1):
        assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    os.execve(command[0], command, {**os.environ, "PATH": "/usr/bin"})


class Image:
    """The image's root, and the files that are mounted into it."""

    def __init__(self, root, files):
        self.root, self.files = root, files
        files.chmod(0o755)
        (files / "hosts").write_text("127.0.0.1 localhost hosts.test\n")
        (files / "resolv.conf").write_text("nameserver 127.0.0.1\n")

    def start(self, *arguments, env=None):
        spaces = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        inside = [sys.executable, __file__, "--enter", self.root, self.files, ENTRYPOINT]
        return subprocess.Popen(
            [*spaces, *inside, *arguments], env={**ENV, **(env or {}), "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )

    def run(self, *arguments):
        process = self.start(*arguments)
        text, _ = process.communicate(timeout=60)
        return process.returncode, text


def child_of(process):
    """The process itself, below unshare."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait_for("a child", lambda: children.read_text().split())[0])


def end(process):
    """SIGTERM, as a runtime sends it; the exporter is process 1 of its namespace."""
    began = time.monotonic()
    os.kill(child_of(process), signal.SIGTERM)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 0, f"{process.returncode}: {text[-2000:]}"
    return time.monotonic() - began


def files_are_these(image):
    found = {str(p.relative_to(image.root)) for p in image.root.rglob("*") if p.is_file()}
    assert found == FILES, found ^ FILES
    for path in image.root.rglob("*"):
        status = path.lstat()
        assert (status.st_uid, status.st_gid) == (0, 0), f"{path} is not root's"
        assert not status.st_mode & 0o7022, f"{path}: {status.st_mode:o}"


def program_is_static(image):
    program = image.root / ENTRYPOINT[1:]
    shown = subprocess.run(["readelf", "-lW", program], capture_output=True, text=True, check=True)
    assert "INTERP" not in shown.stdout, "it asks for a dynamic loader"
    needed = subprocess.run(["readelf", "-dW", program], capture_output=True, text=True, check=True)
    assert "NEEDED" not in needed.stdout
    print(f"    {program.stat().st_size / 1e6:.1f} MB, static")


def demo_is_healthy_until_sigterm(image):
    assert image.run("healthcheck")[0] != 0, "nothing runs yet"
    began = time.monotonic()
    process = image.start("demo")
    wait_for("healthy", lambda: get(f"{URL}/-/healthy")[0] == 200, every=0.01)
    print(f"    the demo is healthy after {time.monotonic() - began:.2f} s")
    assert image.run("healthcheck")[0] == 0
    wait_for("ready", lambda: get(f"{URL}/-/ready")[0] == 200)
    status = pathlib.Path(f"/proc/{child_of(process)}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["Uid"].split() == [str(USER)] * 4
    assert {fields[f"Cap{kind}"].strip(" \t0") for kind in ("Eff", "Prm", "Bnd", "Inh")} == {""}
    assert fields["NoNewPrivs"].strip() == "1"
    metrics = samples(get(f"{URL}/metrics")[1])
    assert sum(name == "cloudtrail_account_info" for name, *_ in metrics) == 24
    started = [value for name, _, value in metrics if name == "process_start_time_seconds"]
    assert abs(float(started[0]) - time.time()) < 600
    print(f"    ended {end(process):.2f} s after SIGTERM")


def bad_configuration_is_refused(image):
    (image.files / "config.yaml").write_text("poll: { interval: 300 }\n")
    code, text = image.run("--config.file=/etc/cloudtrail-exporter/config.yaml")
    assert code == 78 and "poll.interval" in text, f"{code}: {text}"


def names_are_looked_up(image, simulator):
    """The simulator is reached by a name of the DNS server, and by one of /etc/hosts."""
    port = free_port()
    dns = ["dnsmasq", "--keep-in-foreground", "--no-hosts", "--no-resolv", "--user=root",
           "--pid-file", "--bind-interfaces", "--listen-address=127.0.0.1", "--address=/aws.test/127.0.0.1"]
    servers = [dns, [simulator, "--listen", f"127.0.0.1:{port}"]]
    running = [subprocess.Popen(each, stdout=subprocess.DEVNULL) for each in servers]
    try:
        state = f"http://127.0.0.1:{port}/_simulator/state"
        wait_for("the simulator", lambda: get(state)[0] == 200)
        for name in ("aws.test", "hosts.test"):
            polled_through(image, f"http://{name}:{port}")
    finally:
        for each in running:
            each.kill()


def polled_through(image, endpoint):
    (image.files / "config.yaml").write_text(
        f"aws: {{ endpoint_url: '{endpoint}' }}\naccounts: [{{ id: '410000000001', name: one }}]\n"
    )
    process = image.start("--config.file=/etc/cloudtrail-exporter/config.yaml", env=KEYS)
    try:
        wait_for("ready", lambda: get(f"{URL}/-/ready")[0] == 200)
        metrics = samples(get(f"{URL}/metrics")[1])
        up = [value for name, _, value in metrics if name == "cloudtrail_account_up"]
        assert [float(value) for value in up] == [1], f"{endpoint}: {up}"
        print(f"    polled {endpoint}")
        end(process)
    finally:
        process.kill()


def main():
    if sys.argv[1] == "--enter":
        enter(*sys.argv[2:])
    root, simulator = pathlib.Path(sys.argv[1]), sys.argv[2]
    files_are_these(Image(root, pathlib.Path(tempfile.mkdtemp())))
    # A runtime makes the mount points that an image does not have.
    for name in ("proc", "dev"):
        (root / name).mkdir()
    with tempfile.TemporaryDirectory() as folder:
        image = Image(root, pathlib.Path(folder))
        program_is_static(image)
        code, version = image.run("--version")
        assert code == 0
        print(f"    {version.strip()}")
        demo_is_healthy_until_sigterm(image)
        bad_configuration_is_refused(image)
        names_are_looked_up(image, simulator)


if __name__ == "__main__":
    main()
