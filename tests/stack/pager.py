"""Stands for everybody Alertmanager tells: PagerDuty, Slack, the webhook and the mail server of the shipped configuration, on loopback. What
arrives is kept with the moment it arrived."""

import dataclasses
import http.server
import json
import socketserver
import threading
import time

CHANNELS = {"/v2/enqueue": "pagerduty", "/slack": "slack", "/cloudtrail": "webhook"}


@dataclasses.dataclass
class Notification:
    """One request or mail. `data` is the JSON of a request, `{"text": ...}` of a mail; `secret` is what it was authorized with."""

    at: float
    channel: str
    data: dict
    secret: str

    @property
    def text(self):
        """All of it, as a person would search it."""
        return self.data.get("text") or json.dumps(self.data)

    @property
    def title(self):
        """The line a person is woken with."""
        payload = self.data.get("payload") or self.data.get("attachments", [{}])[0]
        subject = [line[9:] for line in self.data.get("text", "").splitlines() if line.startswith("Subject: ")]
        return payload.get("summary") or payload.get("title") or (subject or [self.data.get("status", "")])[0]

    @property
    def resolved(self):
        """Whether it says that the trouble is over."""
        return "resolve" == self.data.get("event_action") or "resolved" == self.data.get("status") or self.title.startswith("RESOLVED")


class Pager:
    """Both servers, on free ports of the loopback interface. `on_arrival` is called with each notification."""

    def __init__(self, on_arrival=lambda notification: None):
        self.arrived = []
        self.on_arrival = on_arrival
        self.servers = [_server(socketserver.ThreadingTCPServer, handler, self) for handler in (_Web, _Mail)]
        self.web, self.mail = (f"127.0.0.1:{server.server_address[1]}" for server in self.servers)

    def take(self, channel, data, secret):
        """Remembers a notification."""
        notification = Notification(time.monotonic(), channel, data, secret)
        self.arrived.append(notification)
        self.on_arrival(notification)

    def of(self, channel, *words, resolved=False, since=0.0):
        """What arrived on a channel and has all these words in it, oldest first."""
        fits = lambda n: n.channel == channel and n.resolved == resolved and n.at >= since and all(word in n.text for word in words)
        return [notification for notification in list(self.arrived) if fits(notification)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def _server(kind, handler, pager):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads, server.pager = True, pager
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server


class _Web(http.server.BaseHTTPRequestHandler):
    """PagerDuty's events API, a Slack webhook, and the webhook receiver."""

    def do_POST(self):
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        secret = self.headers.get("Authorization") or data.get("routing_key") or ""
        channel = CHANNELS.get(self.path)
        if channel:
            self.server.pager.take(channel, data, secret)
        self.send_response({"pagerduty": 202, None: 404}.get(channel, 200))
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        """Says nothing."""


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as Alertmanager speaks."""

    def handle(self):
        self.say("220 pager")
        secret = ""
        for line in self.rfile:
            words = line.decode().split()
            verb = words[0].upper() if words else ""
            if verb == "EHLO":
                self.say("250-pager\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                secret = words[-1]
                self.say("235 welcome")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.pager.take("mail", {"text": self.message()}, secret)
                self.say("250 taken")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")

    def message(self):
        """The lines up to the single dot."""
        lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
        return "\n".join(lines)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())
