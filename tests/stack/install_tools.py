"""Part of install_pages.py: what stands in for programs that change a machine. Each call is written down, with what is wrong with it:
against the files of deploy/, the exporter's own command line, or the chart as Helm renders it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(os.environ.get("INSTALL_ROOT", "/nonexistent"))
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
EXPORTER = os.environ.get("INSTALL_EXPORTER", "")
PORT = os.environ.get("INSTALL_PORT", "")
VERSION = re.search(r'^version = "(.*)"', (REPOSITORY / "Cargo.toml").read_text(), re.M)[1]
IMAGE = f"ghcr.io/cloudtrail-exporter/cloudtrail-exporter:{VERSION}"
UNITS = {path.stem for path in (REPOSITORY / "deploy/systemd").iterdir()}
CONFIG_FILE = "/etc/cloudtrail-exporter/config.yaml"


def check(right, problem):
    if not right:
        raise AssertionError(problem)


def options(words, valued):
    """Options with their values, and what stands alone. `valued` are those that take a value in the next word."""
    found, alone, words = {}, [], list(words)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            alone.append(word)
        elif equals and name in valued:
            found.setdefault(name, []).append(value)
        elif word in valued:
            check(words, f"{word} has no value")
            found.setdefault(word, []).append(words.pop(0))
        else:
            found.setdefault(word, []).append(True)
    return found, alone


def known(found, flags, program):
    unknown = set(found) - set(flags)
    check(not unknown, f"{program} takes no {sorted(unknown)}")


def exporter(*words, config=None):
    """Starts the exporter here, for a page that starts it elsewhere. It ends with the page's shell."""
    command = [EXPORTER, *words] + ([f"--config.file={config}"] if config else [])
    log = open(ROOT / "exporter.log", "w")
    child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    (ROOT / "exporter.pid").write_text(str(child.pid))
    return child


def stop_exporter():
    file = ROOT / "exporter.pid"
    os.kill(int(file.read_text()), 15)
    file.unlink()


def curl(words):
    """The real requests to this machine; releases are what the release script makes, and are not fetched."""
    found, urls = options(words, {"--retry", "--retry-delay", "-O"})
    known(found, ["-s", "-fsSLO", "--retry", "--retry-connrefused", "--retry-delay"], "curl")
    url = urls[0]
    if url.startswith("https://"):
        base = f"https://github.com/cloudtrail-exporter/cloudtrail-exporter/releases/download/v{VERSION}/"
        check(url.startswith(base), f"{url} is no release of {VERSION}")
        names = (REPOSITORY / "deploy/release/release.sh").read_text()
        name = url.removeprefix(base)
        check(name == "SHA256SUMS" or name == f"cloudtrail-exporter_{VERSION}-1_amd64.deb", f"the release has no {name}")
        check("SHA256SUMS" in names, "the release script makes no SHA256SUMS")
        return pathlib.Path(name).write_text("")
    check(url.startswith("http://localhost:10065/"), f"{url} is not the exporter")
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url.replace(":10065", f":{PORT}"), timeout=10) as answer:
                return sys.stdout.write(answer.read().decode())
        except urllib.error.HTTPError as error:
            ready = url.endswith("/-/ready") and error.code == 503
            check(ready and time.monotonic() < deadline, f"{url}: {error.code}")
        except OSError as error:
            check("--retry" in found and time.monotonic() < deadline, f"{url}: {error}")
        time.sleep(0.2)


def docker(words):
    verb, rest = words[0], words[1:]
    if verb == "build":
        found, alone = options(rest, {"--file", "--tag"})
        known(found, ["--file", "--tag"], "docker build")
        check(found["--tag"] == [IMAGE], f"{found['--tag']} is not {IMAGE}")
        check(pathlib.Path(found["--file"][0]).is_file() and alone == ["."], f"docker build {rest}")
    elif verb == "run":
        valued = {"--name", "--publish", "--env", "--volume", "--cap-drop", "--user"}
        at = rest.index(IMAGE)
        found, _ = options(rest[:at], valued)
        known(found, [*valued, "--rm", "--detach", "--read-only"], "docker run")
        check(found["--publish"] == ["127.0.0.1:10065:10065"], "the port is published to this machine alone")
        check(set(found.get("--env", [])) <= {"AWS_PROFILE"}, f"{found}")
        mounts = dict(volume.split(":")[1::-1] for volume in found.get("--volume", []))
        command = rest[at + 1 :]
        # The image's own command names the file of this mount.
        check(bool(command) != (CONFIG_FILE in mounts), "either a command or the file of the image's command")
        exporter(*command, config=mounts.get(CONFIG_FILE))
    elif verb == "exec":
        check(rest[:2] == ["cloudtrail-exporter"] * 2, f"docker exec {rest}")
        done = subprocess.run([EXPORTER, *rest[2:], f"http://127.0.0.1:{PORT}"])
        check(done.returncode == 0, f"{rest[2:]} ended with {done.returncode}")
    else:
        check(verb == "rm" and rest == ["--force", "cloudtrail-exporter"], f"docker {words}")
        stop_exporter()


def chart_values(found):
    import helm_python as helm

    values = {}
    for path in found.get("--values", []):
        merge(values, helm.values_from_yaml(pathlib.Path(path).read_text()))
    for text in found.get("--set", []) + found.get("--set-string", []):
        merge(values, helm_set(text))
    return values


def helm_set(text):
    """One `--set`: a path, whose dots may be escaped, and a value."""
    path, _, value = text.partition("=")
    keys = [key.replace("\\.", ".") for key in re.split(r"(?<!\\)\.", path)]
    for key in reversed(keys):
        value = {key: value}
    return value


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def helm(words):
    """Renders the chart with the values of this release so far and those given; --reuse-values keeps the former."""
    import helm_python
    import yaml

    check(words.pop(0) == "upgrade", "helm upgrade")
    valued = {"--namespace", "--set", "--set-string", "--values"}
    found, alone = options(words, valued)
    known(found, [*valued, "--install", "--create-namespace", "--reuse-values"], "helm upgrade")
    check(found["--namespace"] == ["monitoring"], found)
    name, chart = alone
    kept = ROOT / "values.json"
    values = json.loads(kept.read_text()) if "--reuse-values" in found else {}
    merge(values, chart_values(found))
    kept.write_text(json.dumps(values))
    with helm_python.Chart.load(pathlib.Path(chart)) as loaded:
        rendered = loaded.render(values, name=name, namespace="monitoring", is_install=True)
    objects = [o for path, text in rendered.items() if path.endswith(".yaml") for o in yaml.safe_load_all(text) if o]
    (ROOT / "objects.json").write_text(json.dumps(objects))
    for config in (o for o in objects if o["kind"] == "ConfigMap" and "config.yaml" in o.get("data", {})):
        file = ROOT / "rendered.yaml"
        text = re.sub(r"external_id_file: .*", f"external_id_file: {pathlib.Path('external-id').resolve()}", config["data"]["config.yaml"])
        file.write_text(text)
        done = subprocess.run([EXPORTER, "--config.check", f"--config.file={file}"], capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)


def kubectl(words):
    """What is named is among the objects that Helm rendered."""
    found, alone = options(words, {"-n", "--from-file"})
    check(found["-n"] == ["monitoring"], f"kubectl {words}")
    objects = json.loads((ROOT / "objects.json").read_text())
    named = {f"{o['kind'].lower()}/{o['metadata']['name']}": o for o in objects}
    if alone[:2] == ["rollout", "status"]:
        check(alone[2] in named, f"{alone[2]} is not among {list(named)}")
    elif alone[0] == "port-forward":
        ports = named[alone[1]]["spec"]["ports"]
        local, remote = alone[2].split(":")
        check(int(remote) in [port["port"] for port in ports] and local == "10065", f"{alone}: {ports}")
        os.execv(EXPORTER, [EXPORTER])
    else:
        check(alone == ["create", "secret", "generic", "cloudtrail-exporter-external-id"], f"kubectl {words}")
        check(pathlib.Path(found["--from-file"][0]).is_file(), f"{found}")


def systemctl(words):
    found, alone = options(words, set())
    known(found, ["--no-pager"], "systemctl")
    verb, unit = alone
    check(verb in ("status", "restart", "reload", "enable") and unit in UNITS, f"systemctl {words}")
    if verb == "restart":
        file = ROOT / CONFIG_FILE.lstrip("/")
        credentials = "/run/credentials/cloudtrail-exporter.service"
        text = file.read_text()
        check(credentials in text, f"{file} does not name the credential: {text}")
        file.write_text(text.replace(credentials, str(ROOT / "etc/cloudtrail-exporter/secrets")))
        command = [EXPORTER, "--config.check", f"--config.file={file}"]
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)


def install(words):
    """Copies below a root of its own."""
    found, (source, target) = options(words, {"-m"})
    known(found, ["-m"], "install")
    check(target.startswith(f"{ROOT}/etc/cloudtrail-exporter/"), f"{target} is not below {CONFIG_FILE}")
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(int(found["-m"][0], 8))


def apt_get(words):
    check(words[:2] == ["install", "-y"], f"apt-get {words}")
    package = words[2]
    check(re.fullmatch(rf"\./cloudtrail-exporter_{re.escape(VERSION)}-1_amd64\.deb", package), package)
    check(pathlib.Path(package).exists(), f"{package} was not fetched")
    file = ROOT / CONFIG_FILE.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "deploy/package/config.yaml", file)
    exporter(config=str(file))


def cargo(words):
    check(words == ["install", "--locked", "--path", "."], f"cargo {words}")


def dpkg(words):
    check(words == ["--print-architecture"], f"dpkg {words}")
    print("amd64")


def sha256sum(words):
    check(words == ["--check", "--ignore-missing", "SHA256SUMS"], f"sha256sum {words}")
    check(pathlib.Path("SHA256SUMS").exists(), "SHA256SUMS was not fetched")


def promtool(words):
    real = [path for path in os.environ["PATH"].split(":")[1:] if os.access(f"{path}/promtool", os.X_OK)]
    check(real, "promtool is not installed")
    done = subprocess.run([f"{real[0]}/promtool", *words], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)


def main():
    name, words = sys.argv[1], sys.argv[2:]
    program = globals()[name.replace("-", "_")]
    outcome = {"program": name, "code": 0, "error": "", "args": list(words)}

    def write_down():
        with open(os.environ["INSTALL_RECORD"], "a") as record:
            record.write(json.dumps(outcome) + "\n")

    # This one becomes the exporter and never returns.
    if name == "kubectl" and "port-forward" in words:
        write_down()
        return program(words)
    try:
        program(words)
    except (AssertionError, KeyError, IndexError, ValueError, OSError, ImportError) as error:
        outcome |= {"code": 1, "error": f"{type(error).__name__}: {error}"}
    except Exception as error:  # Helm's own
        outcome |= {"code": 1, "error": f"{type(error).__name__}: {error}"}
    write_down()
    return outcome["code"]


if __name__ == "__main__":
    sys.exit(main())
