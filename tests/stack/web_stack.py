"""The web surface among its real peers: curl and Prometheus over TLS with client certificates and passwords, systemd's sockets and notifications, a
machine out of file descriptors, and a thousand reloads under load."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings

from stack import EXPORTER, Process, free_port, get, samples, wait_for

with warnings.catch_warnings():
    # Deprecated, but the only bcrypt that needs no package.
    warnings.simplefilter("ignore")
    import crypt

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}
RELOADS = 1000
# What an allocator keeps for itself; a leak of a kilobyte a reload would be over it.
GROWTH_KIB = 8 * 1024


def certificates(folder):
    """A CA, a server's and a client's certificate, made by openssl."""
    run = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test CA")
    for name, san in [("server", "IP:127.0.0.1"), ("client", "DNS:prometheus.example"), ("stranger", "DNS:other.example")]:
        run("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "ext").write_text(f"subjectAltName={san}\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", "-extfile", "ext")


def web_config(folder):
    password = crypt.crypt("s3cret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**5))
    file = folder / "web.yaml"
    file.write_text(f"""
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example]
basic_auth_users: {{ prometheus: {password} }}
""")
    return file


def curl(folder, url, *flags):
    """The status curl got, and its exit code."""
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *flags, url], cwd=folder, capture_output=True, text=True)
    shown = " ".join(["curl", *flags, url])
    print(f"    {done.stdout} (exit {done.returncode})  {shown}")
    return done.stdout, done.returncode


def tls_and_users(folder):
    certificates(folder)
    port, url = free_port(), None
    command = [EXPORTER, "demo", f"--web.listen-address=127.0.0.1:{port}", f"--web.config.file={web_config(folder)}"]
    url = f"https://127.0.0.1:{port}/metrics"
    ca, user = ["--cacert", "ca.crt"], ["-u", "prometheus:s3cret"]
    client = ["--cert", "client.crt", "--key", "client.key"]
    with Process("exporter", command):
        wait_for("it serves TLS", lambda: curl(folder, url, *ca, *client, *user)[0] == "200")
        assert curl(folder, url, *ca, *user)[1] != 0, "no client certificate, no connection"
        assert curl(folder, url, *ca, "--cert", "stranger.crt", "--key", "stranger.key", *user)[1] != 0, "a name that is not allowed"
        assert curl(folder, url, *client, *user)[1] == 60, "curl does not know the CA"
        assert curl(folder, url, *ca, *client)[0] == "401", "no password"
        assert curl(folder, url, *ca, *client, "-u", "prometheus:wrong")[0] == "401"
        assert curl(folder, url, *ca, *client, "-u", "nobody:s3cret")[0] == "401"
        assert curl(folder, url.replace("https", "http"))[0] == "400", "plain HTTP on a TLS port is told so, as Go does"
        prometheus(folder, port)


def prometheus(folder, port):
    job = lambda name, password: {
        "job_name": name,
        "scheme": "https",
        "scrape_interval": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        "tls_config": {"ca_file": "ca.crt", "cert_file": "client.crt", "key_file": "client.key"},
        "basic_auth": {"username": "prometheus", "password": password},
    }
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [job("right", "s3cret"), job("wrong", "guess")]}))
    own = free_port()
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{own}"]
    query = f"http://127.0.0.1:{own}/api/v1/query?query="
    series = lambda q: json.loads(get(query + q)[1] or "{}").get("data", {}).get("result", [])
    with Process("prometheus", command):
        up = lambda: {s["metric"]["job"]: s["value"][1] for s in (series("up") if get(f"http://127.0.0.1:{own}/-/ready")[0] == 200 else [])}
        wait_for("Prometheus scrapes with the right password only", lambda: up() == {"right": "1", "wrong": "0"})
        accounts = wait_for("series", lambda: series("count(cloudtrail_account_info)"))[0]["value"][1]
        print(f"    Prometheus: up {up()}, {accounts} accounts")
        assert accounts == "24"


def systemd(folder):
    """Socket activation and notifications, as systemd does them."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    # Where it is descriptor 3 already, dup2 would leave it closed on exec.
    listening.set_inheritable(True)
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(folder / "notify"))
    told.settimeout(20)
    env = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000", "LISTEN_FDS": "1"}
    script = f'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec {EXPORTER} demo --web.systemd-socket'
    child = subprocess.Popen(["sh", "-c", script], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             close_fds=False, preexec_fn=lambda: os.dup2(listening.fileno(), 3))
    try:
        words = lambda: told.recv(4096).decode()
        assert "READY=1" in words(), "ready"
        # From then on a hangup is a reload, and never the end.
        child.send_signal(signal.SIGHUP)
        hear = lambda word: next(said for said in iter(words, None) if word in said)
        assert "MONOTONIC_USEC=" in hear("RELOADING=1"), "a reload is told with its time"
        hear("READY=1")
        hear("WATCHDOG=1")
        assert get(f"http://127.0.0.1:{listening.getsockname()[1]}/-/healthy")[0] == 200, "the passed socket is served"
        child.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in words():
            pass
        assert child.wait(5) == 0
    finally:
        child.kill()
    print("    READY=1, RELOADING=1, WATCHDOG=1, STOPPING=1; the passed socket is served")


def cpu(pid):
    """Seconds of CPU a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def out_of_files(folder):
    """With no descriptor left it neither dies nor spins, and serves again as soon as some are free."""
    port = free_port()
    command = ["prlimit", "--nofile=48", EXPORTER, "demo", f"--web.listen-address=127.0.0.1:{port}"]
    with Process("exporter", command) as process:
        url = f"http://127.0.0.1:{port}/metrics"
        wait_for("it serves", lambda: get(url)[0] == 200)
        clients = []
        for number in range(60):
            client = socket.socket()
            client.bind((f"127.0.0.{2 + number % 4}", 0))
            client.connect(("127.0.0.1", port))
            clients.append(client)
        before, began = cpu(process.child.pid), time.monotonic()
        wait_for("three seconds", lambda: time.monotonic() - began > 3, 5)
        used = cpu(process.child.pid) - before
        for client in clients:
            client.close()
        wait_for("it serves again", lambda: get(url)[0] == 200)
        print(f"    {used:.2f} s of CPU in 3 s without descriptors, and serves again")
        assert used < 2, "it spins"
        assert process.child.poll() is None


def reloads(folder):
    """A thousand reloads while it is scraped: no scrape is cut, nothing leaks."""
    simulator_port = free_port()
    with Process("simulator", [EXPORTER.parent / "aws-simulator", "--listen", f"127.0.0.1:{simulator_port}"]):
        wait_for("the simulator", lambda: get(f"http://127.0.0.1:{simulator_port}/_simulator/state")[0] == 200)
        port, config = free_port(), folder / "config.yaml"
        account = lambda number: f'{{ id: "4100000000{number:02}", name: account-{number} }}'
        texts = [f"accounts: [{', '.join(account(n) for n in range(1, last))}]" for last in (11, 13)]
        config.write_text(texts[0])
        command = [EXPORTER, f"--config.file={config}", "--web.enable-lifecycle", f"--web.listen-address=127.0.0.1:{port}"]
        environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{simulator_port}"}
        with Process("exporter", command, environment) as process:
            url = f"http://127.0.0.1:{port}"
            wait_for("ready", lambda: get(f"{url}/-/ready")[0] == 200)
            answers, done = [], threading.Event()

            def scrape():
                while not done.is_set():
                    answers.append(get(f"{url}/metrics")[0])

            def reload(times):
                for number in range(times):
                    config.write_text(texts[number % 2])
                    if number % 5 == 0:
                        process.child.send_signal(signal.SIGHUP)
                    else:
                        assert get(f"{url}/-/reload", method="POST")[0] == 200

            measure = lambda: (rss(process.child.pid), len(os.listdir(f"/proc/{process.child.pid}/fd")))
            scraper = threading.Thread(target=scrape)
            scraper.start()
            try:
                reload(RELOADS // 5)
                before = measure()
                reload(RELOADS)
                after = measure()
            finally:
                done.set()
                scraper.join()
            config.write_text(texts[1])
            assert get(f"{url}/-/reload", method="POST")[0] == 200
            accounts = len([n for n, _, _ in samples(get(f"{url}/metrics")[1]) if n == "cloudtrail_account_info"])
            print(f"    {RELOADS} reloads, {len(answers)} scrapes; resident {before[0]} -> {after[0]} KiB, descriptors {before[1]} -> {after[1]}")
            assert set(answers) == {200}, f"a scrape was cut: {set(answers)}"
            assert accounts == 12, accounts
            assert after[0] - before[0] < GROWTH_KIB, "memory grows"
            assert abs(after[1] - before[1]) < 10, "descriptors leak"


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def main():
    passed = 0
    for test in (tls_and_users, systemd, out_of_files, reloads):
        print(f"{test.__name__}: {test.__doc__ or 'TLS, client certificates, passwords'}")
        with tempfile.TemporaryDirectory() as folder:
            test(pathlib.Path(folder))
        passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
