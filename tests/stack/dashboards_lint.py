#!/usr/bin/env python3
"""Holds the dashboards to the 17 rules of grafana/dashboard-linter, written after their published descriptions, and the files to their source.

    dashboards_lint.py [FILE.json...]   default: dashboards/*.json; exit 1 if a rule is broken
    dashboards_lint.py --selftest       breaks a good dashboard in one way per rule and demands that this rule says so

Needs promtool for the syntax of PromQL; nothing else beyond Python.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
TARGET_LABELS = ("job", "instance")
DESCRIBED = ("stat", "gauge", "timeseries", "table")
# The units of Grafana that these dashboards use; another one has to be looked up and added.
UNITS = {"short", "none", "locale", "string", "percent", "percentunit", "s", "m", "h", "bytes", "reqps", "ops"}
DURATIONS = {"$__rate_interval": "7m7s", "$__range": "1h1s", "$__interval": "1m1s"}
RATE_INTERVAL = DURATIONS["$__rate_interval"]
RATES = ("rate", "irate")
WORDS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}
LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
TOKEN = re.compile(r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_:][\w:]*)|(?P<other>=~|!~|!=|==|\S)""")


# --- PromQL ------------------------------------------------------------------------------------------------------------------------------------


def filled(expression):
    """With durations for Grafana's variables; those in strings stay, for the rules are about them."""
    for name, duration in DURATIONS.items():
        expression = expression.replace(name, duration)
    return expression


class Selector:
    """A metric, its matchers {label: (operator, value)}, its range, and the functions around it."""

    def __init__(self, metric, functions):
        self.metric, self.functions, self.matchers, self.range = metric, functions, {}, None


def closing(tokens, start, opening, ending):
    """Where the bracket at `start` closes."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at] == opening) - (tokens[at] == ending)
        if depth == 0:
            return at
    return len(tokens) - 1


def read_selector(tokens, at, functions):
    """The selector that begins at `at`, and where it ends."""
    selector = Selector(tokens[at], functions)
    if tokens[at + 1 : at + 2] == ["{"]:
        end = closing(tokens, at + 1, "{", "}")
        for i in range(at + 2, end):
            if tokens[i] in ("=", "=~", "!=", "!~"):
                selector.matchers[tokens[i - 1]] = (tokens[i], tokens[i + 1][1:-1])
        at = end
    if tokens[at + 1 : at + 2] == ["["]:
        end = closing(tokens, at + 1, "[", "]")
        selector.range = "".join(tokens[at + 2 : end])
        at = end
    return selector, at


def selectors(expression):
    """Every selector of a query."""
    tokens = [match.group() for match in TOKEN.finditer(filled(expression))]
    found, calls, at = [], [], 0
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        if token == "(":
            calls.append(tokens[at - 1] if at and re.match(r"[A-Za-z_]", tokens[at - 1]) else "")
        elif token == ")":
            calls = calls[:-1]
        elif token.lower() in LABEL_LISTS and following == "(":
            at = closing(tokens, at + 1, "(", ")")
        elif re.match(r"[A-Za-z_:]", token) and token.lower() not in WORDS | LABEL_LISTS and following not in ("(", "by", "without"):
            selector, at = read_selector(tokens, at, list(calls))
            found.append(selector)
        at += 1
    return found


def syntax_errors(expressions):
    """What Prometheus' own parser says: {expression: error}."""
    rules = [{"record": f"q{i}", "expr": filled(expression)} for i, expression in enumerate(expressions)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rules.json")
        pathlib.Path(path).write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}), "utf-8")
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", path], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    named = {expressions[int(i)]: error for i, error in re.findall(r'"q(\d+)"[^:]*: (.*)', said)}
    return named if named or done.returncode == 0 else {expressions[0]: said.strip()}


# --- Reading a dashboard -----------------------------------------------------------------------------------------------------------------------


def variables(board, kind=None):
    return [each for each in board.get("templating", {}).get("list", []) if kind in (None, each.get("type"))]


def panels(board):
    """Panels that show something: rows are opened."""
    for panel in board.get("panels", []):
        yield from (panel.get("panels", []) if panel.get("type") == "row" else [panel])


def targets(board):
    """(panel, target) of each query."""
    return [(panel, target) for panel in panels(board) for target in panel.get("targets", [])]


def where(panel, target=None):
    return f"panel '{panel.get('title', '?')}'" + (f" {target.get('refId')}" if target else "")


def templated(datasource):
    return (datasource or {}).get("uid") == "${datasource}"


def variable_selector(variable):
    """The selector inside label_values(selector, label), None if the query is something else."""
    query = variable["query"]["query"] if isinstance(variable.get("query"), dict) else variable.get("query", "")
    match = re.fullmatch(r"label_values\((.+),\s*\w+\)", query)
    return match and match.group(1)


# --- The rules: each yields what is wrong -------------------------------------------------------------------------------------------------------


def template_datasource(board):
    found = variables(board, "datasource")
    if len(found) != 1:
        yield f"{len(found)} data source variables, wanted 1"
    for each in found:
        if each.get("name") not in ("datasource", "prometheus_datasource") or each.get("label") not in ("Data source", "Prometheus data source") or each.get("query") != "prometheus":
            yield f"data source variable is {each.get('name')!r}, {each.get('label')!r}, {each.get('query')!r}"


def template_label(label):
    def rule(board):
        found = [each for each in variables(board) if each.get("name") == label]
        if len(found) != 1:
            yield f"no variable {label}"
        wanted = {"type": "query", "label": label.capitalize(), "multi": True, "includeAll": True, "allValue": ".+"}
        for each in found:
            yield from (f"variable {label}: {key} is {each.get(key)!r}, wanted {value!r}" for key, value in wanted.items() if each.get(key) != value)
            if not templated(each.get("datasource")):
                yield f"variable {label} does not use the data source variable"

    return rule


def template_label_promql(board):
    asked = {each["name"]: variable_selector(each) for each in variables(board, "query")}
    yield from (f"variable {name} is no label_values(...)" for name, selector in asked.items() if not selector)
    errors = syntax_errors([selector for selector in asked.values() if selector] or ["up"])
    yield from (f"{error}: {expression}" for expression, error in errors.items())


def template_on_time_change_reload(board):
    yield from (f"variable {each['name']}: refresh is {each.get('refresh')}, wanted 2" for each in variables(board, "query") if each.get("refresh") != 2)


def panel_datasource(board):
    yield from (where(panel) for panel in panels(board) if panel.get("targets") and not templated(panel.get("datasource")))
    yield from (where(panel, target) for panel, target in targets(board) if not templated(target.get("datasource")))


def panel_title_description(board):
    yield from (where(panel) for panel in panels(board) if not panel.get("title") or not panel.get("description"))


def set_units(panel):
    config = panel.get("fieldConfig", {})
    overridden = [each["value"] for override in config.get("overrides", []) for each in override["properties"] if each["id"] == "unit"]
    return [unit for unit in [config.get("defaults", {}).get("unit"), *overridden] if unit is not None]


def panel_units(board):
    for panel in panels(board):
        if panel.get("type") not in DESCRIBED:
            continue
        units = set_units(panel)
        yield from (f"{where(panel)}: unit {unit!r}" for unit in units if unit not in UNITS)
        mapped = panel["fieldConfig"]["defaults"].get("mappings")
        text = panel.get("options", {}).get("reduceOptions", {}).get("fields")
        if not units and not mapped and not text:
            yield f"{where(panel)}: neither unit nor mappings"


def panel_no_targets(board):
    yield from (where(panel) for panel in panels(board) if panel.get("type") in DESCRIBED and not panel.get("targets"))


def loki_targets(board):
    return [where(panel, target) for panel, target in targets(board) if (target.get("datasource") or {}).get("type") == "loki"]


def target_logql(board):
    """These dashboards ask no Loki; a query that does would have to be judged."""
    yield from loki_targets(board)


def target_logql_auto(board):
    yield from (where(panel, target) for panel, target in targets(board) if "$__auto" in target.get("expr", ""))


def target_promql(board):
    asked = targets(board)
    yield from (f"{where(panel, target)}: no query" for panel, target in asked if not target.get("expr"))
    errors = syntax_errors(sorted({target["expr"] for _, target in asked if target.get("expr")}) or ["up"])
    yield from (f"{where(panel, target)}: {errors[target['expr']]}" for panel, target in asked if target.get("expr") in errors)


def each_selector(board):
    for panel, target in targets(board):
        for selector in selectors(target.get("expr", "")):
            yield where(panel, target), selector


def target_rate_interval(board):
    for place, selector in each_selector(board):
        if selector.functions and selector.functions[-1] in RATES and selector.range != RATE_INTERVAL:
            yield f"{place}: {selector.functions[-1]}({selector.metric}[{selector.range}]) instead of [$__rate_interval]"


def target_label(label):
    def rule(board):
        yield from (f"{place}: {selector.metric} lacks {label}=~\"${label}\"" for place, selector in each_selector(board) if selector.matchers.get(label) != ("=~", f"${label}"))

    return rule


def target_counter_agg(board):
    for place, selector in each_selector(board):
        if selector.metric.endswith("_total") and not set(selector.functions) & {*RATES, "increase"}:
            yield f"{place}: {selector.metric} without rate, irate or increase"


def uneditable_dashboard(board):
    if board.get("editable") is not False:
        yield "editable is not false"


RULES = {
    "template-datasource": template_datasource,
    "template-job": template_label("job"),
    "template-instance": template_label("instance"),
    "template-label-promql": template_label_promql,
    "template-on-time-change-reload": template_on_time_change_reload,
    "panel-datasource": panel_datasource,
    "panel-title-description": panel_title_description,
    "panel-units": panel_units,
    "panel-no-targets": panel_no_targets,
    "target-logql": target_logql,
    "target-logql-auto": target_logql_auto,
    "target-promql": target_promql,
    "target-rate-interval": target_rate_interval,
    "target-job": target_label("job"),
    "target-instance": target_label("instance"),
    "target-counter-agg": target_counter_agg,
    "uneditable-dashboard": uneditable_dashboard,
}


def broken(board):
    """{rule: [what is wrong]} of the rules that do not hold."""
    return {name: said for name, said in ((name, list(rule(board))) for name, rule in RULES.items()) if said}


# --- Our own rules, across dashboards -----------------------------------------------------------------------------------------------------------


def of_our_own(boards):
    """Fixed and different uids, UTC, no panel over another, links that lead to a dashboard that is there, silence that is no all-clear."""
    uids = [board.get("uid") for board in boards.values()]
    for name, board in boards.items():
        yield from (f"{name}: {key} is {board.get(key)!r}" for key, value in {"timezone": "utc", "id": None}.items() if board.get(key) != value)
        if not board.get("uid") or uids.count(board["uid"]) > 1 or "cloudtrail-exporter" not in board.get("tags", []):
            yield f"{name}: uid or tags"
        yield from (f"{name}: a link to {uid}" for uid in re.findall(r"/d/([\w-]+)", json.dumps(board)) if uid not in uids)
        yield from (f"{name}: {pair}" for pair in overlapping(board))
        yield from (f"{name}: {each}" for each in reassuring(board))


def reassuring(board):
    """Panels that call nothing good: there is nothing to show, too, when the exporter is gone, so they may say only what is known."""
    for panel in panels(board):
        said = panel["fieldConfig"]["defaults"].get("noValue", "None")
        if not re.search(r"[Kk]nown|\bor\b|^N(one|ever|ot)\b", said):
            yield f"{where(panel)} says of nothing: {said!r}"


def unrecorded(boards):
    """Recorded series that a dashboard, or a rule behind it, reads and no rule writes."""
    rules = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "deploy/prometheus").glob("*.rules.yaml"))}
    written = set(re.findall(r"record: (\S+)", "".join(rules.values())))
    readers = rules | {name: json.dumps(board) for name, board in boards.items()}
    for name, text in readers.items():
        yield from (f"{name}: nothing records {series}" for series in sorted(set(re.findall(r"\bjob\w*:\w+:\w+", text)) - written))


def overlapping(board):
    """Panels that lie over one another or beyond the right edge."""
    taken = {}
    for panel in board.get("panels", []):
        place = panel["gridPos"]
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            if cell in taken or cell[0] >= 24:
                yield f"'{panel['title']}' over '{taken.get(cell, 'the edge')}'"
                break
            taken[cell] = panel["title"]


# --- The test of the test -----------------------------------------------------------------------------------------------------------------------


def first(board, kind):
    return next(panel for panel in panels(board) if panel["type"] == kind)


def variable(board, name):
    return next(each for each in variables(board) if each["name"] == name)


def query(board, expression):
    first(board, "timeseries")["targets"][0]["expr"] = expression


FAULTS = {
    "template-datasource": lambda board: variable(board, "datasource").update(label="Prometheus"),
    "template-job": lambda board: variable(board, "job").update(allValue=".*"),
    "template-instance": lambda board: variable(board, "instance").update(multi=False),
    "template-label-promql": lambda board: variable(board, "job")["query"].update(query="label_values(up{, job)"),
    "template-on-time-change-reload": lambda board: variable(board, "job").update(refresh=1),
    "panel-datasource": lambda board: first(board, "stat").update(datasource={"type": "prometheus", "uid": "prometheus"}),
    "panel-title-description": lambda board: first(board, "stat").update(description=""),
    "panel-units": lambda board: first(board, "timeseries")["fieldConfig"]["defaults"].update(unit="parsecs"),
    "panel-no-targets": lambda board: first(board, "stat").update(targets=[]),
    "target-logql": lambda board: first(board, "stat")["targets"][0].update(datasource={"type": "loki", "uid": "${datasource}"}),
    "target-logql-auto": lambda board: query(board, 'rate(up{job=~"$job", instance=~"$instance"}[$__auto])'),
    "target-promql": lambda board: query(board, 'sum(up{job=~"$job", instance=~"$instance"}'),
    "target-rate-interval": lambda board: query(board, 'rate(a_total{job=~"$job", instance=~"$instance"}[5m])'),
    "target-job": lambda board: query(board, 'sum by (job) (up{instance=~"$instance"})'),
    "target-instance": lambda board: query(board, 'max(up{job=~"$job", instance=~"$instance"}) or b{job=~"$job"}'),
    "target-counter-agg": lambda board: query(board, 'sum(a_total{job=~"$job", instance=~"$instance"})'),
    "uneditable-dashboard": lambda board: board.update(editable=True),
}


def selftest(board):
    """Names of the rules that stay silent about their fault."""
    silent = []
    for name, fault in FAULTS.items():
        faulty = copy.deepcopy(board)
        fault(faulty)
        silent += [] if name in broken(faulty) else [name]
    return silent + sorted(set(RULES) - set(FAULTS))


def main(arguments):
    """Lints; the exit code."""
    if arguments == ["--selftest"]:
        silent = selftest(json.loads((ROOT / "dashboards/exporter.json").read_text("utf-8")))
        print(f"silent: {', '.join(silent)}" if silent else f"each of {len(RULES)} rules finds its fault")
        return 1 if silent else 0
    paths = [pathlib.Path(each) for each in arguments] or sorted((ROOT / "dashboards").glob("*.json"))
    boards = {path.name: json.loads(path.read_text("utf-8")) for path in paths}
    wrong = 0
    for name, board in boards.items():
        faults = broken(board)
        wrong += sum(map(len, faults.values()))
        for rule, said in faults.items():
            print("\n".join(f"{name}: {rule}: {each}" for each in said))
        print(f"{name}: {len(list(panels(board)))} panels, {len(targets(board))} queries, {len(RULES) - len(faults)} of {len(RULES)} rules hold")
    across = [] if arguments else [*of_our_own(boards), *unrecorded(boards)]
    print("\n".join(across)) if across else None
    source = 0 if arguments else subprocess.run([sys.executable, ROOT / "dashboards/generate.py", "--check"], check=False).returncode
    return 1 if wrong or across or source else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
