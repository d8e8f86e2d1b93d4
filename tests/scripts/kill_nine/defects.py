"""The judge, put to the test: defects that are planted into what was read or noted, and have to be found."""
import copy

from judge import judge
from writer import NOTHING, Record, user_state


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
