"""faults APP [POSTGRES_URL]: a database in trouble for a while, and clients that write and read meanwhile.

A full disk, a server that stands still, connections that are cut, a server that takes no writes, a lock that another process holds.
Each has a process of the app and a database of its own for all its rounds. In a round it is wrong for some seconds, then right again,
and nobody restarts anything:

  * each request is answered in its time, with 503 and Retry-After at the worst;
  * reads that need nothing of what is missing work;
  * writes work again by themselves, and nothing is refused any more;
  * what was acknowledged is there, and everything else as a whole or not at all (the judge of `kill_nine`);
  * after connections were cut in a quiet moment no read is refused.

At the end of a good first round the judges are put to the test with planted defects. The PostgreSQL server is halted and set
read-only: it has to be one of its own, such as with-postgres.sh starts (SCIM_TEST_POSTGRES). The full disk needs to mount.
"""
import argparse
import contextlib
import dataclasses
import os
import secrets
import sys
import tempfile
import time
import typing

here = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(here, "..", "kill_nine"), os.path.join(here, ".."), os.path.join(here, "..", "neighbour")]

import judge_answers
import trouble
from defects import self_test
from judge import judge, read_back, settle
from running import psql
from server import Server
from traffic import READ, WRITTEN, Clients, Connection, Reader, Refused, SteadyWriter
from writer import WRITERS, Ledger, prepare

READERS = 2


@dataclasses.dataclass
class Fault:
    name: str
    store: str
    begin: typing.Callable
    # how long it lasts, in full and in small; None: not in small
    seconds: float
    small: float | None
    # seconds that a request may take
    patience: float = 32
    # whether reads work all the time
    reads: bool = False
    lasts: float | None = None


FAULTS = [
    Fault("full disk", "sqlite", trouble.full_disk, 4, 3, reads=True, patience=8),
    Fault("lock held", "sqlite", trouble.locked_file, 12, 11, reads=True, patience=8),
    Fault("lock held", "postgres", trouble.locked_table, 12, 11, reads=True, patience=8),
    Fault("backends ended", "postgres", trouble.ended_backends, 3, 2, patience=8),
    Fault("read-only", "postgres", trouble.read_only, 4, 3, reads=True, patience=8),
    Fault("frozen for 25 s", "postgres", trouble.frozen, 25, None),
    Fault("frozen for 40 s", "postgres", trouble.frozen, 40, 36),
]


def read_options():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("postgres", nargs="?", default=os.environ.get("SCIM_TEST_POSTGRES"))
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--only", default="", help="faults whose store and name, `sqlite: full disk`, hold this")
    arguments.add_argument("--small", action="store_true")
    return arguments.parse_args()


def round_(number, fault, database, port, ledger):
    """Complaints about a round, and a line about it."""
    clients = Clients()
    threads = [SteadyWriter(writer, number, port, ledger, clients) for writer in range(WRITERS)]
    threads += [Reader(port, ledger, clients) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        began = time.monotonic()
        with fault.begin(database):
            time.sleep(fault.lasts)
        ended = time.monotonic()
        while time.monotonic() < ended + judge_answers.RECOVERED and not works(clients, ended):
            time.sleep(0.1)
        time.sleep(judge_answers.QUIET + 2)
    finally:
        clients.over.set()
        for thread in threads:
            thread.join()
    return judge_answers.judge_answers(clients.answers, fault, began, ended), judge_answers.told(clients.answers, began, ended)


def works(clients, ended):
    return any(answer.kind == WRITTEN and answer.status and answer.status < 300 for answer in clients.since(ended + 0.1))


def states(number, port, ledger):
    """What is not there as it should be."""
    try:
        found = read_back(port)
    except (AssertionError, OSError) as error:
        return [f"it cannot be read: {error}"]
    wrong = judge(ledger, found)
    if not wrong:
        if number == 0:
            self_test(ledger, found)
        settle(ledger, found)
    return wrong


def cut_in_quiet(database, port):
    """Reads after all connections were cut while nobody used them."""
    trouble.end_backends(database)
    time.sleep(0.5)
    connection, refused = Connection(port, Clients(), READ), 0
    for _ in range(30):
        try:
            connection.call("GET", "/Users?count=1")
        except Refused:
            refused += 1
    return [f"{refused} of 30 reads are refused after connections were cut in a quiet moment"] if refused else []


def rounds(options, fault, folder, log):
    """The complaints about a fault. It ends with the first round that has some."""
    name = "scim_" + secrets.token_hex(8)
    if fault.store == "postgres":
        psql(options.postgres, f"CREATE DATABASE {name}")
    url = f"sqlite:{folder}/{name}.sqlite" if fault.store == "sqlite" else options.postgres.rpartition("/")[0] + "/" + name
    database, server, ledger = trouble.Database(url, options.postgres, folder), Server(options.app, url), Ledger()
    judge_answers.self_test(fault)
    try:
        server.start(log)
        prepare(server.port, ledger)
        for number in range(options.rounds):
            wrong, line = round_(number, fault, database, server.port, ledger)
            wrong += states(number, server.port, ledger)
            if fault.begin == trouble.ended_backends:
                wrong += cut_in_quiet(database, server.port)
            if server.process.poll() is not None:
                wrong.append(f"the process has ended: {server.process.returncode}")
            print(f"  round {number + 1}: {line}", flush=True)
            if wrong:
                return wrong
        return []
    finally:
        server.process.kill()
        server.process.wait()
        if fault.store == "postgres":
            psql(options.postgres, f"DROP DATABASE {name} WITH (FORCE)")


def main():
    options, wrong, skipped = read_options(), 0, []
    for fault in FAULTS:
        fault.lasts = fault.small if options.small else fault.seconds
        title = f"{fault.store}: {fault.name}"
        if fault.lasts is None or options.only not in title:
            continue
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(trouble.disk() if fault.begin == trouble.full_disk else tempfile.TemporaryDirectory())
            log = stack.enter_context(tempfile.TemporaryFile("w+"))
            if not folder or (fault.store == "postgres" and not options.postgres):
                skipped.append(title)
                continue
            print(f"--- {title}, {fault.lasts} s, {options.rounds} rounds", flush=True)
            complaints = rounds(options, fault, folder, log)
            for complaint in complaints[:20]:
                print("  WRONG " + complaint, flush=True)
            wrong += len(complaints)
    for title in skipped:
        print(f"SKIPPED {title}: {'nothing may be mounted here' if 'disk' in title else 'there is no PostgreSQL'}")
    print(f"{wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
