"""Shows what Alertmanager sends: on the log as it comes, and newest first on a page at
http://localhost:9099/. For looking only; it keeps the last hundred lines in memory."""

import collections
import datetime
import html
import http.server
import json
import sys

PORT = 9099
LONGEST = 4 << 20
notifications = collections.deque(maxlen=100)


def lines(notification):
    """A line for each alert of a notification."""
    receiver = notification.get("receiver", "")
    for alert in notification.get("alerts", []):
        labels, notes = alert.get("labels", {}), alert.get("annotations", {})
        name, severity = labels.get("alertname", ""), labels.get("severity", "")
        text = notes.get("summary") or notes.get("description") or ""
        yield f"{receiver:<14} {alert.get('status', ''):<8} {severity:<8} {name}: {text}"


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > LONGEST:
            self.answer(413, "")
            return
        try:
            found = list(lines(json.loads(self.rfile.read(length))))
        except (ValueError, AttributeError) as error:
            self.answer(400, f"{error}\n")
            return
        time = datetime.datetime.now().strftime("%H:%M:%S")
        for line in found:
            print(f"{time}  {line}", flush=True)
            notifications.appendleft(f"{time}  {line}")
        self.answer(200, "")

    def do_GET(self):
        text = html.escape("\n".join(notifications) or "Nothing yet.")
        self.answer(200, f'<!doctype html><meta http-equiv="refresh" content="5"><pre>{text}</pre>')

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
