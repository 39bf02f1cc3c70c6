"""Exporter: the exporter itself. Cadence, AWS requests, scrapes, discovery, shards, configuration."""

from . import words
from .board import CELL, FILLED, annotations, coloured, dashboard as frame, override, stat, table, table_target, target, target_variables, thresholds, timeline, timeseries
from .promql import BLIND_COUNT, select

OPERATIONS = ["DescribeTrails", "GetTrailStatus", "GetEventSelectors", "AssumeRole", "GetCallerIdentity", "ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent"]
OPERATION_COLOURS = coloured({operation: (operation, colour) for operation, colour in zip(OPERATIONS, words.SERIES)})
REASON_COLOURS = coloured({reason: (words.UNKNOWN_REASONS[reason], colour) for reason, colour in words.REASON_COLOURS.items() if reason in words.UNKNOWN_REASONS})
BARS = {"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80}
QUANTILES = {"Half of them": (0.5, "#56B4E9"), "99 %": (0.99, "#0072B2")}


def own(name):
    return select(f"cloudtrail_exporter_{name}")


def rate(name, by, *matchers):
    """Per second; series that are 0 are left out, so that legends name what happens."""
    series = select(f"cloudtrail_exporter_{name}", *matchers)
    return f"sum by ({by}) (rate({series}[$__rate_interval]))"


def quantile(share, name, by=""):
    buckets = select(f"cloudtrail_exporter_{name}_bucket")
    return f"histogram_quantile({share}, sum by ({', '.join(filter(None, ['le', by]))}) (rate({buckets}[$__rate_interval])))"


# --- At a glance -------------------------------------------------------------------------------------------------------------------------------


def flag(title, description, expr, good, bad, **more):
    """A big word for 1 and one for 0."""
    return stat(title, description, [target(expr, title, instant=True)], colour="background_solid", text="value", size=30, mappings=words.yes_no(good, bad), thresholds=thresholds(words.QUIET), **more)


def there_and_missing(title, description, there, missing):
    """Two numbers; the second is bad as soon as it is not 0."""
    alarming = override("Missing", thresholds=thresholds(words.QUIET, (1, words.BAD)))
    targets = [target(there, "There", instant=True), target(missing, "Missing", instant=True)]
    return stat(title, description, targets, text="value_and_name", size=30, unit="locale", decimals=0, overrides=[alarming])


def instances():
    there = f"sum({select('up')})"
    return there_and_missing("Instances", "Instances that answer Prometheus, and those it scrapes in vain.", there, f"count({select('up')}) - {there}")


def shards():
    there = f"count(count by (shard) (count_values by (job) (\"shard\", {own('shard_ordinal')})))"
    return there_and_missing("Shards", "Shards that answer, and those that should but do not. 1 and 0: not sharded.", there, f"max({own('shards')}) - {there}")


def poll_failure_share():
    failing, all_of_them = rate("poll_failures_total", ""), rate("polls_total", "")
    return stat("Failed polls", "Share of polls that could not determine the verdict of their account.", [target(f"{failing} / {all_of_them}", "Failed", instant=True)], size=30, unit="percentunit", decimals=1, min=0, thresholds=thresholds(words.PLAIN, (0.5, words.BAD)))


def glance():
    return [
        instances(),
        shards(),
        flag("Ready", "Discovery was attempted and every account known then was polled once, on every instance.", f"min({own('ready')})", "Ready", "Not ready"),
        flag("Configuration", "Whether the last reload took on every instance. A refused file leaves the old configuration whole.", f"min({own('config_last_reload_successful')})", "Loaded", "Refused"),
        flag("Discovery", "Whether the last listing of the organization worked, on every instance.", f"min({own('discovery_up')})", "Works", "Fails", noValue="Off or unknown"),
        poll_failure_share(),
    ]


def instance_table():
    number = {"unit": "locale", "decimals": 0, "custom.align": "right"}
    targets = [
        table_target(f"max by (job, instance) ({select('up')})"),
        table_target(f"max by (job, instance, version, revision) ({own('build_info')})"),
        table_target(f"max by (job, instance, sha256) ({own('config_info')})"),
        table_target(f"max by (job, instance) ({own('ready')})"),
        table_target(f"max by (job, instance) ({own('shard_ordinal')})"),
        table_target(f"sum by (job, instance) ({own('accounts')})"),
        table_target(f"time() - max by (job, instance) ({select('process_start_time_seconds')})"),
        table_target(f"time() - max by (job, instance) ({own('config_last_reload_success_timestamp_seconds')})"),
        table_target(f"max by (job, instance) ({own('clock_skew_seconds')})"),
        table_target(f"max by (job, instance) ({select('scrape_samples_scraped')})"),
        table_target(f"max by (job, instance) ({select(BLIND_COUNT)})"),
    ]
    age = {"unit": "s", "decimals": 0, "custom.align": "right"}
    columns = {
        "instance": ("Instance", None, {}),
        "Value #A": ("Up", 70, {"mappings": words.yes_no("Up", "Down"), "custom.align": "center"} | FILLED),
        "Value #D": ("Ready", 90, {"mappings": words.yes_no("Ready", "Not ready"), "custom.align": "center"} | CELL),
        "version": ("Version", 100, {}),
        "revision": ("Revision", 140, {}),
        "sha256": ("Configuration", 140, {}),
        "Value #E": ("Shard", 75, number),
        "Value #F": ("Accounts", 95, number),
        "Value #K": ("Blind for", 95, number | {"thresholds": thresholds(words.QUIET, (1, words.UNSURE))} | CELL),
        "Value #J": ("Series", 95, number),
        "Value #G": ("Running for", 115, age),
        "Value #H": ("Loaded ago", 115, age),
        "Value #I": ("Clock skew", 105, {"unit": "s", "decimals": 1, "custom.align": "right"}),
    }
    return table("Instances", "Every instance: version, configuration (short hash), shard, accounts it polls and how many of these its own last poll could not judge, whoever else can, series it serves, how long it runs and since when its configuration holds.", targets, columns, unit="short")


# --- Polling -----------------------------------------------------------------------------------------------------------------------------------


def cadence():
    expr = f"sum by (instance) ({own('accounts')}) / {rate('polls_total', 'instance')}"
    return timeseries("Cadence", "Mean time from one poll of an account to its next. It should be the configured interval.", [target(expr, "{{instance}}")], fill=0, unit="s", min=0)


def poll_duration():
    targets = [target(quantile(share, "poll_duration_seconds"), said) for said, (share, _) in QUANTILES.items()]
    return timeseries("Poll duration", "How long the poll of one account takes: the half of them, and 99 %, are faster.", targets, fill=0, unit="s", min=0, overrides=coloured({said: (said, colour) for said, (_, colour) in QUANTILES.items()}))


def poll_failures():
    return timeseries("Failed polls by reason", "Polls that could not determine a verdict, per second.", [target(f"{rate('poll_failures_total', 'reason')} > 0", "{{reason}}")], stack=True, custom=BARS, unit="ops", min=0, overrides=REASON_COLOURS, noValue="No failed poll is known.")


def load():
    overruns = f"60 * {rate('poll_overruns_total', '')}"
    return timeseries("In flight and overruns", "Polls that run at this moment, and polls per minute that were due while the one before still ran: these should be 0.", [target(f"sum({own('polls_in_flight')})", "In flight"), target(overruns, "Overruns per minute")], fill=0, unit="short", min=0, overrides=coloured({"In flight": ("In flight", "#56B4E9"), "Overruns per minute": ("Overruns per minute", words.BAD)}))


# --- AWS ---------------------------------------------------------------------------------------------------------------------------------------


def requests():
    return timeseries("AWS requests", "Requests to AWS per second, every attempt counted.", [target(f"{rate('aws_requests_total', 'operation')} > 0", "{{operation}}")], stack=True, unit="reqps", min=0, overrides=OPERATION_COLOURS)


def request_failures():
    return timeseries("Failed AWS requests by reason", "Attempts that failed, per second. A disabled Region is an answer, though it counts here.", [target(f"{rate('aws_request_failures_total', 'reason')} > 0", "{{reason}}")], stack=True, custom=BARS, unit="reqps", min=0, overrides=REASON_COLOURS, noValue="No failed request is known.")


def throttling():
    throttled = rate("aws_request_failures_total", "operation", 'reason="throttled"')
    targets = [target(f"sum({throttled})", "Throttled"), target(rate("aws_request_retries_total", ""), "Retried")]
    return timeseries("Throttling and retries", "Attempts per second that AWS throttled, and attempts that repeat one that failed, for whatever reason.", targets, fill=0, unit="reqps", min=0, overrides=coloured({"Throttled": ("Throttled", words.BAD), "Retried": ("Retried", "#56B4E9")}))


def latency():
    return timeseries("AWS latency, 99 %", "99 % of the attempts of each operation are answered faster.", [target(f"{quantile(0.99, 'aws_request_duration_seconds', 'operation')} > 0", "{{operation}}")], fill=0, unit="s", min=0, overrides=OPERATION_COLOURS)


# --- Process and scrapes -----------------------------------------------------------------------------------------------------------------------


def each(metric):
    return [target(f"max by (instance) ({select(metric)})", "{{instance}}")]


def memory():
    return timeseries("Memory", "Resident memory of each instance.", each("process_resident_memory_bytes"), fill=0, unit="bytes", min=0)


def processor():
    expr = f"sum by (instance) (rate({select('process_cpu_seconds_total')}[$__rate_interval]))"
    return timeseries("CPU", "Cores each instance uses.", [target(expr, "{{instance}}")], fill=0, unit="percentunit", min=0)


def scrape_duration():
    return timeseries("Scrape duration", "How long Prometheus takes to read each instance.", each("scrape_duration_seconds"), fill=0, unit="s", min=0)


def http_requests():
    expr = f"{rate('http_requests_total', 'handler, code')} > 0"
    return timeseries("HTTP requests", "Requests the exporter answered, per second, by handler and status.", [target(expr, "{{handler}} {{code}}")], fill=0, unit="reqps", min=0)


# --- Discovery, shards, configuration ----------------------------------------------------------------------------------------------------------


def discovery_age():
    expr = f"time() - max by (instance, source) ({own('discovery_last_success_timestamp_seconds')})"
    return timeseries("Discovery age", "Time since the organization was last listed whole.", [target(expr, "{{source}}, {{instance}}")], fill=0, unit="s", min=0, noValue="Discovery is off, or not known.")


def accounts():
    found = target(f"max by (source) ({own('discovery_accounts')})", "Found by discovery, {{source}}")
    polled = target(f"sum by (instance) ({own('accounts')})", "{{instance}}")
    return timeseries("Accounts", "Accounts each instance polls, and how many discovery found. With shards the instances add up to the fleet; replicas poll the same.", [polled, found], fill=0, unit="locale", decimals=0, min=0)


def health():
    targets = [
        target(f"max by (instance) ({select('up')})", "{{instance}} up"),
        target(f"max by (instance) ({own('ready')})", "{{instance}} ready"),
        target(f"max by (instance) ({own('config_last_reload_successful')})", "{{instance}} configuration"),
    ]
    return timeline("Up, ready, configuration", "Whether each instance answers, is ready, and took its last configuration.", targets, words.yes_no("Good", "Bad"))


def dashboard():
    """The Exporter dashboard."""
    rows = [
        (4, [(4, panel) for panel in glance()]),
        (6, [(24, instance_table())]),
        "Polling",
        (8, [(6, cadence()), (6, poll_duration()), (6, poll_failures()), (6, load())]),
        "AWS",
        (8, [(6, requests()), (6, latency()), (6, request_failures()), (6, throttling())]),
        "Process and scrapes",
        (8, [(6, memory()), (6, processor()), (6, scrape_duration()), (6, http_requests())]),
        "Discovery, shards, configuration",
        (8, [(6, discovery_age()), (6, accounts()), (12, health())]),
    ]
    alerts = annotations(', job=~"$job", account_name=""', "")
    return frame("cloudtrail-exporter", "CloudTrail / Exporter", "The exporter itself: cadence, AWS requests, scrapes, discovery, shards, configuration.", target_variables(), rows, alerts, since="now-6h")
