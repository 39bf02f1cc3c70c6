"""Keeps an exporter and its sessions turning over, and sees whether anything grows: memory, descriptors, threads.

    make soak                                   200 accounts, sessions of 15 s, five minutes
    make soak SOAK="--minutes 50"               200 renewals of every role
    make soak SOAK="--session 3s --interval 1s --minutes 10"    as many, sooner

Fails if a descriptor or thread is left over, if memory grows by more than its bound, if an account is ever not compliant or polled too seldom, or if a role
had fewer sessions than end in that time. (That no task of the runtime is left over is for `tests/poller`.)
"""

import argparse
import json
import time

from common import WORK, Exporter, Simulator, config, world

KIB = 1 << 10
# The allocator settles in the first part of the run; what comes after counts.
SETTLED = 0.3
# Of memory per hour, fitted over the settled part. Ten accounts' worth a minute would be a leak; the noise of an allocator is less.
SLOPE = 4 << 20
# Descriptors and threads come and go with connections; their highest must not move.
SLACK = 4
# Of the polls that are due; the last round is not over, and a busy machine overruns a few.
ON_TIME = 0.95
UNITS = {"s": 1, "m": 60, "h": 3600}


def main(accounts, session, interval, minutes):
    aws = Simulator(world(accounts, f"session_length: {session}"))
    exporter = Exporter(config(aws.url, accounts, f"interval: {interval}, timeout: {interval}"))
    with aws, exporter:
        exporter.ready(60)
        samples = list(watched(exporter, minutes * 60))
        state = aws.state()
    sessions = [c["requests"] for c in state["counts"] if c["operation"] == "AssumeRole"]
    time_is_up = samples[-1]["at"]
    due = {"sessions": int(time_is_up / in_seconds(session)), "polls": accounts * time_is_up / in_seconds(interval)}
    judged = verdict(samples, min(sessions) if len(sessions) == accounts else 0, accounts, due)
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "soak.json").write_text(json.dumps({"samples": samples, **judged}, indent=1))
    print(json.dumps(judged, indent=1))
    raise SystemExit(0 if judged["good"] else 1)


def watched(exporter, seconds):
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        told = exporter.metrics()
        yield {
            "at": elapsed,
            "rss": exporter.rss(),
            "descriptors": exporter.descriptors(),
            "threads": exporter.threads(),
            "up": told["cloudtrail_account_up"],
            "polls": told["cloudtrail_exporter_polls_total"],
            "failures": told.get("cloudtrail_exporter_poll_failures_total", 0.0),
        }
        time.sleep(2)


def in_seconds(duration):
    return float(duration[:-1]) * UNITS[duration[-1]]


def verdict(samples, sessions, accounts, due):
    settled = samples[int(len(samples) * SETTLED) :]
    third = max(1, len(settled) // 3)
    first, last = settled[:third], settled[-third:]
    slope = fitted([(s["at"], s["rss"]) for s in settled]) * 3600
    grown = {key: max(s[key] for s in last) - max(s[key] for s in first) for key in ("descriptors", "threads")}
    up = min(s["up"] for s in samples)
    polls = samples[-1]["polls"] - samples[0]["polls"]
    kept = sessions >= due["sessions"] and polls >= ON_TIME * due["polls"]
    return {
        "minutes": samples[-1]["at"] / 60,
        "fewest sessions of a role, due": [sessions, due["sessions"]],
        "polls, due": [polls, due["polls"]],
        "polls that failed": samples[-1]["failures"],
        "fewest accounts up": up,
        "memory at the settled part's start and end, KiB": [first[0]["rss"] / KIB, last[-1]["rss"] / KIB],
        "memory slope, KiB an hour": slope / KIB,
        "descriptors, highest": [max(s["descriptors"] for s in part) for part in (first, last)],
        "threads, highest": [max(s["threads"] for s in part) for part in (first, last)],
        "good": slope <= SLOPE and max(grown.values()) <= SLACK and up == accounts and kept,
    }


def fitted(points):
    """The slope of the least squares' line."""
    n = len(points)
    x, y = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    spread = sum((p[0] - x) ** 2 for p in points)
    return sum((p[0] - x) * (p[1] - y) for p in points) / spread if spread else 0.0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--session", default="15s")
    parser.add_argument("--interval", default="4s")
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    main(given.accounts, given.session, given.interval, given.minutes)
