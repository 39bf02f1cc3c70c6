#!/usr/bin/env python3
"""Writes fleet.json, account.json and exporter.json from source/.

    generate.py            write them
    generate.py --check    exit 1 if one of them is not what the source says
"""
import json
import pathlib
import sys

from source import account, exporter, fleet

HERE = pathlib.Path(__file__).parent
DASHBOARDS = {"fleet.json": fleet.dashboard, "account.json": account.dashboard, "exporter.json": exporter.dashboard}


def rendered(build):
    """The text of one dashboard's file."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def stale():
    """Names of the files that are not what the source says."""
    texts = {HERE / name: rendered(build) for name, build in DASHBOARDS.items()}
    return [path.name for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]


def main(arguments):
    """Writes or checks; the exit code."""
    if arguments == ["--check"]:
        names = stale()
        print(f"not what the source says: {', '.join(names)}; run dashboards/generate.py" if names else f"{len(DASHBOARDS)} dashboards are what the source says")
        return 1 if names else 0
    for name, build in DASHBOARDS.items():
        (HERE / name).write_text(rendered(build), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
