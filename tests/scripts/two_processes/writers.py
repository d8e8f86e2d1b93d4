"""The clients that write to one group at once, and what they note: each accepted change, and what was read in between."""
import concurrent.futures
import dataclasses
import sys
import threading
import time

from server import Client

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
# how many of its members a writer leaves in the group
KEPT = 200


@dataclasses.dataclass
class Change:
    """What a client was told that it has done, and the version that it was told."""
    who: str
    version: int
    name: str | None = None
    added: frozenset = frozenset()
    removed: frozenset = frozenset()
    # where the change was allowed for one version only
    condition: int | None = None


@dataclasses.dataclass
class Sight:
    """What somebody has read; `least` is a version that had been told by then."""
    version: int
    name: str
    members: frozenset | None
    least: int


def number(etag):
    return int(etag.removeprefix("W/").strip('"'))


def patch(*operations):
    return {"schemas": [PATCH], "Operations": list(operations)}


def add(member):
    return {"op": "add", "path": "members", "value": [{"value": member}]}


def rename(name):
    return {"op": "replace", "path": "displayName", "value": name}


def in_parallel(calls):
    """Makes all calls at once; fails when one of them does."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(call, *arguments) for call, arguments in calls]
        for future in running:
            future.result()


class Writers:
    def __init__(self, ports, group):
        self.ports, self.group = ports, group
        self.lock = threading.Lock()
        self.changes, self.sights, self.refused = [], [], []
        self.told, self.working = 0, True

    def send(self, client, change, body, method="PATCH", etag=None, may_be=()):
        """Sends a change; notes it when it was accepted. Whether it was."""
        status, new, answer = client.send(method, self.group, body, etag)
        with self.lock:
            if status in (200, 204):
                change.version = number(new)
                change.condition = number(etag) if etag else None
                self.changes.append(change)
                self.told = max(self.told, change.version)
                return True
            if status not in may_be:
                self.refused.append(f"{change.who}: {status} {answer}")
            return False

    def look(self, client, whole=False):
        """Reads the group, with or without its members, and notes what it was."""
        with self.lock:
            least = self.told
        status, etag, body = client.send("GET", self.group + ("" if whole else "?excludedAttributes=members"))
        if status != 200:
            raise SystemExit(f"GET of the group: {status} {body}")
        # a text for each member, however often it is read
        members = frozenset(sys.intern(member["value"]) for member in body.get("members", [])) if whole else None
        with self.lock:
            self.sights.append(Sight(number(etag), body["displayName"], members, least))
        return etag, members

    def of_members(self, index, count):
        """Adds members one by one, and removes some again: every third one, and later one for each. A document names 10,000
        members at the most, and there are writers of documents among us."""
        client, mine = Client(self.ports[index % 2]), []
        for n in range(count):
            member = f"m-{index}-{n}"
            if n % 4 == 3 or len(mine) >= KEPT:
                member = mine.pop(-1 if n % 4 == 3 else 0)
                gone = {"op": "remove", "path": f'members[value eq "{member}"]'}
                self.send(client, Change("members", 0, removed=frozenset([member])), patch(gone))
            else:
                mine.append(member)
                self.send(client, Change("members", 0, added=frozenset([member])), patch(add(member)))

    def of_names(self, index, count):
        client = Client(self.ports[index % 2])
        for n in range(count):
            name = f"Name {index} {n}"
            self.send(client, Change("rename", 0, name=name), patch(rename(name)))

    def of_both(self, index, count):
        """Renames the group and moves a member in one request. Every second one is about members that have to be looked at: the
        service reads, applies and replaces, and may ask the client to come back when others were faster every time."""
        client, mine, n, done = Client(self.ports[index % 2]), set(), 0, 0
        while (n < count or done < 4) and not self.refused:
            n += 1
            name, member = f"Both {index} {n}", f"both-{index}-{n}"
            if mine:
                body = patch(rename(name), {"op": "remove", "path": f'members[value sw "both-{index}-"]'})
                change = Change("general", 0, name=name, removed=frozenset(mine))
            else:
                body = patch(rename(name), add(member))
                change = Change("both", 0, name=name, added=frozenset([member]))
            if self.send(client, change, body, may_be=(503,) if mine else ()):
                done += 1
                mine = set() if mine else {member}

    def if_match(self, index, count):
        client, n, won = Client(self.ports[index % 2]), 0, 0
        # until it has won often enough: while all others write, somebody is always faster
        while (n < count or won < 10) and not self.refused:
            n += 1
            etag, _ = self.look(client)
            member = f"if-{index}-{n}"
            change = Change("if-match", 0, added=frozenset([member]))
            won += self.send(client, change, patch(add(member)), etag=etag, may_be=(412,))

    def of_documents(self, index, count):
        """Reads the whole group, and writes it back with another name and one member more and less."""
        client, n, won, mine = Client(self.ports[index % 2]), 0, 0, set()
        while (n < count or won < 5) and not self.refused:
            n += 1
            etag, members = self.look(client, whole=True)
            name, member = f"Document {index} {n}", f"document-{index}-{n}"
            kept = sorted(members - mine | {member})
            body = {"schemas": [GROUP], "displayName": name, "members": [{"value": value} for value in kept]}
            change = Change("document", 0, name=name, added=frozenset([member]), removed=frozenset(mine))
            if self.send(client, change, body, "PUT", etag, may_be=(412,)):
                won += 1
                mine = {member}

    def watch(self, index):
        client = Client(self.ports[index % 2])
        while self.working:
            self.look(client)
            time.sleep(0.01)

    def work(self, writers, patches):
        calls = [(self.of_members, (index, patches)) for index in range(writers)]
        calls += [(self.of_names, (index, patches // 2)) for index in range(2)]
        calls += [(self.of_both, (index, patches // 10)) for index in range(2)]
        calls += [(self.if_match, (index, max(10, patches // 5))) for index in range(4)]
        calls += [(self.of_documents, (index, patches // 20)) for index in range(2)]
        watching = threading.Thread(target=in_parallel, args=([(self.watch, (index,)) for index in range(2)],))
        watching.start()
        try:
            in_parallel(calls)
        finally:
            self.working = False
            watching.join()


def quiet_rounds(ports, group, writers, rounds):
    """All writers name the same version, of a group that nobody else changes. The statuses of each round."""
    clients, answers = [Client(ports[n % 2]) for n in range(writers)], []
    for n in range(rounds):
        _, etag, _ = clients[n % writers].send("GET", group + "?attributes=displayName")
        statuses = [None] * writers

        def write(index):
            statuses[index] = clients[index].send("PATCH", group, patch(add(f"quiet-{n}-{index}")), etag)[0]

        in_parallel([(write, (index,)) for index in range(writers)])
        answers.append(statuses)
    return answers
