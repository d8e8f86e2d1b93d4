"""The program that is killed, and a connection to it."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

TOKEN = "kill-nine-token-of-the-clients-0123456789"
# One tenant has all the clients here: its share is not what is looked at.
ALONE = {"SCIM_TENANT_AT_ONCE": "64", "SCIM_TENANT_WAITING": "1000", "SCIM_WAIT_MILLIS": "20000"}


class Server:
    """The program, on a port of its own."""

    def __init__(self, program, database):
        self.program, self.database, self.process = program, database, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self, log):
        environment = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{self.port}", DATABASE_URL=self.database,
                           SCIM_TOKENS="acme=" + TOKEN, SCIM_BASE_URL="https://scim.example.com/scim/v2", RUST_LOG="error",
                           **ALONE)
        self.process = subprocess.Popen([self.program], env=environment, stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(600):
            try:
                client = Client(self.port)
                assert client.call("GET", "/ServiceProviderConfig")[0] == 200
                return
            except OSError:
                assert self.process.poll() is None, "the server ended: its log is on standard error"
                time.sleep(0.05)
        raise SystemExit("the server does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.database.startswith("postgres"):
            self.wait_for_the_last_transactions()

    def wait_for_the_last_transactions(self):
        """The database's own processes may still be ending the transactions of the one that was killed."""
        others = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                  "AND backend_type = 'client backend'")
        for _ in range(600):
            asked = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", others, self.database]
            if subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip() == "0":
                return
            time.sleep(0.05)
        raise SystemExit("the database does not end the transactions of the process that was killed")


class Client:
    """A connection that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None):
        """Status, version and document of an answer. OSError when there is none."""
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"}
        try:
            self.connection.request(method, "/scim/v2" + path, None if body is None else json.dumps(body), headers)
            response = self.connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise OSError("cut off") from error
        return response.status, response.headers["ETag"], json.loads(text) if text else None
