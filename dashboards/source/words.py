"""What states, reasons and checks are called on the dashboards, and their colours.

The three colours of states differ by a CIE distance of 34 or more with normal, protanopic and deuteranopic eyes. A colour never stands alone: the
state is written too.
"""

GOOD = "#009E73"
BAD = "#D04A02"
UNSURE = "#9A6FD0"
PLAIN = "#6E9FD6"
WEAK = "#E69F00"
QUIET = "#8E8E8E"
# For series that mean no state: Okabe and Ito's, without those that look like a state's.
SERIES = ["#56B4E9", "#E69F00", "#0072B2", "#F0E442", "#A6761D", "#66C2A5", "#999999", "#CC79A7"]

STATES = {"non_compliant": ("Non-compliant", BAD), "unknown": ("Unknown", UNSURE), "compliant": ("Compliant", GOOD)}
# How bad a state is, as a number: what tables sort by and timelines show.
SEVERITY = {"compliant": 0, "unknown": 1, "non_compliant": 2}

NON_COMPLIANT_REASONS = {
    "no_trail": "No trail at all",
    "no_multi_region_trail": "No multi-Region trail",
    "not_logging": "Multi-Region trail stopped",
    "delivery_failing": "Delivery to S3 fails",
    "delivery_stale": "Nothing delivered lately",
    "management_events_incomplete": "Management events incomplete",
    "log_file_validation_disabled": "Log file validation off",
    "kms_encryption_disabled": "KMS encryption off",
    "cloudwatch_logs_disabled": "CloudWatch Logs off",
}
UNKNOWN_REASONS = {
    "access_denied": "Access denied",
    "credentials": "Credentials refused",
    "wrong_account": "Wrong account",
    "region_disabled": "Region not enabled",
    "throttled": "Throttled by AWS",
    "timeout": "Timed out",
    "network": "Network fault",
    "tls": "TLS fault",
    "server_error": "AWS server error",
    "malformed": "Answer not understood",
    "clock_skew": "Clocks differ",
    "trail_status_unreadable": "Trail status unreadable",
    "stale": "Evidence too old",
    "not_polled": "Not polled yet",
    "other": "Other failure",
}
REASONS = {"ok": "Covered"} | NON_COMPLIANT_REASONS | UNKNOWN_REASONS

# Shades within the family of the state, so that a graph of reasons reads as states first.
WARM = ["#D04A02", "#F28E2B", "#8C2D04", "#F7B267", "#B5651D", "#E15759", "#7F3B08", "#FDAE6B", "#A63603"]
COOL = ["#9A6FD0", "#5B50A8", "#D4B9F0", "#5A4FA2", "#9E9AC8", "#CBC9E2", "#4C3A8A", "#8C96C6", "#6A51A3", "#BCBDDC", "#3F007D", "#807DBA", "#DADAEB", "#54278F", "#9C8FB8"]
REASON_COLOURS = dict(zip(NON_COMPLIANT_REASONS, WARM)) | dict(zip(UNKNOWN_REASONS, COOL)) | {"ok": GOOD}

CHECKS = {
    "multi_region_trail": "Multi-Region trail",
    "logging": "Logging",
    "delivery": "Delivery to S3",
    "management_events": "Management events",
    "log_file_validation": "Log file validation",
    "kms_encryption": "KMS encryption",
    "cloudwatch_logs": "CloudWatch Logs",
}
# Good practice rather than coverage: off is no alarm.
HARDENING = ["log_file_validation", "kms_encryption", "cloudwatch_logs"]
# The controls that AWS's FedRAMP Low pack maps the rule to (NIST SP 800-53 rev 4), and the checks that tell of each besides.
CONTROLS = {
    "AC-2": ("Account management", ["multi_region_trail", "logging"]),
    "AU-2": ("Audit events", ["management_events"]),
    "AU-3": ("Content of audit records", ["management_events"]),
    "AU-6": ("Audit review, analysis and reporting", ["delivery", "cloudwatch_logs"]),
    "AU-12": ("Audit generation", ["multi_region_trail", "logging"]),
    "CA-7": ("Continuous monitoring", ["logging", "delivery"]),
    "SI-4": ("Information system monitoring", ["delivery", "cloudwatch_logs"]),
}
DESTINATIONS = {"s3": "S3 log files", "s3_digest": "S3 digests", "cloudwatch_logs": "CloudWatch Logs", "sns": "SNS"}


def mapped(texts):
    """Value mappings: value -> (text, colour) or text alone."""
    pairs = {key: text if isinstance(text, tuple) else (text, None) for key, text in texts.items()}
    options = {str(key): {"text": text, "index": i} | ({"color": colour} if colour else {}) for i, (key, (text, colour)) in enumerate(pairs.items())}
    return [{"type": "value", "options": options}]


STATE_MAPPING = mapped(STATES)
SEVERITY_MAPPING = mapped({SEVERITY[state]: said for state, said in STATES.items()})
REASON_MAPPING = mapped(REASONS)
CHECK_MAPPING = mapped(CHECKS)


def yes_no(yes="Yes", no="No", bad=BAD):
    """1 and 0 as words; `bad` is the colour of no."""
    return mapped({1: (yes, GOOD), 0: (no, bad)})
