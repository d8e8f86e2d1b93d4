"""The clients that write, and what they note: what they are about to send, and what was acknowledged."""
import random
import threading

from server import Client

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
# A writer that has so many users and groups deletes some.
ENOUGH = 25
WRITERS = 8
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
