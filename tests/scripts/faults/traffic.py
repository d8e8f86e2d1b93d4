"""Clients that write and read while something is wrong, and go on: what they were told, and how long they waited for it."""
import dataclasses
import http.client
import json
import threading
import time

from server import TOKEN
from writer import Writer

# Seconds after which a client takes it that there will be no answer.
NEVER = 90
READ, WRITTEN = "read", "write"


@dataclasses.dataclass
class Answer:
    kind: str
    what: str
    # when it was there, and the seconds that it took
    at: float
    took: float
    # None where there was none
    status: int | None
    retry_after: str | None = None
    detail: str = ""


class Refused(Exception):
    """Nothing was acknowledged: whether it was done is not known."""


class Clients:
    """Everybody's answers, and whether to go on."""

    def __init__(self):
        self.answers, self.lock, self.over = [], threading.Lock(), threading.Event()

    def since(self, at):
        with self.lock:
            return [answer for answer in self.answers if answer.at >= at]


class Connection:
    """A connection that notes each answer, and is made anew when it is lost. `call` is that of kill_nine."""

    def __init__(self, port, clients, kind):
        self.port, self.clients, self.kind, self.connection = port, clients, kind, None

    def call(self, method, path, body=None):
        began, answer, text = time.monotonic(), None, b""
        self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=NEVER)
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"}
        try:
            self.connection.request(method, "/scim/v2" + path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection, answer, text = None, None, repr(error).encode()
        now = time.monotonic()
        status = answer.status if answer else None
        noted = Answer(self.kind, f"{method} {path[:60]}", now, now - began, status,
                       answer.headers["Retry-After"] if answer else None, "" if status and status < 300 else text.decode()[:200])
        with self.clients.lock:
            self.clients.answers.append(noted)
        if status is None or status >= 300:
            raise Refused
        return status, answer.headers["ETag"], json.loads(text) if text else None


class SteadyWriter(Writer):
    """A writer of kill_nine that is told to stop. What was refused is in flight: it may have been done all the same."""

    def __init__(self, number, run, port, ledger, clients):
        super().__init__(number, run, port, ledger)
        self.client, self.clients = Connection(port, clients, WRITTEN), clients

    def run(self):
        while not self.clients.over.wait(0.03):
            try:
                self.write()
            except Refused:
                self.clients.over.wait(0.1)


class Reader(threading.Thread):
    """Looks up one by its name, reads one, and lists some."""

    def __init__(self, port, ledger, clients):
        super().__init__()
        self.client, self.clients, self.ledger = Connection(port, clients, READ), clients, ledger

    def run(self):
        n = 0
        while not self.clients.over.wait(0.05):
            n += 1
            try:
                self.client.call("GET", self.path(n))
            except Refused:
                pass

    def path(self, n):
        return (f"/Groups/{self.ledger.shared}?excludedAttributes=members", "/Users?count=5",
                "/Users?filter=userName%20eq%20%22nobody@example.com%22")[n % 3]
