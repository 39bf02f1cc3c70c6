"""Measures two builds of the exporter side by side, in one run against one simulated AWS.

    make compare BEFORE=path/to/another/cloudtrail-exporter

Prints, for each round and as medians: CPU of a poll, CPU of a scrape (identity and gzip), resident
memory, and the ratio after/before. Both processes run at the same time, so that whatever else the
machine does meets them alike.
"""

import pathlib
import sys
import time

import common
from common import Exporter, Simulator, median, world

ACCOUNTS = 2_000
INTERVAL = 10
ROUNDS = 5
SCRAPES = 10
MIB = 1 << 20


class Side:
    """One of the two builds, polling."""

    def __init__(self, binary, url):
        common.EXPORTER = pathlib.Path(binary).resolve()
        poll = f"interval: {INTERVAL}s, timeout: {INTERVAL}s"
        self.exporter = Exporter(common.config(url, ACCOUNTS, poll))

    def start(self):
        self.polled, self.cpu = self.exporter.polls(), self.exporter.cpu()

    def per_poll(self):
        cpu = self.exporter.cpu() - self.cpu
        return cpu / (self.exporter.polls() - self.polled)

    def per_scrape(self, packed):
        """CPU of a scrape, less what the polls meanwhile cost."""
        polled, cpu = self.exporter.polls(), self.exporter.cpu()
        for _ in range(SCRAPES):
            self.exporter.scrape(packed)
        cpu = self.exporter.cpu() - cpu
        polls = self.exporter.polls() - polled
        return max(cpu - polls * self.poll, 0) / SCRAPES


def measure(sides):
    """One round: a poll first, since a scrape's cost is what is left beside it."""
    for side in sides:
        side.start()
    time.sleep(2 * INTERVAL)
    rounds = []
    for side in sides:
        side.poll = side.per_poll()
    for side in sides:
        identity, packed = side.per_scrape(False), side.per_scrape(True)
        rounds.append({
            "poll, ms": side.poll * 1e3,
            "scrape, ms": identity * 1e3,
            "gzip scrape, ms": packed * 1e3,
            "resident, MiB": side.exporter.rss() / MIB,
        })
    return rounds


def main(before, after):
    with Simulator(world(ACCOUNTS)) as aws:
        sides = [Side(binary, aws.url) for binary in (before, after)]
        try:
            for side in sides:
                side.exporter.ready(180)
            time.sleep(INTERVAL)
            rounds = [measure(sides) for _ in range(ROUNDS)]
        finally:
            for side in sides:
                side.exporter.__exit__()
    print(f"{ACCOUNTS:,} accounts, {ROUNDS} rounds, medians")
    print("| what | before | after | after / before, each round |")
    print("|---|---|---|---|")
    for what in rounds[0][0]:
        values = [[one[side][what] for one in rounds] for side in (0, 1)]
        ratios = sorted(after / before for before, after in zip(*values))
        spread = f"{median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        print(f"| {what} | {median(values[0]):.3f} | {median(values[1]):.3f} | {spread} |")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else common.EXPORTER)
