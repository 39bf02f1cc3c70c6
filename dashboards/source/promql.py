"""Queries. Every selector carries the dashboards' variables job and instance; every query counts an account once, however many replicas poll it."""

TARGET = 'job=~"$job", instance=~"$instance"'
ACCOUNT_LABELS = "job, account_id, account_name"

# Recorded by deploy/prometheus/dashboards.rules.yaml.
VERDICT = "job_instance_shard_account:cloudtrail_account_verdict_timestamp_seconds:freshest"
STATE_REASON_COUNT = "job_instance_shard_state_reason:cloudtrail_accounts:count"
ACCOUNTS_COUNT = "job_instance_shard:cloudtrail_accounts:count"
UNREACHABLE_COUNT = "job_instance_shard:cloudtrail_accounts_unreachable:count"
OLDEST_EVIDENCE = "job_instance_shard:cloudtrail_account_verdict_timestamp_seconds:min"
FAILING_CALLS_COUNT = "job_instance_shard_operation_reason:cloudtrail_accounts_undetermined:count"
CHECK_FAILED_COUNT = "job_instance_shard_check:cloudtrail_account_check:failed"
CHECK_PASSED_COUNT = "job_instance_shard_check:cloudtrail_account_check:passed"
AGE_BUCKETS = "job_instance_shard_le:cloudtrail_trail_last_delivery_age_seconds:bucket"
AGE_MAX = "job_instance_shard:cloudtrail_trail_last_delivery_age_seconds:max"
# Recorded by deploy/prometheus/recording.rules.yaml: how many accounts each instance cannot judge, and the instance that speaks for each account.
BLIND_COUNT = "job_instance:cloudtrail_accounts_blind:count"
SPEAKER = "job_instance_account:cloudtrail_account_last_success_timestamp_seconds:freshest"


def select(metric, *matchers):
    """A selector with job, instance and further matchers."""
    return f"{metric}{{{', '.join([TARGET, *matchers])}}}"


def over_shards(series, by="", matchers=()):
    """A recorded count, each account counted once: replicas of a shard say the same, shards add up."""
    inner = ", ".join(filter(None, ["job", "shard", by]))
    return f"sum by ({by}) (max by ({inner}) ({select(series, *matchers)}))"


def accounts(state=None, by=""):
    """How many accounts (in a state); 0 rather than nothing when there are none."""
    if state is None:
        return over_shards(ACCOUNTS_COUNT, by)
    counted = over_shards(STATE_REASON_COUNT, "state, reason", [f'state="{state}"'])
    return f"sum({counted}) or 0 * {over_shards(ACCOUNTS_COUNT)}"


def in_state(state, matchers=(), wrap="{}", suffix=""):
    """The accounts in a state, 1 each; `wrap` goes around the selector, `suffix` behind it."""
    series = select(VERDICT, f'state="{state}"', *matchers)
    return f"group by ({ACCOUNT_LABELS}) ({wrap.format(series)}{suffix})"


def severity(matchers=()):
    """One series per account: 2 non-compliant, 1 unknown, 0 compliant."""
    bad, unsure, good = (in_state(state, matchers) for state in ("non_compliant", "unknown", "compliant"))
    return f"2 * {bad} or {unsure} or 0 * {good}"


def spoken(metric, by, matchers=(), condition=""):
    """What the freshest instance says of each account, or any instance where none ever had evidence."""
    said = f"({select(metric, *matchers)}{condition})" if condition else select(metric, *matchers)
    speaker = select(SPEAKER, *[m for m in matchers if m.startswith(("account_id", "account_name"))])
    return (
        f"max by ({by}) (({said} and on (job, instance, account_id, account_name) {speaker})"
        f" or on ({ACCOUNT_LABELS}) {said})"
    )
