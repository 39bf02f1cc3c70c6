"""The commands of a runbook, as whoever is paged would run them: out of the page of docs, with the variables of the alert filled in."""

import os
import re
import subprocess

from stack import BIN, ROOT

_FENCE = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENTS = re.compile(r"(?:^[A-Z_]+=.*\n|^\s*#.*\n)+")


def section(markdown, heading):
    """What stands under a heading, up to the next one of its level or above."""
    level = re.match("#+", heading)[0]
    _, found, rest = f"\n{markdown}".partition(f"\n{heading}\n")
    if not found:
        raise AssertionError(f"no heading {heading!r}")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def commands(markdown):
    """The shell blocks of a text. Those that only give example values to variables are left out: the alert has the real ones."""
    return [block for block in _FENCE.findall(markdown) if not _ASSIGNMENTS.fullmatch(block)]


def remediation(alert, heading=None):
    """The blocks of the remediation of an alert's runbook, or of one part of it."""
    text = section((ROOT / f"docs/runbooks/{alert}.md").read_text("utf-8"), "## Remediation")
    return commands(section(text, heading) if heading else text)


def run(blocks, aws, folder, **variables):
    """Runs shell blocks with the real `aws` CLI as `aws` would call it."""
    env = {**aws.env, **variables, "PATH": f"{BIN}:{os.environ['PATH']}", "AWS_PAGER": ""}
    for block in blocks:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], env=env, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise AssertionError(f"exit {done.returncode} of\n{block}\n{done.stderr.strip()}")
