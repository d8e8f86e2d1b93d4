"""What the tenants hold before anything is measured, all of it sent by HTTP as a tenant could: no store is filled behind its back.

  * `people`: so many users, of which one in fifty has a hundred e-mails; groups of twenty, all of which the first user is in;
  * `long`: users as long as a creation may make them, and one that many PATCHes have grown until they were refused;
  * `crowd`: a group that many PATCHes have filled with members.
"""
import json
import sys

from server import Gone

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
LISTS = ("emails", "phoneNumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509Certificates")


def person(n, emails=1):
    mails = [{"value": f"user{n}.{at}@example.com", "type": "work" if at == 0 else "other"} for at in range(emails)]
    return {"schemas": [CORE + "User", ENTERPRISE], "userName": f"user{n}@example.com", "externalId": f"x-{n}", "active": True,
            "name": {"givenName": f"Given{n % 997}", "familyName": f"Family{n % 1009}"}, "displayName": f"Person {n}",
            "title": "Engineer", "emails": mails, "phoneNumbers": [{"value": f"+49 30 {n:07}", "type": "work"}],
            ENTERPRISE: {"department": f"Department {n % 37}", "employeeNumber": str(n)}}


def group(name, members):
    return {"schemas": [CORE + "Group"], "displayName": name, "members": [{"value": member} for member in members]}


def patch(*operations):
    return {"schemas": [MESSAGES + "PatchOp"], "Operations": list(operations)}


def create(client, tenant, path, bodies):
    """Creates all of them by bulk requests, smaller ones where one is too much; gives their ids."""
    ids, waiting = [], []
    operations = [{"method": "POST", "path": path, "bulkId": f"b{n}", "data": body} for n, body in enumerate(bodies)]
    while operations:
        chunk, length = [], 0
        while operations and len(chunk) < 1000 and length < 900_000:
            chunk.append(operations.pop())
            length += len(json.dumps(chunk[-1]))
        waiting.append(chunk)
    size = 1000
    while waiting:
        chunk = waiting.pop()
        if len(chunk) > size:
            waiting += [chunk[:size], chunk[size:]]
            continue
        status, _, text = client.send(tenant, "POST", "/Bulk", {"schemas": [MESSAGES + "BulkRequest"], "Operations": chunk})
        answers = json.loads(text).get("Operations", []) if status == 200 else []
        made = {answer["bulkId"]: answer["location"] for answer in answers if answer["status"] == "201"}
        ids += [location.rpartition("/")[2] for location in made.values()]
        left = [operation for operation in chunk if operation["bulkId"] not in made]
        if left and len(chunk) == 1:
            sys.exit(f"{path} cannot be created: {status} {text[:300]}")
        if left:
            size = max(1, min(size, len(chunk)) // 2)
            waiting.append(left)
    return ids


def many_values(attribute, count, text):
    """Values of a list, all of them different, that hold a text in each part that may hold one."""
    parts = {"addresses": ("formatted", "streetAddress", "locality", "region", "postalCode", "country"),
             "x509Certificates": ("display",), "photos": ("display",)}.get(attribute, ("value", "display"))
    return [{part: f"{n}{text}" for part in parts} for n in range(count)]


def grow(client, tenant, user, most):
    """PATCHes a user until it is refused, however little is added: at the most so many times. How many were carried out."""
    done, length, number = 0, 60_000, 0
    while done < most and length > 500:
        attribute = LISTS[2:][number % 6]
        number += 1
        parts = 6 if attribute == "addresses" else 2
        values = many_values(attribute, max(1, 900_000 // (length * parts)), f"-{number}-" + "é" * (length // 2))
        try:
            status, _, _ = client.send(tenant, "PATCH", f"/Users/{user}?attributes=id",
                                       patch({"op": "add", "path": attribute, "value": values}))
        except Gone:
            break
        if status < 300:
            done += 1
        elif number % 6 == 0:
            length //= 2
    return done


class World:
    """The tenants of a store, once it is filled: the ids that requests name."""

    def __init__(self, server, users, small):
        self.server, self.users, self.small = server, users, small
        self.made, self.fixtures = 0, {}
        self.fill()

    def fill(self):
        send = self.server.client.send
        self.fixtures = {}
        self.people = create(self.server.client, "people", "/Users",
                             [person(n, 100 if n % 50 == 49 else 1) for n in range(self.users)])
        hub, rest = self.people[0], self.people[1:]
        groups = [group(f"Group {n}", [hub] + [rest[(n * 19 + at) % len(rest)] for at in range(19)])
                  for n in range(max(self.users // 20, 200))]
        self.groups = create(self.server.client, "people", "/Groups", groups)
        self.hub = hub
        self.long = []
        for n in range(66):
            for values in (17, 8, 4, 2):
                body = dict(person(n), entitlements=many_values("entitlements", values, "é" * 29_000 if n % 2 else "e" * 29_000))
                status, headers, _ = send("long", "POST", "/Users?attributes=id", json.dumps(body, ensure_ascii=False).encode())
                if status == 201:
                    self.long.append(headers["Location"].rpartition("/")[2])
                    break
        self.grow()
        self.gather()
        self.fixtures["hub"] = "people", "/Users/" + self.hub, self.version("people", "/Users/" + self.hub)
        if self.server.postgres:
            self.server.postgres.settle()

    def grow(self):
        self.fat = create(self.server.client, "long", "/Users", [person(1_000_000)])[0]
        self.grown = grow(self.server.client, "long", self.fat, 6 if self.small else 40)
        self.fixtures["fat"] = "long", "/Users/" + self.fat, self.version("long", "/Users/" + self.fat)

    def gather(self):
        """The large group."""
        self.crowd = create(self.server.client, "crowd", "/Groups", [group(f"Crowd {self.next()}", [])])[0]
        self.members, wanted = 0, max(20_000, 10 * self.users)
        while self.members < wanted:
            members = [{"value": f"m{n}"} for n in range(self.members, self.members + 10_000)]
            if self.server.client.send("crowd", "PATCH", f"/Groups/{self.crowd}?attributes=id",
                                       patch({"op": "add", "path": "members", "value": members}))[0] >= 300:
                break
            self.members += 10_000
        self.fixtures["crowd"] = "crowd", "/Groups/" + self.crowd, self.version("crowd", "/Groups/" + self.crowd)

    def join_all(self):
        """A user who is in all groups, in the place of one who is no more."""
        self.hub = create(self.server.client, "people", "/Users", [person(6_000_000 + self.next())])[0]
        for name in self.groups:
            self.server.client.send("people", "PATCH", f"/Groups/{name}?attributes=id",
                                    patch({"op": "add", "path": "members", "value": [{"value": self.hub}]}))
        self.fixtures["hub"] = "people", "/Users/" + self.hub, self.version("people", "/Users/" + self.hub)

    def version(self, tenant, path):
        """None of what is not there."""
        return self.server.client.send(tenant, "GET", path + "?attributes=id")[1]["ETag"]

    def told(self):
        return (f"{self.users} users, {len(self.groups)} groups; {len(self.long)} users of up to 1 MB, "
                f"one grown by {self.grown} PATCHes; a group of {self.members} members")

    def next(self):
        self.made += 1
        return self.made

    def fixture(self, kind):
        """The tenant and the path of what requests may change: made anew when one has changed it."""
        if kind in self.fixtures:
            pass
        elif kind == "fat":
            self.server.client.send("long", "DELETE", "/Users/" + self.fat)
            self.grow()
        elif kind == "crowd":
            self.server.client.send("crowd", "DELETE", "/Groups/" + self.crowd)
            self.gather()
        elif kind == "hub":
            self.join_all()
        else:
            self.lengthen(kind)
        return self.fixtures[kind][:2]

    def lengthen(self, kind):
        """A user of a kind, as long as is allowed."""
        text, count, names = {"typical": ("t", 1, 1), "many": ("é" * 300, 100, 4), "long": ("é" * 29_000, 8, 1),
                              "caseless": ("\u0130" * 1_200, 100, 2)}[kind]
        body = person(5_000_000 + self.next())
        for name in ("entitlements", "roles", "ims", "addresses")[:names]:
            body[name] = many_values(name, count, text)
        while True:
            text = json.dumps(body, ensure_ascii=False).encode()
            status, headers, answer = self.server.client.send("writes", "POST", "/Users?attributes=id", text)
            if status == 201:
                break
            if not any(len(values) > 1 for values in body.values() if isinstance(values, list)):
                sys.exit(f"a user of {len(text)} bytes is refused: {status} {answer[:300]}")
            body.update({name: body[name][: max(1, len(body[name]) // 2)] for name in LISTS if name in body})
        self.fixtures[kind] = "writes", "/Users/" + headers["Location"].rpartition("/")[2], headers["ETag"]

    def check(self, kind):
        """Forgets a fixture that was changed."""
        if kind in self.fixtures:
            tenant, path, version = self.fixtures[kind]
            if self.version(tenant, path) != version:
                del self.fixtures[kind]

    def restore(self):
        """After the server was killed: what it forgets is sent again."""
        self.server.restart()
        if self.server.forgets:
            self.fill()
