"""`make stack` for a person: everything answers at the addresses it prints, and is gone after Ctrl-C."""

import re
import signal
import sys

from stack import ROOT, Process, get, wait_for


def main():
    with Process("stack_up", [sys.executable, ROOT / "tests/stack/stack_up.py"]) as process:
        wait_for("it says how to end it", lambda: "Ctrl-C" in process.output() or process.child.poll() is not None, 90)
        urls = re.findall(r"^http://\S+", process.output(), re.MULTILINE)
        assert len(urls) == 3, process.output()
        for url in urls:
            assert get(url)[0] == 200, f"{url} does not answer"
        wait_for("a page is printed", lambda: "pagerduty  CRITICAL" in process.output(), 60)
        process.child.send_signal(signal.SIGINT)
        assert process.child.wait(30) == 0, "Ctrl-C ends it with 0"
        alive = [url for url in urls if get(url)[0]]
        assert alive == [], f"still there: {alive}"
        assert "level=" not in process.output(), "no server's log on a plain Ctrl-C"
        print(process.output().strip())
    print("5 passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
