#!/usr/bin/env python3
"""two-processes.py APP DATABASE_URL: two processes of an app on one database, and many clients that write to one group at once.

Each writer adds members and removes every second one again, half of them at either process; others rename the group and write
with If-Match. Afterwards every accepted change has to be there, no two may have got the same version, and of those who named
the same version in If-Match one may have won. A second group, which nobody else changes, has exactly one winner per version.
"""
import argparse
import collections
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time

TOKEN = "two-processes-test-token-0123456789abcdef"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class Client:
    """A connection of its own, kept open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method, path, body=None, etag=None):
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"}
        if etag:
            headers["If-Match"] = etag
        self.connection.request(method, "/scim/v2" + path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, answer.getheader("ETag"), json.loads(text) if text else None


def patch(op, path, value=None):
    operation = {"op": op, "path": path}
    if value is not None:
        operation["value"] = value
    return {"schemas": [PATCH], "Operations": [operation]}


def number(etag):
    return int(etag.removeprefix("W/").strip('"'))


class Run:
    def __init__(self, ports, group):
        self.ports = ports
        self.group = group
        self.lock = threading.Lock()
        self.statuses = collections.Counter()
        self.expected = set()
        self.versions = []
        self.wrong = []
        self.winners = collections.Counter()

    def accepted(self, who, status, etag, last):
        """Counts an answer; gives the version that the change got, or None when it was refused."""
        with self.lock:
            self.statuses[who, status] += 1
            if status not in (200, 204):
                return None
            version = number(etag)
            self.versions.append(version)
            if version <= last:
                self.wrong.append(f"{who}: version {version} after {last}")
            return version

    def member_writer(self, index, count):
        client, last, mine = Client(self.ports[index % 2]), 0, set()
        for n in range(count):
            if n % 4 == 3:
                member = f"m-{index}-{n - 1}"
                body = patch("remove", f'members[value eq "{member}"]')
            else:
                member = f"m-{index}-{n}"
                body = patch("add", "members", [{"value": member}])
            status, etag, _ = client.send("PATCH", self.group, body)
            version = self.accepted("members", status, etag, last)
            if version is not None:
                last = version
                (mine.discard if n % 4 == 3 else mine.add)(member)
        with self.lock:
            self.expected |= mine

    def renamer(self, count):
        client, last = Client(self.ports[0]), 0
        for n in range(count):
            status, etag, _ = client.send("PATCH", self.group, patch("replace", "displayName", f"Name {n}"))
            last = self.accepted("rename", status, etag, last) or last

    def if_match_writer(self, index, count):
        client, mine, n = Client(self.ports[index % 2]), set(), 0
        # until it has won often enough: while all others write, somebody is always faster
        while n < count or len(mine) < 10:
            n += 1
            _, etag, _ = client.send("GET", self.group + "?attributes=displayName")
            member = f"if-{index}-{n}"
            status, new, _ = client.send("PATCH", self.group, patch("add", "members", [{"value": member}]), etag)
            if self.accepted("if-match", status, new, number(etag)) is not None:
                mine.add(member)
                with self.lock:
                    self.winners[etag] += 1
            elif status != 412:
                self.wrong.append(f"If-Match: {status}")
        with self.lock:
            self.expected |= mine

    def quiet_rounds(self, group, writers, rounds):
        """All writers name the same version, of a group that nobody else changes: one of them wins."""
        clients = [Client(self.ports[n % 2]) for n in range(writers)]
        for n in range(rounds):
            _, etag, _ = clients[n % writers].send("GET", group + "?attributes=displayName")
            statuses = [None] * writers

            def write(index):
                body = patch("add", "members", [{"value": f"quiet-{n}-{index}"}])
                statuses[index] = clients[index].send("PATCH", group, body, etag)[0]

            in_parallel([(write, (index,)) for index in range(writers)])
            if sorted(statuses)[0] not in (200, 204) or statuses.count(412) != writers - 1:
                self.wrong.append(f"If-Match {etag} had the answers {statuses}")


def in_parallel(calls):
    threads = [threading.Thread(target=call, args=arguments) for call, arguments in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def start(app, url):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{port}", DATABASE_URL=url, SCIM_TOKENS="acme=" + TOKEN,
                    SCIM_BASE_URL="http://127.0.0.1/scim/v2", RUST_LOG=os.environ.get("RUST_LOG", "error"))
    process = subprocess.Popen([app], env=settings, stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, port
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit(f"{app} does not start")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("url")
    arguments.add_argument("--writers", type=int, default=32)
    arguments.add_argument("--patches", type=int, default=1000)
    options = arguments.parse_args()

    # one after the other: the first makes the tables
    processes = [start(options.app, options.url) for _ in range(2)]
    try:
        ports = [port for _, port in processes]
        names = collections.Counter()

        def create(index):
            body = {"schemas": [USER], "userName": "Ada@example.com" if index % 2 else "ada@EXAMPLE.com"}
            status = Client(ports[index % 2]).send("POST", "/Users", body)[0]
            names[status] += 1

        in_parallel([(create, (index,)) for index in range(16)])
        wrong = [] if names == {201: 1, 409: 15} else [f"16 creations of one name: {dict(names)}"]

        def group(name):
            client = Client(ports[0])
            return "/Groups/" + client.send("POST", "/Groups", {"schemas": [GROUP], "displayName": name})[2]["id"]

        run = Run(ports, group("Busy"))
        began = time.monotonic()
        calls = [(run.member_writer, (index, options.patches)) for index in range(options.writers)]
        calls.append((run.renamer, (options.patches,)))
        calls += [(run.if_match_writer, (index, max(10, options.patches // 5))) for index in range(4)]
        in_parallel(calls)
        took = time.monotonic() - began
        run.quiet_rounds(group("Quiet"), 16, 20)

        # both processes show the same state
        shown = [Client(port).send("GET", run.group)[1:] for port in ports]
        members = [{member["value"] for member in body.get("members", [])} for _, body in shown]
    finally:
        for process, _ in processes:
            process.terminate()
            process.wait()

    wrong += run.wrong
    if shown[0] != shown[1] and members[0] != members[1]:
        wrong.append("the processes do not agree")
    lost, extra = run.expected - members[0], members[0] - run.expected
    if lost or extra:
        wrong.append(f"{len(lost)} accepted changes lost, {len(extra)} members that nobody added")
    twice = [version for version, count in collections.Counter(run.versions).items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} versions were given twice, such as {twice[0]}")
    if run.versions and number(shown[0][0]) != max(run.versions):
        wrong.append(f"the group is at {shown[0][0]}, and the last change was told {max(run.versions)}")
    if any(count > 1 for count in run.winners.values()):
        wrong.append("a version in If-Match had two winners")
    refused = {f"{who} {status}": count for (who, status), count in run.statuses.items() if status not in (200, 204, 412)}
    if refused:
        wrong.append(f"refused: {refused}")
    print(f"{len(run.versions)} accepted changes in {took:.1f} s, {sum(run.winners.values())} of them with If-Match; "
          f"{len(members[0])} members; {len(wrong)} complaints")
    for complaint in wrong[:20]:
        print("  " + complaint)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
