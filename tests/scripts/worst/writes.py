"""Requests that write: bodies, PATCHes, members, bulk requests."""
import json

from search import EACH_MEMBER, Family, Request
from seed import CORE, ENTERPRISE, LISTS, MESSAGES, many_values, patch, person

BODY_BYTES = 1 << 20
TEXTS = {"ASCII": "x", "é": "é", "escaped": "\\u00e9", "\u0130": "\u0130", "quotes": '\\"', "pairs": "\\ud83d\\ude00"}
KINDS = ("typical", "many", "caseless", "long", "fat")


def text_of(kind, length):
    """A string of so many bytes as JSON, without its quotes."""
    unit = TEXTS[kind]
    return unit * max(1, length // len(unit.encode()))


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()


def fitting(make, count, most=BODY_BYTES):
    """What is made of a count, and of less when it is longer than a body may be."""
    while True:
        body = make(count)
        if len(body) <= most or count == 1:
            return body
        count = max(1, min(count - 1, count * most // len(body)))


# --- PATCH

def selector(genome, attribute, n):
    """A selector as long as a path may be at the most."""
    kind, terms = genome["selector"], genome["terms"]
    subs = {"addresses": ("formatted", "streetAddress", "country", "locality"), "x509Certificates": ("display",),
            "photos": ("display",)}.get(attribute, ("display", "value", "display"))
    text = {"short": "éx", "one": "é", "ASCII": "q", "long": "é" * (900 // (2 * terms))}[genome["operand"]]
    tests = [f'{subs[at % len(subs)]} {kind} "{text}{n % 10 if genome["operand"] != "one" else ""}"' for at in range(terms)]
    while len(f" {genome['join']} ".join(tests).encode()) > 980 - len(attribute):
        tests.pop()
    return "[" + f" {genome['join']} ".join(tests) + "]"


def operation(genome, n):
    attribute = genome["target"] if genome["target"] != "mixed" else LISTS[2:6][n % 4]
    sub = {"addresses": "formatted", "photos": "display"}.get(attribute, "display")
    value = {"short": f"v{n}", "long": "é" * 30_000, "escapes": "\u0001" * 10_000}.get(genome["value"])
    listed = genome["value"] if isinstance(genome["value"], int) else None
    what = genome["what"]
    if what == "without a path":
        return {"op": "add", "value": {"displayName": value or "x", "name.givenName": value or "x",
                                       **{f"unknown{n}-{at}": at for at in range(listed or 1)},
                                       f"{ENTERPRISE}:department": f"d{n}"}}
    if what == "one value":
        path = ("title", "name.familyName", f"{ENTERPRISE}:department", "displayName")[n % 4]
        return {"op": "replace", "path": path, "value": value or "x"}
    if what == "nothing":
        return {"op": "replace", "path": "active", "value": bool(n % 2)}
    if what == "list":
        values = many_values(attribute, listed or 1, (value or "x") + "é" * genome["bytes"] + str(n))
        return {"op": genome["op"], "path": attribute, "value": values}
    path = attribute + (selector(genome, attribute, n) if "selector" in what else "")
    if what == "selector and part":
        path += "." + sub
    if genome["op"] == "remove":
        return {"op": "remove", "path": path}
    if what == "selector":
        return {"op": genome["op"], "path": path, "value": {sub: value or "x"}}
    return {"op": genome["op"], "path": path if what == "selector and part" else path + "." + sub, "value": value or "x"}


PATCHES = {
    "user": KINDS, "operations": (1, 9, 30, 130, 1000), "op": ("replace", "add", "remove"),
    "what": ("nothing", "without a path", "one value", "part", "selector and part", "list", "selector"),
    "target": ("mixed", "photos", "ims", "addresses", "roles", "entitlements"), "selector": ("eq", "sw", "gt", "ew", "ne", "co"),
    "terms": (1, 2, 8, 30), "join": ("and", "or"), "operand": ("long", "ASCII", "one", "short"),
    "value": (1, 10, "escapes", "long", "short", 100),
    "bytes": (0, 30, 300),
}


def patches(genome, world):
    tenant, path = world.fixture(genome["user"])
    body = fitting(lambda count: dumped(patch(*(operation(genome, n) for n in range(count)))), genome["operations"])
    return Request(tenant, "PATCH", path + genome["shown"], body, {}, genome["user"])


def members(genome, world):
    tenant, path = {"crowd": world.fixture("crowd"), "of twenty": ("people", "/Groups/" + world.groups[0])}[genome["group"]]
    many = [{"value": {"new": f"n{world.next()}", "there": f"m{n}", "users": world.people[n % len(world.people)]}[genome["of"]]}
            for n in range(genome["members"])]
    path_of = {"list": "members", "type": 'members[type eq "Robot"]', "value": 'members[value co "q"]',
               "one": 'members[value eq "m1"]',
               "display": 'members[display eq "q"]', "not": 'members[not (value sw "m")]'}[genome["path"]]
    operations, size = [], max(1, len(many) // genome["operations"])
    for n in range(genome["operations"]):
        op = {"op": genome["op"], "path": path_of}
        if genome["path"] == "list":
            op["value"] = many[n * size:(n + 1) * size]
            if genome["op"] == "replace" and genome["group"] == "crowd":
                op["op"] = "add"  # which leaves the crowd as it is
        elif genome["op"] != "remove":
            op["value"] = {"type": "User"}
        operations.append(op)
    body = fitting(lambda count: dumped(patch(*operations[:count])), len(operations))
    return Request(tenant, "PATCH", path + genome["shown"], body)


def endings(genome, world):
    """What ends many references at once."""
    tenant, path = world.fixture(genome["of"])
    schema = CORE + ("Group" if genome["of"] == "crowd" else "User")
    name = "displayName" if genome["of"] == "crowd" else "userName"
    bodies = {"PUT": {"schemas": [schema], name: f"e{world.next()}"}, "PATCH": patch({"op": "remove", "path": "members"}),
              "PATCH by others": patch({"op": "replace", "path": "members", "value": [{"value": f"r{n}"} for n in range(10_000)]}),
              "PATCH of some": patch({"op": "remove", "path": "members", "value": [{"value": f"m{n}"} for n in range(10_000)]}),
              "PATCH of the name": patch({"op": "replace", "path": name, "value": f"e{world.next()}"})}
    body = bodies.get(genome["how"])
    return Request(tenant, genome["how"].partition(" ")[0], path + genome["shown"], dumped(body) if body else None, {}, genome["of"])


# --- POST and PUT

def contents(genome, world):
    """A user of strings, lists and keys, as much of them as a body may have."""
    text, length = text_of(genome["text"], genome["bytes"]), genome["values"]
    if genome["type"] == "Groups":
        parts = [f'"schemas":["{CORE}Group"],"displayName":"g{world.next()}"']
        parts.append('"members":[' + ",".join(f'{{"value":"{world.people[n % len(world.people)]}-{n // len(world.people)}"}}'
                                              for n in range(min(10_000, length * 100))) + "]")
    else:
        parts = [f'"schemas":["{CORE}User","{ENTERPRISE}"],"userName":"w{world.next()}{"é" * genome["name"]}"',
                 f'"title":"{text}","displayName":"{text}"']
        for attribute in LISTS[:genome["lists"]]:
            part = {"addresses": "streetAddress", "photos": "display", "x509Certificates": "display"}.get(attribute, "value")
            primary = ',"primary":true' if genome["primary"] else ""
            values = (f'{{"{part}":"{n}{text}"{primary if n == 0 else ""}}}' for n in range(length))
            parts.append(f'"{attribute}":[' + ",".join(values) + "]")
    deep = "[" * genome["depth"] + "1" + "]" * genome["depth"]
    keys = {"unknown": '"k{n}":{deep}', "legacy": '"urn:scim:schemas:extension:enterprise:1.0:{n}":{deep}',
            "paths": '"name.k{n}":{deep}', "same": '"nickName{n}x":{deep}',
            "objects": '"o{n}":{{"a":{{"b":{deep}}}}}'}[genome["keys"]]

    def make(count):
        extra = [keys.format(n=n, deep=deep) for n in range(count)]
        return ("{" + ",".join(parts + extra) + "}").encode()

    body = fitting(make, genome["count"]) if genome["count"] else make(0)
    return body[:BODY_BYTES] if len(body) > BODY_BYTES and genome["cut"] else body


BODIES = {"type": ("Groups", "Users"), "lists": (0, 2, 8), "values": (0, 1, 10, 100), "text": tuple(TEXTS),
          "bytes": (1, 65_000, 30, 1_200), "name": (0, 250),
          "keys": ("same", "objects", "paths", "legacy", "unknown"), "count": (0, 1_000, 80_000, 20_000), "depth": (60, 10, 0),
          "primary": (False, True), "cut": (False,), "shown": ("?attributes=id", "")}


def bodies(genome, world):
    body = contents(genome, world)
    if genome["method"] == "POST":
        return Request("writes", "POST", f"/{genome['type']}{genome['shown']}", body)
    if genome["type"] == "Groups":
        return Request("people", "PUT", "/Groups/" + world.groups[1], body)
    tenant, path = world.fixture(genome["user"])
    return Request(tenant, "PUT", path + genome["shown"], body, {}, genome["user"])


def passwords(genome, world):
    body = dict(person(world.next()), password=genome["text"] * (genome["bytes"] // len(genome["text"].encode())))
    return Request("writes", "POST", "/Users", dumped(body))


# --- bulk

def bulks(genome, world):
    kind, operations = genome["of"], []
    tenant = "writes"
    if kind in ("PATCH", "PUT"):
        tenant, path = world.fixture(genome["user"])
    if kind in ("DELETE", "PATCH of a crowd", "members in and out"):
        tenant, path = ("people", "") if kind == "DELETE" else world.fixture("crowd")

    def one(n):
        key = world.next()
        if kind == "POST":
            data = dict(person(key, genome["emails"]), title="é" * genome["bytes"])
            return {"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": data}
        if kind == "POST with a password":
            return {"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": dict(person(key), password=f"long enough {n}")}
        if kind == "groups in a circle":
            return {"method": "POST", "path": "/Groups", "bulkId": f"b{n}",
                    "data": {"schemas": [CORE + "Group"], "displayName": f"c{key}",
                             "members": [{"value": f"bulkId:b{(n + at + 1) % genome['operations']}"}
                                         for at in range(genome["emails"])]}}
        if kind == "PATCH":
            data = patch(*(operation(genome, n * genome["each"] + at) for at in range(genome["each"])))
            return {"method": "PATCH", "path": path, "data": data}
        if kind == "PUT":
            return {"method": "PUT", "path": path, "data": dict(person(key, genome["emails"]), title="é" * genome["bytes"])}
        if kind == "PATCH of a crowd":
            return {"method": "PATCH", "path": path, "data": patch({"op": "remove", "path": 'members[type eq "Robot"]'})}
        if kind == "members in and out":
            return {"method": "PATCH", "path": path,
                    "data": patch({"op": "add", "path": "members",
                                   "value": [{"value": f"x{n}-{at}"} for at in range(genome["each"])]})}
        return {"method": "DELETE", "path": f"/Users/absent-{n}" if genome["each"] == 1 else f"/Groups/{world.groups[-1]}x{n}"}

    body = fitting(lambda count: dumped({"schemas": [MESSAGES + "BulkRequest"], "Operations": [one(n) for n in range(count)]}),
                   genome["operations"])
    return Request(tenant, "POST", "/Bulk", body, {}, genome["user"] if kind in ("PATCH", "PUT") else None)


def bulk(name, of, **genes):
    plain = {"operations": (1, 20, 100, 1000), "emails": (100, 10, 1), "bytes": (300, 0), "each": (1,), "user": ("typical",)}
    return Family(name, "bulk_operations, bulk_bytes, work", {**plain, **genes, "of": of}, bulks)


PATCH_GENES = {gene: choices for gene, choices in PATCHES.items() if gene != "operations"}
SHOWN = ("", "?attributes=id")
# A hash is meant to cost, and to cost the same whatever the machine does besides.
HASH_BOUND = 1_000
FAMILIES = [
    Family("PATCH of a user", "patch_operations, patch_work, path_bytes, values, string_bytes",
           {**PATCHES, "shown": SHOWN}, patches),
    Family("PATCH with lists", "patch_work, values",
           {**PATCHES, "what": ("list",), "op": ("add", "replace", "remove"), "operations": (1, 9, 1000, 130),
            "bytes": (300, 30, 0), "user": ("fat", "typical", "long", "caseless", "many"), "value": (1, 10, 100), "shown": SHOWN}, patches),
    Family("PATCH without paths", "patch_operations, json_nodes",
           {**PATCHES, "what": ("without a path",), "value": ("long", 1, 10, 100), "shown": SHOWN}, patches),
    Family("PATCH of members", "references, patch_operations",
           {"group": ("of twenty", "crowd"), "of": ("users", "new", "there"), "members": (1, 100, 10_000),
            "operations": (1000, 10, 1), "op": ("replace", "add", "remove"),
            "path": ("one", "list", "value", "not", "display", "type"), "shown": SHOWN}, members),
    Family("end of a large group or of a member of many", "references",
           {"of": ("hub", "crowd"), "how": ("PATCH of the name", "PATCH of some", "PATCH by others", "PATCH", "PUT", "DELETE"),
            "shown": ("", "?attributes=id")}, endings, each_member=EACH_MEMBER),
    Family("body of POST and PUT", "body_bytes, json_depth, json_nodes, string_bytes, unique_bytes, name_bytes, values, references",
           {**BODIES, "method": ("PUT", "POST"), "user": ("typical", "fat")}, bodies),
    bulk("bulk of creations", ("POST",)),
    bulk("bulk of groups in a circle", ("groups in a circle",), emails=(10, 100, 1)),
    bulk("bulk of replacements", ("PUT",), user=KINDS),
    bulk("bulk of PATCHes", ("PATCH",), **PATCH_GENES, each=(1, 100, 9)),
    bulk("bulk of small PATCHes", ("PATCH",), **{**PATCH_GENES, "what": ("one value", "nothing"), "each": (9, 1)}),
    bulk("bulk of deletions of nothing", ("DELETE",), each=(2, 1)),
    bulk("bulk of PATCHes of a large group", ("members in and out", "PATCH of a crowd"), each=(1, 10)),
    Family("POST with a password", "password_bytes", {"text": ("x", "é"), "bytes": (8, 1_024)}, passwords, HASH_BOUND),
    Family("bulk with passwords", "bulk_operations",
           {"operations": (1, 10, 1000), "of": ("POST with a password",), "emails": (1,), "bytes": (0,), "each": (1,),
            "user": ("typical",)}, bulks, HASH_BOUND),
]
