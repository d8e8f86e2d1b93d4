#!/usr/bin/env python3
"""bulk.py APP DATABASE_URL: P13, what an operation of a bulk request takes, beside the same as a request of its own, through HTTP.

Users are created, a thousand by a thousand, in turns in one bulk request and in as many requests over a connection that is kept. What
is compared is the time of the app's own threads, in which neither the client counts nor what waits for a disk; the time until the
answers are there is shown too. Fails when the ratio misses its goal. With --smoke the numbers are small and no goal is looked at.
"""
import json
import os
import statistics
import sys
import time

from growth import Client, ratio, read_options, start

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
GOAL = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def post(path, body):
    return "POST", "few", path, json.dumps(body)


def users(count, name):
    return [{"schemas": [USER], "userName": f"{name}-{n}@example.com", "displayName": f"User {n}", "active": True}
            for n in range(count)]


def alone(client, count, round_):
    for user in users(count, f"alone-{round_}"):
        client.send(post("/Users", user))


def together(client, count, round_):
    operations = [{"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": user}
                  for n, user in enumerate(users(count, f"together-{round_}"))]
    answer = json.loads(client.send(post("/Bulk", {"schemas": [BULK], "Operations": operations})))
    if any(operation["status"] != "201" for operation in answer["Operations"]):
        sys.exit("not all of them were created")


def cpu(process):
    """The seconds that the app's threads have run."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main():
    options = read_options(__doc__)
    count, rounds = (20, 2) if options.smoke else (150, 60)
    process, port = start(options.app, options.url)
    took = {alone: [], together: []}
    try:
        client = Client(port)
        for round_ in range(rounds):
            for way, times in took.items():
                ran, began = cpu(process), time.perf_counter()
                way(client, count, round_)
                times.append((cpu(process) - ran, time.perf_counter() - began))
    finally:
        process.terminate()
        process.wait()
    # the sum of all rounds: a tick of the clock is long
    ran = {way: sum(ran for ran, _ in times) / rounds / count for way, times in took.items()}
    until = {way: statistics.median(until for _, until in times) / count for way, times in took.items()}
    print(f"    one by one {ran[alone] * 1e6:.0f} µs of the app and {until[alone] * 1e6:.0f} µs until the answer, "
          f"in bulk {ran[together] * 1e6:.0f} and {until[together] * 1e6:.0f}")
    if options.smoke:
        print("small numbers: no goal was looked at")
        return 0
    return ratio("P13 an operation in bulk ÷ a request of its own", ran[together], ran[alone], GOAL)


if __name__ == "__main__":
    sys.exit(main())
