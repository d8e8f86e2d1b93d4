#!/usr/bin/env python3
"""growth.py APP DATABASE_URL: what grows with the data, through HTTP: a process of an app, one connection that is kept.

The tables are filled with SQL. Then the same requests are sent in turns on little and on much, so that whatever else the machine
does meets all of them, and the medians are compared:

  * P3: a look-up by name, beside a read by id, and with many users beside few;
  * P10: one member added to and removed from groups of three sizes.

Fails when a ratio misses its goal. With --smoke the numbers are small and no goal is looked at.
"""
import argparse
import http.client
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import time

TOKEN = "growth-token-0123456789abcdef0123456789"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Tables:
    """The database, beside the app."""

    def __init__(self, url):
        self.url, self.postgres = url, url.startswith("postgres")

    def run(self, sql):
        if self.postgres:
            command = ["psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--command", sql, self.url]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return
        connection = sqlite3.connect(self.url.removeprefix("sqlite:").removeprefix("//").partition("?")[0], timeout=60)
        with connection:
            connection.execute(sql)
        connection.close()

    def numbers(self, count):
        if self.postgres:
            return f"WITH numbers (n) AS (SELECT generate_series(0, {count - 1}))"
        return f"WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})"

    def users(self, tenant, count):
        document = """'{"userName":"user' || n || '@example.com"}'"""
        self.run(f"""{self.numbers(count)}
            INSERT INTO users (tenant, id, user_name, user_name_key, active, attributes, created, modified, version)
            SELECT '{tenant}', 'user-' || n, 'user' || n || '@example.com', 'user' || n || '@example.com', true,
                   {f"({document})::jsonb" if self.postgres else document}, n, n, 1 FROM numbers""")

    def group(self, tenant, name, members):
        self.run(f"""INSERT INTO groups (tenant, id, display_name, display_name_key, attributes, created, modified, version)
            VALUES ('{tenant}', '{name}', '{name}', '{name}', '{{"displayName":"{name}"}}', 0, 0, 1)""")
        self.run(f"""{self.numbers(members)} INSERT INTO group_members (tenant, group_id, member_id, member_kind)
            SELECT '{tenant}', '{name}', 'user-' || n, 'User' FROM numbers""")


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, step):
        """The body of an answer that is as it should be."""
        method, tenant, path, body = step
        headers = {"Authorization": f"Bearer {tenant}-{TOKEN}", "Content-Type": "application/scim+json"}
        self.connection.request(method, "/scim/v2" + path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201, 204) or b'"totalResults":0' in text:
            sys.exit(f"{method} {path}: {answer.status} {text[:300]}")
        return text

    def time(self, step):
        """The seconds until the whole answer is there."""
        began = time.perf_counter()
        self.send(step)
        return time.perf_counter() - began

    def in_turns(self, steps, repeats):
        # once for nothing, so that no first time is counted
        times = [[self.time(step) for step in steps] for _ in range(repeats + 1)][1:]
        return [statistics.median(step) for step in zip(*times)]


def get(tenant, path):
    return "GET", tenant, path, None


def patch(tenant, path, operation):
    return "PATCH", tenant, path, json.dumps({"schemas": [PATCH], "Operations": [operation]})


def ratio(what, this, that, goal):
    """Prints a ratio; 1 when it is over its goal."""
    missed = this > goal * that
    print(f"  {'over ' if missed else 'below'} {what}: {this / that:.2f} (goal {goal}; {this * 1e6:.0f} ÷ {that * 1e6:.0f} µs)")
    return int(missed)


def look_ups(client, tables, sizes, repeats):
    for tenant, size in zip(("few", "many"), sizes):
        tables.users(tenant, size)

    def name(size):
        return f"/Users?filter=userName%20eq%20%22USER{size - 1}@example.com%22"

    few, many = sizes
    steps = [get("few", name(few)), get("many", name(many)), get("many", f"/Users/user-{many - 1}")]
    of_few, of_many, by_id = client.in_turns(steps, repeats)
    return (ratio("P3 userName eq ÷ GET by id", of_many, by_id, 1.2)
            + ratio(f"P3 userName eq, {many} users ÷ {few}", of_many, of_few, 1.2))


def members(client, tables, sizes, repeats):
    steps = []
    for size in sizes:
        tables.group("groups", f"group-{size}", size)
        for operation in ({"op": "add", "path": "members", "value": [{"value": "user-x"}]},
                          {"op": "remove", "path": 'members[value eq "user-x"]'}):
            steps.append(patch("groups", f"/Groups/group-{size}", operation))
    times = client.in_turns(steps, repeats)
    for at, size in enumerate(sizes):
        print(f"    group of {size}: add {times[2 * at] * 1e6:.0f} µs, remove {times[2 * at + 1] * 1e6:.0f} µs")
    return (ratio(f"P10 add one member, {sizes[-1]} ÷ {sizes[0]}", times[-2], times[0], 1.5)
            + ratio(f"P10 remove one member, {sizes[-1]} ÷ {sizes[0]}", times[-1], times[1], 1.5))


def start(app, url, tenants=("few", "many", "groups"), **process_options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tokens = ",".join(f"{tenant}={tenant}-{TOKEN}" for tenant in tenants)
    settings = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{port}", DATABASE_URL=url, SCIM_TOKENS=tokens,
                    RUST_LOG=os.environ.get("RUST_LOG", "error"))
    process = subprocess.Popen([app], env=settings, stdout=subprocess.DEVNULL, **process_options)
    for _ in range(600):
        try:
            # it listens before there are tables: when it answers there are
            Client(port).time(get(tenants[0], "/ServiceProviderConfig"))
            return process, port
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit(f"{app} does not start")


def read_options(doc):
    arguments = argparse.ArgumentParser(description=doc.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("url")
    arguments.add_argument("--smoke", action="store_true")
    return arguments.parse_args()


def main():
    options = read_options(__doc__)
    users, groups, repeats = ((1_000, 100_000), (10, 10_000, 1_000_000), 300)
    if options.smoke:
        users, groups, repeats = ((10, 100), (10, 100, 1_000), 3)
    process, port = start(options.app, options.url)
    try:
        client, tables = Client(port), Tables(options.url)
        missed = look_ups(client, tables, users, repeats) + members(client, tables, groups, repeats)
    finally:
        process.terminate()
        process.wait()
    if options.smoke:
        print("small numbers: no goal was looked at")
        return 0
    print(f"{missed} goals missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
