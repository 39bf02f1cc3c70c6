"""The demo, judged by third parties: promtool and the OpenMetrics parser read its metrics, jsonschema its JSON, a browser and axe-core its pages."""

import json
import os
import pathlib
import subprocess
import sys
import time

import jsonschema
from stack import BIN, EXPORTER, ROOT, Process, free_port, get, wait_for

HERE = pathlib.Path(__file__).parent
NODE = BIN.parents[1] / "node"
# A debug build on a busy machine; the release build is held to 3 s.
FIRST_SCRAPE = 10


def promtool(text):
    """What `promtool check metrics` has to say; nothing is wanted."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    return f"{done.returncode} {done.stdout}{done.stderr}".strip()


def main():
    port = free_port()
    began = time.monotonic()
    demo = Process("demo", [EXPORTER, "demo", f"--web.listen-address=127.0.0.1:{port}"])
    url = f"http://127.0.0.1:{port}"
    passed = 0
    with demo:
        wait_for("the demo is ready", lambda: get(f"{url}/-/ready")[0] == 200, FIRST_SCRAPE)
        print(f"first full scrape {time.monotonic() - began:.1f} s after the start")
        said = promtool(get(f"{url}/metrics")[1])
        assert said == "0", f"promtool: {said}"
        for golden in sorted((ROOT / "tests/exposition").glob("*.prom")):
            said = promtool(golden.read_text())
            assert said == "0", f"promtool, {golden.name}: {said}"
        passed += 1
        subprocess.run([sys.executable, HERE / "openmetrics_parse.py", f"{url}/metrics"], check=True)
        passed += 1
        schema = json.loads((ROOT / "docs/api.schema.json").read_text())
        fleet = json.loads(get(f"{url}/api/v1/accounts")[1])
        jsonschema.validate(fleet, schema)
        assert len(fleet["accounts"]) == 24
        passed += 1
        shots = ROOT / "target/screenshots"
        accounts = ["410000000001", "410000000004", "210000000007"]
        environment = {**os.environ, "NODE_PATH": str(NODE / "node_modules")}
        subprocess.run(["node", HERE / "page.mjs", url, shots, *accounts], check=True, cwd=NODE, env=environment)
        passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
