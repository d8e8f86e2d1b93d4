"""The judge, put to the test: defects that are planted into what was noted, and have to be found for what they are."""
import copy
import dataclasses

from judge import judge


def self_test(outcome):
    """Plants each defect into a copy of what a good run has left. The judge has to name every one."""
    assert judge(outcome) == [], judge(outcome)[:5]
    for defect, complaint in DEFECTS.items():
        noted = copy_of(outcome)
        defect(noted)
        complaints = judge(noted)
        assert any(complaint in line for line in complaints), f"{defect.__name__} is not found: {complaints[:5]}"
    print(f"self-test: {len(DEFECTS)} planted defects, all of them found")


def copy_of(outcome):
    """One whose notes can be changed; the sets in them are never changed, but replaced."""
    notes = {name: [copy.copy(note) for note in getattr(outcome, name)] for name in ("changes", "sights", "shown", "quiet")}
    return dataclasses.replace(outcome, refused=list(outcome.refused), names=list(outcome.names), **notes)


def change_of(noted, who):
    return next(change for change in noted.changes if change.who == who)


def both(noted, **changed):
    for shown in noted.shown:
        for name, value in changed.items():
            setattr(shown, name, value)


def rename_undone_at_the_end(noted):
    both(noted, name="An older name")


def rename_undone_and_renamed_again(noted):
    sight = next(sight for sight in noted.sights if sight.name.startswith("Name"))
    sight.name = "An older name"


def member_lost(noted):
    both(noted, members=noted.shown[0].members - {next(iter(noted.shown[0].members))})


def removal_undone(noted):
    removed = next(change.removed for change in noted.changes if change.who == "members" and change.removed)
    both(noted, members=noted.shown[0].members | removed)


def document_written_over_others(noted):
    sight = next(sight for sight in noted.sights if sight.members)
    sight.members = frozenset(list(sight.members)[1:])


def process_that_shows_another_name(noted):
    noted.shown[1].name = "Another"


def process_that_is_behind(noted):
    noted.shown[1].version -= 1


def process_that_shows_other_members(noted):
    noted.shown[1].members |= {"somebody"}


def version_given_twice(noted):
    noted.changes[1].version = noted.changes[0].version


def version_of_nobody(noted):
    noted.changes.remove(change_of(noted, "members"))


def last_change_lost(noted):
    last = max(noted.changes, key=lambda change: change.version)
    both(noted, version=last.version - 1)


def old_state_read_after_a_newer_one(noted):
    noted.sights[-1].least = noted.sights[-1].version + 1


def won_with_an_old_version(noted):
    change_of(noted, "if-match").condition -= 1


def document_won_with_an_old_version(noted):
    change_of(noted, "document").condition -= 1


def name_given_twice(noted):
    noted.names[noted.names.index(409)] = 201


def name_given_to_nobody(noted):
    noted.names[noted.names.index(201)] = 409


def two_winners(noted):
    noted.quiet[0][noted.quiet[0].index(412)] = 200


def no_winner(noted):
    noted.quiet[0] = [412] * len(noted.quiet[0])


def write_refused(noted):
    noted.refused.append("members: 500")


DEFECTS = {
    rename_undone_at_the_end: "a rename is lost",
    rename_undone_and_renamed_again: "a rename is lost",
    member_lost: "1 accepted members are lost",
    removal_undone: "1 are there that nobody added",
    document_written_over_others: "1 accepted members are lost",
    process_that_shows_another_name: "the processes do not agree",
    process_that_is_behind: "the processes do not agree",
    process_that_shows_other_members: "the processes do not agree",
    version_given_twice: "versions were given twice",
    version_of_nobody: "nobody was told version",
    last_change_lost: "the last change was told",
    old_state_read_after_a_newer_one: "was read after it",
    won_with_an_old_version: "if-match: for version",
    document_won_with_an_old_version: "document: for version",
    name_given_twice: "creations of one name",
    name_given_to_nobody: "creations of one name",
    two_winners: "writers that named the same version",
    no_winner: "writers that named the same version",
    write_refused: "members: 500",
}
