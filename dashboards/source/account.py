"""Account: one account, everything known of it."""

from . import words
from .board import CELL, annotations, dashboard as frame, override, query_variable, stat, table, table_target, target, target_variables, thresholds, timeline, timeseries
from .promql import ACCOUNT_LABELS, VERDICT, select, severity, spoken

ACCOUNT = ['account_name="$account_name"', 'account_id=~"$account_id"']
TRAIL = "trail_arn, trail, home_region"
MISSED_DIGEST_MINUTES, STALE_MINUTES = 60, 180
CHECK_STATES = words.mapped({0: ("Fails", words.BAD), 1: ("Passes", words.GOOD)})
HARDENING_STATES = words.mapped({0: ("Off", words.WEAK), 1: ("Passes", words.GOOD)})
FAULT = words.mapped({0: ("Fine", words.GOOD), 1: ("Failing", words.BAD)})


def variables():
    """The account, by name; the id tells accounts of one name apart and may be empty while it is not known."""
    known = 'cloudtrail_account_info{job=~"$job", instance=~"$instance"'
    name = query_variable("account_name", "Account", f"label_values({known}}}, account_name)", multi=False, all_value=None)
    number = query_variable("account_id", "Account ID", f'label_values({known}, account_name="$account_name"}}, account_id)', multi=False, all_value=".*")
    return [*target_variables(), name, number]


def of_account(metric, by, *matchers, condition=""):
    return spoken(metric, by, [*ACCOUNT, *matchers], condition)


# --- At a glance -------------------------------------------------------------------------------------------------------------------------------


def verdict():
    return stat("Verdict", "Compliant, non-compliant, or unknown: no fresh proof of either.", [target(f"max({severity(ACCOUNT)})", "Verdict", instant=True)], colour="background_solid", text="value", size=30, mappings=words.SEVERITY_MAPPING, thresholds=thresholds(words.QUIET))


def named(title, description, expr, label, **more):
    """A label of a series, in big letters."""
    return stat(title, description, [table_target(expr)], colour="none", text="value", fields=f"/^{label}$/", size=22, **more)


def reason():
    return named("Why", "The reason of the verdict: the first required check that fails, or what kept the account from being judged.", f"group by (reason) ({select(VERDICT, *ACCOUNT)})", "reason", mappings=words.REASON_MAPPING)


def evidence():
    expr = f"group by (trail_arn) ({of_account('cloudtrail_account_evidence_info', 'trail_arn')})"
    return named("Evidence", "The trail that satisfies the rule: what an assessor can look up.", expr, "trail_arn", noValue="None")


def age_of(title, description, what, none):
    expr = f"time() - max({select(f'cloudtrail_account_last_{what}_timestamp_seconds', *ACCOUNT)})"
    return stat(title, description, [target(expr, title, instant=True)], size=30, unit="s", decimals=0, noValue=none, thresholds=thresholds(words.PLAIN, (900, words.UNSURE)))


def evidence_age():
    return age_of("Evidence age", "Time since a poll last determined the verdict.", "success", "Never")


def last_poll():
    return age_of("Last poll", "Time since the last poll of the account ended, whatever its outcome.", "poll", "Not told")


def trail_counts():
    names = {"trails": "All", "multi_region_trails": "Multi-Region", "logging_multi_region_trails": "Logging"}
    targets = [target(f"max({of_account(f'cloudtrail_account_{name}', ACCOUNT_LABELS)})", said, instant=True) for name, said in names.items()]
    return stat("Trails", "Trails the account sees, those of them that cover every Region, and those of these that are logging.", targets, colour="none", text="value_and_name", size=30, unit="locale", decimals=0, noValue="Unknown")


# --- Over time ---------------------------------------------------------------------------------------------------------------------------------


def verdict_timeline():
    fresh = f"max({select('cloudtrail_account_up', *ACCOUNT)})"
    answers = override("Last poll", mappings=words.mapped({0: ("Undecided", words.UNSURE), 1: ("Decided", words.GOOD)}))
    return timeline("Verdict and polls over time", "The verdict, and whether the last poll determined it. A verdict outlives polls that decide nothing: compliant until it is stale, non-compliant until it is disproved.", [target(f"max({severity(ACCOUNT)})", "Verdict"), target(fresh, "Last poll")], words.SEVERITY_MAPPING, overrides=[answers])


def check_timeline():
    names = [override(check, displayName=said, **({"mappings": HARDENING_STATES} if check in words.HARDENING else {})) for check, said in words.CHECKS.items()]
    return timeline("Checks over time", "Each check, required for the verdict or not. Blank: unknown.", [target(of_account("cloudtrail_account_check", "check"), "{{check}}")], CHECK_STATES, overrides=names, noValue="Unknown: nothing could be read.")


def logging_timeline():
    return timeline("Logging over time", "Whether each trail is logging. Blank: unknown.", [target(of_account("cloudtrail_trail_logging", TRAIL), "{{trail}} ({{home_region}})")], words.mapped({0: ("Stopped", words.BAD), 1: ("Logging", words.GOOD)}), noValue="No trail, or no answer.")


def delivery_minutes(destination):
    ages = of_account("cloudtrail_trail_last_delivery_age_seconds", TRAIL, f'destination="{destination}"')
    return f"{ages} / 60"


def delivery_age():
    limits = thresholds("transparent", (MISSED_DIGEST_MINUTES, words.WEAK), (STALE_MINUTES, words.BAD))
    targets = [target(delivery_minutes(key), "{{trail}}, " + said) for key, said in words.DESTINATIONS.items()]
    return timeseries("Delivery age", "Time since AWS last delivered, by trail and destination. Up to 15 minutes is usual for log files; digests come hourly. Lines: 1 h, a digest is missing; 3 h, stale. A trail that never delivered has no line.", targets, legend="below", fill=0, limits=limits, unit="m", decimals=0, noValue="Nothing was ever delivered, or there is no trail.")


def delivery_errors():
    targets = [target(of_account("cloudtrail_trail_delivery_failing", TRAIL, f'destination="{key}"'), "{{trail}}, " + said) for key, said in words.DESTINATIONS.items()]
    return timeline("Delivery errors over time", "Whether AWS reports an error for each destination that is configured.", targets, FAULT, noValue="No trail, or no answer.")


def event_coverage():
    trail = of_account("cloudtrail_trail_management_events", f"{TRAIL}, kind")
    account = of_account("cloudtrail_account_management_events", "kind")
    seen, in_part = (words.mapped({0: (text, colour), 1: ("All recorded", words.GOOD)}) for text, colour in (("Incomplete", words.BAD), ("Not all", words.WEAK)))
    of_trails = {"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "mappings", "value": in_part}]}
    return timeline("Management events over time", "Whether every read and every write event is recorded: by the account's logging multi-Region trails together, and by what each trail's selectors say, logging or not. Blank: unknown.", [target(account, "Account, {{kind}}"), target(trail, "{{trail}}, {{kind}}")], seen, overrides=[of_trails], noValue="Unknown: no trail, or its selectors could not be read.")


def poll_duration():
    expr = f"max by (instance) ({select('cloudtrail_account_poll_duration_seconds', *ACCOUNT)})"
    return timeseries("Poll duration", "How long the last poll of the account took.", [target(expr, "{{instance}}")], fill=0, unit="s", min=0, noValue="Not polled yet, or with credentials of another account.")


def regions():
    return timeline("Regions asked", "Whether DescribeTrails answered in each Region; only when more than one is asked.", [target(f"max by (aws_region) ({select('cloudtrail_region_up', *ACCOUNT)})", "{{aws_region}}")], words.mapped({0: ("No answer, or not enabled", words.QUIET), 1: ("Answered", words.GOOD)}), noValue="One Region is asked, or none could be.")


# --- Tables ------------------------------------------------------------------------------------------------------------------------------------

FLAGS = {
    "logging": ("Logging", 90, words.yes_no()),
    "multi_region": ("Multi-Region", 110, words.yes_no(bad=words.WEAK)),
    "organization": ("Organization", 110, words.mapped({1: "Yes", 0: "No"})),
    "log_file_validation": ("Validation", 95, words.yes_no(bad=words.WEAK)),
    "kms_encryption": ("KMS", 70, words.yes_no(bad=words.WEAK)),
    "cloudwatch_logs": ("CW Logs", 85, words.yes_no(bad=words.WEAK)),
}


def trails():
    """One row a trail. The first query carries what has no value: owner and bucket."""
    info = table_target(of_account("cloudtrail_trail_info", f"{TRAIL}, owner_account_id, s3_bucket"))
    flags = [table_target(of_account(f"cloudtrail_trail_{flag}", TRAIL)) for flag in FLAGS]
    newest = of_account("cloudtrail_trail_last_delivery_age_seconds", f"{TRAIL}, destination", 'destination=~"s3|s3_digest"')
    age = table_target(f"min by ({TRAIL}) ({newest})")
    values = {f"Value #{chr(ord('B') + i)}": (said, width, {"mappings": mappings, "custom.align": "center"} | CELL) for i, (said, width, mappings) in enumerate(FLAGS.values())}
    last = f"Value #{chr(ord('B') + len(FLAGS))}"
    columns = (
        {"trail": ("Trail", 190, {}), "home_region": ("Home Region", 120, {})}
        | values
        | {last: ("Last delivery", 110, {"unit": "s", "decimals": 0}), "s3_bucket": ("Bucket", 230, {}), "owner_account_id": ("Owner", 125, {"unit": "string"}), "trail_arn": ("ARN", None, {"custom.inspect": True})}
    )
    return table("Trails", "Every trail the account sees, own and of the organization, as last proven. An empty cell is unknown.", [info, *flags, age], columns, unit="short", noValue="No trail, or no answer.")


def failing_calls():
    expr = f"max by (operation, reason, instance) ({select('cloudtrail_account_call_failing', *ACCOUNT)})"
    columns = {"operation": ("AWS call", 170, {}), "reason": ("Fails with", 200, {"mappings": words.REASON_MAPPING}), "instance": ("Asked by", None, {})}
    return table("Failing calls", "AWS calls that failed in the last poll, also when the verdict stood without them.", [table_target(expr)], columns, unit="short", noValue="No failing call is known.")


def error_codes():
    columns = {"trail": ("Trail", 180, {}), "destination": ("Destination", 140, {"mappings": words.mapped(words.DESTINATIONS)}), "code": ("AWS says", None, {})}
    return table("Delivery errors now", "What AWS reports of the last delivery that failed.", [table_target(of_account("cloudtrail_trail_delivery_error_info", f"{TRAIL}, destination, code"))], columns, unit="short", noValue="No delivery error is known.")


def facts():
    expr = f"max by ({ACCOUNT_LABELS}, partition, source, organizational_unit) ({select('cloudtrail_account_info', *ACCOUNT)})"
    columns = {"account_id": ("Account ID", 125, {"unit": "string"}), "partition": ("Partition", 110, {}), "source": ("Known from", 120, {}), "organizational_unit": ("Organizational unit", None, {"noValue": "None"})}
    return table("Account", "What the exporter was told of the account.", [table_target(expr)], columns, unit="short")


# --- The dashboard -----------------------------------------------------------------------------------------------------------------------------


def dashboard():
    """The Account dashboard."""
    rows = [
        (4, [(4, verdict()), (6, reason()), (6, trail_counts()), (4, evidence_age()), (4, last_poll())]),
        (3, [(14, evidence()), (10, facts())]),
        (5, [(24, verdict_timeline())]),
        (9, [(12, check_timeline()), (12, event_coverage())]),
        "Trails and delivery",
        (6, [(24, trails())]),
        (10, [(12, delivery_age()), (12, delivery_errors())]),
        (6, [(12, logging_timeline()), (12, error_codes())]),
        "Polling",
        (7, [(8, failing_calls()), (8, poll_duration()), (8, regions())]),
    ]
    alerts = annotations(', job=~"$job", account_name="$account_name"', ", account_name")
    return frame("cloudtrail-account", "CloudTrail / Account", "One AWS account: verdict, trails, deliveries, event coverage, and how it is polled.", variables(), rows, alerts)
