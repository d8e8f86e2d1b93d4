"""The memory of a process that is attacked."""
import dataclasses
import threading
import time

from judge import counted
from parties import attackers, victim
from running import attacked, own_memory, token

GIB = 1 << 30
# In the end it is at most so many times what it was.
BACK = 1.2
# Seconds until a connection is given up that nobody reads: the server's own 30, and some.
LET_GO = 45


class Samples(threading.Thread):
    """The most that the app and the database's processes take, ten times a second."""

    def __init__(self, app):
        super().__init__(daemon=True)
        self.app, self.app_most, self.database_most, self.over = app, 0, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            self.app_most = max(self.app_most, self.app.memory())
            if self.app.database.store == "postgres":
                self.over.wait(0.4)
                self.database_most = max(self.database_most, own_memory(self.app.database.processes()))


def watch(options, attack, store, folder, log):
    """Runs an attack on a process of 1 GiB. Prints what it took, and gives the complaints."""
    with attacked(options, attack, store, folder, log, GIB) as (app, senders):
        victim(app.port, token("victim"), "before", app.users, max(2, options.quiet))
        time.sleep(1)
        began, connections = app.memory(), app.connections()
        samples = Samples(app)
        samples.start()
        seconds = options.seconds + 1
        if attack.never_read:
            # they open no more after the attack, and hold what they have
            most = min(attack.never_read, int(attack.rate * options.seconds) * len(senders))
            attack, seconds = dataclasses.replace(attack, never_read=most), seconds + LET_GO + 2
        sent = attackers(attack, app.port, senders, seconds)
        try:
            during = victim(app.port, token("victim"), "during", app.users, options.seconds)
            if attack.never_read:
                kept = fallen(app.connections, connections + 20, LET_GO)
        finally:
            notes = sent.end(0 if attack.never_read else 30)
        back = fallen(app.memory, began * BACK, options.wait)
        samples.over.set()
        samples.join()
        end = app.memory()
        wrong = [f"{kind}: {dict(noted.wrong)}" for kind, noted in during.items() if noted.wrong]
        if not app.alive():
            wrong.append(f"the process has ended: {app.process.returncode}")
        if max(samples.app_most, app.peak()) > GIB:
            wrong.append("the process took more than 1 GiB")
        if samples.database_most > GIB:
            wrong.append("the database's processes took more than 1 GiB")
        if attack.never_read and kept is None:
            wrong.append(f"connections that nobody reads are held after {LET_GO} s")
        if app.alive() and back is None and not (attack.stays and store == "memory"):
            wrong.append(f"{end >> 20} MB after {options.wait:g} s, and {began >> 20} MB before: more than {BACK} ×")
    print(f"  {attack.name}: {began >> 20} MB, at the most {samples.app_most >> 20}, in the end {end >> 20}"
          f"{'' if back is None else f' ({back:.0f} s)'}; the database's processes at the most {samples.database_most >> 20}; "
          f"{f'{most} connections, let go after {kept and round(kept)} s' if attack.never_read else counted(notes)}", flush=True)
    return [f"{attack.name}: {complaint}" for complaint in wrong]


def fallen(measure, goal, patience):
    """The seconds until it is no more than that, or None."""
    began = time.monotonic()
    while (took := time.monotonic() - began) < patience:
        if measure() <= goal:
            return took
        time.sleep(0.5)
    return None
