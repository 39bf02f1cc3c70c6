"""Fleet: which accounts are not covered, and why. Drawn from recorded series alone, but for the rows of the table."""

from . import words
from .board import CELL, FILLED, KEEP, annotations, coloured, dashboard as frame, override, panel, query_variable, stat, table, table_target, target, target_variables, thresholds, timeline, timeseries
from .promql import (
    ACCOUNT_LABELS, CHECK_FAILED_COUNT, CHECK_PASSED_COUNT, FAILING_CALLS_COUNT, AGE_BUCKETS, AGE_MAX, OLDEST_EVIDENCE, STATE_REASON_COUNT, UNREACHABLE_COUNT, VERDICT,
    accounts, in_state, over_shards, select,
)  # fmt: skip

ACCOUNT = 'account_name=~"$account_name"'
STATE = 'state=~"$state"'
DELIVERED = '"s3|s3_digest"'
NOT_COVERED = ['state!="compliant"']
TABLE_ROWS = 100
TIMELINE_ROWS = 30
TIMELINE_POINTS = 300
# Sets the states apart in the order of the table; larger than any time since 1970.
STATE_STEP = "1e10"
TO_ACCOUNT = {
    "title": "Open ${__data.fields.Account}",
    "url": "/d/cloudtrail-account?var-account_name=${__data.fields.Account:percentencode}&var-account_id=${__data.fields[\"Account ID\"]}&" + KEEP,
    "targetBlank": False,
}


def state_variable():
    """Which states the table shows."""
    options = [{"text": said, "value": state, "selected": False} for state, (said, _) in words.STATES.items()]
    everything = {"text": "All", "value": "$__all", "selected": True}
    return {
        "name": "state", "label": "State", "type": "custom", "query": ",".join(f"{said} : {state}" for state, (said, _) in words.STATES.items()), "multi": True, "includeAll": True, "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]}, "options": [everything, *options], "hide": 0,
    }  # fmt: skip


def variables():
    """With filters for the table and the timeline."""
    names = query_variable("account_name", "Account", 'label_values(cloudtrail_account_info{job=~"$job", instance=~"$instance"}, account_name)')
    return [*target_variables(), names, state_variable()]


# --- At a glance -------------------------------------------------------------------------------------------------------------------------------


def covered():
    return stat(
        "Covered", "Share of all accounts proven to be covered by a multi-Region trail that is logging. Unknown is not covered.",
        [target(f"({accounts('compliant')}) / {accounts()}", "Covered", instant=True)],
        colour="background_solid", unit="percentunit", decimals=1, min=0, max=1, thresholds=thresholds(words.BAD, (1, words.GOOD)),
    )  # fmt: skip


def count_of(title, description, expr, colour):
    """Accounts in some trouble: 0 is good."""
    return stat(title, description, [target(expr, title, instant=True)], colour="background_solid", unit="locale", decimals=0, thresholds=thresholds(words.GOOD, (1, colour)))


def glance():
    return [
        covered(),
        count_of("Non-compliant", "Accounts proven not to be covered.", accounts("non_compliant"), words.BAD),
        count_of("Unknown", "Accounts nobody can judge: no fresh proof of either.", accounts("unknown"), words.UNSURE),
        count_of("Unreachable", "Accounts, mostly of the unknown ones, that cannot be entered or looked around in: AssumeRole, GetCallerIdentity or DescribeTrails fails.", over_shards(UNREACHABLE_COUNT), words.UNSURE),
        stat("Accounts", "Accounts that are watched, each once, however many replicas poll it.", [target(accounts(), "Accounts", instant=True)], colour="none", unit="locale", decimals=0),
        stat("Oldest evidence", "Age of the oldest evidence any verdict stands on. Accounts that never had any are unknown and not counted here.", [target(f"time() - min({select(OLDEST_EVIDENCE)})", "Age", instant=True)], unit="s", decimals=0, thresholds=thresholds(words.PLAIN, (900, words.UNSURE))),
    ]  # fmt: skip


# --- Which, and why ----------------------------------------------------------------------------------------------------------------------------


def worst():
    """The worst accounts, those with the oldest evidence first: a step for the state, less the time of the evidence."""
    series = f"max by ({ACCOUNT_LABELS}, state, reason) ({{}})"
    bad, unsure, good = (series.format(select(VERDICT, f'state="{state}"', STATE, ACCOUNT)) for state in ("non_compliant", "unknown", "compliant"))
    return f"topk({TABLE_ROWS}, 3 * {STATE_STEP} - {bad} or 2 * {STATE_STEP} - {unsure} or {STATE_STEP} - {good})"


def age_of_worst():
    """The time of the evidence taken out of `worst` again, which is cheaper than to look for it; nothing where there never was any."""
    return f"time() - {STATE_STEP} + (({worst()}) % {STATE_STEP} > 0)"


def account_table():
    delivery = f"time() - max by ({ACCOUNT_LABELS}) ({select('cloudtrail_trail_last_delivery_timestamp_seconds', ACCOUNT, 'destination=~%s' % DELIVERED)})"
    targets = [table_target(worst()), table_target(age_of_worst()), table_target(f"({delivery}) and on ({ACCOUNT_LABELS}) {worst()}")]
    age = {"unit": "s", "decimals": 0, "custom.align": "right"}
    columns = {
        "state": ("State", 125, {"mappings": words.STATE_MAPPING} | FILLED),
        "account_name": ("Account", None, {"links": [TO_ACCOUNT]}),
        "reason": ("Why", 250, {"mappings": words.REASON_MAPPING}),
        "account_id": ("Account ID", 145, {"unit": "string"}),
        "Value #C": ("Last delivery", 120, age),
        "Value #B": ("Evidence age", 120, age),
    }
    return table(
        "Accounts, worst first",
        f"The {TABLE_ROWS} worst accounts of the chosen states: non-compliant, unknown, compliant, each with the oldest evidence first. Last delivery is the age of the newest S3 log or digest file of any trail the account sees. An empty cell is unknown. Click an account to open it.",
        targets, columns, sort="Value #A", limit=TABLE_ROWS, unit="locale",
    )  # fmt: skip


def reasons_now():
    expr = f"sort_desc({over_shards(STATE_REASON_COUNT, 'state, reason', NOT_COVERED)})"
    columns = {
        "reason": ("Why", 230, {"mappings": words.REASON_MAPPING}),
        "state": ("State", 118, {"mappings": words.STATE_MAPPING} | FILLED),
        "Value": ("Accounts", None, {"min": 0, "decimals": 0, "color": {"mode": "fixed", "fixedColor": words.PLAIN}, "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}),
    }
    return table("Why accounts are not covered", "Accounts by the reason of their verdict, now.", [table_target(expr)], columns, sort="Value", unit="locale", noValue="No account in trouble is known.")


def failing_calls():
    expr = over_shards(FAILING_CALLS_COUNT, "operation, reason")
    columns = {
        "operation": ("AWS call", 160, {}),
        "reason": ("Fails with", 180, {"mappings": words.REASON_MAPPING}),
        "Value": ("Accounts", None, {"min": 0, "decimals": 0, "color": {"mode": "fixed", "fixedColor": words.UNSURE}, "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}),
    }
    return table("Why accounts cannot be judged", "AWS calls that failed in the last poll of accounts that cannot be judged. An account with two failing calls is in two rows.", [table_target(expr)], columns, sort="Value", unit="locale", noValue="No failing call is known.")


# --- Over time ---------------------------------------------------------------------------------------------------------------------------------


def troubled(wrap="{}", suffix=""):
    """Accounts that are not compliant: 2 non-compliant, 1 unknown. Compliant ones are not read, so this is cheap in a large fleet."""
    bad, unsure = (in_state(state, [ACCOUNT], wrap, suffix) for state in ("non_compliant", "unknown"))
    return f"2 * {bad} or {unsure}"


def state_timeline():
    """The whole fleet, then the accounts that were in trouble at some time in the range."""
    now = " or ".join([f"2 * sgn({accounts('non_compliant')}) > 0", f"sgn({accounts('unknown')}) > 0", f"0 * {accounts()}"])
    drawn = f" and on ({ACCOUNT_LABELS}) topk({TIMELINE_ROWS}, {troubled('last_over_time({}[$__range] @ end())')})"
    link = {"title": "Open ${__field.labels.account_name}", "url": "/d/cloudtrail-account?var-account_name=${__field.labels.account_name:percentencode}&var-account_id=${__field.labels.account_id}&" + KEEP, "targetBlank": False}
    return timeline(
        "Accounts in trouble over time",
        f"First the fleet by its worst account, then each account that was non-compliant or unknown in the time range (at most {TIMELINE_ROWS}, the worst). Blank: covered.",
        [target(now, "Fleet, worst account"), target(troubled(suffix=drawn), "{{account_name}}")],
        words.SEVERITY_MAPPING, links=[link], most_points=TIMELINE_POINTS,
    )  # fmt: skip


def states_over_time():
    targets = [target(accounts(state), state) for state in ("non_compliant", "unknown", "compliant")]
    return timeseries("Accounts by state", "How many accounts are in each state.", targets, stack=True, unit="locale", decimals=0, min=0, overrides=coloured(words.STATES))


def reasons_over_time():
    expr = over_shards(STATE_REASON_COUNT, "reason", NOT_COVERED)
    names = {reason: (said, words.REASON_COLOURS[reason]) for reason, said in words.REASONS.items() if reason != "ok"}
    zero = target(f"0 * {accounts()}", "none")
    hidden = override("none", **{"custom.hideFrom": {"legend": True, "tooltip": True, "viz": False}, "custom.lineWidth": 0})
    return timeseries("Reasons over time", "Accounts that are not covered, by reason: warm colours non-compliant, violet ones unknown.", [target(expr, "{{reason}}"), zero], stack=True, legend="table", unit="locale", decimals=0, min=0, overrides=[*coloured(names), hidden])


# --- Delivery ----------------------------------------------------------------------------------------------------------------------------------


def delivery_heat_map():
    expr = over_shards(AGE_BUCKETS, "le")
    options = {
        "calculate": False, "cellGap": 1, "cellValues": {"unit": "short", "decimals": 0}, "showValue": "never", "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
        "color": {"mode": "scheme", "scheme": "Cividis", "fill": "dark-blue", "steps": 64, "exponent": 0.5, "scale": "exponential", "reverse": False}, "rowsFrame": {"layout": "le"},
        "yAxis": {"axisPlacement": "left", "unit": "s", "decimals": 0, "reverse": False}, "filterValues": {"le": 0.5}, "exemplars": {"color": words.QUIET},
    }  # fmt: skip
    return panel(
        "heatmap", "Delivery age of logging trails", "Logging trails by the age of their newest S3 log or digest file: up to 15 minutes is AWS's usual, over 1 h a digest is missing, over 3 h is stale.",
        [target(expr, "{{le}}", format="heatmap", interval="1m")], options, custom={"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}}, unit="locale",
    )  # fmt: skip


def oldest_delivery():
    limits = thresholds("transparent", (1, words.WEAK), (3, words.BAD))
    return timeseries("Oldest delivery", "Age of the newest file of the logging trail that is furthest behind. Lines: 1 h, a digest is missing; 3 h, stale.", [target(f"max({select(AGE_MAX)}) / 3600", "Furthest behind")], legend=None, limits=limits, unit="h", min=0, color={"mode": "fixed", "fixedColor": words.PLAIN})


# --- Controls ----------------------------------------------------------------------------------------------------------------------------------


def labelled(expr, **labels):
    """A single value as a row with labels."""
    for name, value in labels.items():
        expr = f'label_replace({expr}, "{name}", "{value}", "", "")'
    return expr


def per_control(expr):
    return table_target(" or ".join(labelled(f"({expr})", control=control) for control in words.CONTROLS))


def controls():
    """Seven rows: the whole rule is mapped to each control, so the counts are the same; the checks besides differ."""
    gauge = {"min": 0, "max": 1, "unit": "percentunit", "decimals": 1, "thresholds": thresholds(words.BAD, (1, words.GOOD)), "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}
    titles = words.mapped({control: f"{control}  {title}" for control, (title, _) in words.CONTROLS.items()})
    columns = {
        "control": ("Control", 320, {"mappings": titles}),
        "Value #A": ("Covered", None, gauge),
        "Value #B": ("Non-compliant", 130, {"decimals": 0, "custom.align": "right", "thresholds": thresholds(words.QUIET, (1, words.BAD))} | CELL),
        "Value #C": ("Unknown", 90, {"decimals": 0, "custom.align": "right", "thresholds": thresholds(words.QUIET, (1, words.UNSURE))} | CELL),
    }
    return table(
        "FedRAMP Low controls", "The rule, at least one multi-Region trail in every account (severity Medium), is evidence for these controls of NIST SP 800-53 rev 4 in AWS's FedRAMP Low pack. It is one rule, so every control shows the same accounts; the checks beside tell more of each.",
        [per_control(f"({accounts('compliant')}) / {accounts()}"), per_control(accounts("non_compliant")), per_control(accounts("unknown"))], columns, unit="locale",
    )  # fmt: skip


def checks():
    told = words.mapped({check: ", ".join(control for control, (_, used) in words.CONTROLS.items() if check in used) or "None of the seven" for check in words.CHECKS})
    passed, failed = over_shards(CHECK_PASSED_COUNT, "check"), over_shards(CHECK_FAILED_COUNT, "check")
    unknown = f"clamp_min({accounts()} - on () group_right () ({passed} + {failed}), 0)"
    copy = f'label_replace({passed}, "controls", "$1", "check", "(.+)")'
    columns = {
        "check": ("Check", 170, {"mappings": words.CHECK_MAPPING}),
        "controls": ("Tells of", None, {"mappings": told}),
        "Value #A": ("Pass", 80, {"decimals": 0, "custom.align": "right", "color": {"mode": "fixed", "fixedColor": words.GOOD}} | CELL),
        "Value #B": ("Fail", 80, {"decimals": 0, "custom.align": "right", "thresholds": thresholds(words.QUIET, (1, words.BAD))} | CELL),
        "Value #C": ("Unknown", 90, {"decimals": 0, "custom.align": "right", "thresholds": thresholds(words.QUIET, (1, words.UNSURE))} | CELL),
    }
    return table(
        "Checks over the fleet", "Accounts that pass and fail each check, required for the verdict or not, with the controls each check tells of. Unknown: no fresh proof of either.",
        [table_target(copy), table_target(failed), table_target(unknown)], columns, sort="Value #B", unit="locale",
    )  # fmt: skip


# --- The dashboard -----------------------------------------------------------------------------------------------------------------------------


def dashboard():
    """The Fleet dashboard."""
    rows = [
        (4, [(4, each) for each in glance()]),
        (14, [(16, account_table()), (8, [(8, reasons_now()), (6, failing_calls())])]),
        (12, [(24, state_timeline())]),
        "Over time",
        (9, [(12, states_over_time()), (12, reasons_over_time())]),
        "Delivery",
        (9, [(12, delivery_heat_map()), (12, oldest_delivery())]),
        "Controls",
        (9, [(12, controls()), (12, checks())]),
    ]
    description = "Which AWS accounts are not covered by a multi-Region CloudTrail trail, and why."
    return frame("cloudtrail-fleet", "CloudTrail / Fleet", description, variables(), rows, annotations(', job=~"$job"', ""))
