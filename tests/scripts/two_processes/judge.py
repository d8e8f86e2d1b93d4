"""Whether two processes on one database have behaved as one."""
import collections
import dataclasses

from writers import Change, Sight


@dataclasses.dataclass
class Outcome:
    """All that the clients have noted."""
    # the group as it was made
    first: Sight
    changes: list[Change]
    sights: list[Sight]
    # at each process, when all was over
    shown: list[Sight]
    refused: list[str]
    # of the creations of one name
    names: list[int]
    # of each round of writers that name the same version
    quiet: list[list[int]]


def judge(outcome):
    """What is not as it has to be, a line each."""
    wrong = list(outcome.refused)
    if sorted(outcome.names) != [201] + [409] * (len(outcome.names) - 1):
        wrong.append(f"{len(outcome.names)} creations of one name: {dict(collections.Counter(outcome.names))}")
    for statuses in outcome.quiet:
        won = sum(status in (200, 204) for status in statuses)
        if won != 1 or statuses.count(412) != len(statuses) - 1:
            wrong.append(f"writers that named the same version had the answers {statuses}")
    if outcome.shown[0] != outcome.shown[1]:
        wrong.append("the processes do not agree")
    return wrong + conditions(outcome) + replay(outcome)


def conditions(outcome):
    """A change that is for one version follows that version, and no other change does."""
    return [f"{change.who}: for version {change.condition}, and made version {change.version}"
            for change in outcome.changes if change.condition not in (None, change.version - 1)]


def replay(outcome):
    """Makes the changes again in the order of their versions, and compares with what was read at each of them."""
    wrong = []
    twice = [v for v, count in collections.Counter(change.version for change in outcome.changes).items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} versions were given twice, such as {min(twice)}")
    changes = sorted(outcome.changes, key=lambda change: change.version)
    sights = sorted(outcome.sights + outcome.shown, key=lambda sight: sight.version)
    version, name, members = outcome.first.version, outcome.first.name, set(outcome.first.members)
    for sight in sights:
        if sight.version < sight.least:
            wrong.append(f"version {sight.least} had been told, and {sight.version} was read after it")
    seen = 0
    for change in changes + [None]:
        while seen < len(sights) and (change is None or sights[seen].version < change.version):
            wrong += compared(sights[seen], version, name, members)
            seen += 1
        if change is None:
            break
        if change.version > version + 1:
            wrong.append(f"nobody was told version {version + 1}, and {change.version} follows")
        elif change.version <= version and not twice:
            wrong.append(f"{change.who}: version {change.version} follows {version}")
        version, name = change.version, change.name or name
        members -= change.removed
        members |= change.added
    if outcome.shown[0].version != version:
        wrong.append(f"the group is at {outcome.shown[0].version}, and the last change was told {version}")
    return wrong


def compared(sight, version, name, members):
    """What was read, beside what the accepted changes make of the group."""
    if sight.version != version:
        yield f"version {sight.version} was read, and the changes make no such version"
        return
    if sight.name != name:
        yield f"a rename is lost: version {version} is named {sight.name!r}, and the last accepted name was {name!r}"
    if sight.members is not None and sight.members != members:
        lost, extra = members - sight.members, sight.members - members
        yield f"version {version}: {len(lost)} accepted members are lost, {len(extra)} are there that nobody added"
