"""neighbour APP [POSTGRES_URL]: attackers beside a tenant with honest traffic, on two cores and on each store.

Each attack of `attacks.py` is sent at 25 requests a second by one tenant, or by many (--attackers, --rate); meanwhile the victim's
provider looks users up, creates, changes, and sets passwords, a few of each a second, at fixed times. Each attack has a process of
the app and a database of its own. The victim's times are taken in quiet before each attack, put together for a store, and compared:

  * each of the victim's requests is answered as it should be: none with 5xx;
  * the 99th percentile of each kind is at most five times that in quiet, and 250 ms;
  * nobody gets a 500, the process lives, and nothing works on for those that have hung up.

With --small it is a short run on a machine that may be busy: no time is judged that noise could lengthen. With --memory the process
has 1 GiB, and its memory is judged instead of times (`memory.py`). Without POSTGRES_URL there is no PostgreSQL: with-postgres.sh
starts one, whose URL is SCIM_TEST_POSTGRES.
"""
import argparse
import os
import sys
import tempfile

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from attacks import ALL, ATTACKS, OF_MEMORY
from judge import Run, judge, show
from memory import watch
from parties import attackers, victim
from running import attacked, on_two_cores, token

# What the issue of a noisy neighbour asks for, and what a busy machine must keep too.
GOAL, SMALL_GOAL = 0.25, 4.0
FACTOR = 5


def read_options():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("app")
    arguments.add_argument("postgres", nargs="?", default=os.environ.get("SCIM_TEST_POSTGRES"))
    arguments.add_argument("--seconds", type=float, default=60, help="of each attack")
    arguments.add_argument("--quiet", type=float, help="seconds before each attack: a third of --seconds")
    arguments.add_argument("--attackers", type=int, default=1)
    arguments.add_argument("--rate", type=float, default=25, help="requests a second of each attacker")
    arguments.add_argument("--users", type=int, default=20_000, help="of all attackers")
    arguments.add_argument("--stores", default="memory,sqlite,postgres")
    arguments.add_argument("--only", default="", help="attacks whose name holds this")
    arguments.add_argument("--small", action="store_true")
    arguments.add_argument("--memory", action="store_true", help="judge the memory")
    arguments.add_argument("--wait", type=float, default=60, help="seconds until the memory has to be back")
    options = arguments.parse_args()
    if options.small:
        options.seconds, options.users = min(options.seconds, 5), min(options.users, 2_000)
    if options.quiet is None:
        options.quiet = max(2, options.seconds / 3)
    for attack in ATTACKS:
        attack.rate = options.rate
    options.share = (0.25 if options.small else 1) / options.attackers
    return options


def run(options, attack, store, folder, log):
    with attacked(options, attack, store, folder, log) as (app, senders):
        quiet = victim(app.port, token("victim"), "quiet", app.users, options.quiet)
        before = app.cpu()
        sent = attackers(attack, app.port, senders, options.seconds + 1)
        try:
            during = victim(app.port, token("victim"), "during", app.users, options.seconds)
        finally:
            notes = sent.end(30)
        spent = app.cpu() - before
        return Run(attack.name, quiet, during, notes, spent, app.settle(15), app.alive(), app.peak())


def main():
    options = read_options()
    on_two_cores(options.postgres)
    stores = [store for store in ALL if store in options.stores.split(",") and (store != "postgres" or options.postgres)]
    if "postgres" not in stores:
        print("without PostgreSQL")
    attacks = [attack for attack in (ATTACKS + OF_MEMORY * options.memory) if options.only in attack.name]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        for store in stores:
            print(f"--- {store}: {options.attackers} attackers, each {options.rate} requests a second for {options.seconds:g} s", flush=True)
            runs, complaints = [], []
            for attack in attacks:
                if store not in (attack.small if options.small else attack.stores) or (options.small and options.memory and attack in ATTACKS):
                    continue
                if options.memory:
                    complaints += watch(options, attack, store, folder, log)
                    continue
                runs.append(run(options, attack, store, folder, log))
                show(runs[-1])
            if runs:
                complaints = judge(runs, FACTOR, GOAL) if not options.small else judge(runs, None, SMALL_GOAL)
            for complaint in complaints:
                print("  WRONG " + complaint, flush=True)
            wrong += len(complaints)
    print(f"{wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
