"""Judges the report of the attack script more strictly than its exit status does: judge-attack.py REPORT.json."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
# What a leniency takes that is on by default, although the letter refuses it: the input, and the leniency's name.
TAKEN = {
    "FLT-045": "BareWord",
    "PAT-001": "MissingSchemas",
    "PAT-021": "WrappedValue",
    "BDY-043": "WrappedValue",
    "BDY-047": "MissingSchemas",
}
bad = []
for key, item in report["items"].items():
    if item["verdict"] == "OK" or (key in TAKEN and item["verdict"] in ("LENIENT", "EFFECT")):
        continue
    bad.append(f"{key} {item['name']}: {item['verdict']}: {item['why']}")

race = report.get("race")
if not isinstance(race, dict):
    bad.append(f"the races were not run: {race}")
else:
    facts = {
        "members lost when added in parallel": race["group_add"]["lost"],
        "adds refused": race["group_add"]["sent"] - race["group_add"]["acknowledged"],
        "adds lost among removals": race["group_add_remove_mixed"]["adds_lost"],
        "removals undone by adds": race["group_add_remove_mixed"]["removes_undone"],
        "changes to a user lost": race["user_patch_lost"]["lost"],
        "users of one name, beyond the first": race["uniqueness"]["stored"] - 1,
        "winners with one ETag, beyond the first": race.get("if_match", {"won": 1})["won"] - 1,
        "resources that came back after their deletion": int(race["resurrected_after_delete"].split("/")[0]),
        "servers blocked by slow bodies": int(not race["slow_bodies_30"]["alive"]),
        "servers lost to cut bodies": int(not race["alive_after_cut_bodies"]),
    }
    bad += [f"race: {count} {what}" for what, count in facts.items() if count != 0]

wrong = {status: count for status, count in (report.get("load") or {}).get("statuses", {}).items() if status != "200"}
if wrong:
    bad.append(f"load: {wrong}")

print(f"attack: {len(report['items'])} inputs, {len(bad)} complaints")
for line in bad:
    print("  " + line)
sys.exit(1 if bad else 0)
