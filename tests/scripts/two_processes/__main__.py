"""two_processes APP DATABASE_URL: two processes of an app on one database, and many clients that write to one group at once.

Both processes start at the same moment, on a database without tables. Then clients of either add members and remove some again,
rename the group, do both in one request, write with If-Match, and write the whole group back as they have read it; others look.

  * The accepted changes, made again in the order of their versions, give at each version what was read of it, the name as well as
    the members: none is lost, none is undone by somebody who wrote an older state back.
  * No version is given twice and none is left out, and what a process has told the other one knows.
  * Of those who named the same version in If-Match one has won, and of those who created the same name.

At the end the judge is put to the test: each of the defects in `defects.py` is planted into what was noted, and has to be found.
"""
import argparse
import collections
import sys
import tempfile
import time

from defects import self_test
from judge import Outcome, judge
from server import Client, start, wait_for
from writers import GROUP, Sight, Writers, in_parallel, number, quiet_rounds

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def create_group(port, name):
    status, etag, group = Client(port).send("POST", "/Groups", {"schemas": [GROUP], "displayName": name})
    assert status == 201, group
    return "/Groups/" + group["id"], Sight(number(etag), name, frozenset(), 0)


def create_one_name(ports):
    statuses = []

    def create(index):
        body = {"schemas": [USER], "userName": "Ada@example.com" if index % 2 else "ada@EXAMPLE.com"}
        statuses.append(Client(ports[index % 2]).send("POST", "/Users", body)[0])

    in_parallel([(create, (index,)) for index in range(16)])
    return statuses


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("url")
    arguments.add_argument("--writers", type=int, default=32)
    arguments.add_argument("--patches", type=int, default=1000)
    options = arguments.parse_args()
    with tempfile.TemporaryFile("w+") as log:
        status = 1
        try:
            status = run(options, log)
        finally:
            # a change for which others were faster every time is refused with 503, which an app logs: that is no news
            if status:
                log.seek(0)
                print("--- the end of the log\n" + "".join(log.readlines()[-40:]), file=sys.stderr)
    return status


def run(options, log):
    processes = [start(options.app, options.url, log) for _ in range(2)]
    try:
        for process, port in processes:
            wait_for(process, port)
        ports = [port for _, port in processes]
        names = create_one_name(ports)
        group, first = create_group(ports[0], "Busy")
        writers = Writers(ports, group)
        began = time.monotonic()
        writers.work(options.writers, options.patches)
        took = time.monotonic() - began
        quiet = quiet_rounds(ports, create_group(ports[1], "Quiet")[0], 16, 20)
        sights, writers.sights = writers.sights, []
        for port in ports:
            writers.look(Client(port), whole=True)
    finally:
        for process, _ in processes:
            process.terminate()
            process.wait()

    outcome = Outcome(first, writers.changes, sights, writers.sights, writers.refused, names, quiet)
    wrong = judge(outcome)
    by_kind = collections.Counter(change.who for change in outcome.changes)
    print(f"{len(outcome.changes)} accepted changes in {took:.1f} s ({dict(by_kind)}), {len(sights)} reads in between; "
          f"{len(outcome.shown[0].members)} members; {len(wrong)} complaints")
    for complaint in wrong[:20]:
        print("  " + complaint)
    if wrong:
        return 1
    self_test(outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
