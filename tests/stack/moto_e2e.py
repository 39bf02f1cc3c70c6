"""The main job against moto, an AWS emulator that nobody here wrote: trails are made, started, re-scoped, stopped and deleted with the real
`aws` CLI, and the metrics follow within one interval."""

import sys
import time

from stack import Aws, exporter, get, moto, samples, value, wait_for

INTERVAL = 2.0
CONFIG = """
poll: {{ interval: 2s, timeout: 2s, stale_after: 30s }}
accounts:
  - {{ id: "{payments}", name: payments }}
  - {{ id: "{sandbox}", name: sandbox }}
  - {{ name: hub, ambient: true }}
"""


def verdict(url, account):
    """(state, reason, multi-Region trails, logging of the trail) of an account, as /metrics has it."""
    found = samples(get(f"{url}/metrics")[1])
    one = lambda name, label: [l[label] for n, l, v in found if n == name and v == 1 and l.get("account_id") == account]
    state = one("cloudtrail_account_compliance", "state")
    reason = one("cloudtrail_account_compliance_reason", "reason")
    count = value(found, "cloudtrail_account_multi_region_trails", account_id=account)
    logging = value(found, "cloudtrail_trail_logging", account_id=account)
    return state + reason + [count, logging]


def main():
    server, endpoint = moto()
    with server:
        hub = Aws(endpoint)
        hub("organizations", "create-organization")
        create = lambda name: hub("organizations", "create-account", "--account-name", name, "--email", f"{name}@example.com")
        payments, sandbox = (create(name)["CreateAccountStatus"]["AccountId"] for name in ("payments", "sandbox"))
        inside = hub.assume(payments)
        inside("s3api", "create-bucket", "--bucket", "audit-logs")
        trail = lambda *words: inside("cloudtrail", *words)
        steps = [
            ("no trail", None, ["non_compliant", "no_trail", 0, None]),
            ("create-trail --is-multi-region-trail", lambda: trail("create-trail", "--name", "audit", "--s3-bucket-name", "audit-logs", "--is-multi-region-trail"), ["non_compliant", "not_logging", 1, 0]),
            ("start-logging", lambda: trail("start-logging", "--name", "audit"), ["compliant", "ok", 1, 1]),
            ("update-trail --no-is-multi-region-trail", lambda: trail("update-trail", "--name", "audit", "--no-is-multi-region-trail"), ["non_compliant", "no_multi_region_trail", 0, 1]),
            ("update-trail --is-multi-region-trail", lambda: trail("update-trail", "--name", "audit", "--is-multi-region-trail"), ["compliant", "ok", 1, 1]),
            ("stop-logging", lambda: trail("stop-logging", "--name", "audit"), ["non_compliant", "not_logging", 1, 0]),
            ("delete-trail", lambda: trail("delete-trail", "--name", "audit"), ["non_compliant", "no_trail", 0, None]),
        ]
        process, url = exporter(CONFIG.format(payments=payments, sandbox=sandbox), endpoint)
        with process:
            wait_for("ready", lambda: get(f"{url}/-/ready")[0] == 200)
            print(f"{'step':42} {'state':14} {'reason':22} multi-Region  logging  seconds")
            for name, act, wanted in steps:
                if act:
                    act()
                began = time.monotonic()
                wait_for(f"{name}: {wanted}, got {verdict(url, payments)}", lambda: verdict(url, payments) == wanted, 2 * INTERVAL + 2)
                took = time.monotonic() - began
                print(f"{name:42} {wanted[0]:14} {wanted[1]:22} {wanted[2]!s:>12} {wanted[3]!s:>8} {took:8.1f}")
                assert verdict(url, sandbox)[:2] == ["non_compliant", "no_trail"], "the other account stands as it was"
            found = samples(get(f"{url}/metrics")[1])
            identity = [l["account_id"] for n, l, _ in found if n == "cloudtrail_account_info" and l["account_name"] == "hub"]
            assert identity == ["123456789012"], f"the ambient account told its id: {identity}"
            assert process.stop() == 0, "SIGTERM ends it with 0"
    print(f"{len(steps)} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
