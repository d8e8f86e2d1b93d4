#!/usr/bin/env python3
"""load.py APP DATABASE_URL: the load that Entra ID announces, 25 requests a second from each tenant, on one process of an app.

Each tenant's requests come at fixed times, whether or not those before were answered, and a time is counted from when its
request was due. The mix is that of a provisioning cycle: look-ups by name, reads, changes of users, members that come and go,
some new users. Prints the median, the 99th percentile, the statuses and the app's memory. Fails unless each request was answered,
and as it should be: a new user with 201, everything else with 200 or 204. How long it took is printed, not judged.
"""
import argparse
import asyncio
import collections
import json
import os
import random
import socket
import subprocess
import sys
import time

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CONNECTIONS = 4
# Seconds: what comes later is no answer.
ANSWERED_WITHIN = 60


class Tenant:
    """A tenant's provider: some connections, and the users that it has created."""

    def __init__(self, number, port):
        self.number, self.port = number, port
        self.token = f"load-test-token-of-tenant-{number:04}-0123456789"
        self.idle = asyncio.Queue()
        self.users, self.group, self.created = [], None, 0
        self.random = random.Random(number)

    async def open(self):
        for _ in range(CONNECTIONS):
            self.idle.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))
        _, body = await self.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Everybody"})
        self.group = body["id"]
        for _ in range(20):
            status, expected = await self.create()
            assert status in expected, f"a user could not be created: {status}"

    async def create(self):
        """Gives the status, and those that are expected: likewise below."""
        self.created += 1
        name = f"user{self.created}@tenant{self.number}.example"
        user = {"schemas": [USER], "userName": name, "externalId": f"x-{self.created}", "active": True,
                "name": {"givenName": "User", "familyName": str(self.created)},
                "emails": [{"value": name, "type": "work", "primary": True}]}
        status, body = await self.send("POST", "/Users", user)
        if status == 201:
            self.users.append((body["id"], name))
        return status, (201,)

    async def step(self):
        user, name = self.random.choice(self.users)
        kind = self.random.random()
        if kind < 0.35:
            status, body = await self.send("GET", f"/Users?filter=userName%20eq%20%22{name}%22")
            found = [found["id"] for found in (body or {}).get("Resources", [])]
            return status if found == [user] else f"{status}, and found {found}", (200,)
        if kind < 0.50:
            return (await self.send("GET", f"/Users/{user}"))[0], (200,)
        if kind < 0.70:
            title = f"Title {self.random.randrange(100)}"
            return await self.patch(f"/Users/{user}", {"op": "Replace", "path": "title", "value": title})
        if kind < 0.80:
            return await self.patch(f"/Groups/{self.group}", {"op": "Add", "path": "members", "value": [{"value": user}]})
        if kind < 0.90:
            return await self.patch(f"/Groups/{self.group}", {"op": "Remove", "path": f'members[value eq "{user}"]'})
        if kind < 0.95:
            return (await self.send("GET", f"/Groups/{self.group}?excludedAttributes=members"))[0], (200,)
        return await self.create()

    async def patch(self, path, operation):
        return (await self.send("PATCH", path, {"schemas": [PATCH], "Operations": [operation]}))[0], (200, 204)

    async def send(self, method, path, body=None):
        reader, writer = await self.idle.get()
        # a connection that failed fails for all that come after, and each of them is counted
        try:
            content = json.dumps(body).encode() if body is not None else b""
            head = (f"{method} /scim/v2{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
                    f"Content-Type: application/scim+json\r\nContent-Length: {len(content)}\r\n\r\n")
            writer.write(head.encode() + content)
            status, length = None, 0
            for line in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n"):
                if status is None:
                    status = int(line.split()[1])
                elif line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            text = await reader.readexactly(length) if length else b""
            return status, json.loads(text) if text else None
        finally:
            self.idle.put_nowait((reader, writer))


async def drive(tenants, rate, seconds):
    times, statuses, wrong, running = [], collections.Counter(), collections.Counter(), set()

    async def one(tenant, due):
        try:
            status, expected = await asyncio.wait_for(tenant.step(), ANSWERED_WITHIN)
        except Exception as error:  # whatever it is, it is counted: in a task nobody else sees it
            status, expected = f"no answer: {type(error).__name__} {error}", ()
        statuses[status] += 1
        if status not in expected:
            wrong[status] += 1
        times.append(time.monotonic() - due)

    began = time.monotonic()
    for n in range(int(rate * seconds * len(tenants))):
        due = began + n / (rate * len(tenants))
        wait = due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(tenants[n % len(tenants)], due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return sorted(times), statuses, wrong, time.monotonic() - began


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def measure(options, port, pid):
    tenants = [Tenant(number, port) for number in range(options.tenants)]
    for tenant in tenants:
        await tenant.open()
    before = resident(pid)
    times, statuses, wrong, took = await drive(tenants, options.rate, options.seconds)

    def percentile(part):
        return times[min(len(times) - 1, int(len(times) * part))] * 1000

    print(f"{len(times)} requests in {took:.1f} s from {options.tenants} tenants: p50 {percentile(0.5):.1f} ms, "
          f"p99 {percentile(0.99):.1f} ms, longest {times[-1] * 1000:.1f} ms")
    print(f"statuses {dict(statuses)}; memory {before:.1f} MB before, {resident(pid):.1f} MB after")
    sent = int(options.rate * options.seconds * options.tenants)
    if len(times) != sent:
        wrong[f"{len(times)} of {sent} requests were counted"] += 1
    for what, count in wrong.most_common(10):
        print(f"  WRONG {count} times: {what}")
    return 1 if wrong else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("url")
    arguments.add_argument("--tenants", type=int, default=40)
    arguments.add_argument("--rate", type=float, default=25)
    arguments.add_argument("--seconds", type=float, default=60)
    options = arguments.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tokens = ",".join(f"tenant-{t.number}={t.token}" for t in (Tenant(n, port) for n in range(options.tenants)))
    settings = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{port}", DATABASE_URL=options.url, SCIM_TOKENS=tokens,
                    RUST_LOG=os.environ.get("RUST_LOG", "error"))
    process = subprocess.Popen([options.app], env=settings, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return asyncio.run(measure(options, port, process.pid))
            except ConnectionRefusedError:
                time.sleep(0.05)
        sys.exit(f"{options.app} does not start")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
