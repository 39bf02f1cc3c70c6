"""Starts the demo, Prometheus and Alertmanager with the shipped rules and routes, for a person to play with. Ctrl-C ends everything.

usage: stack_up.py [--speed N]

Ports are the usual ones where they are free. Whom Alertmanager would tell is printed here instead."""

import argparse
import pathlib
import signal
import socket
import sys
import tempfile
import time
from contextlib import ExitStack

from monitoring import JOB, Alertmanager, Prometheus, ready
from pager import Pager
from stack import EXPORTER, Process, free_port, get, wait_for

# The demo polls every 5 s instead of every 5 min; at this speed the rules keep up with it.
SPEED = 60


def usual_port(port):
    """This port of the loopback interface, or a free one if it is taken."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return port
        except OSError:
            return free_port()


def tell(notification):
    """One line for a notification. The webhook gets a copy of each, so it is left out."""
    if notification.channel != "webhook":
        print(f"{time.strftime('%H:%M:%S')}  {notification.channel:10} {notification.title}", flush=True)


def start(stack, speed):
    """Starts everything, and returns (what it is, its process, its address)."""
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudtrail-stack-")))
    pager = stack.enter_context(Pager(tell))
    demo = f"127.0.0.1:{usual_port(10065)}"
    exporter = stack.enter_context(Process("exporter", [EXPORTER, "demo", f"--web.listen-address={demo}"]))
    alertmanager = Alertmanager(folder / "alertmanager", pager, speed, usual_port(9093))
    stack.enter_context(alertmanager.process)
    prometheus = Prometheus(folder / "prometheus", {JOB: demo}, alertmanager.address, speed, usual_port(9090))
    stack.enter_context(prometheus.process)
    ready(alertmanager), ready(prometheus)
    wait_for("the demo is ready", lambda: get(f"http://{demo}/-/ready")[0] == 200, 60)
    return [
        ("the exporter: the fleet, worst first", exporter, f"http://{demo}/"),
        ("Prometheus: alerts, rules, targets, graphs", prometheus.process, f"{prometheus.url}/"),
        ("Alertmanager: alerts, silences (Debian's package has no pages, so ask with amtool)", alertmanager.process, f"{alertmanager.url}/"),
    ]


def watch(servers):
    """Waits for Ctrl-C; a server that ends is a fault."""
    while True:
        for _, process, _ in servers:
            if process.child.poll() is not None:
                raise AssertionError(f"{process.name} ended:\n{process.output()[-2000:]}")
        time.sleep(1)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=int, default=SPEED, help=f"divide every shipped duration by this; 1 for the real ones (default {SPEED})")
    return parser.parse_args()


def play(stack, speed):
    """Starts everything, says where it is, and stays until something ends."""
    servers = start(stack, speed)
    for what, _, url in servers:
        print(f"{url:34} {what}")
    print(f"Dashboards for a Grafana of yours: deploy/grafana, dashboards. Durations of rules and routes are divided by {speed}; the shipped ones: SPEED=1.")
    print("Notifications appear below. Ctrl-C ends everything.", flush=True)
    watch(servers)


def interrupted(*_):
    """Once is enough: what ends everything is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    speed = options().speed
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    with ExitStack() as stack:
        # Caught inside, for that is no failure to show the servers' output for.
        try:
            play(stack, speed)
        except KeyboardInterrupt:
            print("\nStopping.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
