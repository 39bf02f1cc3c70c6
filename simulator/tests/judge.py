#!/usr/bin/env python3
"""A third party judges the simulator: boto3 audits the demo world, and its verdicts must be the ones the world expects.

Needs boto3 and PyYAML and a simulator that was just started (the demo world changes after 45 seconds):

    cargo run -p aws-simulator -- --listen 127.0.0.1:4566 &
    python3 simulator/tests/judge.py http://127.0.0.1:4566
"""

import datetime
import pathlib
import sys

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4566"
WORLD = pathlib.Path(__file__).parent.parent / "worlds" / "demo.yaml"
KEYS = {"aws": "AKIAIOSFODNN7EXAMPLE", "aws-us-gov": "AKIAGOVCLOUDEXAMPLE0"}
REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
MAX_DELIVERY_AGE = datetime.timedelta(hours=3)
REASONS = {
    "AccessDenied": "access_denied",
    "AccessDeniedException": "access_denied",
    "ThrottlingException": "throttled",
    "UnrecognizedClientException": "region_disabled",
}
OWNERS = {}  # organization trails the owner could read, by ARN


def client(service, region, keys):
    config = Config(retries={"max_attempts": 1, "mode": "standard"})
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=region, config=config, **keys)


def enter(account, partition):
    keys = {"aws_access_key_id": KEYS[partition], "aws_secret_access_key": "any"}
    role = f"arn:{partition}:iam::{account}:role/cloudtrail-exporter-read"
    answer = client("sts", REGIONS[partition], keys).assume_role(RoleArn=role, RoleSessionName="judge")
    credentials = answer["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def read(trail, keys):
    """The trail's status and selectors: its own word, or the owner's where that is refused."""
    arn, cloudtrail = trail["TrailARN"], client("cloudtrail", trail["HomeRegion"], keys)
    try:
        facts = cloudtrail.get_trail_status(Name=arn), cloudtrail.get_event_selectors(TrailName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException" or arn not in OWNERS:
            raise
        return OWNERS[arn]
    OWNERS[arn] = facts
    return facts


def delivery(status, now):
    if status.get("LatestDeliveryError") not in (None, "", "None"):
        return "delivery_failing"
    young = now - status["StartLoggingTime"] < MAX_DELIVERY_AGE
    latest = status.get("LatestDeliveryTime")
    return None if young or (latest and now - latest <= MAX_DELIVERY_AGE) else "delivery_stale"


def management_events(selectors):
    whole = lambda s: s["ReadWriteType"] == "All" and s["IncludeManagementEvents"] and not s["ExcludeManagementEventSources"]
    fields = lambda s: [(f["Field"], f.get("Equals")) for f in s["FieldSelectors"]]
    complete = any(whole(s) for s in selectors.get("EventSelectors", [])) or any(
        fields(s) == [("eventCategory", ["Management"])] for s in selectors.get("AdvancedEventSelectors", [])
    )
    return None if complete else "management_events_incomplete"


def audit(account, partition):
    """The verdict (state, reason) and the strict one."""
    try:
        keys = enter(account, partition)
        if client("sts", REGIONS[partition], keys).get_caller_identity()["Account"] != account:
            return [("unknown", "wrong_account")] * 2
        trails = client("cloudtrail", REGIONS[partition], keys).describe_trails()["trailList"]
        multi = [read(trail, keys) for trail in trails if trail["IsMultiRegionTrail"]]
    except ClientError as error:
        return [("unknown", REASONS[error.response["Error"]["Code"]])] * 2
    if not multi:
        return [("non_compliant", "no_multi_region_trail" if trails else "no_trail")] * 2
    logging = [facts for facts in multi if facts[0]["IsLogging"]]
    if not logging:
        return [("non_compliant", "not_logging")] * 2
    now = datetime.datetime.now(datetime.timezone.utc)
    wrong = delivery(logging[0][0], now) or management_events(logging[0][1])
    return [("compliant", "ok"), ("non_compliant", wrong) if wrong else ("compliant", "ok")]


def main():
    failures = 0
    for account in yaml.safe_load(WORLD.read_text())["accounts"]:
        expect = account["expect"]
        wanted = [(e["state"], e["reason"]) for e in (expect, expect.get("strict", expect))]
        found = audit(account["id"], account.get("partition", "aws"))
        failures += found != wanted
        print("ok  " if found == wanted else "FAIL", account["name"], found, "" if found == wanted else f"expected {wanted}")
    sys.exit(1 if failures else 0)


main()
