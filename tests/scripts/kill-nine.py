"""Kills a server while eight clients write, and looks whether it kept its word: kill-nine.py SERVER DATABASE_URL ROUNDS.

SERVER is the program of an example app. A round starts it, lets eight clients create, change and delete users and groups for a
moment, each noting what it is about to send and what was acknowledged; sends SIGKILL in the midst of it; starts the program
again on the same database; and reads everything back:

  * what was acknowledged is there, with the version that the answer told;
  * what was in flight is there as a whole or not at all: a user with all attributes, all operations of a PATCH, a group with its
    members, a deletion with the memberships that go with it;
  * nothing else is there; searches, lists and single reads tell the same; `groups` and `members` agree.

After the first round the judge is put to the test: each of the defects at the end of this file is planted into what was read or
noted, and has to be found.
"""
import copy
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

WRITERS = 8
TOKEN = "kill-nine-token-of-the-clients-0123456789"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
# A database server may still be ending the transactions of the program that was killed.
SETTLE = 0.3
# A writer that has so many users and groups deletes some.
ENOUGH = 25


class Server:
    """The program, on a port of its own."""

    def __init__(self, program, database):
        self.program, self.database, self.process = program, database, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self, log):
        environment = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{self.port}", DATABASE_URL=self.database,
                           SCIM_TOKENS="acme=" + TOKEN, SCIM_BASE_URL="https://scim.example.com/scim/v2", RUST_LOG="error")
        self.process = subprocess.Popen([self.program], env=environment, stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(200):
            try:
                client = Client(self.port)
                assert client.call("GET", "/ServiceProviderConfig")[0] == 200
                return
            except OSError:
                assert self.process.poll() is None, "the server ended: its log is on standard error"
                time.sleep(0.05)
        raise SystemExit("the server does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client:
    """A connection that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None):
        """Status, version and document of an answer. OSError when there is none."""
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"}
        try:
            self.connection.request(method, "/scim/v2" + path, None if body is None else json.dumps(body), headers)
            response = self.connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise OSError("cut off") from error
        return response.status, response.headers["ETag"], json.loads(text) if text else None


NOTHING = "nothing"  # no request is in flight; None is a deletion


class Record:
    """What a client knows of a resource: the state that was acknowledged, and the one that it has asked for since."""

    def __init__(self, kind, name):
        self.kind, self.name, self.id = kind, name, None
        self.state, self.version, self.asked = None, None, NOTHING


class Ledger:
    """All records, by external id; and the members of the one group that all clients write to."""

    def __init__(self):
        self.records, self.refused, self.writes = {}, [], 0
        self.shared, self.members, self.moving = None, set(), set()
        self.lock = threading.Lock()

    def living(self, kind, writer):
        """A writer's own resources, as far as it knows."""
        start = f"{kind}-{writer}-"
        return [r for r in list(self.records.values()) if r.name.startswith(start) and r.state and r.asked == NOTHING]


def user_state(name, value):
    """A user whose every attribute tells which write it is of."""
    return {
        "userName": f"{name}.{value}@example.com", "externalId": name, "displayName": value, "title": "Title " + value,
        "active": True, "name": {"givenName": "Given " + value, "familyName": "Family " + value},
        "emails": [{"type": kind, "value": f"{name}.{value}.{kind}@example.com"} for kind in ("home", "work")],
        ENTERPRISE: {"department": value, "employeeNumber": value},
    }


def group_state(name, value, members):
    return {"displayName": f"{name} {value}", "externalId": name, "members": sorted(members)}


def message(record, state):
    """The body of a POST or PUT."""
    body = dict(state, schemas=[CORE + record.kind.rstrip("s")])
    if "members" in state:
        body["members"] = [{"value": member} for member in state["members"]]
    return body


def changes(state, new):
    """A PATCH with an operation for each attribute that differs, and one for each member."""
    operations = []
    for name in new:
        if name == "members":
            added, gone = set(new[name]) - set(state[name]), set(state[name]) - set(new[name])
            operations += [{"op": "add", "path": name, "value": [{"value": member}]} for member in sorted(added)]
            operations += [{"op": "remove", "path": f'members[value eq "{member}"]'} for member in sorted(gone)]
        elif name == ENTERPRISE:
            operations += [{"op": "replace", "path": f"{name}:{part}", "value": v} for part, v in new[name].items()]
        elif new[name] != state[name]:
            operations.append({"op": "replace", "path": name, "value": new[name]})
    return {"schemas": [PATCH], "Operations": operations}


class Writer(threading.Thread):
    """A client that writes until the server is gone."""

    def __init__(self, number, run, port, ledger):
        super().__init__()
        self.number, self.run_number, self.ledger, self.client = number, run, ledger, Client(port)
        self.made = 0

    def run(self):
        try:
            while True:
                self.write()
        except OSError:
            pass  # killed: what is in flight stays noted

    def write(self):
        users, groups = (self.ledger.living(kind, self.number) for kind in ("Users", "Groups"))
        self.made += 1
        value = f"r{self.run_number}n{self.made}"
        if len(users) < 3:
            return self.create("Users", lambda name: user_state(name, value))
        some = [user.id for user in random.sample(users, min(len(users), random.randint(2, 12)))]
        crowded = len(users) + len(groups) > ENOUGH
        action = random.choice(["delete"] * (10 if crowded else 1) + ["create", "group", "patch", "put", "regroup", "move", "move"])
        if action == "create":
            self.create("Users", lambda name: user_state(name, value))
        elif action == "group" or not groups:
            self.create("Groups", lambda name: group_state(name, value, some))
        elif action == "delete":
            self.delete(random.choice(users + groups))
        elif action == "move":
            self.move(random.choice(users).id)
        elif action == "regroup":
            group = random.choice(groups)
            self.send(group, random.choice(["PATCH", "PUT"]), group_state(group.name, value, some))
        else:
            user = random.choice(users)
            self.send(user, action.upper(), user_state(user.name, value))

    def create(self, kind, state):
        name = f"{kind}-{self.number}-{self.run_number}-{self.made}"
        record = Record(kind, name)
        record.asked = state(name)
        self.ledger.records[name] = record
        answer = self.ask(record, "POST", f"/{kind}", message(record, record.asked))
        if answer:
            record.id = answer[2]["id"]

    def send(self, record, method, new):
        body = message(record, new) if method == "PUT" else changes(record.state, new)
        record.asked = new
        self.ask(record, method, f"/{record.kind}/{record.id}", body)

    def delete(self, record):
        record.asked = None
        if self.ask(record, "DELETE", f"/{record.kind}/{record.id}") and record.kind == "Users":
            with self.ledger.lock:
                self.ledger.members.discard(record.id)
            for group in self.ledger.living("Groups", self.number):
                if record.id in group.state["members"]:
                    leave(group, record.id)

    def move(self, member):
        """Adds a user to the group of all, or removes it."""
        ledger = self.ledger
        with ledger.lock:
            ledger.moving.add(member)
            there = member in ledger.members
        operation = {"op": "remove", "path": f'members[value eq "{member}"]'} if there else {"op": "add", "path": "members", "value": [{"value": member}]}
        status, _, answer = self.client.call("PATCH", "/Groups/" + ledger.shared, {"schemas": [PATCH], "Operations": [operation]})
        with ledger.lock:
            ledger.moving.discard(member)
            ledger.writes += 1
            if status not in (200, 204):
                ledger.refused.append(f"PATCH of the group of all: {status} {answer}")
            elif there:
                ledger.members.discard(member)
            else:
                ledger.members.add(member)

    def ask(self, record, method, path, body=None):
        """Sends a write and notes what came of it. OSError leaves it in flight."""
        status, version, answer = self.client.call(method, path, body)
        asked, record.asked = record.asked, NOTHING
        with self.ledger.lock:
            self.ledger.writes += 1
            if status >= 300:
                self.ledger.refused.append(f"{method} {path}: {status} {answer}")
                return None
        record.state, record.version = asked, version
        return status, version, answer


def leave(group, member):
    """A member was deleted: its group has changed with it, and no answer told the version."""
    group.state = dict(group.state, members=[m for m in group.state["members"] if m != member])
    group.version = None


def read_back(port):
    """Everything that the server has: the lists, each resource on its own, and what searches find."""
    client, found = Client(port), {}

    def get(path):
        status, version, body = client.call("GET", path)
        assert status == 200, f"GET {path}: {status} {body}"
        return version, body

    def search(kind, text):
        return {r["id"] for r in get(f"/{kind}?attributes=id&filter=" + urllib.parse.quote(text))[1].get("Resources", [])}

    for kind in ("Users", "Groups"):
        start = 1
        while True:
            _, page = get(f"/{kind}?startIndex={start}&count=200")
            for listed in page.get("Resources", []):
                version, single = get(f"/{kind}/{listed['id']}")
                names = [f'externalId eq "{single["externalId"]}"']
                if kind == "Users":
                    names += [f'userName eq "{single["userName"]}"']
                    names += [f'emails.value eq "{email["value"]}"' for email in single.get("emails", [])]
                hits = {name: search(kind, name) for name in names}
                found[listed["id"]] = {"kind": kind, "listed": listed, "single": single, "version": version, "hits": hits}
            start += len(page.get("Resources", []))
            if start > page["totalResults"]:
                break
    return found


def state_of(kind, document):
    state = {name: value for name, value in document.items() if name not in ("id", "meta", "schemas", "groups")}
    if kind == "Groups":
        state["members"] = sorted(member["value"] for member in document.get("members", []))
    else:
        state["emails"] = sorted(document.get("emails", []), key=lambda email: email["type"])
    return state


def judge(ledger, found):
    """What is not as it has to be, a line each."""
    wrong = list(ledger.refused)
    by_name = {}
    for id, entry in found.items():
        by_name.setdefault(entry["single"].get("externalId"), []).append(id)
    for name, record in ledger.records.items():
        ids = by_name.pop(name, [])
        if len(ids) > 1:
            wrong.append(f"{name} is there {len(ids)} times")
        wrong += judge_record(record, found.get(ids[0]) if ids else None, found)
    shared = found.get(ledger.shared)
    if shared is None:
        wrong.append("the group of all is gone")
    else:
        by_name.pop("shared", None)
        members = set(state_of("Groups", shared["single"])["members"])
        expected = {member for member in ledger.members if member in found}
        wrong += [f"{member} was added to the group of all, and is lost" for member in expected - members - ledger.moving]
        wrong += [f"{member} is in the group of all, and was not added" for member in members - expected - ledger.moving]
    wrong += [f"{name} is there, and nobody made it" for name in by_name]
    for id, entry in found.items():
        wrong += consistency(id, entry, found)
    return wrong


def judge_record(record, entry, found):
    """Whether a resource is in the state that was acknowledged, or in the one that was asked for."""
    label = f"{record.name} ({'in flight' if record.asked != NOTHING else 'acknowledged'})"
    state = entry and state_of(entry["kind"], entry["single"])
    before, version = record.state, record.version
    if before and "members" in before and any(member not in found for member in before["members"]):
        # users that were deleted in flight: what is said of them decides what is said of their groups
        before, version = dict(before, members=[m for m in before["members"] if m in found]), None
    if state == before:
        if state and version and entry["version"] != version:
            return [f"{label} has version {entry['version']}, and the answer said {version}"]
        return []
    if record.asked != NOTHING and state == record.asked:
        if state and version and entry["version"] == version:
            return [f"{label} has changed, and its version has not"]
        return []
    return [f"{label} is {json.dumps(state)}, expected {json.dumps(before)}" + (
        f" or {json.dumps(record.asked)}" if record.asked != NOTHING else "")]


def consistency(id, entry, found):
    """Whether a resource tells the same wherever it is asked for."""
    single = entry["single"]
    if entry["listed"] != single:
        yield f"{id} is listed as {entry['listed']} and read as {single}"
    if entry["version"] != single["meta"]["version"]:
        yield f"{id} has the ETag {entry['version']} and the version {single['meta']['version']}"
    for name, hits in entry["hits"].items():
        if hits != {id}:
            yield f"{name} finds {sorted(hits)} and not {id}"
    if entry["kind"] == "Users":
        told = {group["value"] for group in single.get("groups", [])}
        real = {g for g, e in found.items() if e["kind"] == "Groups" and id in state_of("Groups", e["single"])["members"]}
        if told != real:
            yield f"{id} says that it is in {sorted(told)}, and is in {sorted(real)}"


def settle(ledger, found):
    """Takes what was in flight for what it has become, and forgets what is gone."""
    by_name = {entry["single"]["externalId"]: (id, entry) for id, entry in found.items()}
    for name, record in list(ledger.records.items()):
        if name not in by_name:
            del ledger.records[name]
            continue
        record.id, entry = by_name[name]
        record.state, record.version, record.asked = state_of(record.kind, entry["single"]), entry["version"], NOTHING
    ledger.members, ledger.moving = set(state_of("Groups", found[ledger.shared]["single"])["members"]), set()


def self_test(ledger, found):
    """Plants each defect into a copy of what a good round has left. The judge has to see every one."""
    assert judge(ledger, found) == []
    for defect in DEFECTS:
        notes, copied = copy.copy(ledger), copy.deepcopy(found)
        notes.records = copy.deepcopy(ledger.records)
        notes.members, notes.moving, notes.refused = set(ledger.members), set(), []
        records = [r for r in notes.records.values() if r.state and r.asked == NOTHING and r.id in copied]
        user = next(r for r in records if r.kind == "Users")
        group = next(r for r in records if r.kind == "Groups" and len(r.state["members"]) > 1)
        defect(notes, copied, user, group)
        assert judge(notes, copied), f"the judge does not see: {defect.__name__}"
    print(f"self-test: {len(DEFECTS)} planted defects, all of them found")


def never_made(notes, found, user, group):
    record = Record("Users", "Users-9-9-9")
    record.state = user_state(record.name, "phantom")
    notes.records[record.name] = record


def acknowledged_user_lost(notes, found, user, group):
    del found[user.id]


def acknowledged_change_lost(notes, found, user, group):
    user.state = user_state(user.name, "newer")


def half_made_user(notes, found, user, group):
    user.asked, user.state = user.state, None
    del found[user.id]["single"]["emails"]
    found[user.id]["listed"] = found[user.id]["single"]


def half_made_patch(notes, found, user, group):
    user.asked = user_state(user.name, "newer")
    found[user.id]["single"]["displayName"] = "newer"
    found[user.id]["listed"] = found[user.id]["single"]


def half_made_group(notes, found, user, group):
    group.asked, group.state = group.state, None
    found[group.id]["single"]["members"].pop()
    found[group.id]["listed"] = found[group.id]["single"]


def half_made_deletion(notes, found, user, group):
    member = group.state["members"][0]
    next(r for r in notes.records.values() if r.id == member).asked = None
    del found[member]


def member_of_all_lost(notes, found, user, group):
    notes.members.add(next(id for id, e in found.items() if e["kind"] == "Users" and id not in notes.members))


def nobody_made_it(notes, found, user, group):
    del notes.records[user.name]


def deleted_and_back(notes, found, user, group):
    user.state = None


def other_version(notes, found, user, group):
    user.version = 'W/"other"'


def changed_without_version(notes, found, user, group):
    user.asked, user.version = user.state, found[user.id]["version"]
    user.state = user_state(user.name, "older")


def index_without_entry(notes, found, user, group):
    name = next(name for name in found[user.id]["hits"] if name.startswith("emails"))
    found[user.id]["hits"][name] = set()


def list_tells_otherwise(notes, found, user, group):
    found[user.id]["listed"] = dict(found[user.id]["listed"], title="other")


DEFECTS = [never_made, acknowledged_user_lost, acknowledged_change_lost, half_made_user, half_made_patch, half_made_group,
           half_made_deletion, member_of_all_lost, nobody_made_it, deleted_and_back, other_version, changed_without_version,
           index_without_entry, list_tells_otherwise]


def prepare(port, ledger):
    """Makes the group of all, and for each client what the self-test needs at least."""
    status, _, group = Client(port).call("POST", "/Groups", {
        "schemas": [CORE + "Group"], "displayName": "All", "externalId": "shared"})
    assert status == 201, group
    ledger.shared = group["id"]
    for number in range(WRITERS):
        writer = Writer(number, "first", port, ledger)
        for _ in range(3):
            writer.write()
        members = [user.id for user in ledger.living("Users", number)]
        writer.made += 1
        writer.create("Groups", lambda name: group_state(name, "first", members))


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
        time.sleep(SETTLE)
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
