"""The processes of an app on one database, and connections to them."""
import http.client
import json
import os
import socket
import subprocess
import sys
import time

TOKEN = "two-processes-test-token-0123456789abcdef"
# One tenant has all the clients here: its share is not what is looked at.
ALONE = {"SCIM_TENANT_AT_ONCE": "64", "SCIM_TENANT_WAITING": "1000", "SCIM_WAIT_MILLIS": "20000"}


class Client:
    """A connection of its own, kept open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def send(self, method, path, body=None, etag=None):
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"}
        if etag:
            headers["If-Match"] = etag
        self.connection.request(method, "/scim/v2" + path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, answer.getheader("ETag"), json.loads(text) if text else None


def start(app, url, log):
    """Starts a process: it may not answer yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{port}", DATABASE_URL=url, **ALONE, SCIM_TOKENS="acme=" + TOKEN,
                    SCIM_BASE_URL="http://127.0.0.1/scim/v2", RUST_LOG=os.environ.get("RUST_LOG", "error"))
    return subprocess.Popen([app], env=settings, stdout=subprocess.DEVNULL, stderr=log), port


def wait_for(process, port):
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not start")
