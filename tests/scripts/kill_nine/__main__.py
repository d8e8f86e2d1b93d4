"""Kills a server while eight clients write, and looks whether it kept its word: kill_nine SERVER DATABASE_URL ROUNDS.

SERVER is the program of an example app. A round starts it, lets eight clients create, change and delete users and groups for a
moment, each noting what it is about to send and what was acknowledged; sends SIGKILL in the midst of it; starts the program
again on the same database; and reads everything back:

  * what was acknowledged is there, with the version that the answer told;
  * what was in flight is there as a whole or not at all: a user with all attributes, all operations of a PATCH, a group with its
    members, a deletion with the memberships that go with it;
  * nothing else is there; searches, lists and single reads tell the same; `groups` and `members` agree.

After the first round the judge is put to the test: each of the defects in `defects.py` is planted into what was read or noted,
and has to be found.
"""
import random
import sys
import time

from defects import self_test
from judge import judge, read_back, settle
from server import Server
from writer import NOTHING, WRITERS, Ledger, Writer, prepare

def main(server, rounds):
    ledger, cut = Ledger(), 0
    server.start(sys.stderr)
    prepare(server.port, ledger)
    for number in range(rounds):
        writers = [Writer(writer, number, server.port, ledger) for writer in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(random.uniform(0.5, 1.5))
        server.kill()
        for writer in writers:
            writer.join()
        cut += sum(record.asked != NOTHING for record in ledger.records.values()) + len(ledger.moving)
        server.start(sys.stderr)
        found = read_back(server.port)
        wrong = judge(ledger, found)
        if wrong:
            print("\n".join(wrong[:20]))
            sys.exit(f"round {number + 1}: {len(wrong)} complaints after {ledger.writes} answers")
        if number == 0:
            self_test(ledger, found)
        settle(ledger, found)
    print(f"kill -9: {rounds} rounds, {ledger.writes} acknowledged writes, {cut} cut off in flight; nothing lost, nothing half made")


server = Server(sys.argv[1], sys.argv[2])
try:
    main(server, int(sys.argv[3]))
finally:
    server.kill()
