"""worst APP [POSTGRES_URL]: the most expensive request that is allowed, found by a search.

Starts the app on a store in memory, on SQLite and, where the URL of a PostgreSQL server of this machine is given (with-
postgres.sh starts one), on a database of its own there. Fills tenants over HTTP (seed.py): the resources that are as long as
many requests may make them are there before anything is measured. Then each family of requests (queries.py, writes.py) is
searched: a request is made of genes, of which each reaches from what is cheap to its limit; the first has all of them at their
dearest, some are drawn, and what costs more goes on with one to three genes changed (search.py). One request is sent at a time.
It is given up when it has cost some seconds of CPU, or after two minutes: the server is killed then, and started again.

What a request costs is the time that the app's threads and all processes of the PostgreSQL server have run until they are quiet
again, divided by that of a GET by id in the same run: figures of two machines, or of a machine that does something else, differ
less in that. Memory is the peak of the app above what it held before (not of PostgreSQL's processes); freed memory goes back to
the system at once, so that earlier requests hide nothing. The dearest request of a family and the one with the highest peak are
sent some more times: the medians are shown.

Fails when a request costs more than 500 GETs, takes more than 40 MB, or is given up. A hash of a password is meant to cost, and
what reads or ends a large group as a whole costs what its members do: these families have a bound of their own, which the table
shows. With --small there are 1,000 users and some dozens of requests;
without it --users says how many. The seed is printed: with --seed the same requests are drawn.
"""
import argparse
import os
import random
import re
import secrets
import sys
import time

import known
import queries
import search
import writes
from seed import World
from server import Server

FAMILIES = queries.FAMILIES + writes.FAMILIES


def read_options():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("postgres", nargs="?", help="the URL of a server of this machine")
    arguments.add_argument("--small", action="store_true", help="1,000 users, few requests")
    arguments.add_argument("--users", default="1000,20000,100000", help="how many, one after the other")
    arguments.add_argument("--stores", default="memory,sqlite,postgres")
    arguments.add_argument("--families", default="", help="those that have one of these words in their names")
    arguments.add_argument("--requests", type=int, help="how many are tried in each family (default 36, in small 3)")
    arguments.add_argument("--most", type=float, help="the seconds of CPU after which one is given up (default 5, in small 1)")
    arguments.add_argument("--known", action="store_true", help="no search, but the shapes that were found by an attack")
    arguments.add_argument("--unknown", action="store_true", help="a search that does not begin with those shapes")
    arguments.add_argument("--ratio", type=float, default=search.CPU_BOUND, help="how many GETs a request may cost")
    arguments.add_argument("--memory", type=float, default=search.MEMORY_BOUND, help="how many MB it may take")
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(10 ** 6))
    options = arguments.parse_args()
    options.users = [1_000] if options.small else [int(users) for users in options.users.split(",")]
    options.requests = options.requests or (3 if options.small else 36)
    options.most = options.most or (1 if options.small else 5)
    options.families = [family for family in FAMILIES
                        if not options.families or any(word in family.name for word in options.families.split(","))]
    return options


def row(options, world, family, cost, get):
    """Prints a line; 1 when it is over a bound."""
    ratio, most = cost.cpu / get, family.most(world)
    most = options.ratio if most == search.CPU_BOUND else most
    over = ratio > most or cost.memory > options.memory or not isinstance(cost.status, int)
    answered = "" if isinstance(cost.status, int) else "≥"
    shown = f"(bound {most:.0f}) " if most != options.ratio else ""
    print(f"{'over' if over else 'ok':4} | {family.name} | {family.limits} | {shown}{family.describe(cost.genome)} | {cost.sent} | {cost.status} | "
          f"{answered}{cost.cpu * 1e3:.1f} | {answered}{ratio:.0f} | {cost.memory:.1f}", flush=True)
    return int(over)


def search_store(options, store, users):
    url = {"memory": "memory:", "sqlite": "sqlite:", "postgres": options.postgres}[store]
    server = Server(options.app, url, options.most)
    try:
        began = time.monotonic()
        world = World(server, users, options.small)
        search.of_get(world, 5)
        get = search.of_get(world, 20 if options.small else 100)
        print(f"\n--- {store}: {world.told()} (in {time.monotonic() - began:.0f} s); a GET by id takes {get * 1e6:.0f} µs")
        print("     | family | limits | worst request | bytes | status | CPU ms | ÷ GET | MB")
        over = tried = 0
        for family in options.families:
            draw = random.Random(f"{options.seed} {store} {users} {family.name}")
            shapes = list(known.genomes(family))
            if options.known:
                shapes = [search.measure(world, family, genome) for genome in shapes]
                tried += len(shapes)
                over += sum(row(options, world, family, cost, get) for cost in shapes)
                continue
            tops, requests = search.climb(world, family, get, draw, options.requests, 2 if options.small else 3,
                                          () if options.unknown else shapes)
            tried += requests
            over += row(options, world, family, tops[0], get)
            if tops[1].genome != tops[0].genome and tops[1].memory > max(5, 1.2 * tops[0].memory):
                over += row(options, world, family, tops[1], get)
        after = search.of_get(world, 20)
        print(f"     {tried} requests tried in {time.monotonic() - began:.0f} s; at the end a GET takes {after * 1e6:.0f} µs")
        return over
    finally:
        server.stop()


def unsearched():
    """The limits of the library that no family is about. How often the service repeats a write is none of a request."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../src/limits.rs"), encoding="utf-8") as source:
        limits = set(re.findall(r"^    pub (\w+): ", source.read(), re.MULTILINE))
    return limits - {"retries"} - {limit for family in FAMILIES for limit in family.limits.split(", ")}


def main():
    options = read_options()
    if unsearched():
        sys.exit(f"no family of requests is about {', '.join(sorted(unsearched()))}")
    print(f"seed {options.seed}")
    over = 0
    for store in options.stores.split(","):
        if store == "postgres" and not options.postgres:
            print("\n--- postgres: no URL, not tried")
            continue
        for users in options.users:
            over += search_store(options, store, users)
    print(f"\n{over} over {options.ratio:.0f} GETs, {options.memory:.0f} MB or given up")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
