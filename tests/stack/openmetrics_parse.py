#!/usr/bin/env python3
"""Reads scrapes with the OpenMetrics parser of PyPI's prometheus-client.

usage: openmetrics_parse.py FILE_OR_URL...

A URL is asked for OpenMetrics 1.0 by its `Accept` header and must answer in it. Prints one line for each scrape: families and samples. Exits 1 at
the first one that the parser refuses.
"""

import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def read(source):
    if not source.startswith(("http://", "https://")):
        with open(source, encoding="utf-8", newline="\n") as file:
            return file.read()
    request = urllib.request.Request(source, headers={"Accept": OPENMETRICS})
    with urllib.request.urlopen(request, timeout=30) as response:
        content_type = response.headers["Content-Type"]
        if not content_type.startswith(OPENMETRICS):
            raise ValueError(f"answered as {content_type}")
        return response.read().decode("utf-8")


def check(source):
    families = list(text_string_to_metric_families(read(source)))
    samples = sum(len(family.samples) for family in families)
    print(f"{source}: {len(families)} families, {samples} samples")
    return bool(families)


def main(sources):
    try:
        return 0 if sources and all([check(source) for source in sources]) else 1
    except (ValueError, OSError) as error:
        print(f"openmetrics: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
