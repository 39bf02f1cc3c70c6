"""A monitor as people write it with boto3, polling the same fleet; prints the CPU of each sweep as JSON.

    boto.py clients URL ACCOUNTS SWEEPS    one Session, a client per account, kept: boto3 at its best
    boto.py sessions URL ACCOUNTS SWEEPS   a Session per poll, as most scripts have it
"""

import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from common import account_ids

THREADS = 32
REGION = "us-east-1"
SETTINGS = Config(max_pool_connections=THREADS, retries={"mode": "standard", "max_attempts": 3})


def main(design, url, accounts, sweeps):
    os.environ["AWS_ENDPOINT_URL"] = url
    hub = boto3.Session(region_name=REGION)
    sts = hub.client("sts", config=SETTINGS)
    sessions, clients = {}, {}

    def assume(account):
        role = f"arn:aws:iam::{account}:role/cloudtrail-exporter-read"
        given = sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
        keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        sessions[account] = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), keys))

    def client(account):
        if design == "sessions":
            return boto3.Session(region_name=REGION, **sessions[account]).client("cloudtrail", config=SETTINGS)
        if account not in clients:
            clients[account] = hub.client("cloudtrail", config=SETTINGS, **sessions[account])
        return clients[account]

    def poll(account):
        if account not in sessions:
            assume(account)
        trails = client(account)
        [trail] = trails.describe_trails()["trailList"]
        status = trails.get_trail_status(Name=trail["TrailARN"])
        selectors = trails.get_event_selectors(TrailName=trail["TrailARN"])
        assert trail["IsMultiRegionTrail"] and status["IsLogging"] and selectors["TrailARN"]

    measured = []
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(sweeps):
            began, cpu = time.perf_counter(), used()
            list(pool.map(poll, account_ids(accounts)))
            measured.append({"wall": time.perf_counter() - began, "cpu": used() - cpu})
    print(json.dumps(measured))


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
