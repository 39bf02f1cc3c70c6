#!/usr/bin/env python3
"""Runs every query of the dashboards, variables filled in, against a Prometheus and tells what each panel gets.

    dashboards_data.py URL [--minutes 15] [--scrape-interval 30] [--all] [--slow SECONDS] [FILE.json...]

A panel that says what it shows when there is nothing (`noValue`) may be empty, unless --all is given: the demo fleet has something for every panel.
The Account dashboard is run for every account; a panel then has data if it has for one account. Exit 1: a panel empty that should not be, a query
refused, a variable without values, or one slower than --slow.
"""
import argparse
import collections
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
TIMEOUT_SECONDS = 60
STEPS = 240  # about what a panel of half a screen asks for


class Prometheus:
    """Asks one Prometheus."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, **parameters):
        """The data of an answer, and how long it took; an error says what Prometheus said."""
        body = urllib.parse.urlencode(parameters, doseq=True).encode()
        began = time.monotonic()
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1/{path}", body), timeout=TIMEOUT_SECONDS) as answer:
                data = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", str(error))) from error
        return data, time.monotonic() - began

    def label_values(self, label, selector):
        with urllib.request.urlopen(f"{self.url}/api/v1/label/{label}/values?{urllib.parse.urlencode({'match[]': selector})}", timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)["data"]


class Filled:
    """Fills variables as Grafana does."""

    def __init__(self, arguments, values):
        self.now, self.range = time.time(), arguments.minutes * 60
        self.step = max(self.range // STEPS, 1)
        rate = max(4 * arguments.scrape_interval, self.step + arguments.scrape_interval)
        self.values = {"__rate_interval": f"{rate}s", "__range": f"{self.range}s", "__interval": f"{self.step}s"} | values

    def __call__(self, expression):
        """An unknown variable is a fault of the dashboard; $1 is PromQL's own."""
        return re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda match: self.values[match.group(1)], expression)


Result = collections.namedtuple("Result", "series points seconds error")


def run(prometheus, filled, target):
    """What a query returns. NaN counts as nothing."""
    expression = filled(target["expr"])
    try:
        if target.get("instant"):
            data, seconds = prometheus.get("query", query=expression, time=filled.now)
            rows = [[each["value"]] for each in data["result"]]
        else:
            data, seconds = prometheus.get("query_range", query=expression, start=filled.now - filled.range, end=filled.now, step=filled.step)
            rows = [each["values"] for each in data["result"]]
    except ValueError as error:
        return Result(0, 0, 0.0, str(error))
    told = [[value for _, value in row if value != "NaN"] for row in rows]
    return Result(sum(map(bool, told)), sum(map(len, told)), seconds, "")


def fillings(prometheus, arguments, board):
    """One filling a board, one an account for a board with a single account; and the variables that have no values."""
    everything, empty, single = {}, [], None
    for variable in board["templating"]["list"]:
        everything[variable["name"]] = variable.get("allValue", ".+")
        if variable["type"] != "query":
            continue
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
        if single:
            everything[single[0]] = quoted(single[1][0]) if single[1] else ""
        values = prometheus.label_values(label, Filled(arguments, everything)(selector))
        empty += [] if values else [variable["name"]]
        single = single if variable["includeAll"] else (variable["name"], values)
    if single is None:
        return [Filled(arguments, everything)], empty
    return [Filled(arguments, everything | {single[0]: quoted(value)}) for value in single[1][: arguments.accounts]], empty


def quoted(value):
    """As Grafana writes a single value into a query: within quotes, no regular expression."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def panels(board):
    return [panel for panel in board["panels"] if panel.get("targets")]


def may_be_empty(panel):
    return "noValue" in panel["fieldConfig"]["defaults"]


def judge(panel, results, arguments):
    """What is wrong with a panel: results are {refId: [Result, one a filling]}."""
    errors = {each.error for runs in results.values() for each in runs if each.error}
    slow = [each.seconds for runs in results.values() for each in runs if each.seconds > arguments.slow]
    by_filling = [sum(each.series for each in runs) for runs in zip(*results.values())]
    if arguments.all:
        empty = not any(by_filling)
    else:
        empty = not may_be_empty(panel) and not all(by_filling)
    return [*errors, *(["EMPTY"] if empty else []), *([f"SLOW: {max(slow):.1f} s"] if slow else [])]


def line(panel, results, wrong):
    """A row of the report."""
    counts = ", ".join(f"{ref} {spread([each.series for each in runs])}" for ref, runs in results.items())
    slowest = max(each.seconds for runs in results.values() for each in runs)
    note = "; ".join(wrong) or ("may be empty" if may_be_empty(panel) else "")
    return f"  {panel['title']:34} {panel['type']:15} {slowest * 1000:6.0f} ms  {counts}  {note}"


def spread(counts):
    """One number, or the least and the most."""
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)}-{max(counts)}"


def report(prometheus, arguments, path):
    """Runs a dashboard; how much is wrong."""
    board = json.loads(path.read_text("utf-8"))
    filled, without = fillings(prometheus, arguments, board)
    print(f"{path.name}: {board['title']}" + (f", {len(filled)} accounts" if len(filled) > 1 else ""))
    print("\n".join(f"  variable {name}: no values" for name in without) + "\n" * bool(without), end="")
    faults = len(without)
    if not filled:
        return faults + 1
    for panel in panels(board):
        results = {target["refId"]: [run(prometheus, each, target) for each in filled] for target in panel["targets"]}
        wrong = judge(panel, results, arguments)
        faults += len(wrong)
        print(line(panel, results, wrong))
    for mark in board["annotations"]["list"]:
        found = run(prometheus, filled[0], {"expr": mark["expr"]})
        faults += bool(found.error)
        print(f"  annotation {mark['name']:23} {'':15} {found.seconds * 1000:6.0f} ms  {found.series}  {found.error or 'may be empty'}")
    return faults


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--scrape-interval", type=int, default=30)
    parser.add_argument("--accounts", type=int, default=50, help="at most so many accounts on the Account dashboard")
    parser.add_argument("--all", action="store_true", help="no panel may be empty")
    parser.add_argument("--slow", type=float, default=TIMEOUT_SECONDS)
    return parser.parse_intermixed_args(arguments)


def main(arguments):
    """Runs every dashboard; the exit code."""
    arguments = options(arguments)
    paths = arguments.files or sorted((ROOT / "dashboards").glob("*.json"))
    prometheus = Prometheus(arguments.url)
    faults = sum(report(prometheus, arguments, path) for path in paths)
    print(f"{faults} faults" if faults else "every panel that should has data")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
