"""Whether what is there is what was promised."""
import json
import urllib.parse

from server import Client
from writer import NOTHING


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
