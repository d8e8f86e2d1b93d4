"""beside.py OLD NEW [POSTGRES_URL]: what honest requests cost two builds of an app, side by side in one run.

Both are started on each store (in memory, SQLite, PostgreSQL where there is a server of this machine) and sent the same requests,
in turns of some dozens, the one first and then the other. What is compared is the time that the app's threads and the
database's processes have run, not the clock's: of each kind of request the median of all turns. Fails where the new one costs
more than 1.05 of the old one (--most). Look again at what is near it: two runs of one program differ by some percent.
"""
import argparse
import os
import statistics
import sys
import urllib.parse

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "worst"))

from seed import CORE, create, group, patch, person
from server import Server

KINDS = ("GET a user", "look up by userName", "look up by e-mail", "page of 100", "page of groups", "POST a user", "PUT a user",
         "PATCH active", "PATCH of a member", "GET a group of 500", "DELETE a user")


class Side:
    """A build of the app on a store, filled with some people and groups."""

    def __init__(self, app, store):
        self.server, self.made = Server(app, store, 60), 0
        client = self.server.client
        self.people = create(client, "people", "/Users", [person(n) for n in range(1_000)])
        self.groups = create(client, "people", "/Groups", [group(f"Group {n}", self.people[n * 10:n * 10 + 10]) for n in range(50)])
        self.crowd = create(client, "people", "/Groups", [group("Crowd", self.people[:500])])[0]
        if self.server.postgres:
            self.server.postgres.settle()
        self.new = []

    def send(self, method, path, body=None, good=(200, 201, 204)):
        status, headers, _ = self.server.client.send("people", method, path, body)
        if status not in good:
            sys.exit(f"{method} {path}: {status}")
        return headers

    def one(self, kind, n):
        user, found = self.people[n % 1_000], urllib.parse.quote
        if kind == "GET a user":
            self.send("GET", f"/Users/{user}")
        elif kind == "look up by userName":
            self.send("GET", "/Users?filter=" + found(f'userName eq "user{n % 1_000}@example.com"'))
        elif kind == "look up by e-mail":
            self.send("GET", "/Users?filter=" + found(f'emails[type eq "work"].value eq "user{n % 1_000}.0@example.com"'))
        elif kind == "page of 100":
            self.send("GET", f"/Users?startIndex={n % 900 + 1}&count=100")
        elif kind == "page of groups":
            self.send("GET", "/Groups?count=25")
        elif kind == "POST a user":
            self.made += 1
            location = self.send("POST", "/Users", person(1_000_000 + self.made))["Location"]
            self.new.append(location.rpartition("/")[2])
        elif kind == "PUT a user":
            number = n % 1_000
            self.send("PUT", f"/Users/{self.people[number]}", dict(person(2_000_000 + number), title=f"T{self.made}-{n}"))
        elif kind == "PATCH active":
            self.send("PATCH", f"/Users/{user}", patch({"op": "Replace", "path": "active", "value": bool((n // 1_000 + n) % 2)}))
        elif kind == "PATCH of a member":
            member = self.people[500 + n // 2 % 500]
            operation = {"op": "add", "path": "members", "value": [{"value": member}]} if n % 2 == 0 else \
                {"op": "remove", "path": f'members[value eq "{member}"]'}
            self.send("PATCH", f"/Groups/{self.crowd}", patch(operation))
        elif kind == "GET a group of 500":
            self.send("GET", f"/Groups/{self.crowd}")
        else:
            self.send("DELETE", f"/Users/{self.new.pop()}")

    def turn(self, kind, first, count):
        """Seconds of CPU of a request."""
        before = self.server.settled()
        for n in range(first, first + count):
            self.one(kind, n)
        return (self.server.settled() - before) / count


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("old")
    arguments.add_argument("new")
    arguments.add_argument("postgres", nargs="?", default=os.environ.get("SCIM_TEST_POSTGRES"))
    arguments.add_argument("--stores", default="memory,sqlite,postgres")
    arguments.add_argument("--turns", type=int, default=40)
    arguments.add_argument("--count", type=int, default=40, help="requests of a turn")
    arguments.add_argument("--most", type=float, default=1.05)
    options = arguments.parse_args()
    over = 0
    for store in options.stores.split(","):
        if store == "postgres" and not options.postgres:
            print("--- postgres: no URL, not tried")
            continue
        url = {"memory": "memory:", "sqlite": "sqlite:", "postgres": options.postgres}[store]
        sides = [Side(app, url) for app in (options.old, options.new)]
        costs = {kind: ([], []) for kind in KINDS}
        try:
            for turn in range(options.turns + 1):
                for kind in KINDS:
                    for at in (0, 1) if turn % 2 else (1, 0):
                        cost = sides[at].turn(kind, turn * options.count, options.count)
                        if turn:  # the first is for the caches
                            costs[kind][at].append(cost)
        finally:
            for side in sides:
                side.server.stop()
        print(f"--- {store}")
        for kind, (old, new) in costs.items():
            ratio = statistics.median(new) / statistics.median(old)
            over += ratio > options.most
            print(f"{'over' if ratio > options.most else 'ok':4} | {kind:20} | {statistics.median(old) * 1e6:7.0f} µs | "
                  f"{statistics.median(new) * 1e6:7.0f} µs | {ratio:.2f}", flush=True)
    print(f"{over} over {options.most}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
