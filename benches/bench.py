"""Measures the exporter beside its peers and prints one table: what, goal, measured, peer, ratio.

    make bench                          everything, in about ten minutes
    python benches/bench.py polls curve only these parts

Every ratio is between two measurements of the same run, since a machine is never twice the same. CPU is what the kernel charged each process; the
simulator is a process of its own and its CPU is told too. All figures go to target/bench/results.json, the curve also to docs/scale.svg.
"""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import threading
import time

import common
import plot
from common import LATENCY, Exporter, Process, Simulator, fleet, get, median, world

FLEET = 10_000
CURVE = [100, 300, 1_000, 3_000, 10_000, 20_000, 50_000]
MEMORY = [1_000, 5_000, 10_000, 20_000]
CALLS = 3
MIB, KIB = 1 << 20, 1 << 10

results = {}
rows = []


def row(what, goal, measured, peer="", ratio="", met=None):
    rows.append((what, goal, measured, peer, ratio, {None: "", True: "yes", False: "NO"}[met]))
    print("  " + " | ".join(cell for cell in rows[-1] if cell), flush=True)


def times(ours, peer):
    """How `ours` relates to `peer`, as people say it."""
    return f"1/{peer / ours:.1f}" if ours < peer else f"{ours / peer:.2f} x"


def per_poll(sweeps, accounts, key="cpu"):
    return median([sweep[key] for sweep in sweeps]) / accounts


def boto(design, url, accounts, sweeps):
    command = [sys.executable, pathlib.Path(__file__).with_name("boto.py"), design, url, accounts, sweeps]
    done = subprocess.run([str(c) for c in command], env=common.environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def polls():
    """CPU of a poll, by who makes it. The contestants take turns."""
    accounts, few, fewer, rounds = 2_000, 300, 60, 3
    with Simulator(world(accounts)) as aws:
        ours, raw, clients = [], [], []
        for _ in range(rounds):
            ours.append(fleet("ours", aws.url, accounts, 64, 4)["sweeps"])
            raw.append(fleet("raw", aws.url, accounts, 64, 4)["sweeps"])
            clients.append(boto("clients", aws.url, few, 3))
        sessions = boto("sessions", aws.url, fewer, 1)
        daemon = paced(aws.url, accounts)
    warm = {
        "ours": per_poll([s for run in ours for s in run[1:]], accounts),
        "raw": per_poll([s for run in raw for s in run[1:]], accounts),
        "boto3_clients": per_poll([s for run in clients for s in run[1:]], few),
        "boto3_sessions": per_poll(sessions, fewer),
        "daemon_paced": daemon,
    }
    cold = {"ours": per_poll([run[0] for run in ours], accounts), "raw": per_poll([run[0] for run in raw], accounts)}
    results["polls"] = {"warm": warm, "cold": cold}
    mine, text = warm["ours"], f"{warm['ours'] * 1e3:.3f} ms"
    for what, peer, goal, said in [
        ("boto3, one Session, a client per account, 32 threads", "boto3_clients", 1 / 6, "<= 1/6"),
        ("boto3, a Session per poll", "boto3_sessions", 1 / 150, "<= 1/150"),
        ("raw hyper + SigV4", "raw", 3, "<= 3 x"),
    ]:
        ratio = mine / warm[peer]
        row(f"CPU of a warm poll, beside {what}", said, text, f"{warm[peer] * 1e3:.3f} ms", times(mine, warm[peer]), ratio <= goal)
    row("the same, the daemon at its own pace (200 polls/s)", "", f"{daemon * 1e3:.3f} ms", text, times(daemon, mine))
    row("CPU of a cold poll (AssumeRole too)", "", f"{cold['ours'] * 1e3:.3f} ms", f"raw: {cold['raw'] * 1e3:.3f} ms", times(cold["ours"], cold["raw"]))


def paced(url, accounts):
    """CPU per poll of the program itself, with its ticks, rate limits, publisher and server."""
    with Exporter(common.config(url, accounts, "interval: 10s, timeout: 10s")) as exporter:
        exporter.ready(120)
        time.sleep(10)
        polled, cpu = exporter.polls(), exporter.cpu()
        time.sleep(20)
        cpu = exporter.cpu() - cpu
        return cpu / (exporter.polls() - polled)


def sweep():
    """A whole fleet at once."""
    with Simulator(world(FLEET)) as aws:
        before = aws.cpu()
        run = fleet("ours", aws.url, FLEET, 256, 3)
        theirs = aws.cpu() - before
    warm = min(run["sweeps"][1:], key=lambda s: s["wall"])
    floor = FLEET * CALLS * LATENCY / 256
    share = warm["cpu"] / warm["wall"]
    results["sweep"] = {"run": run, "floor": floor, "simulator_cpu": theirs}
    met = warm["wall"] <= 1.1 * floor or share >= 0.9
    said = f"{warm['wall']:.2f} s, {share:.0%} of one core"
    row(f"a warm sweep of {FLEET:,} accounts, 256 at once", "within 10 %, or CPU-bound", said, f"floor: {floor:.2f} s", f"{warm['wall'] / floor:.2f} x", met)
    row("the simulator meanwhile", "", f"{theirs / 3:.2f} CPU-s a sweep", f"ours: {warm['cpu']:.2f} CPU-s", times(theirs / 3, warm["cpu"]))
    publish(run)


def publish(run):
    half, most = run["publish_median"], run["publish_p99"]
    row(f"publishing one account while {FLEET:,} are held", "< 50 µs", f"{half * 1e6:.1f} µs", f"1 in 100: {most * 1e6:.1f} µs", "", half < 50e-6)
    scrape = run["scrape"]
    results["render"] = scrape
    ours, peer = (scrape["series"] / scrape[key] for key in ("identity", "text_encoder"))
    said = f"prometheus crate: {peer / 1e6:.2f} million"
    row("series written per second of CPU", ">= 15 million", f"{ours / 1e6:.1f} million", said, f"{ours / peer:.0f} x", ours >= 15e6)
    ratio = scrape["identity"] / scrape["copy"]
    row("rendering, beside copying the same bytes", "< 3 x", f"{scrape['identity'] * 1e3:.1f} ms", f"{scrape['copy'] * 1e3:.1f} ms", f"{ratio:.2f} x", ratio < 3)


def memory():
    """Several fleets side by side, since AssumeRole at 100 a second is what takes the time; then scrapes of the fleet of ten thousand."""
    with Simulator(world(max(MEMORY))) as aws:
        exporters = {n: Exporter(common.config(aws.url, n)) for n in MEMORY}
        try:
            for n in MEMORY:
                exporters[n].ready(60 + n / 20)
            rss = {n: polled_and_scraped(exporters[n]) for n in MEMORY}
            per_account = [(rss[b] - rss[a]) / (b - a) for a, b in zip(MEMORY, MEMORY[1:])]
            peak = exporters[FLEET].peak()
            results["memory"] = {"rss": rss, "per_account": per_account, "peak": peak}
            row(f"resident memory, {FLEET:,} accounts, during scrapes", "<= 80 MiB", f"{rss[FLEET] / MIB:.1f} MiB", f"highest ever: {peak / MIB:.1f} MiB", "", rss[FLEET] <= 80 * MIB)
            each = (rss[MEMORY[-1]] - rss[MEMORY[0]]) / (MEMORY[-1] - MEMORY[0])
            row(f"the same per account, from {MEMORY[0]:,} to {MEMORY[-1]:,}", "<= 6 KiB", f"{each / KIB:.2f} KiB", "boto3: 356 KB", times(each, 356e3), each <= 6 * KIB)
            steps = ", ".join(f"{p / KIB:.2f}" for p in per_account)
            even = max(per_account) <= 1.5 * min(per_account)
            row(f"the same, step by step: {', '.join(f'{n:,}' for n in MEMORY)}", "linear", f"{steps} KiB", "", "", even)
            scrapes(exporters[FLEET])
        finally:
            for exporter in exporters.values():
                exporter.__exit__()


def polled_and_scraped(exporter):
    """The highest resident memory while it is scraped, by several at once and both ways."""
    highest, scraping = exporter.rss(), True

    def scrape():
        for packed in (False, True, False, True):
            exporter.scrape(packed)

    threads = [threading.Thread(target=scrape) for _ in range(2)]
    for thread in threads:
        thread.start()
    while scraping:
        highest = max(highest, exporter.rss())
        scraping = any(thread.is_alive() for thread in threads)
        time.sleep(0.01)
    return highest


def scrapes(exporter):
    """CPU of a scrape over a socket, ours and the Pushgateway's with the same series."""
    ours = {packed: scraped(exporter, lambda: exporter.scrape(packed)[0]) for packed in (False, True)}
    text = exporter.scrape()[0]
    results["scrapes"] = {"ours": ours}
    pushed = b"".join(line + b"\n" for line in text.split(b"\n") if is_ours(line))
    with gateway() as (process, address):
        status, body = get(address, "/metrics/job/bench", "PUT", pushed)
        assert status == 200, body
        theirs = {packed: scraped(process, lambda: scrape_of(address, packed)) for packed in (False, True)}
    results["scrapes"]["pushgateway"] = theirs
    with held(text) as (process, address):
        copied = scraped(process, lambda: scrape_of(address, False))
    results["scrapes"]["held"] = copied
    for packed, goal, name in [(False, 1 / 10, "identity"), (True, 1 / 7, "gzip")]:
        mine, peer = ours[packed]["cpu"], theirs[packed]["cpu"]
        what = f"CPU of a scrape of {FLEET:,} accounts, {name}"
        said = f"{mine * 1e3:.0f} ms ({ours[packed]['bytes'] / 1e6:.1f} MB in {ours[packed]['wall'] * 1e3:.0f} ms)"
        other = f"client_golang: {peer * 1e3:.0f} ms ({theirs[packed]['bytes'] / 1e6:.1f} MB in {theirs[packed]['wall'] * 1e3:.0f} ms)"
        row(what, f"<= 1/{1 / goal:.0f}", said, other, times(mine, peer), mine / peer <= goal)


    mine, peer = ours[False]["cpu"], copied["cpu"]
    row("the same, identity, beside the bytes held ready, copied and sent", "< 3 x", f"{mine * 1e3:.0f} ms", f"{peer * 1e3:.0f} ms", times(mine, peer), mine < 3 * peer)


def scraped(process, scrape, times=7):
    """The mean CPU of a scrape, its median time and its size."""
    scrape()
    cpu, walls = process.cpu(), []
    for _ in range(times):
        began = time.perf_counter()
        size = len(scrape())
        walls.append(time.perf_counter() - began)
    return {"cpu": (process.cpu() - cpu) / times, "wall": median(walls), "bytes": size}


def scrape_of(address, packed):
    status, body = get(address, "/metrics", packed=packed)
    assert status == 200, body
    return body


def is_ours(line):
    """The gateway has its own `process_` and may not be told them."""
    return line.removeprefix(b"# HELP ").removeprefix(b"# TYPE ").startswith(b"cloudtrail_")


class gateway(Process):
    """The Pushgateway of Debian: client_golang holding whatever series it is told."""

    def __init__(self):
        folder = common.WORK / "pushgateway"
        program = folder / "usr/bin/prometheus-pushgateway"
        if not program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", "-qq", "prometheus-pushgateway"], cwd=folder, check=True)
            subprocess.run(["dpkg", "-x", *folder.glob("*.deb"), folder], check=True)
        self.address = f"127.0.0.1:{common.free_port()}"
        super().__init__([program, f"--web.listen-address={self.address}", "--log.level=error"], stderr=subprocess.DEVNULL)
        common.until("the Pushgateway listens", 30, lambda: common.connects(self.address))

    def __enter__(self):
        return self, self.address


class held(Process):
    """Serves these bytes, which it holds: what is left of a scrape without the rendering."""

    def __init__(self, text):
        path = common.WORK / "held"
        path.write_bytes(text)
        super().__init__([common.FLEET, "held", path], stdout=subprocess.PIPE, text=True)
        self.address = self.child.stdout.readline().strip().removeprefix("http://")

    def __enter__(self):
        return self, self.address


def start():
    """From exec to the first scrape, without an account to poll; and the size of the program."""
    text = "discovery: { organizations: { enabled: true } }\naws: { endpoint_url: 'http://127.0.0.1:1' }\n"
    path = common.WORK / "empty.yaml"
    common.WORK.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    took = sorted(first_scrape(path) for _ in range(21))
    size = common.EXPORTER.stat().st_size
    results["start"] = {"seconds": took, "bytes": size}
    half = took[len(took) // 2]
    row("from exec to the first /metrics, no accounts", "< 50 ms", f"{half * 1e3:.1f} ms", f"of 21: {took[0] * 1e3:.1f} to {took[-1] * 1e3:.1f} ms", "", half < 0.05)
    row("the program, stripped", "<= 16 MB", f"{size / 1e6:.1f} MB", "", "", size <= 16e6)


def first_scrape(path):
    address = f"127.0.0.1:{common.free_port()}"
    began = time.perf_counter()
    with Process([common.EXPORTER, f"--config.file={path}", f"--web.listen-address={address}"], stderr=subprocess.DEVNULL):
        while True:
            try:
                status, _ = get(address, "/metrics")
                assert status == 200
                return time.perf_counter() - began
            except ConnectionError:
                time.sleep(0.0005)


def curve():
    """The cost of an account, from a hundred to fifty thousand."""
    points = []
    for accounts in CURVE:
        with Simulator(world(accounts)) as aws:
            # The small ones again and again, since the kernel counts CPU coarsely.
            run = fleet("ours", aws.url, accounts, 256, 2 if accounts > 3_000 else 6)
        sweeps, scrape = run["sweeps"], run["scrape"]
        points.append({
            "accounts": accounts,
            "cold_ms": sweeps[0]["cpu"] / accounts * 1e3,
            "warm_ms": per_poll(sweeps[1:], accounts) * 1e3,
            "memory_kib": (sweeps[-1]["rss"] - run["bare"]) / accounts / KIB,
            "memory_mib": sweeps[-1]["rss"] / MIB,
            "scrape_us": scrape["identity"] / accounts * 1e6,
            "gzip_us": scrape["gzip"] / accounts * 1e6,
            "publish_us": run["publish_median"] * 1e6,
        })
        print("  " + ", ".join(f"{key} {value:,.3g}" if key != "accounts" else f"{value:,} accounts" for key, value in points[-1].items()), flush=True)
    results["curve"] = points
    large = [p["warm_ms"] for p in points if p["accounts"] >= 1_000]
    spread = max(large) / min(large)
    row(f"CPU of a warm poll, {1_000:,} to {CURVE[-1]:,} accounts", "linear", f"{min(large):.3f} to {max(large):.3f} ms", "", f"{spread:.2f} x", spread <= 1.5)


PARTS = {"polls": polls, "sweep": sweep, "start": start, "memory": memory, "curve": curve}


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, load {os.getloadavg()[0]:.1f}"


def table():
    head = ("what", "goal", "measured", "peer", "ratio", "met")
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    for line in [head, tuple("-" * w for w in widths), *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def main(parts):
    results["date"], results["machine"] = datetime.date.today().isoformat(), machine()
    began = time.monotonic()
    for part in parts or PARTS:
        print(f"--- {part}", flush=True)
        PARTS[part]()
    results["rows"] = rows
    common.WORK.mkdir(parents=True, exist_ok=True)
    (common.WORK / "results.json").write_text(json.dumps(results, indent=1))
    if "curve" in results:
        plot.draw(results["curve"], common.ROOT / "docs/scale.svg")
    print(f"\n{results['date']}, {results['machine']}, {time.monotonic() - began:.0f} s\n")
    table()


if __name__ == "__main__":
    main(sys.argv[1:])
