"""The attacks: what an attacker prepares, and the requests that it sends then."""
import dataclasses
import json
import random
import typing
import urllib.parse

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
SQL = ("sqlite", "postgres")
ALL = ("memory", *SQL)


@dataclasses.dataclass
class Attack:
    name: str
    # Gets a client of the attacker and gives a function that makes its n-th request: method, path, content.
    prepare: typing.Callable
    stores: tuple = ALL
    # requests a second of an attacker, or their number where it sends so many at once and no more
    rate: float = 25
    times: int = 0
    # how many connections are opened that nobody reads
    never_read: int = 0
    # how many users an attacker has, as a part of what is asked for
    users: float = 1
    # the stores that a run in small has it on
    small: tuple = ()
    # whether what it creates stays in memory, where the store is there
    stays: bool = False


def get(path):
    return lambda client: lambda n: ("GET", path)


def search(text):
    return get("/Users?filter=" + urllib.parse.quote(text))


def terms(count, pattern, word):
    return f" {word} ".join(pattern.format(n) for n in range(count))


def message(*operations):
    # a letter is two bytes, and not the six of an escape
    return json.dumps({"schemas": [PATCH], "Operations": operations}, ensure_ascii=False).encode()


def bulk(operations):
    return json.dumps({"schemas": [BULK], "Operations": operations}, ensure_ascii=False).encode()


def creations(password=None):
    """A thousand users in a request, or as many as are created; with other names each time."""
    def content(count):
        data = {"schemas": [USER], "displayName": "Made", **({"password": password} if password else {})}
        return bulk([{"method": "POST", "path": "/Users", "bulkId": f"b{at}", "data": dict(data, userName=f"made-@@@-{at}@example.com")}
                     for at in range(count)])

    def prepare(client):
        for count in (1_000, 500, 200, 100, 50, 20, 10):
            status, answer = client.ask("POST", "/Bulk", content(count).replace(b"@@@", f"first-{count}".encode()))
            if status == 200 and all(part["status"] == "201" for part in answer["Operations"]):
                break
        most = content(count)
        return lambda n: ("POST", "/Bulk", most.replace(b"@@@", str(n).encode()))
    return prepare


def fat_user(client, name):
    """A user whose entitlements are as long as the server allows; gives its path."""
    path = "/Users/" + client.ask("POST", "/Users", json.dumps({"schemas": [USER], "userName": name}).encode())[1]["id"]
    length, at = 30_000, 0
    while length > 1_000 and at < 100:
        values = [{"value": f"e{at + n}", "display": "é" * length} for n in range(min(15, 100 - at))]
        status, _ = client.ask("PATCH", path, message({"op": "add", "path": "entitlements", "value": values}))
        at, length = (at + len(values), length) if status in (200, 204) else (at, length // 2)
    return path


# Nine times each entitlement is compared from one end to the other, and none is removed.
REMOVALS = [{"op": "remove", "path": f'entitlements[display co "éx{n}"]'} for n in range(9)]


def most_work(client):
    path, content = fat_user(client, "fat"), message(*REMOVALS)
    return lambda n: ("PATCH", path, content)


def bulk_of_most_work(client):
    path = fat_user(client, "fat")
    content = bulk([{"method": "PATCH", "path": path, "data": {"Operations": REMOVALS, "schemas": [PATCH]}}] * 1_000)
    return lambda n: ("POST", "/Bulk", content)


def large_answers(client):
    """Fat users, the list of them, and a group of many."""
    paths = [fat_user(client, f"fat{at}") for at in range(client.some(8))]
    made = client.ask("POST", "/Groups", json.dumps({"schemas": [GROUP], "displayName": "Many"}).encode())[1]
    for step in range(client.some(5)):
        members = [{"value": f"member-{step}-{n}"} for n in range(10_000)]
        client.ask("PATCH", "/Groups/" + made["id"], message({"op": "add", "path": "members", "value": members}))
    paths += ["/Users?count=200&sortBy=meta.created&sortOrder=descending", "/Groups/" + made["id"], "/Groups?count=200"]
    return lambda n: ("GET", paths[n % len(paths)])


def statements(client):
    """Filters that are never the same twice, and cost little."""
    draw = random.Random(1)

    def make(n):
        each = (draw.choice(("eq", "sw", "gt", "le", "co")) for _ in range(256))
        text = " or ".join(f'userName {operator} "~"' for operator in each)
        return "GET", "/Users?count=1&filter=" + urllib.parse.quote(text)
    return make


ATTACKS = [
    Attack("GET /Users?count=200 (honest)", get("/Users?count=200")),
    Attack('nickName eq "q"', search('nickName eq "q"')),
    Attack("16 × emails.value co", search(terms(16, 'emails.value co "q{}"', "or"))),
    Attack("256 × emails.value co", search(terms(256, 'emails.value co "q{}"', "or")), small=SQL),
    Attack("64 value paths by and", search(terms(64, 'emails[value eq "q{}"]', "and")), small=("postgres",)),
    Attack("256 × displayName co", search(terms(256, 'displayName co "q{}"', "or"))),
    Attack("PATCH of most work", most_work, users=0, small=("memory", "postgres")),
    Attack("bulk of 1,000 creations", creations(), SQL, users=0),
    Attack("bulk of 1,000 with a password", creations("correct-horse"), users=0, small=("sqlite",), stays=True),
    Attack("ONE bulk of most work", bulk_of_most_work, users=0, times=1),
    Attack("three bulks of most work", bulk_of_most_work, users=0, times=3, small=("memory", "sqlite")),
    Attack("answers never read", large_answers, users=0, never_read=1_000),
]
# For the memory only.
OF_MEMORY = [
    Attack("256 terms, never the same", statements, SQL, users=0),
    Attack("200 clients that never read", large_answers, users=0, never_read=200, rate=100, small=("sqlite",)),
]
